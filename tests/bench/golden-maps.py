"""Compare embed and fggb-grad with reference values: golden-maps.py FOLDER [fggb-grad options]

FOLDER holds index.json (its "pairs": list of {"a","b",...,"score"}), NAME.crop.u8 (uint8 [112,112,3] RGB), NAME.embedding.f32 and
pairN.{raw,normalised}.{a,b}.map.f32 (signed FGGB map S, float32 [112,112], threshold 0.40). Builds face records from the crops, runs the
programs from PATH, and prints the errors; status 1 when a cosine of embeddings is below 0.99999 or a map's relative L2 error above 1e-3.
"""
import io, json, subprocess, sys, zlib
import msgpack
import numpy as np

THRESHOLD = 0.40
folder, extra = sys.argv[1], sys.argv[2:]


def tensor(a):
    return {"dtype": a.dtype.str, "shape": list(a.shape), "data": a.tobytes()}


def array(t):
    return np.frombuffer(t["data"], t["dtype"]).reshape(t["shape"])


def stream(records):
    out = io.BytesIO()
    head = {"_": "head", "magic": "xfv", "version": [1, 0], "provenance": []}
    body = b"".join(msgpack.packb(r) for r in [head] + records)
    end = {"_": "end", "records": len(records), "errors": 0, "crc32": zlib.crc32(body)}
    out.write(body + msgpack.packb(end))
    return out.getvalue()


def run(args, data):
    return subprocess.run(args, input=data, stdout=subprocess.PIPE, check=True).stdout


def records(data):
    return [r for r in msgpack.Unpacker(io.BytesIO(data), max_buffer_size=0) if r["_"] not in ("head", "end")]


def relative(got, wanted):
    return float(np.linalg.norm(got.astype(np.float64) - wanted) / np.linalg.norm(wanted.astype(np.float64)))


pairs = json.load(open(f"{folder}/index.json"))["pairs"]
faces = []
for p in pairs:
    for side in "ab":
        crop = np.fromfile(f"{folder}/{p[side]}.crop.u8", np.uint8).reshape(112, 112, 3)
        faces.append({"_": "face", "id": p[side], "image": tensor(crop)})
embedded = run(["embed"], stream(faces))
worst_cosine, worst_embedding = 1.0, 0.0
for r in records(embedded):
    got, wanted = array(r["embedding"]), np.fromfile(f"{folder}/{r['id']}.embedding.f32", "<f4").astype(np.float64)
    worst_cosine = min(
        worst_cosine, float(got @ wanted / np.linalg.norm(got.astype(np.float64)) / np.linalg.norm(wanted))
    )
    worst_embedding = max(worst_embedding, relative(got, wanted))
print(f"embeddings: {len(faces)} faces, worst cosine {worst_cosine:.9f}, worst relative error {worst_embedding:.2e}")
decided = run(["verify", "--threshold", str(THRESHOLD)], embedded)
worst_map = 0.0
for kind in ("raw", "normalised"):
    explained = run(["fggb-grad", "--embedding", kind] + extra, decided)
    for i, (r, p) in enumerate(zip(records(explained), pairs)):
        errors = []
        for side in "ab":
            m = r["maps"][-1][side]
            s = array(m["similarity"]) - array(m["dissimilarity"])
            errors.append(relative(s, np.fromfile(f"{folder}/pair{i}.{kind}.{side}.map.f32", "<f4").reshape(112, 112)))
        worst_map = max([worst_map] + errors)
        print(
            f"pair {i} {kind:10} score {r['score']:.6f} (reference {p['score']:.6f})  map a {errors[0]:.2e}  map b {errors[1]:.2e}"
        )
print(f"maps: worst relative L2 error {worst_map:.2e}")
sys.exit(worst_cosine < 0.99999 or worst_map > 1e-3)
