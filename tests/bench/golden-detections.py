#!/usr/bin/python3
"""Compare facecrop with reference detections and crops.

usage: golden-detections.py FOLDER

FOLDER holds data/photos, data/lfw/images, golden/detections.json, golden/index.json and golden/NAME.crop.u8. facecrop is taken from PATH.
Reports how far boxes and landmarks are from the reference, faces missed or added, and the differences of the crops from given landmarks.
Exit status 1 when the median distance of a landmark passes 1 pixel or an image's faces are not those of the reference.
"""
import io, json, os, subprocess, sys, tempfile
import msgpack
import numpy as np


def facecrop(*args):
    """Records of one run, by id; err records too."""
    r = subprocess.run(["facecrop", "-q", *args], stdout=subprocess.PIPE, check=False)
    return [x for x in msgpack.Unpacker(io.BytesIO(r.stdout), max_buffer_size=1 << 30) if x["_"] in ("face", "err")]


def overlap(a, b):
    w = min(a[2], b[2]) - max(a[0], b[0])
    h = min(a[3], b[3]) - max(a[1], b[1])
    inter = max(w, 0) * max(h, 0)
    return inter / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inter)


def compare_detections(root):
    want = json.load(open(f"{root}/golden/detections.json"))
    # One file is a WebP image, which is not read.
    names = sorted(n for n in want if open(f"{root}/data/photos/{n}", "rb").read(4) != b"RIFF")
    got = {n: [] for n in names}
    for r in facecrop("--face", "all", "--min-size", "40", *(f"{root}/data/photos/{n}" for n in names)):
        if r["_"] == "face":
            got[os.path.basename(r["source"])].append(r)
    shifts, relative, boxes, confidence, missed, added, order = [], [], [], [], 0, 0, 0
    for n in names:
        faces, free, last = want[n]["faces"], list(range(len(got[n]))), -1
        for w in faces:
            best = max(free, key=lambda i: overlap(w["box"], got[n][i]["box"]), default=None)
            if best is None or overlap(w["box"], got[n][best]["box"]) < 0.5:
                missed += 1
                print(f"missed in {n}: {w['box']} ({w['score']})")
                continue
            free.remove(best)
            order += best < last
            last = best
            g = got[n][best]
            d = np.array(g["landmarks"]) - np.array(w["landmarks"])
            shifts.append(d)
            relative.append(np.hypot(*d.T).max() / np.hypot(w["box"][2] - w["box"][0], w["box"][3] - w["box"][1]))
            boxes.append(np.array(g["box"]) - np.array(w["box"]))
            confidence.append(abs(g["confidence"] - w["score"]))
        for i in free:
            added += 1
            print(f"added in {n}: {np.round(got[n][i]['box'], 1).tolist()} ({got[n][i]['confidence']:.4f})")
    shifts, boxes = np.array(shifts), np.array(boxes)
    dist = np.hypot(shifts[..., 0], shifts[..., 1])
    print(
        f"{len(names)} photographs, {len(shifts)} faces matched, {missed} missed, {added} added, {order} out of order"
    )
    print(
        f"landmarks: distance median {np.median(dist):.3f}, mean {dist.mean():.3f}, 95 % {np.percentile(dist, 95):.3f}, worst {dist.max():.3f} px"
    )
    print(
        f"landmarks: median shift x {np.median(shifts[..., 0]):+.3f}, y {np.median(shifts[..., 1]):+.3f}; worst in parts of the box's diagonal: {max(relative):.4f}"
    )
    print(
        f"boxes: median shift {np.round(np.median(boxes, 0), 3).tolist()}, median absolute {np.median(abs(boxes)):.3f}, worst {abs(boxes).max():.3f} px"
    )
    print(f"confidence: worst difference {max(confidence):.4f}")
    return np.median(dist) <= 1 and missed == 0 and added == 0 and order == 0


def compare_crops(root):
    faces = json.load(open(f"{root}/golden/index.json"))["faces"]
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as f:
        for v in faces.values():
            path = v["path"] = f"{root}/data/{v['source']}".replace("/lfw/", "/lfw/images/")
            f.write(path + " " + " ".join(str(c) for p in v["landmarks"] for c in p) + "\n")
        f.flush()
        got = {r["source"]: r for r in facecrop("--landmarks", f.name)}
    worst, total = 0, []
    for name, v in faces.items():
        image = got[v["path"]]["image"]
        a = np.frombuffer(image["data"], image["dtype"]).reshape(image["shape"]).astype(int)
        b = np.fromfile(f"{root}/golden/{name}.crop.u8", np.uint8).reshape(112, 112, 3).astype(int)
        d = abs(a - b)
        worst = max(worst, d.max())
        total.append(d.mean())
    print(
        f"{len(faces)} crops from given landmarks: largest pixel difference {worst}, mean {np.mean(total):.5f}, worst image's mean {max(total):.5f}"
    )
    return worst <= 2


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    ok = compare_detections(sys.argv[1].rstrip("/"))
    ok = compare_crops(sys.argv[1].rstrip("/")) and ok
    sys.exit(0 if ok else 1)
