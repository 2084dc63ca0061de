#!/usr/bin/python3
"""How well fewer channels do: fggb-grad --channels M against the exact maps, on the pairs of a stream. usage: dial.py PAIRS.xfv [M...]
Prints, per M, the median and worst over all maps of: correlation and relative L2 error of the signed map, and the recorded bound over the
exact map's norm."""
import io
import subprocess
import sys

import msgpack
import numpy as np


def maps(path, *options):
    out = subprocess.run(["fggb-grad", "-j", "0", *options, path], check=True, capture_output=True).stdout
    for r in msgpack.Unpacker(io.BytesIO(out), raw=False, max_buffer_size=1 << 31):
        if r["_"] != "pair":
            continue
        m = r["maps"][-1]
        for side in "ab":
            t = [np.frombuffer(m[side][k]["data"], "<f4").astype(float) for k in ("similarity", "dissimilarity")]
            yield t[0] - t[1], m["params"].get("error_bound", 0.0)


path = sys.argv[1]
exact = [s for s, _ in maps(path)]
print("M\tcorrelation median\tworst\trelative error median\tworst\tbound/norm median")
for M in [int(x) for x in sys.argv[2:]] or [4, 8, 16, 32, 48, 64, 96, 128, 160]:
    c, e, b = [], [], []
    for s, (a, bound) in zip(exact, maps(path, "--channels", str(M))):
        c.append(np.corrcoef(s, a)[0, 1])
        e.append(np.linalg.norm(s - a) / np.linalg.norm(s))
        b.append(bound / np.linalg.norm(s))
        assert np.linalg.norm(s - a) <= bound + 1e-5
    print(f"{M}\t{np.median(c):.4f}\t{min(c):.4f}\t{np.median(e):.4f}\t{max(e):.4f}\t{np.median(b):.3f}")
