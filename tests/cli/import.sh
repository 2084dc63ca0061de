# Networks in the forms that exporters write them (tests/onnx/entrance.py), and what model-import refuses once it has
# read them.
. "$top/tests/tap.sh"
"$PYTHON" "$top/tests/onnx/entrance.py" . && "$PYTHON" "$top/tests/onnx/small.py" face.onnx 112 112 3
ok $? "networks are made"

# NAME IMAGE [option ...]: imported, its embedding of the image is that of NumPy
gives() {
    name=$1 image=$2
    shift 2
    runs 0 "$name: imported" model-import -q "$@" "$name.onnx" -o "$name.xfvm" || cat err
    facecrop --aligned -m "./$name.xfvm" "$image" | embed -m "./$name.xfvm" | "$PYTHON" -c '
import io, json, sys, msgpack, numpy as np
face = [r for r in msgpack.Unpacker(sys.stdin.buffer, raw=False) if r["_"] == "face"][0]["embedding"]
got, want = np.frombuffer(face["data"], face["dtype"]), np.array(json.load(open(sys.argv[1])))
off = np.linalg.norm(got - want) / np.linalg.norm(want)
sys.exit(not off < 2e-6 and "off by %g" % off)' "$name.json"
    ok $? "$name: what NumPy says"
}
gives nhwc image.ppm
gives nhwc-plain image.ppm
gives nhwc-unsaid image.ppm --layout nhwc --size 16x16
for name in uint8 int64 int32; do gives $name image.ppm; done
is "$(model-info --json ./uint8.xfvm | jq -c '[.mean, .std]')" "[[0,0,0],[1,1,1]]" "bytes are not scaled" ||
    model-info --json ./uint8.xfvm
runs 2 "and may not be" model-import uint8.onnx --mean 127.5 -o y.xfvm
like "$(cat err)" "scales them itself" "which is said"
gives unread image.ppm
gives functions image.ppm
gives branches image.ppm
runs 5 "a branch that the image decides" model-import branches-by-image.onnx -o y.xfvm
gives external image.ppm
gives tall tall.ppm --size 16x12
runs 5 "a size that nobody says" model-import tall.onnx -o y.xfvm
like "$(cat err)" "say with --size" "is asked for"

# Not square: a face is cropped to height x width, and not stretched.
"$PYTHON" "$top/tests/onnx/small.py" portrait.onnx 112 96 3
runs 0 "112x96" model-import portrait.onnx -o portrait.xfvm
is "$(model-info --json ./portrait.xfvm | jq -c '[.height, .width, (.template[:4][] * 10000 | round)]')" \
    "[112,96,302946,516963,655318,515014]" "its template is SphereFace's"
is "$(facecrop -m ./portrait.xfvm "$top/tests/photos/anna-1.jpg" | xfv-json |
    jq -c 'select(._ == "face") | .image.shape')" "[112,96,3]" "faces are cropped so"
facecrop -m ./portrait.xfvm "$top/tests/photos/anna-1.jpg" "$top/tests/photos/anna-2.jpg" | embed -m ./portrait.xfvm |
    verify -m ./portrait.xfvm -t 0.5 |
    fggb-grad -m ./portrait.xfvm | heatmap -o why.png
ok $? "and explained"

# Small files that would grow: refused before they take memory.
[ "${XFV_SANITIZED:-0}" = 1 ] && bound=: || bound="ulimit -v 3000000" # a sanitizer maps terabytes
for name in bomb-doubles bomb-shared; do
    runs 5 "$name" sh -c "$bound; model-import $name.onnx -o y.xfvm"
    like "$(cat err)" "would take .* MB, and the file has .* kB: refused" "an estimate says so" || cat err
done

runs 5 "bomb-at-work" sh -c "$bound; model-import bomb-at-work.onnx -o y.xfvm"
like "$(cat err)" "a pass would need .* MB" "so is a network whose passes would"

# Weights that were read for the last time leave memory: at most twice the file's size.
"$PYTHON" - "$top/tests/onnx" <<'PY'
import sys
sys.path.insert(0, sys.argv[1])
import numpy as np
from small import data, ints, node, number, tensor, value
rng, g, last, c = np.random.default_rng(2), b"", "image", 3
for i, (n, s) in enumerate([(512, 7)] + [(512, 2)] * 8):
    w = rng.standard_normal((n, c, 3, 3), dtype=np.float32) * (2 / 9 / c) ** .5
    conv = node("Conv", [last, f"w{i}"], [f"c{i}"], ints("pads", 1, 1, 1, 1), ints("strides", s, s))
    g += data(5, tensor(f"w{i}", w)) + data(1, conv)
    last, c = f"c{i}", n
g += data(2, "g") + data(11, value("image", 1, 3, 56, 56)) + data(12, value(last, 1, 512, 1, 1))
open("big.onnx", "wb").write(number(1, 8) + data(7, g) + data(8, number(2, 13)))
# one dense layer behind a flattening, whose rows take another order
w = rng.standard_normal((3 * 56 * 56, 2048), dtype=np.float32) / 97
g = data(5, tensor("w", w)) + data(1, node("Flatten", ["image"], ["f"])) + data(1, node("Gemm", ["f", "w"], ["y"]))
g += data(2, "g") + data(11, value("image", 1, 3, 56, 56)) + data(12, value("y", 1, 2048))
open("dense.onnx", "wb").write(number(1, 8) + data(7, g) + data(8, number(2, 13)))
PY
for n in big dense; do
    "$PYTHON" -c '
import os, resource, subprocess, sys
status = subprocess.run(["model-import", "-q", sys.argv[1], "-o", "big.xfvm"]).returncode
most, size = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024, os.path.getsize(sys.argv[1])
print(f"# {most >> 20} MB for a file of {size >> 20} MB")
sys.exit(status or (most > 2 * size + (12 << 20) and "XFV_SANITIZED" not in os.environ))' $n.onnx
    ok $? "model-import takes at most twice the size of $n.onnx, 75 MB, and 12 MB for itself"
    rm -f $n.onnx big.xfvm
done

runs 5 "an embedding that is a constant" model-import no-dependence.onnx -o y.xfvm
like "$(cat err)" "embedding 'y' does not depend on the image" "is none"
runs 5 "nor is one that the image does not change" model-import times-zero.onnx -o y.xfvm
like "$(cat err)" "the same for two different pictures" "which is tried with two pictures"
runs 5 "a scale far off" model-import --std 1e6 face.onnx -o y.xfvm
like "$(cat err)" "other numbers than --mean and --std make, -0.000128 to 0.000128" \
    "is found the same way, and the likely cause said"
runs 5 "even where the model goes to standard output" sh -c 'model-import --std 1e6 face.onnx >/dev/null'
[ ! -e y.xfvm ]; ok $? "no model is left"

# Weights beside a network that are all the same bytes.
"$PYTHON" - "$top/tests/onnx" <<'PY'
import sys
sys.path.insert(0, sys.argv[1])
import numpy as np
from small import data, ints, integer, node, number, tensor, value
def beside(name, offset):
    entry = lambda key, text: data(13, data(1, key) + data(2, text))
    return number(1, 1000) + number(1, 192) + number(2, 1) + data(8, name) + entry("location", "same.bin") + entry("offset", str(offset)) + entry("length", "768000") + number(14, 1)
def network(file, n):
    g = data(1, node("Flatten", ["x"], ["f"])) + b"".join(data(1, node("Gemm", ["f", f"w{i}"], [f"y{i}"], integer("transB", 1))) for i in range(n))
    g += data(1, node("Concat", [f"y{i}" for i in range(n)], ["out"], integer("axis", 1))) + b"".join(data(5, beside(f"w{i}", 4 * i)) for i in range(n))
    g += data(2, "g") + data(11, value("x", 1, 3, 8, 8)) + data(12, value("out", 1, 1000 * n))
    open(file, "wb").write(number(1, 8) + data(7, g) + data(8, number(2, 13)))
np.random.default_rng(1).normal(0, 1, 192100).astype("<f4").tofile("same.bin")
network("shared.onnx", 2)
network("overlap.onnx", 40)
PY
runs 0 "two layers of the same weights" model-import -q -o y.xfvm shared.onnx
runs 5 "forty in one file" model-import -q -o overlap.xfvm overlap.onnx
like "$(cat err)" "constants that lie in 'same.bin' overlap and take more than twice" "are refused"

# Weights beside a network that are holes.
printf 'xfv-graph 1\ninput data 64x64x3\ndata holes.bin\nweight w 64x64x3x65536 f32\nnode conv y data weight=w kernel=64x64 stride=1x1 pads=0,0,0,0\noutput y\n' >holes.txt
truncate -s 3221225472 holes.bin
runs 5 "three gigabytes of nothing" model-import -o y.xfvm holes.txt
like "$(cat err)" "cannot open, as a file beside this one,.*holes.bin" "are not read"
rm -f holes.bin
done_testing
