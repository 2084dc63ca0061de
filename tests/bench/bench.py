#!/usr/bin/python3
"""make bench: how fast we are, in one run. Everything takes turns and is repeated. Seconds are of processor time; medians
are given with the quartiles. A share of the peak is taken in the same moments as the work (xfv-bench.c), so that other
work on the machine disturbs it little. PyTorch's rows need Debian's python3-torch, ONNX Runtime's also npm's
onnxruntime-node (make bench-deps installs both). Rows that cannot be measured are left out, and the table says why.

usage: bench.py BUILD MODEL PHOTO... [--repeats N] [--only GROUP,...] [--out TABLE] [--lfw FOLDER] [--short]"""
import argparse
import glob
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zlib

import msgpack

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, here)
GROUPS = ("fggb", "embed", "facecrop", "forward", "search", "blackbox", "programs")
ap = argparse.ArgumentParser()
ap.add_argument("build", help="build folder: bin/, bench/ and what make bench-deps installed")
ap.add_argument("model")
ap.add_argument("photos", nargs="+")
ap.add_argument("--repeats", type=int, default=7)
ap.add_argument("--only", default=",".join(GROUPS), help="these groups of rows: " + ", ".join(GROUPS))
ap.add_argument("--out", help="write the table here, too")
ap.add_argument("--lfw", help="facecrop works on 100 photographs of this folder (NAME/NAME_0001.jpg), not on PHOTO...")
ap.add_argument("--short", action="store_true", help="everything once and in small, for a test")
a = ap.parse_args()
only = a.only.split(",")
if set(only) - set(GROUPS):
    ap.error("--only takes some of " + ", ".join(GROUPS))
build, model, repeats = os.path.abspath(a.build), os.path.abspath(a.model), 1 if a.short else a.repeats
tools, bench = os.path.join(build, "bin"), os.path.join(build, "bench", "xfv-bench")
env = dict(os.environ, PATH=tools + ":" + os.environ["PATH"])
env.setdefault("XFV_MODEL_PATH", os.path.dirname(model))
scratch = tempfile.mkdtemp()
try:
    with open("/proc/cpuinfo") as f:
        amx = "amx_bf16" in f.read()
except OSError:
    amx = False
rows, missing, peaks = [], [], []
# Before numpy and PyTorch load OpenBLAS: the kernels that our programs give it. It does not know the newest processors.
said = subprocess.run([os.path.join(tools, "fggb-grad"), "--version"], capture_output=True, text=True).stdout
core = re.search(r"OpenBLAS core (\w+)", said).group(1)
os.environ["OPENBLAS_CORETYPE"] = core
os.environ["OMP_WAIT_POLICY"] = "passive"  # PyTorch's threads: waiting is no work
import numpy as np

torch = None
if not a.short:
    try:
        import torch
        from torch_net import Net, tensor
    except ImportError:
        missing.append("PyTorch (make bench-deps)")


def numbers(*args, kernels=None):
    own = {**os.environ, "XFV_KERNELS": kernels} if kernels else None
    out = subprocess.run([bench, *map(str, args)], check=True, capture_output=True, text=True, env=own).stdout
    return [float(x) for x in out.split()]


def sh(command):
    """Seconds of processor and of the clock, and what it said, of a shell pipeline in the scratch folder."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    out = subprocess.run(["/bin/sh", "-c", command], env=env, cwd=scratch, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if out.returncode:
        raise SystemExit(f"{command}: status {out.returncode}: {out.stderr}")
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return max(used, 1e-3), max(time.monotonic() - start, 1e-3), out


def row(group, what, samples, unit, note=""):
    """samples: as measured in turn; the table gives their median and quartiles."""
    v = sorted(samples)
    low, mid, high = np.percentile(v, [25, 50, 75])
    show = lambda x: f"{x:.0f}" if x >= 1000 else f"{x:.3g}"
    rows.append((group, what, show(mid), show(low), show(high), unit, note))
    print("\t".join(rows[-1]), flush=True)


def ratios(x, y):
    return [p / q for p, q in zip(x, y)]


def turns(*measures):
    """Each of the measures once a repeat, one after the other: a list of samples for each."""
    got = [[] for _ in measures]
    for r in range(repeats):
        peaks.append(numbers("peak", 1)[0])
        for samples, measure in zip(got, measures):
            samples.append(measure())
        print(f"turn {r + 1} of {repeats}", file=sys.stderr)
    return got


def crop():
    """faces.xfv: the faces of the photographs with their embeddings."""
    path = os.path.join(scratch, "faces.xfv")
    if not os.path.exists(path):
        sh(
            "facecrop %s | embed -m '%s' -o faces.xfv"
            % (" ".join("'%s'" % os.path.abspath(p) for p in a.photos), model)
        )
    return [r for r in msgpack.Unpacker(open(path, "rb"), raw=False) if r["_"] == "face"]


class Torch:
    """The same network in PyTorch, on our first face, after a look that it is the same."""

    def __init__(self):
        self.net, face = Net(model), crop()[0]
        head = self.net.head["input"]
        x = (tensor(face["image"]).astype(np.float32) - np.float32(head["mean"])) / np.float32(head["std"])
        self.x = torch.from_numpy(x.transpose(2, 0, 1)[None].copy())
        with torch.no_grad():
            ours, theirs = torch.from_numpy(tensor(face["embedding"]).copy()), self.net(self.x)[0]
        self.n, error = theirs.numel(), float((ours - theirs).norm() / theirs.norm())
        if error > 1e-4:
            raise SystemExit(f"PyTorch does not agree with our embedding: relative error {error}")

    def timed(self, threads, f):
        """Seconds of processor time on one thread, of the clock on more."""
        torch.set_num_threads(threads)
        clock = time.process_time if threads == 1 else time.monotonic
        start = clock()
        f()
        return clock() - start

    def copies(self, c=8):
        """Copies of the image in a batch, each with its own unit cotangent: PyTorch's best way, as far as we found."""
        for k in range(0, self.n, c):
            xi = self.x.expand(c, -1, -1, -1).clone().requires_grad_()
            torch.autograd.grad(self.net(xi), xi, torch.eye(self.n)[k : k + c])[0].abs().mean(1)

    def loop(self):
        """One backward pass a channel."""
        xi = self.x.clone().requires_grad_()
        y = self.net(xi)[0]
        for k in range(self.n):
            torch.autograd.grad(y[k], xi, retain_graph=True)[0].abs().mean(1)

    def forward(self, batch, n):
        with torch.no_grad():
            xb = self.x.expand(batch, -1, -1, -1).contiguous()
            for _ in range(n):
                self.net(xb)


def fggb(theirs):
    for t in (2,) if a.short else (1, 2):
        measures = [lambda: numbers("fggb", model, t)]
        if theirs:
            measures += [lambda: theirs.timed(t, theirs.copies), lambda: theirs.timed(t, theirs.loop)]
        ours, *others = turns(*measures)
        threads, at = ("1 thread", 0) if t == 1 else ("2 threads", 2)
        mine = [o[at] for o in ours]
        row("fggb", f"FGGB, one face, {threads}", mine, "s" if t == 1 else "s of the clock")
        row("fggb", f"share of the peak, {threads}", [o[1] for o in ours], "")
        for name, samples in zip(("batches of 8 copies", "a pass a channel"), others):
            row("fggb", f"PyTorch, {name}, {threads}", ratios(samples, mine), "times ours")
    if not a.short and amx:
        single, ours = turns(*(lambda k=k: numbers("fggb", model, 1, kernels=k)[0] for k in (None, "amx3")))
        row("fggb", "FGGB, one face, 1 thread, amx3", ours, "s")
        row("fggb", "single precision, 1 thread", ratios(single, ours), "times amx3")


def embed(theirs):
    measures = [lambda: numbers("embed", model, 1)]
    if theirs:
        theirs.forward(1, 2)
        measures += [lambda: theirs.timed(1, lambda: theirs.forward(1, 16)) / 16]
    ours, *others = turns(*measures)
    mine = [o[0] for o in ours]
    row("embed", "embed, one face", [1e3 * s for s in mine], "ms")
    row("embed", "share of the peak", [o[1] for o in ours], "")
    for samples in others:
        row("embed", "PyTorch, one by one", ratios(samples, mine), "times ours")


def facecrop():
    photos = [os.path.abspath(p) for p in a.photos]
    if a.lfw:
        photos = sorted(glob.glob(os.path.join(os.path.abspath(a.lfw), "*", "*_0001.jpg")))[:100]
    with open(os.path.join(scratch, "photos"), "w") as f:
        f.write("\0".join(photos * (1 if a.short else max(1, 60 // len(photos)))))
    count = len(open(os.path.join(scratch, "photos")).read().split("\0"))
    (used,) = turns(lambda: sh("facecrop -q --files0-from photos >/dev/null || [ $? = 1 ]")[0])
    row("facecrop", "facecrop", [count / u for u in used], "photographs a second", "LFW" if a.lfw else "tests/photos")


class Passes:
    """A process that makes forward passes for as many seconds as it is asked: ours or ONNX Runtime's."""

    def __init__(self, *command):
        self.p = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

    def __call__(self, seconds=0.1):
        self.p.stdin.write(f"{0.001 if a.short else seconds}\n")
        line = self.p.stdout.readline()
        if not line:
            raise SystemExit(f"{self.p.args}: no answer")
        return float(line)

    def close(self):
        self.p.stdin.close()
        self.p.wait()


def forward():
    """Networks of published shapes, beside ONNX Runtime where it is there. In short: a network of the tests."""
    folder, package = os.path.join(build, "bench", "nets"), os.path.join(build, "bench", "node_modules")
    if a.short:
        onnx = {"tiny-vit": os.path.join(here, "..", "onnx", "tiny-vit.onnx")}
    elif torch:
        from nets import NETS

        os.makedirs(folder, exist_ok=True)
        onnx = {n: os.path.join(folder, n + ".onnx") for n in NETS}
        for name, path in onnx.items():
            if not os.path.exists(path):
                subprocess.run(
                    [sys.executable, os.path.join(here, "nets.py"), folder, name], check=True, capture_output=True
                )
    else:
        return
    theirs = shutil.which("node") and os.path.isdir(os.path.join(package, "onnxruntime-node"))
    if not theirs:
        missing.append("ONNX Runtime (make bench-deps)")
    for name, path in onnx.items():
        sh(f"model-import -q '{path}' -o net.xfvm --force")
        ours = Passes(bench, "forward", os.path.join(scratch, "net.xfvm"))
        pair = [ours] + ([Passes("node", os.path.join(here, "ort.mjs"), package, path)] if theirs else [])
        mine, *other = turns(*pair)
        row("forward", name, [1e3 * s for s in mine], "ms")
        for samples in other:
            row("forward", f"{name}, ONNX Runtime", ratios(samples, mine), "times ours")
        for p in pair:
            p.close()


def synthetic(count, n=192):
    """synthetic.xfv: faces with embeddings alone."""
    rng, crc = np.random.default_rng(1), 0
    with open(os.path.join(scratch, "synthetic.xfv"), "wb") as out:
        head = msgpack.packb({"_": "head", "magic": "xfv", "version": [1, 0], "provenance": []})
        out.write(head)
        crc = zlib.crc32(head)
        for i in range(count):
            b = msgpack.packb(
                {
                    "_": "face",
                    "id": f"n{i}",
                    "embedding": {"dtype": "<f4", "shape": [n], "data": rng.standard_normal(n, np.float32).tobytes()},
                }
            )
            crc = zlib.crc32(b, crc)
            out.write(b)
        out.write(msgpack.packb({"_": "end", "records": count, "errors": 0, "crc32": crc}))


def search():
    many, few = (2000, 500) if a.short else (1000000, 20000)
    common = f"-m '{model}' -t 0.3 --best 10 --tsv"
    synthetic(few)
    used = turns(lambda: sh(f"verify --all {common} synthetic.xfv >/dev/null")[0])[0]
    row(
        "search",
        f"verify --all --best 10, {few} faces",
        [few * (few - 1) / 2e6 / u for u in used],
        "million comparisons a second",
    )
    synthetic(many)
    probe = f"verify --probe n7 {common} synthetic.xfv >/dev/null"
    sh(probe)
    used = turns(lambda: sh(probe)[:2])[0]
    row("search", f"verify --probe --best 10, {many} faces", [u[0] for u in used], "s", "the file is in memory")
    row("search", "the same", [u[1] for u in used], "s of the clock")
    os.remove(os.path.join(scratch, "synthetic.xfv"))


def blackbox(theirs):
    """Programs that ask the network for masked images, all they do counted. PyTorch's is its forward pass alone, at its
    best batch."""
    crop()
    sh("verify --all faces.xfv | xfv-select -n 1 -o pair.xfv")
    whole = (("corrrise -n 50", 100),) if a.short else (("corrrise", 1000), ("lime", 2000), ("xface", 2260))
    batches = (1, 8, 32) if theirs else ()
    rate = lambda batch: batch * 4 / theirs.timed(1, lambda: theirs.forward(batch, 4))
    got = turns(
        *[lambda c=c, n=n: n / sh(f"{c} -m '{model}' pair.xfv >/dev/null")[0] for c, n in whole],
        *[lambda b=b: rate(b) for b in batches],
    )
    best = max(got[len(whole) :], key=statistics.median, default=None)
    for (command, _), samples in zip(whole, got):
        row("blackbox", command, samples, "masked images a second")
        if best:
            row("blackbox", f"{command} and PyTorch's forward pass", ratios(samples, best), "times PyTorch's")


def programs():
    """Whole programs that keep memory flat: faces no two of which are alike."""
    faces, (first, second) = crop(), ((2, 2) if a.short else (8, 41))
    head = msgpack.packb({"_": "head", "magic": "xfv", "version": [1, 0], "provenance": []})

    def noisy(count):
        rng, body = np.random.default_rng(1), [head]
        for i in range(count):
            image = np.frombuffer(faces[i % len(faces)]["image"]["data"], "|u1").reshape(112, 112, 3)
            image = np.clip(image + rng.normal(0, 4, image.shape), 0, 255).astype("u1")
            body.append(
                msgpack.packb(
                    {
                        "_": "face",
                        "id": f"n{i}",
                        "image": {"dtype": "|u1", "shape": [112, 112, 3], "data": image.tobytes()},
                    }
                )
            )
        body = b"".join(body)
        with open(os.path.join(scratch, "many.xfv"), "wb") as out:
            out.write(body + msgpack.packb({"_": "end", "records": count, "errors": 0, "crc32": zlib.crc32(body)}))
        sh(f"embed -m '{model}' many.xfv -o embedded.xfv")

    limit = "--max-memory 256M"
    noisy(first)
    pairs = first // 2
    used = turns(lambda: sh(f"verify embedded.xfv | path-grad {limit} -m '{model}' >/dev/null")[0])[0]
    row("programs", "path-grad, a pair of new faces", [1e3 * u / pairs for u in used], "ms", "in 256 MiB")
    if a.short:
        return
    used = turns(lambda: sh(f"verify embedded.xfv | fggb-grad {limit} -m '{model}' >/dev/null")[0])[0]
    row("programs", "fggb-grad, a pair of new faces", [u / pairs for u in used], "s", "in 256 MiB")
    noisy(second)
    sh(f"fggb-grad --keep-gradients -j 2 -m '{model}' embedded.xfv -o kept.xfv")
    used = turns(lambda: sh(f"verify --probe n0 kept.xfv | fggb-grad {limit} -m '{model}' >/dev/null")[0])[0]
    row(
        "programs",
        "fggb-grad, a pair of faces with kept gradients",
        [1e3 * u / (second - 1) for u in used],
        "ms",
        "in 256 MiB",
    )


def machine():
    cpu = re.search(r"model name\s*: (.*)", open("/proc/cpuinfo").read())
    names = [cpu.group(1) if cpu else "unknown processor", f"{os.cpu_count()} cores"]
    names += [re.search(r"kernels \w+", said).group(0), f"OpenBLAS core {core} for all"]
    if torch:
        names.append("PyTorch " + torch.__version__)
    return f"{', '.join(names)}; medians of {repeats} with quartiles; seconds of processor time"


def disturbed():
    """A sentence when the peak, taken again and again, was not the same: other work shared the processor's units."""
    low, load = statistics.median(peaks) / max(peaks), os.getloadavg()[0]
    if low > 0.95 and load < 1.5:
        return ""
    return (
        f"disturbed: the peak's median was {low:.2f} of its best ({max(peaks):.0f} GFLOP/s) and the load {load:.1f}; "
        "trust ratios and shares, not seconds"
    )


try:
    print(machine(), file=sys.stderr)
    theirs = Torch() if torch and {"fggb", "embed", "blackbox"} & set(only) else None
    for group in GROUPS:
        if group in only:
            f = globals()[group]
            f(theirs) if group in ("fggb", "embed", "blackbox") else f()
    row("machine", "multiply-add peak, one thread", peaks, "GFLOP/s", disturbed() or "undisturbed")
    notes = [machine()] + ([f"left out, not installed: {', '.join(missing)}"] if missing else [])
    print("\n".join("# " + n for n in notes))
    if a.out:
        with open(a.out + ".part", "w") as f:
            f.write("".join(f"# {n}\n" for n in notes) + "group\twhat\tmedian\tlow\thigh\tunit\tnote\n")
            f.write("".join("\t".join(r) + "\n" for r in rows))
        os.rename(a.out + ".part", a.out)
finally:
    shutil.rmtree(scratch, ignore_errors=True)
