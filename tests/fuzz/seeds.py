"""Seeds for fuzzing: seeds.py FOLDER writes FOLDER/TARGET/*."""
import glob, io, json, os, subprocess, sys, tempfile
from PIL import Image
from streams import *

sys.path.append(os.path.join(os.path.dirname(__file__), "../onnx"))
import small as onnx


def put(target, name, data):
    os.makedirs(f"{sys.argv[1]}/{target}", exist_ok=True)
    open(f"{sys.argv[1]}/{target}/{name}", "wb").write(data)


def cut(s):
    return s[: s.rindex(b"\x84\xa1_\xa3end")]


small = face("d/1.jpg", 1, size=2, box=[1.5, 2, 3, 4], embedding=tensor(np.arange(3, dtype="<f4")))
pair = {
    "_": "pair",
    "id": "p",
    "a": {k: small[k] for k in small if k != "_"},
    "b": {"id": "b"},
    "score": 0.5,
    "accept": True,
    "maps": [{"method": "fggb", "a": {"similarity": tensor(np.zeros((2, 2), "<f4"))}}],
}
put(
    "stream",
    "faces",
    stream(
        [small, err("x"), {"_": "x-note", "n": [None, -5, 2.5, b"b", {"k": msgpack.ExtType(3, b"1234")}]}],
        model={"name": "m", "digest": "00"},
    ),
)
put("stream", "pairs", stream([pair]) + stream([]))
put("model", "tiny", cut(model()))
nodes = [
    {"op": "dense", "name": "d", "in": ["x"], "out": "e", "weight": "w"},
    {"op": "l2norm", "name": "n", "in": ["e"], "out": "y", "epsilon": 1e-12},
]
least = cut(
    stream(
        [{"_": "weight", "name": "w", "tensor": tensor(np.ones((3, 2), "<f4"))}],
        kind="model",
        name="t",
        network="embedding",
        licence="CC0-1.0",
        origin="none",
        input={"colour": "rgb", "mean": [0.0] * 3, "std": [1.0] * 3, "transposed": False},
        embedding="e",
        score="cosine",
        thresholds=[{"name": "default", "value": 0.5, "fmr": 0.0, "fnmr": 0.0, "pairs": 0, "data": "none"}],
        graph={
            "values": [{"name": n, "shape": s} for n, s in (("x", [1, 1, 3]), ("e", [2]), ("y", [2]))],
            "nodes": nodes,
            "outputs": ["y"],
        },
    )
)
put("model", "least", least)
for dtype in "<f4", "<f2":
    mean = {"_": "mean", "value": "e", "faces": 7, "data": "d", "tensor": tensor(np.array([1, -2], dtype))}
    put("model", "means" + dtype[2], least + pack(mean) + pack({**mean, "value": "y"}))


# Resize in each of its modes, by scales and by sizes, up and down, between 4x4 pixels and a dense layer.
def resize(name, mode, transform, size, **more):
    ins = ["x", "", "s"] if not more.get("by_sizes") else ["x", "", "", "z"]
    words = [
        onnx.data(1, k) + onnx.data(4, v) + onnx.number(20, 3)
        for k, v in (
            ("mode", mode),
            ("coordinate_transformation_mode", transform),
            ("nearest_mode", more.get("nearest", "floor")),
        )
    ]
    g = onnx.data(1, onnx.node("Resize", ins, ["r"], *words)) + onnx.data(
        1, onnx.node("Flatten", ["r"], ["f"], onnx.integer("axis", 1))
    )
    g += onnx.data(1, onnx.node("Gemm", ["f", "w"], ["e"], onnx.integer("transB", 1)))
    g += onnx.data(5, onnx.tensor("s", np.array([1, 1, size / 4, size / 4], "<f4"))) + onnx.data(
        5, onnx.tensor("z", np.array([1, 3, size, size], "<i8"))
    )
    g += onnx.data(5, onnx.tensor("w", np.ones((2, 3 * size * size), "<f4")))
    g += onnx.data(2, "g") + onnx.data(11, onnx.value("x", 1, 3, 4, 4)) + onnx.data(12, onnx.value("e", 1, 2))
    put("onnx", name, onnx.number(1, 8) + onnx.data(7, g) + onnx.data(8, onnx.number(2, 13)))


resize("resize-nearest", "nearest", "asymmetric", 8)
resize("resize-down", "nearest", "half_pixel", 2, nearest="round_prefer_ceil")
resize("resize-linear", "linear", "align_corners", 6, by_sizes=True)
resize("resize-half", "linear", "pytorch_half_pixel", 8)
rng = np.random.default_rng(1)
for mode, kinds in {
    "RGB": ["JPEG", "PNG", "PPM", "WEBP"],
    "L": ["JPEG", "PNG", "PPM"],
    "CMYK": ["JPEG"],
    "P": ["PNG"],
    "RGBA": ["PNG", "WEBP"],
    "1": ["PPM", "PNG"],
    "I;16": ["PNG"],
}.items():
    a = rng.integers(0, 256, (13, 11, 4), np.uint8)
    im = (
        Image.fromarray(a[..., 0].astype("<u2") * 200)
        if mode == "I;16"
        else Image.fromarray(a, "RGBA").convert("RGB").convert(mode)
        if mode != "RGBA"
        else Image.fromarray(a, "RGBA")
    )
    for kind in kinds:
        f = io.BytesIO()
        im.save(f, kind, **({"progressive": mode == "L"} if kind == "JPEG" else {}))
        put("image", f"{mode.replace(';', '')}.{kind.lower()}", f.getvalue())
put("image", "plain.pnm", b"P3\n# c\n2 2 7\n1 2 3 4 5 6 7 0 1 2 3 4\nP2 1 1 1 1\n")
put("image", "deep.pam", b"P7\nWIDTH 2\nHEIGHT 1\nDEPTH 4\nMAXVAL 65535\nTUPLTYPE RGB_ALPHA\nENDHDR\n" + bytes(16))
exif = Image.Exif()
exif[0x112] = 6
f = io.BytesIO()
Image.new("RGB", (9, 5)).save(f, "JPEG", exif=exif)
put("image", "exif.jpg", f.getvalue())
put("lists", "lfw", b"2\t1\nA_B\t1\t2\nC 1 D 2\nE\t3\t4\nF\t1\tG\t1\n")
put("lists", "csv", b'\xef\xbb\xbfa,b,same\r\n"x 1.jpg",y.jpg,yes\n# c\nz\tw\t0\n')
put("lists", "landmarks", b"a.jpg 1 2 3 4 5 6 7 8 9 10\n'b c' 1e3 -2 .5 4 5 6 7 8 9 1\n")

# TensorFlow.js models, JSON and one shard after a zero byte.
with tempfile.TemporaryDirectory() as folder:
    subprocess.run([sys.executable, os.path.join(os.path.dirname(__file__), "../onnx/tfjs.py"), folder], check=True)
    for path in sorted(glob.glob(folder + "/*.json")):
        m = json.load(open(path))
        paths = m["weightsManifest"][0]["paths"]
        m["weightsManifest"][0]["paths"] = ["w.bin"]
        put(
            "tfjs",
            os.path.basename(path)[:-5],
            json.dumps(m).encode() + b"\0" + b"".join(open(os.path.join(folder, p), "rb").read() for p in paths),
        )

# A small picture in every format.
import formats

with tempfile.TemporaryDirectory() as folder:
    home = os.path.abspath(sys.argv[1])
    os.chdir(folder)
    y, x = np.mgrid[0:20, 0:24]
    Image.fromarray(np.stack([x * 10, y * 12, 255 - x * 5], 2).astype(np.uint8)).save("small.png")
    formats.make("small.png")
    sys.argv[1] = home
    for line in open("names"):
        name = line.split("\t")[0]
        put("image", "format-" + name, open(name, "rb").read())
