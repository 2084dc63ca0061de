# Networks of one's own: other sizes and colours through the whole pipeline; damaged and lying files, each refused with
# status 5 and a sentence.
. "$top/tests/tap.sh"
photos="$top/tests/photos"

# size channels colour
for case in "150 3 rgb" "160 3 bgr" "224 3 rgb" "160 1 grey"; do
    set -- $case
    "$PYTHON" "$top/tests/onnx/small.py" face.onnx "$1" "$1" "$2"
    runs 0 "$case: imported" model-import face.onnx -o face.xfvm --input "$3"
    like "$(cat err)" "embedding is 'raw', 32 numbers; an L2 normalisation follows" \
        "$case: which says what the embedding is"
    is "$(model-info --json ./face.xfvm | jq -c '[.height, .width, .colour, (.template[0] | floor)]')" \
        "[$1,$1,\"$3\",$((382946 * $1 / 1120000))]" "$case: size, colour and template" ||
        model-info --json ./face.xfvm
    facecrop -m face.xfvm "$photos/anna-1.jpg" "$photos/anna-2.jpg" | embed -m face.xfvm | verify -m face.xfvm -t 0.5 |
        fggb-grad -m face.xfvm -o why.xfv
    is "$(xfv-json why.xfv |
        jq -c 'select(._ == "pair") | [.a.image.shape, .a.embedding.shape, .maps[0].a.similarity.shape, .maps[0].b.dissimilarity.shape]')" \
        "[[$1,$1,3],[32],[$1,$1],[$1,$1]]" "$case: cropped, embedded and explained at its own size"
    runs 0 "$case: drawn" heatmap -o why.png why.xfv
done
"$PYTHON" "$top/tests/onnx/small.py" face.onnx 112 112 3
runs 0 "--size overrides the file's" model-import face.onnx -o x.xfvm --size 112x112
runs 5 "one that the dense layer cannot take" model-import face.onnx -o y.xfvm --size 128x128
runs 0 "--embedding chooses" model-import face.onnx -o x.xfvm --embedding flat
is "$(cat err)" "" "and need not be said"
for name in c3 n3 a3; do
    runs 0 "also '$name', which simplifying takes in" model-import face.onnx -o x.xfvm --embedding $name
    like "$(model-info --json ./x.xfvm | jq -r .embedding)" "^$name" "is the embedding" || model-info --json ./x.xfvm
done
runs 5 "a weight is no embedding" model-import face.onnx -o y.xfvm --embedding fc
like "$(cat err)" "'fc' is a constant" "which is said"
runs 5 "nor is a norm" model-import face.onnx -o y.xfvm --embedding norm
like "$(cat err)" "'norm' is not an embedding: it has 1 number" "which is said, too"
runs 5 "a value that is not there" model-import face.onnx -o y.xfvm --embedding nowhere
like "$(cat err)" "no value 'nowhere'" "is named"
runs 0 "a TFLite file is told by its content" sh -c \
    '"$B/unit/tflite" --write t.onnx && model-import -q t.onnx -o x.xfvm'
printf 'hello, world, this is no network' >text.onnx
runs 5 "a text" model-import text.onnx -o y.xfvm
like "$(cat err)" "neither an ONNX nor a TFLite file" "is neither"
[ ! -e y.xfvm ]; ok $? "failures leave no file"

# Fifty damaged files: ONNX and TFLite files and models, cut and with bits flipped where they matter.
mv t.onnx good.tflite
mv face.onnx good.onnx
model-import -q good.onnx -o good.xfvm
cat >damage.py <<'PY'
import random
random.seed(3)
for kind in ("onnx", "tflite", "xfvm"):
    b = open("good." + kind, "rb").read()
    for i in range(10):
        open(f"cut{i}.{kind}", "wb").write(b[: len(b) * i // 10])
    for i in range(10):
        c = bytearray(b)
        for _ in range(40):
            at = random.randrange(len(b) if kind == "xfvm" else min(len(b), 900))
            c[at] ^= 1 << random.randrange(8)
        open(f"flip{i}.{kind}", "wb").write(c)

# And files that are whole but lie: made with small.py's writer, and from the model's own records.
import sys, zlib
sys.path.insert(0, "tests-onnx")
import numpy as np, msgpack
from small import data, node, number, tensor, value

def onnx(name, nodes, *tensors):
    g = b"".join(data(1, n) for n in nodes) + b"".join(data(5, t) for t in tensors) + data(11, value("x", 1, 2, 4, 4)) + data(12, value("y", 1, 2))
    open(f"lie-{name}.onnx", "wb").write(number(1, 8) + data(7, g) + data(8, number(2, 13)))

def claim(*dims):  # a tensor of floats without data
    return b"".join(number(1, d) for d in dims) + number(2, 1) + data(8, "w")

def outside(path, *dims):  # its data in another file
    return claim(*dims) + data(13, data(1, "location") + data(2, path)) + number(14, 1)

conv = [node("Conv", ["x", "w"], ["y"])]
onnx("cycle", [node("Add", ["x", "b"], ["a"]), node("Relu", ["a"], ["b"]), node("Relu", ["b"], ["y"])])
onnx("self", [node("Relu", ["y"], ["y"])])
onnx("shape", conv, number(1, 4096) + tensor("w", np.ones((2, 2, 1, 1), "<f4")))
onnx("4gb", conv, claim(32768, 32768, 1, 1))
onnx("4gb-outside", conv, outside("damage.py", 32768, 32768, 1, 1))
onnx("4gb-made", [node("ConstantOfShape", ["w"], ["c"]), node("Add", ["x", "c"], ["y"])], tensor("w", np.array([1, 2, 32768, 16384])))
onnx("4gb-resized", [node("Resize", ["x", "", "", "w"], ["y"])], tensor("w", np.array([1, 2, 32768, 32768])))
onnx("upwards", conv, outside("../w.bin", 2, 2, 1, 1))
onnx("absolute", conv, outside("/etc/passwd", 2, 2, 1, 1))
onnx("linked", conv, outside("link", 2, 2, 1, 1))
onnx("unknown", [node("LSTM", ["x"], ["y"])])

records = list(msgpack.Unpacker(open("good.xfvm", "rb"), raw=False))

def model(change):
    copy, crc = msgpack.unpackb(msgpack.packb(records), raw=False), 0
    change(copy[0]["graph"], copy)
    with open(f"lie-{change.__name__}.xfvm", "wb") as f:
        for r in copy[:-1]:
            b = msgpack.packb(r)
            f.write(b)
            crc = zlib.crc32(b, crc)
        copy[-1]["crc32"] = crc
        f.write(msgpack.packb(copy[-1]))

def circle(g, _): g["nodes"][0], g["nodes"][-1] = g["nodes"][-1], g["nodes"][0]
def itself(g, _): g["nodes"][1]["in"] = [g["nodes"][1]["out"]]
def shape(g, _): g["values"][1]["shape"] = [7, 7, 7]
def huge(g, _): g["values"][0]["shape"] = [65536, 65536, 3]
def weight(_, all): all[1]["tensor"]["shape"] = [65536, 16384]
def nothing(g, _): g["outputs"] = ["nothing"]

for f in (circle, itself, shape, huge, weight, nothing):
    model(f)
PY
ln -s "$top/tests/onnx" tests-onnx
ln -s /etc/passwd link
PYTHONDONTWRITEBYTECODE=1 "$PYTHON" damage.py
[ -e lie-nothing.xfvm ]; ok $? "files that lie are made"
rm -f out.xfvm
n=0 wrong=
for f in cut*.* flip*.* lie-*.*; do
    case $f in
    *.xfvm) model-info "./$f" >out 2>err ;;
    *) model-import -q "$f" -o out.xfvm >out 2>err ;;
    esac
    st=$?
    n=$((n + 1))
    [ $st -eq 5 ] && [ "$(wc -l <err)" -eq 1 ] && [ "$(wc -c <err)" -gt 30 ] && ! grep -q 'max-record' err ||
        wrong="$wrong $f:$st"
done
[ ! -e out.xfvm ]; ok $? "none leaves a model"
is "$n$wrong" "77" "77 files, damaged or lying: status 5 and one sentence each"
done_testing
