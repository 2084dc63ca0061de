"""A model of ours as a PyTorch function: the independent implementation that bench.py times and test scripts compare with."""
import msgpack
import numpy as np
import torch
import torch.nn.functional as F


def records(path):
    with open(path, "rb") as f:
        yield from msgpack.Unpacker(f, raw=False, max_buffer_size=1 << 31, strict_map_key=False)


def tensor(t):
    return np.frombuffer(t["data"], t["dtype"]).reshape(t["shape"])


def iresnet(depth):
    """InsightFace's iResNet-50 or -100 with random weights, for timing: batch normalisations folded but for those in front of padded convolutions."""
    from torch import nn

    deep, m, c = {50: (3, 4, 14, 3), 100: (3, 13, 30, 3)}[depth], [nn.Conv2d(3, 64, 3, 1, 1), nn.PReLU(64)], 64

    class Block(nn.Module):
        def __init__(self, cin, n, stride):
            super().__init__()
            self.body = nn.Sequential(
                nn.BatchNorm2d(cin), nn.Conv2d(cin, n, 3, 1, 1), nn.PReLU(n), nn.Conv2d(n, n, 3, stride, 1)
            )
            self.short = nn.Conv2d(cin, n, 1, stride) if stride == 2 else nn.Identity()

        def forward(self, x):
            return self.body(x) + self.short(x)

    for i, n in enumerate(deep):
        for k in range(n):
            m.append(Block(c, 64 << i, 1 if k else 2))
            c = 64 << i
    return nn.Sequential(*m, nn.BatchNorm2d(c), nn.Flatten(), nn.Linear(c * 49, 512)).eval()


class Net:
    def __init__(self, path):
        self.weights = {}
        for r in records(path):
            if r["_"] == "head":
                self.head = r
            elif r["_"] == "weight":
                self.weights[r["name"]] = torch.from_numpy(tensor(r["tensor"]).astype(np.float32).copy())
        g = self.head["graph"]
        self.nodes, self.values = g["nodes"], [v["name"] for v in g["values"]]
        self.embedding = self.head["embedding"]
        self.prepared = [self.prepare(n) for n in self.nodes]

    def w(self, n, key):
        k = n.get(key)
        if k is None:
            return None
        return self.weights[k] if isinstance(k, str) else list(self.weights.values())[k]

    def prepare(self, n):
        w, b = self.w(n, "weight"), self.w(n, "bias")
        if n["op"] == "conv":
            w = w.permute(3, 2, 0, 1).contiguous()  # HWIO -> OIHW
        return w, b

    def name(self, v):
        return v if isinstance(v, str) else self.values[v]

    def __call__(self, x):
        """x: [B, C, H, W], normalised. The raw embedding [B, N]."""
        return self.every({self.values[0]: x})[self.embedding].flatten(1)

    def every(self, v):
        """All values by name, from those that are there."""
        for n, (w, b) in zip(self.nodes, self.prepared):
            a = [v[self.name(i)] for i in n["in"]]
            op = n["op"]
            if op == "conv":
                t, l, bo, r = n.get("pads", [0, 0, 0, 0])
                s = n.get("stride", [1, 1])
                d = n.get("dilation", [1, 1])
                h = a[0]
                if t == bo and l == r:
                    y = F.conv2d(h, w, b, s, (t, l), d, n.get("groups", 1))
                else:
                    y = F.conv2d(F.pad(h, (l, r, t, bo)), w, b, s, 0, d, n.get("groups", 1))
            elif op == "prelu":
                y = F.prelu(a[0], w)
            elif op == "relu":
                y = F.relu(a[0])
            elif op == "add":
                y = a[0] + a[1]
            elif op == "dense":
                y = a[0].permute(0, 2, 3, 1).flatten(1) @ w + (b if b is not None else 0)
            elif op == "reshape":
                y = a[0].flatten(1)
            else:
                raise SystemExit(f"torch_net: operator {op} is not known here")
            v[self.name(n["out"])] = y
        return v
