"""The Python module against streams of tests/gen/pairs.py and of the programs: TAP on standard output. Arguments: a folder with faces.xfv and pairs.xfv."""
import io
import os
import subprocess
import sys
import time
import zlib

import msgpack
import numpy as np

import xfv

count = bad = 0


def ok(cond, what):
    global count, bad
    count += 1
    bad += not cond
    print(f"{'ok' if cond else 'not ok'} {count} - {what}")


def raises(kind, text, what, f):
    try:
        f()
        ok(False, what)
    except kind as e:
        ok(text in str(e), what + f" (says '{text}')" if text in str(e) else f"{what}: {e}")


def bare(data):
    return list(msgpack.Unpacker(io.BytesIO(data), max_buffer_size=0, unicode_errors="surrogateescape"))


faces, pairs = (open(os.path.join(sys.argv[1], f), "rb").read() for f in ("faces.xfv", "pairs.xfv"))
s = xfv.read(os.path.join(sys.argv[1], "pairs.xfv"))
p, plain = s.pairs[0], next(r for r in bare(pairs) if r["_"] == "pair")

# reading
ok(len(s.pairs) == sum(r["_"] == "pair" for r in bare(pairs)), "read: as many pairs as msgpack finds")
ok(
    (p.a.image == np.frombuffer(plain["a"]["image"]["data"], "u1").reshape(112, 112, 3)).all(),
    "image: the array that numpy makes of the bytes",
)
ok(not p.a.image.flags.owndata and not p.a.image.flags.writeable, "image: a read-only view, not a copy")
ok((p.a.embedding == np.frombuffer(plain["a"]["embedding"]["data"], "<f4")).all(), "embedding: the same numbers")
ok(
    (p.score, p.threshold, p.accept, p.label)
    == (plain["score"], plain["threshold"], plain["accept"], plain.get("label")),
    "pair: score, threshold, accept, label",
)
ok(
    p.a.box.shape == (4,) and p.a.landmarks.shape == (5, 2) and 0 < p.a.confidence <= 1,
    "face: box, landmarks, confidence",
)
ok(p.map("cosine-gradient")["a"]["similarity"].shape == (112, 112), "map: found by its method")
raises(KeyError, "no map of lime", "map: a method that is not there", lambda: p.map("lime"))
ok("accepted" in repr(p) or "rejected" in repr(p), "repr: says the decision")
ok(
    [f.id for f in xfv.read(os.path.join(sys.argv[1], "faces.xfv")).faces]
    == [r["id"] for r in bare(faces) if r["_"] == "face"],
    "faces: their ids",
)
ok(b"".join(r.pack() for r in xfv.from_bytes(pairs).all()) == pairs, "every record packs to the bytes it came from")

# damaged streams: a sentence, whatever is looked at
odd_ends = []
for name in sorted(os.listdir(os.environ["top"] + "/tests/damaged/stream")):
    try:
        for r in xfv.open(os.environ["top"] + "/tests/damaged/stream/" + name):
            repr(r), [r[k] for k in list(r)]
    except (xfv.StreamError, ValueError) as e:
        if isinstance(e, UnicodeError):
            odd_ends.append((name, e))
    except Exception as e:
        odd_ends.append((name, e))
ok(not odd_ends, f"damaged streams end with a StreamError or a ValueError: {odd_ends[:3]}")

# what nobody touched keeps its bytes, also where msgpack would write it in another way
odd = bytes.fromhex(
    "84" "a15f" "a470616972" "a3782d66" "ca3dcccccd" "a3782d69" "ce00000007" "a3782d65" "c70201" "0102"
)  # f32, a long 7, an extension
r = xfv.record(odd)
r["x-new"] = np.float32(1.5)
ok(
    r.pack() == b"\x85" + odd[1:] + msgpack.packb("x-new") + msgpack.packb(1.5),
    "a new key goes to the end; f32, long integers and extensions keep their bytes",
)
r["x-i"] = 8
ok(
    list(r) == ["_", "x-f", "x-i", "x-e", "x-new"] and msgpack.unpackb(r.pack())["x-i"] == 8,
    "a key is replaced in its place",
)
del r["x-f"]
ok(list(msgpack.unpackb(r.pack())) == ["_", "x-i", "x-e", "x-new"], "a key is removed")
nested = xfv.from_bytes(pairs)
q = next(iter(nested))
before = q.pack()
q.b["x-mine"] = [1, 2]
again = xfv.record(q.pack())
ok(
    again.b["x-mine"] == [1, 2] and again.raw("a") == xfv.record(before).raw("a"),
    "a key within face b is written, and face a keeps its bytes",
)
name = xfv.record(
    xfv.stream_bytes([{"_": "face", "id": os.fsdecode(b"caf\xe9.jpg")}])[:0]
    or msgpack.packb({"_": "face", "id": os.fsdecode(b"caf\xe9.jpg")}, unicode_errors="surrogateescape")
)
name["x"] = 1
ok(
    os.fsencode(name.id) == b"caf\xe9.jpg" and b"caf\xe9.jpg" in name.pack(),
    "a name that is not UTF-8 comes and goes as it is",
)
big = xfv.record(msgpack.packb({"_": "x-many", **{f"k{i}": i for i in range(70000)}}))
ok(big["k69999"] == 69999 and len(big) == 70001 and big.kind == "x-many", "a map of 70,001 keys")

# maps
m = np.arange(112 * 112, dtype="f8").reshape(112, 112) - 6000
n = len(p.maps)
p.add_map("signed", a=m, b=(m, m[::-1]), params={"k": np.int64(3)})
last = xfv.record(p.pack()).maps[-1]
ok(
    len(p.maps) == n + 1 and last["method"] == "signed" and last["params"]["k"] == 3,
    "add_map: one more entry, with its parameters",
)
ok(
    (last["a"]["similarity"] - last["a"]["dissimilarity"] == m.astype("f4")).all()
    and last["a"]["similarity"].min() == 0,
    "add_map: one array becomes its two parts",
)
ok(
    last["b"]["similarity"].dtype == np.dtype("<f4") and (last["b"]["dissimilarity"] == m[::-1].astype("f4")).all(),
    "add_map: f32, C order, also of a turned view",
)
ok(xfv.record(p.pack()).maps[0].pack() == xfv.record(before).maps[0].pack(), "add_map: older entries keep their bytes")
raises(ValueError, "[112, 112]", "add_map: another size", lambda: p.add_map("x", a=m[:50]))
raises(ValueError, "not finite", "add_map: NaN", lambda: p.add_map("x", a=m * np.nan))
raises(ValueError, "complex", "an array of complex numbers", lambda: p.__setitem__("x-c", np.zeros(2, complex)))
raises(TypeError, "cannot hold", "an object", lambda: p.__setitem__("x-o", object()))

# writing
out = io.BytesIO()
w = xfv.Writer(out)
w.head(s.heads[0], name="mine", version="2", args=["--k=1"])
for r in xfv.from_bytes(pairs):
    w.put(r)
w.end()
head, end = bare(out.getvalue())[0], bare(out.getvalue())[-1]
ok(
    head["provenance"][:-1] == bare(pairs)[0]["provenance"]
    and head["provenance"][-1] == {"tool": "mine", "version": "2", "args": ["--k=1"]},
    "writer: its name at the end",
)
ok(len(list(xfv.from_bytes(out.getvalue()))) == end["records"], "writer: its own reader takes it")
ok(
    subprocess.run(["xfv-check"], input=out.getvalue(), capture_output=True).returncode in (0, 1),
    "writer: xfv-check takes it",
)

# damage
for cut in (0, 1, 30, len(pairs) // 2, len(pairs) - 20, len(pairs) - 1):
    raises(
        xfv.StreamError,
        "cut" if cut > 200 else "no stream",
        f"cut after {cut} bytes",
        lambda: list(xfv.from_bytes(pairs[:cut])),
    )
at = pairs.index(b"score") + 8
raises(
    xfv.StreamError,
    "damaged",
    "a changed byte",
    lambda: list(xfv.from_bytes(pairs[:at] + bytes([pairs[at] ^ 1]) + pairs[at + 1 :])),
)
raises(xfv.StreamError, "no stream", "a text", lambda: list(xfv.from_bytes(b"hello")))
raises(xfv.StreamError, "", "a byte that MessagePack does not have", lambda: list(xfv.from_bytes(b"\xc1")))
raises(
    xfv.StreamError,
    "no other stream",
    "something after the end",
    lambda: list(xfv.from_bytes(pairs + b"\x81\xa1_\xa4face")),
)
raises(
    xfv.StreamError,
    "version 2",
    "a later version",
    lambda: list(xfv.from_bytes(pairs.replace(b"version\x92\x01", b"version\x92\x02"))),
)
raises(
    xfv.StreamError,
    "cut, and another",
    "a stream joined to a cut one",
    lambda: list(xfv.from_bytes(b"".join(r.pack() for r in list(xfv.from_bytes(pairs).all())[:-1]) + pairs)),
)
raises(
    xfv.StreamError,
    "too large",
    "a record above the limit",
    lambda: list(xfv.Reader(io.BytesIO(pairs), max_record=1000)),
)
ok(len(list(xfv.from_bytes(pairs + pairs))) == 2 * len(list(xfv.from_bytes(pairs))), "joined streams")

# arrays and tables
a = s.arrays()
k = len(s.pairs)
ok(
    a["a_image"].shape == (k, 112, 112, 3)
    and a["score"].shape == (k,)
    and a["maps_cosine-gradient_b_similarity"].shape == (k, 112, 112),
    "arrays: one row a pair",
)
ok(
    np.isnan(a["maps_signed_a_similarity"][1:]).all() and not np.isnan(a["maps_signed_a_similarity"][0]).any(),
    "arrays: NaN where a pair has no such map",
)
s.to_npz("pairs.npz")
ok((np.load("pairs.npz")["a_embedding"] == a["a_embedding"]).all(), "to_npz: numpy loads it")
try:
    import pandas  # noqa: F401

    t = s.to_pandas()
    ok(len(t) == k and list(t["score"]) == [q.score for q in s.pairs], "to_pandas: one row a pair")
except ImportError:
    count += 1
    print(f"ok {count} - to_pandas # skip no pandas")
ok(s.pairs[1].figure("--layout=maps")[:8] == b"\x89PNG\r\n\x1a\n", "figure: heatmap's picture")
raises(RuntimeError, "heatmap", "figure: heatmap's sentence", lambda: s.pairs[1].figure("--layout=none"))

# speed: reading and packing, with the checksum, in at least half of msgpack's own speed
many = pairs * max(1, 60_000_000 // len(pairs))


def seconds(f):
    best = 9e9
    for _ in range(5):
        t = time.process_time()
        f()
        best = min(best, time.process_time() - t)
    return best


theirs = seconds(
    lambda: [
        msgpack.packb(r, unicode_errors="surrogateescape")
        for r in msgpack.Unpacker(io.BytesIO(many), max_buffer_size=0, unicode_errors="surrogateescape")
    ]
)
ours = seconds(lambda: [r.pack() for r in xfv.from_bytes(many)])
crc = seconds(lambda: zlib.crc32(many))
ok(ours < 2 * (theirs + crc), f"speed: {theirs / ours:.2f} of msgpack's own")
print(f"1..{count}")
sys.exit(bad > 0)
