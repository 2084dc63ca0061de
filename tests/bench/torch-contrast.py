"""Are the witnesses of path-grad --combine contrast what PyTorch makes of the formulas? torch-contrast.py MODEL.xfvm PHOTO PHOTO

Crops and embeds the photographs with the programs on PATH, works the witnesses out in double precision by autograd through the model's
graph (torch_net.py), cut where the record says, and prints how far the program is from them. Status 1 when the relative L2 error of a witness
is above 5e-3; single cells may be further off, where rounding takes a PReLU's input across its kink.
"""
import io, subprocess, sys

import msgpack, numpy as np, torch
from torch_net import Net, records, tensor

path, *photos = sys.argv[1:]


class Cut(Net):
    """The network in double precision; from(value, h) goes on from there."""

    def __init__(self, path):
        super().__init__(path)
        double = lambda w: w if w is None else w.double()
        self.prepared = [(double(w), double(b)) for w, b in self.prepared]
        self.means = {}
        for r in records(path):
            if r["_"] == "mean":
                self.means[r["value"]] = tensor(r["tensor"]).astype(np.float64)

    def start(self, x):
        """Every value on the way."""
        return self.run({self.values[0]: x}, 0)

    def after(self, value, h):
        """The embedding [N] of the activation h [1, C, H, W] of a value."""
        first = 1 + max(i for i, n in enumerate(self.nodes) if self.name(n["out"]) == value)
        return self.run({value: h}, first)[self.embedding].flatten()

    def run(self, v, first):
        nodes, prepared = self.nodes, self.prepared
        self.nodes, self.prepared, values = nodes[first:], prepared[first:], self.values
        try:
            return self.every(v)
        finally:
            self.nodes, self.prepared = nodes, prepared


def unpack(data):
    return [r for r in msgpack.Unpacker(io.BytesIO(data), raw=False, max_bin_len=1 << 30) if r["_"] == "pair"]


def sh(command):
    return subprocess.run(["sh", "-c", command], stdout=subprocess.PIPE, check=True).stdout


def cosine(a, b):
    return torch.dot(a, b) / (a.norm() * b.norm())


net = Cut(path)
quoted = " ".join("'%s'" % p for p in photos)
pair = unpack(
    sh(
        "facecrop %s | embed -m '%s' | verify -m '%s' | path-grad -m '%s' --combine contrast"
        % (quoted, path, path, path)
    )
)[0]
m = net.head
image = [torch.tensor(tensor(pair[s]["image"]).astype(np.float64)) for s in "ab"]
mean, std = (torch.tensor(np.broadcast_to(np.array(m["input"][k], np.float64), 3).copy()) for k in ("mean", "std"))
values = [net.start(((x - mean) / std).permute(2, 0, 1)[None]) for x in image]
f = [v[net.embedding].flatten() for v in values]
w = pair["maps"][-1]["params"]["witnesses"]


def chw(a):
    return torch.tensor(a).permute(2, 0, 1)[None]


def ways(name, t):
    """The average face at the layer, the faces there, x(t) and its embedding, for both."""
    v = w[name]["value"]
    m0 = chw(net.means[v])
    h = [x[v] for x in values]
    x = [(m0 + t * (a - m0)).requires_grad_() for a in h]
    return m0, net.after(v, m0), h, x, [net.after(v, a) for a in x]


def cells(x, score, h, m0):
    return ((h - m0) * torch.autograd.grad(score, x, retain_graph=True)[0]).sum(1)[0].numpy()


def B(name, k, t):
    m0, fm, h, x, y = ways(name, t)
    return [cells(x[i], cosine(y[i] - k * fm, (f[1 - i] - k * fm).detach()), h[i], m0) for i in (0, 1)]


def H(name):
    m0, fm, h, x, y = ways(name, 0)
    far = (f[0] - fm).norm() * (f[1] - fm).norm()
    return [cells(x[i], torch.dot(y[i], (f[1 - i] - fm).detach()) / far.detach(), h[i], m0) for i in (0, 1)]


def J(name, k, t):
    m0, fm, h, x, y = ways(name, t)
    return [cells(x[i], cosine(y[i] - k * fm, (y[1 - i] - k * fm).detach()), h[i], m0) for i in (0, 1)]


def last(name):
    v = w[name]["value"]
    m0 = chw(net.means[v])
    h, zero = [x[v] for x in values], net.after(w[name]["value"], torch.zeros_like(m0))
    out = np.zeros(m0.shape[2:])
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            only = [torch.zeros_like(m0) for _ in h]
            for a, face in zip(only, h):
                a[:, :, i, j] = (face - m0)[:, :, i, j]
            out[i, j] = cosine(*(net.after(v, a) - zero for a in only))
    return out


mean_of = lambda a: (a[0] + a[1]) / 2
want = {
    ("auto", "similarity"): mean_of(H("auto")),
    ("auto", "dissimilarity"): mean_of(J("auto", 0.5, 0.5)),
}
fine = B("fine", 0, 0.5)
want[("fine", "similarity")], want[("fine", "dissimilarity")] = mean_of(fine), np.minimum(*fine)
want[("cells", "similarity")] = want[("cells", "dissimilarity")] = last("cells")
worst = 0
for (name, which), v in want.items():
    got = tensor(w[name][which]).astype(np.float64)
    off = np.linalg.norm(got - v) / np.linalg.norm(v)
    worst = max(worst, off)
    print(
        "contrast, %s, %s: %d x %d cells, relative error %.1e, largest difference %.1e of the largest cell"
        % (name, which, *v.shape, off, np.abs(got - v).max() / np.abs(v).max())
    )
sys.exit(int(worst > 5e-3))
