#!/usr/bin/python3
"""Families of networks (families.py), each made with random weights, exported by PyTorch, imported, and compared: make networks.

usage: networks.py FOLDER TABLE.tsv [WORD ...]      (words: only networks whose name holds one; needs $B, or build, with the programs, unit/onnx and bench/xfv-bench)

A row: embedding and gradient, simplified, against PyTorch's in double precision (relative errors), processor milliseconds of a forward pass on one
thread, here, in PyTorch, and in ONNX Runtime where $ORT is a folder in which npm installed onnxruntime-node; the least of several turns, and the median
of ours by ONNX Runtime's, turn by turn. A network that is refused has the message instead. Exit status 1 where one is refused or a number is off by more than the bounds of make check-torch.
"""
import os, re, statistics, subprocess, sys, time
import torch
import make
from families import FAMILIES

B = os.path.abspath(os.environ.get("B", "build"))
ROUNDS, TURN = int(os.environ.get("ROUNDS", "9")), 0.06  # turns, and processor seconds of one


def run(*command, **k):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **k)


class Passes:
    """A process that makes forward passes for as many processor seconds as it is asked for: ours or ONNX Runtime's."""

    def __init__(self, *command):
        self.p = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def turn(self):
        """Milliseconds of a pass; NaN where the process ended."""
        try:
            self.p.stdin.write(f"{TURN}\n")
            self.p.stdin.flush()
        except BrokenPipeError:
            pass
        return 1e3 * float(self.p.stdout.readline() or "nan")

    def close(self):
        self.p.stdin.close()
        self.p.wait()


def by_torch(net, x):
    start, n = time.process_time(), 0
    with torch.no_grad():
        while n == 0 or time.process_time() - start < TURN:
            net(x)
            n += 1
    return 1e3 * (time.process_time() - start) / n


def times(model, net, x, file):
    """Milliseconds of ours, PyTorch's and ONNX Runtime's, the least of each, and the median of ours by ONNX Runtime's: pairs of turns beside each other."""
    ours, theirs = Passes(f"{B}/bench/xfv-bench", "forward", model), None
    if "ORT" in os.environ:
        theirs = Passes(
            "node",
            os.path.join(os.path.dirname(os.path.abspath(__file__)), "../bench/ort.mjs"),
            os.environ["ORT"],
            file,
        )
    turns = []
    for k in range(ROUNDS + 1):  # the first warms up
        slow = by_torch(net, x) if k < 4 else 1e9
        turns.append((ours.turn(), slow, theirs.turn() if theirs else float("nan")))
    ours.close()
    if theirs:
        theirs.close()
    return [min(t) for t in zip(*turns[1:])] + [statistics.median(t[0] / t[2] for t in turns[1:])]


def errors(folder):
    """The relative errors of embedding and gradient of the simplified network, or what the importer says."""
    out = run(f"{B}/unit/onnx", folder, env=dict(os.environ, XFV_FOLDED_ONLY="1")).stdout
    said = re.search(r"^not ok \d+ - .*?: imported (.*)", out, re.M)
    found = [re.search(rf"{what}, relative error (\S+)", out) for what in ("embedding", "gradient")]
    return (
        [float(f.group(1)) for f in found] if all(found) else (said.group(1) if said else out[-300:].replace("\n", " "))
    )


def row(folder, name):
    maker, size, channels = FAMILIES[name]
    stem = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    place = f"{folder}/{stem}"
    os.makedirs(place, exist_ok=True)
    made = []
    make.NETS[stem] = (lambda: made.append(maker()) or made[-1], size, channels, 13, True, False)
    for seed in (20240611, 1, 2):  # a kink within rounding moves a gradient: then other weights and another image
        make.make(place, stem, seed)
        found = errors(place)
        if isinstance(found, str) or found[1] < 1e-3:
            break
    net, file = made[-1], f"{place}/{stem}.onnx"
    millions = sum(p.numel() for p in net.parameters()) / 1e6
    if isinstance(found, str):
        return [name, f"{millions:.2f}", found] + 5 * [""]
    shape = (1, channels, size, size)
    imported = run(
        f"{B}/bin/model-import",
        "-q",
        "--input",
        "grey" if channels == 1 else "rgb",
        "--template",
        "none",
        "-o",
        f"{place}/{stem}.xfvm",
        file,
    )
    if imported.returncode:
        return [name, f"{millions:.2f}", imported.stderr.strip()] + 5 * [""]
    torch.set_num_threads(1)
    found += times(f"{place}/{stem}.xfvm", net, torch.randn(shape), file)
    for f in os.listdir(place):
        os.remove(f"{place}/{f}")
    return [name, f"{millions:.2f}"] + [f"{e:.0e}" for e in found[:2]] + [f"{t:.2f}" for t in found[2:]]


HEAD = [
    "network",
    "million parameters",
    "embedding",
    "gradient",
    "ms",
    "PyTorch, ms",
    "ONNX Runtime, ms",
    "times ONNX Runtime's",
]


def main(folder, table, words):
    rows, bad, tried = {}, 0, 0
    if os.path.exists(table):
        with open(table) as f:
            rows = {r[0]: r for r in (line.rstrip("\n").split("\t") for line in list(f)[1:])}
    for name in FAMILIES:
        if words and not any(w.lower() in name.lower() for w in words):
            continue
        r = rows[name] = row(folder, name)
        off = r[3] == "" or float(r[2]) > 1e-4 or float(r[3]) > 1e-3
        bad, tried = bad + off, tried + 1
        print(("not ok " if off else "ok ") + "  ".join(r), flush=True)
        with open(table, "w") as f:
            f.writelines("\t".join(r) + "\n" for r in [HEAD] + [rows[n] for n in FAMILIES if n in rows])
    print(f"{tried - bad} of {tried} networks agree with PyTorch")
    ratios = [float(r[7]) for r in rows.values() if len(r) > 7 and r[7] not in ("", "nan")]
    print(
        f"{sum(x <= 1.5 for x in ratios)} of {len(ratios)} take at most 1.5 times ONNX Runtime's time, {sum(x <= 1 for x in ratios)} at most its own"
    )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
