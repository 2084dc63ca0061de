"""Write a stream of made-up explained pairs to standard output, for tests of what reads them.

Usage: pairs.py ITEM...   Items: pair (with maps of one method), two (of two methods), signed, nomaps, nan, inf, negative, empty (S- is 0), small
(7x7 maps), tiny (faces of 1x1), odd (faces of unlike sizes), noimage, bare (no decision), huge (a name of 400 letters), accent, hostile (control
characters), badmaps, flood (65 methods), label:TEXT (that label), err, x-note (a kind nobody knows), cut (leave the end record out)."""
import sys, zlib
import msgpack, numpy as np


def tensor(a):
    a = np.ascontiguousarray(a)
    return {"dtype": a.dtype.str, "shape": list(a.shape), "data": a.tobytes()}


def blob(h, w, cy, cx, amount):
    y, x = np.mgrid[0:h, 0:w]
    return (amount * np.exp(-((y - cy * h) ** 2 + (x - cx * w) ** 2) / (0.02 * h * w))).astype("<f4")


def face(name, h=112, w=112, tint=0):
    y, x = np.mgrid[0:h, 0:w]
    head = ((y - h / 2) / (0.45 * h)) ** 2 + ((x - w / 2) / (0.35 * w)) ** 2 < 1
    rgb = np.stack([np.where(head, 200 - 30 * c, 60 + 40 * c) + tint for c in range(3)], -1)
    return {
        "_": "face",
        "id": name,
        "source": name,
        "box": [10.0, 20.0, 210.0, 290.0],
        "confidence": 0.998,
        "image": tensor(rgb.astype("u1")),
    }


def explained(method, h=112, w=112, less=0.2):
    def one(at):
        return {"similarity": tensor(blob(h, w, 0.4, at, 1.0)), "dissimilarity": tensor(blob(h, w, 0.8, at, less))}

    return {"method": method, "params": {"embedding": "raw", "threshold": 0.4}, "a": one(0.4), "b": one(0.6)}


def pair(item, n):
    size = {"tiny": (1, 1), "odd": (112, 80)}.get(item, (112, 112))
    p = {"_": "pair", "id": f"p{n}", "a": face(f"photos/a{n}.jpg", *size), "b": face(f"photos/b{n}.jpg", tint=9)}
    if item == "tiny":
        p["b"] = face("b", 1, 1)
    p.update(score=0.75 if n % 2 == 0 else 0.12, threshold=0.4, accept=n % 2 == 0)
    maps = [explained("fggb", *size)]
    a = maps[0]["a"]
    if item == "two":
        maps.append(explained("other-method"))
    if item == "signed":
        maps.append(
            {"method": "gradient", "a": {"signed": tensor(blob(112, 112, 0.5, 0.3, 1) - blob(112, 112, 0.5, 0.7, 1))}}
        )
    if item == "nan":
        a["similarity"] = tensor(np.full((112, 112), np.nan, "<f4"))
    if item == "inf":
        a["dissimilarity"] = tensor(np.full((112, 112), np.inf, "<f4"))
    if item == "negative":
        a["similarity"] = tensor(np.full((112, 112), -1, "<f4"))
    if item == "empty":
        a["dissimilarity"] = maps[0]["b"]["dissimilarity"] = tensor(np.zeros((112, 112), "<f4"))
    if item == "small":
        maps = [explained("cells", 7, 7)]
    if item == "noimage":
        del p["a"]["image"]
    if item == "bare":
        del p["score"], p["threshold"], p["accept"]
    if item == "huge":
        p["a"]["id"] = "/".join(["folder%d" % i for i in range(50)]) + ".jpg"
    if item == "accent":
        p["a"]["id"] = "José Müller/Øre 名前.jpg"
    if item == "hostile":
        p["a"]["id"] = "a\x1b[31m\nb\x00c%s%n"
    if item == "badmaps":
        a["similarity"] = {"dtype": "<f4", "shape": [112, 112, 3], "data": bytes(112 * 112 * 12)}
    if item == "flood":
        maps = [explained("m%d" % i, 4, 4) for i in range(65)]
    if item.startswith("label:"):
        p["label"] = {"true": True, "false": False}.get(item[6:], item[6:])
    if item != "nomaps":
        p["maps"] = maps
    return p


out, crc, count, errors = sys.stdout.buffer, 0, 0, 0


def put(record):
    global crc
    b = msgpack.packb(record)
    crc = zlib.crc32(b, crc)
    out.write(b)


put(
    {
        "_": "head",
        "magic": "xfv",
        "version": [1, 0],
        "provenance": [{"tool": "made-up", "version": "1"}],
        "model": {"name": "mobilefacenet", "digest": "0123456789abcdef" * 4},
    }
)
items = sys.argv[1:]
for item in [i for i in items if i != "cut"]:
    if item == "err":
        put({"_": "err", "id": "c.jpg", "tool": "facecrop", "code": "noface", "message": "no face found"})
        errors += 1
    elif item == "x-note":
        put({"_": "x-note", "text": "passes"})
    else:
        put(pair(item, count))
    count += 1
if "cut" not in items:
    out.write(msgpack.packb({"_": "end", "records": count, "errors": errors, "crc32": crc}))
