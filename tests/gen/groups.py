"""Write a labelled stream of explained pairs of made-up people of two groups, and the table of groups; for tests of regions --groups.

Usage: groups.py PEOPLE PLANT >stream   (groups.tsv is written to the current folder)
PLANT 1: group y is falsely rejected and accepted more often, and its S+ lies lower in the face; 0: the groups are alike; -1: alike, and no labels."""
import os, sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import numpy as np
from streams import stream, tensor

people, plant = int(sys.argv[1]), int(sys.argv[2])
rng = np.random.default_rng(5)
y, x = np.mgrid[0:28, 0:28]


def blob(cy):
    return tensor(np.exp(-((y - cy) ** 2 + (x - 13.5) ** 2) / 20).astype("<f4"))


def pair(a, b, group, genuine):
    low = plant == 1 and group == "y"
    score = rng.normal(0.6 if genuine else 0.1, 0.1) + (-0.12 if low and genuine else 0.22 if low else 0)
    cy = 13 + (6 if low else 0) + rng.normal(0, 1)
    side = {"similarity": blob(cy), "dissimilarity": tensor(np.zeros((28, 28), "<f4"))}
    r = {
        "_": "pair",
        "id": a + "|" + b,
        "a": {"id": a},
        "b": {"id": b},
        "score": float(score),
        "threshold": 0.4,
        "accept": bool(score >= 0.4),
    }
    if plant >= 0:
        r["label"] = genuine
    return r | {"maps": [{"method": "m", "a": side, "b": side}]}


records, table = [], open("groups.tsv", "w")
for g in "xy":
    for i in range(people):
        ids = [f"{g}{i}_{k:04d}" for k in range(3)]
        for k in ids:
            print(k, g, sep="\t", file=table)
        records += [pair(ids[0], ids[1], g, True), pair(ids[0], ids[2], g, True)]
        for j in range(1, 4):
            records.append(pair(ids[0], f"{g}{(i + j) % people}_0001", g, False))
records.append(pair("x0_0000", "y0_0000", "x", False))
records.append(pair("x0_0000", "stranger", "x", False))
sys.stdout.buffer.write(stream(records))
