#!/usr/bin/python3
"""make bench: our speed as ratios taken in one run against this machine's multiply-add peak, OpenBLAS's sgemm and PyTorch on the same weights
and image. Everything is interleaved and repeated; medians are printed. Needs Debian's python3-torch; without it the PyTorch columns are
left out and the output says so. usage: bench.py BIN MODEL PHOTO... [--repeats N] [--quick] [--blackbox | --resnets]"""
import argparse
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import zlib

import msgpack
import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
ap = argparse.ArgumentParser()
ap.add_argument("bin", help="build folder: bin/ and bench/")
ap.add_argument("model")
ap.add_argument("photos", nargs="+")
ap.add_argument("--repeats", type=int, default=7)
ap.add_argument("--quick", action="store_true", help="leave out the slow parts: torch's per-channel loop, iResNet-50, growth")
ap.add_argument("--blackbox", action="store_true", help="only the methods that ask for embeddings of masked images, against torch's batched forward")
ap.add_argument("--resnets", action="store_true", help="only forward passes of iResNet-50 and -100, beside PyTorch's")
a = ap.parse_args()
tools = os.path.abspath(os.path.join(a.bin, "bin"))
bench = os.path.join(os.path.abspath(a.bin), "bench", "xfv-bench")
env = dict(os.environ, PATH=tools + ":" + os.environ["PATH"])
scratch = tempfile.mkdtemp()


def numbers(*args):
    return [float(x) for x in subprocess.run([bench, *map(str, args)], check=True, capture_output=True, text=True).stdout.split()]


def sh(command):
    """Seconds and peak resident MiB of the largest process of a shell pipeline."""
    start = time.monotonic()
    out = subprocess.run(["/bin/sh", "-c", command], env=env, cwd=scratch, capture_output=True, text=True)
    seconds = time.monotonic() - start
    if out.returncode:
        raise SystemExit(f"{command}: status {out.returncode}: {out.stderr}")
    return seconds, out


def med(v):
    return statistics.median(v)


def line(what, value, note=""):
    print(f"| {what} | {value} | {note} |", flush=True)


try:
    import torch
    from torch_net import Net, iresnet, tensor
except ImportError:
    torch = None

def resnets(peaks):
    """iResNet-50 and -100, a forward pass one by one: ours and PyTorch's in turn. Processor seconds too, which other work on the machine disturbs less.
    peaks: OpenBLAS's GFLOP/s on two threads, or None."""
    for depth in (50, 100):
        got = {}
        for t in (1, 2):
            for _ in range(max(3, a.repeats // 2)):
                r = numbers("resnet", t, depth)
                got.setdefault(("wall", t), []).append(r[1])
                got.setdefault(("cpu", t), []).append(r[3])
                got.setdefault(("row", t), []).append(r[2])
                if not torch:
                    continue
                torch.set_num_threads(t)
                with torch.no_grad():
                    net, image = iresnet(depth), torch.randn(1, 3, 112, 112)
                    net(image)
                    s, c = time.monotonic(), time.process_time()
                    for _ in range(5):
                        net(image)
                    got.setdefault(("torch wall", t), []).append((time.monotonic() - s) / 5)
                    got.setdefault(("torch cpu", t), []).append((time.process_time() - c) / 5)
            print(f"iResNet-{depth}, {t} threads", file=sys.stderr)
        macs, v = r[0], {k: med(x) for k, x in got.items()}
        both = lambda f: ", ".join(f(t) for t in (1, 2))
        floor = f"; {v['wall', 2] * peaks / (2e-9 * macs):.2f} of the direct sgemm floor" if peaks else ""
        line(f"iResNet-{depth} shape, forward", both(lambda t: f"{v['wall', t] * 1e3:.0f} ({v['cpu', t] * 1e3:.0f})"), f"ms (processor ms); {macs * 1e-9:.2f} G multiply-adds{floor}")
        if torch:
            line("PyTorch, the same, one by one", both(lambda t: f"{v['torch wall', t] * 1e3:.0f} ({v['torch cpu', t] * 1e3:.0f})"), "ms (processor ms)")
            line("... times ours", both(lambda t: f"{v['torch wall', t] / v['wall', t]:.2f} ({v['torch cpu', t] / v['cpu', t]:.2f})"), "")
        line("one row of the Jacobian", both(lambda t: f"{v['row', t] * 1e3:.1f}"), "ms")


if a.resnets:
    print("| what | 1 thread, 2 threads | |\n|---|---|---|")
    resnets(None)
    subprocess.run(["rm", "-rf", scratch])
    sys.exit()

photos = " ".join("'%s'" % os.path.abspath(p) for p in a.photos)
model = os.path.abspath(a.model)
sh(f"facecrop {photos} | embed -m '{model}' -o faces.xfv")
macs = numbers("macs", model)[0]

if torch:
    net = Net(model)
    head = net.head["input"]
    face = next(r for r in msgpack.Unpacker(open(os.path.join(scratch, "faces.xfv"), "rb"), raw=False) if r["_"] == "face")
    crop = tensor(face["image"]).astype(np.float32)
    x = torch.from_numpy(((crop - np.float32(head["mean"])) / np.float32(head["std"])).transpose(2, 0, 1)[None].copy())
    with torch.no_grad():
        ours = torch.from_numpy(tensor(face["embedding"]).copy())
        theirs = net(x)[0]
        N = theirs.numel()
        err = float((ours - theirs).norm() / theirs.norm())
        assert err < 1e-4, f"torch does not agree: relative error {err}"

    def t_forward(batch):
        xb = x.expand(batch, -1, -1, -1).contiguous()
        with torch.no_grad():
            net(xb)
            s = time.monotonic()
            for _ in range(max(1, 32 // batch)):
                net(xb)
            return (time.monotonic() - s) / (max(1, 32 // batch) * batch)

    def t_loop():
        """One backward pass a channel: what the scripts of today do."""
        s = time.monotonic()
        xi = x.clone().requires_grad_()
        y = net(xi)[0]
        for k in range(N):
            torch.autograd.grad(y[k], xi, retain_graph=True)[0].abs().mean(1)
        return time.monotonic() - s

    def t_batched():
        s = time.monotonic()
        xi = x.clone().requires_grad_()
        y = net(xi)[0]
        torch.autograd.grad(y, xi, torch.eye(N), is_grads_batched=True)[0].abs().mean(2)
        return time.monotonic() - s

    def t_chunks(c=8):
        """Copies of the image in one batch, each with its own unit cotangent: the best that we found in PyTorch."""
        s = time.monotonic()
        for k in range(0, N, c):
            xi = x.expand(c, -1, -1, -1).clone().requires_grad_()
            y = net(xi)
            torch.autograd.grad(y, xi, torch.eye(N)[k:k + c])[0].abs().mean(1)
        return time.monotonic() - s

# Whole programs that ask the network for masked images, all they do counted, against torch's forward pass alone: masked images a second of processor time, which
# other work on the machine does not touch.
BLACKBOX = (("corrrise", "corrrise", 1000), ("lime", "lime", 2000), ("xface", "xface", 2260))
BATCHES = (1, 4, 8, 16, 32, 64)


def cpu(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    sh(command)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def t_rate(batch):
    xb = x.expand(batch, -1, -1, -1).contiguous()
    with torch.no_grad():
        net(xb)
        start, n = time.process_time(), max(2, 128 // batch)
        for _ in range(n):
            net(xb)
        return n * batch / (time.process_time() - start)


def blackbox(repeats):
    sh("verify --all faces.xfv | xfv-select -n 1 -o pair.xfv")
    got = {name: [] for name, _, _ in BLACKBOX} | {b: [] for b in BATCHES}
    for r in range(repeats):
        for name, command, images in BLACKBOX:
            got[name].append(images / cpu(f"{command} -o out.xfv pair.xfv"))
        if torch:
            torch.set_num_threads(1)
            for b in BATCHES:
                got[b].append(t_rate(b))
        print(f"black box: repeat {r + 1} of {repeats}", file=sys.stderr)
    best = max((med(got[b]), b) for b in BATCHES) if torch else None
    if best:
        line("PyTorch forward, masked images a second of processor", f"{best[0]:.0f}", f"batches of {best[1]}, the best of {', '.join(map(str, BATCHES))}")
    for name, _, _ in BLACKBOX:
        line(f"{name}, the whole program", f"{med(got[name]):.0f}", f"{med(got[name]) / best[0]:.2f} of PyTorch's" if best else "")


if a.blackbox:
    print("| what | | |\n|---|---|---|")
    blackbox(a.repeats)
    subprocess.run(["rm", "-rf", scratch])
    raise SystemExit

names = ["peak", "sgemm", "fggb", "embed"] + (["loop", "batched", "chunks", "fwd1", "fwd8"] if torch else [])
got = {(n, t): [] for n in names for t in (1, 2)}
for r in range(a.repeats):
    for t in (1, 2):
        got["peak", t].append(numbers("peak", t)[0])
        got["sgemm", t].append(numbers("sgemm", t)[0])
        got["fggb", t].append(numbers("fggb", model, t, 1)[0])
        got["embed", t].append(numbers("embed", model, t)[0])
        if not torch:
            continue
        torch.set_num_threads(t)
        got["chunks", t].append(t_chunks())
        got["fwd1", t].append(t_forward(1))
        got["fwd8", t].append(t_forward(8))
        if not a.quick:
            got["batched", t].append(t_batched())
            if r < 3:
                got["loop", t].append(t_loop())
    print(f"repeat {r + 1} of {a.repeats}", file=sys.stderr)

cpu = re.search(r"model name\s*: (.*)", open("/proc/cpuinfo").read())
kernels = subprocess.run([os.path.join(tools, "fggb-grad"), "--version"], capture_output=True, text=True).stdout
print(f"\nMachine: {cpu.group(1) if cpu else '?'}, {os.cpu_count()} cores; {re.search('kernels .*', kernels).group(0)}; "
      f"{re.search('OpenBLAS core [^,]*', kernels).group(0)}; {'PyTorch ' + torch.__version__ if torch else 'no PyTorch: its rows are left out'}. "
      f"Medians of {a.repeats}; of the peak the best.\n")
print("| what | 1 thread, 2 threads | |\n|---|---|---|")


def both(f):
    return ", ".join(f(t) for t in (1, 2))


N = int(subprocess.run(f"xfv-json '{scratch}/faces.xfv' | jq -r 'select(._==\"face\").embedding.shape[0]' | head -n 1", shell=True, env=env,
                       capture_output=True, text=True).stdout)
work = 2e-9 * macs * N
m = {k: max(v) if k[0] == "peak" else med(v) for k, v in got.items() if v}  # a peak is what the machine can do
line("multiply-add peak", both(lambda t: f"{m['peak', t]:.0f}"), "GFLOP/s")
line("OpenBLAS sgemm, 784x128x128 a thread", both(lambda t: f"{m['sgemm', t]:.0f}"), "GFLOP/s")
line(f"FGGB, one face ({N} backward passes, {macs * N * 1e-9:.1f} G multiply-adds)", both(lambda t: f"{m['fggb', t]:.3f}"), "s")
line("share of the peak", both(lambda t: f"{work / m['fggb', t] / m['peak', t]:.2f}"), "")
line("time over the sgemm floor", both(lambda t: f"{m['fggb', t] * m['sgemm', t] / work:.2f}"), "1: as fast as sgemm alone on the same multiply-adds")
if torch:
    for n, what in (("loop", "PyTorch, a backward pass a channel"), ("batched", "PyTorch, is_grads_batched"), ("chunks", "PyTorch, batches of 8 copies")):
        if (n, 1) in m:
            line(what, both(lambda t: f"{m[n, t]:.2f}"), "s")
            line("... times ours", both(lambda t: f"{m[n, t] / m['fggb', t]:.1f}"), "")
line("embed, one face", both(lambda t: f"{m['embed', t] * 1e3:.2f}"), "ms (throughput)")
if torch:
    line("PyTorch forward, one by one", both(lambda t: f"{m['fwd1', t] * 1e3:.2f}"), "ms")
    line("... times ours", both(lambda t: f"{m['fwd1', t] / m['embed', t]:.2f}"), "")
    line("PyTorch forward, batches of 8", both(lambda t: f"{m['fwd8', t] * 1e3:.2f}"), "ms a face")
    line("... times ours", both(lambda t: f"{m['fwd8', t] / m['embed', t]:.2f}"), "")

# facecrop: many times the same photographs
many = " ".join([photos] * (60 // len(a.photos) + 1))
count = len(a.photos) * (60 // len(a.photos) + 1)
times = [sh(f"facecrop -v {many} >/dev/null") for _ in range(3 if a.quick else a.repeats)]
line("facecrop", f"{count / med([t[0] for t in times]):.0f}", f"photographs a second, 1 worker; {times[-1][1].stderr.strip().splitlines()[-1]}")

blackbox(1 if a.quick else 3)
if not a.quick:
    resnets(m["sgemm", 2])
    gnu = "/usr/bin/time -f '%e %M' -o t.txt"
    faces = [r for r in msgpack.Unpacker(open(os.path.join(scratch, "faces.xfv"), "rb"), raw=False) if r["_"] == "face"]

    def noisy(count, path):
        """A stream of count faces, no two alike: our photographs with a little noise."""
        rng, crc = np.random.default_rng(1), 0
        with open(os.path.join(scratch, path), "wb") as out:
            def put(r):
                nonlocal crc
                b = msgpack.packb(r)
                crc = zlib.crc32(b, crc)
                out.write(b)
            put({"_": "head", "magic": "xfv", "version": [1, 0], "provenance": []})
            for i in range(count):
                im = np.frombuffer(faces[i % len(faces)]["image"]["data"], "|u1").reshape(112, 112, 3)
                im = np.clip(im + rng.normal(0, 4, im.shape), 0, 255).astype("u1")
                put({"_": "face", "id": f"n{i}", "image": {"dtype": "|u1", "shape": [112, 112, 3], "data": im.tobytes()}})
            out.write(msgpack.packb({"_": "end", "records": count, "errors": 0, "crc32": crc}))

    def grown(what, command):
        sh(f"{command} {gnu} fggb-grad {what} -j 2 >/dev/null")
        s, kb = open(os.path.join(scratch, "t.txt")).read().split()
        return float(s), int(kb) // 1024

    for options, counts in (("", (10, 100)), ("--channels 8", (10, 100, 1000))):
        for n in counts:
            noisy(2 * n, "many.xfv")
            s, mib = grown(options, "embed many.xfv | verify |")
            line(f"fggb-grad {options} -j 2, {n} pairs of {2 * n} faces", f"{s:.1f} s", f"{s / n:.3f} s a pair, {mib} MiB at most")
    noisy(101, "many.xfv")
    probe, _ = grown("", "embed many.xfv | verify --probe n0 |")
    one = m["fggb", 2] * 101
    line("fggb-grad -j 2, 1 probe x 100 gallery faces", f"{probe:.1f} s", f"{probe / one:.2f} of the differentiation of 101 faces alone")
    noisy(101, "many.xfv")
    sh("embed many.xfv | fggb-grad --keep-gradients -j 2 -o kept.xfv")
    again, mib = grown("", "verify --probe n0 kept.xfv |")
    line("... again from kept gradients", f"{again:.1f} s", f"{mib} MiB at most")
subprocess.run(["rm", "-rf", scratch])
