"""Compare delins with reference curves: golden-curves.py FOLDER

FOLDER holds index.json (its "pairs": list of {"a","b","score",...}), NAME.crop.u8 (uint8 [112,112,3] RGB), pairN.raw.a.map.f32 (signed map S, float32
[112,112]) and curves.json: {"percent", "pairs": [{"pair", "map": "similarity"|"dissimilarity", "curves": {"black.deletion": [...], ...}}]}, cosines
when the pixels of image A are taken in the order of S, or of -S, ties by position. Runs embed, verify and delins from PATH on the crops and the given
maps; status 1 when a cosine differs by more than 1e-3.
"""
import json, os, subprocess, sys
import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from streams import array, records, stream, tensor

folder = sys.argv[1]
pairs = json.load(open(f"{folder}/index.json"))["pairs"]
reference = json.load(open(f"{folder}/curves.json"))
run = lambda args, data: subprocess.run(args, input=data, stdout=subprocess.PIPE, check=True).stdout
faces = []
for p in pairs:
    for side in "ab":
        crop = np.fromfile(f"{folder}/{p[side]}.crop.u8", np.uint8).reshape(112, 112, 3)
        faces.append({"_": "face", "id": p[side], "image": tensor(crop)})
decided = run(["verify", "--threshold", "0.4"], run(["embed"], stream(faces)))
explained = records(decided)
for i, (r, wanted) in enumerate(zip(explained, reference["pairs"])):
    s = np.fromfile(f"{folder}/pair{i}.raw.a.map.f32", "<f4").reshape(112, 112)
    side = {"similarity": tensor(np.maximum(s, 0)), "dissimilarity": tensor(np.maximum(-s, 0))}
    r["maps"] = [{"method": "reference", "params": {}, "a": side, "b": side}]
    r["label"] = wanted["map"] == "similarity"
data = stream(explained, model=records(decided, all=True)[0]["model"])
worst = 0.0
for fill in ("black", "grey"):
    out = run(
        ["delins", "--map=signed-auto", "--image=a", "--ties=position", "--blur=0", "--steps=10", f"--fill={fill}"],
        data,
    )
    for r, wanted in zip(records(out), reference["pairs"]):
        got = r["delins"][0]
        for direction in ("deletion", "insertion"):
            error = np.abs(np.array(got[direction]) - wanted["curves"][f"{fill}.{direction}"]).max()
            worst = max(worst, error)
            print(f"pair {wanted['pair']} {wanted['map']:13} {fill} {direction:9} largest difference {error:.2e}")
print(f"curves: {len(reference['pairs'])} pairs, largest difference {worst:.2e}")
sys.exit(int(worst > 1e-3))
