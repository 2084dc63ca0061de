# What a program held of a face is not in its memory any more when it ends: tests/memory/scan.c looks for pixels,
# inputs, embeddings, gradients and maps.
. "$top/tests/tap.sh"
export PYTHONPATH="$top/tests"
anna="$top/tests/photos/anna-1.jpg" bella="$top/tests/photos/bella.jpg"
if [ "${XFV_SANITIZED:-0}" = 1 ]; then
    skip "memory at exit" "sanitizers have their own allocators"
    done_testing
    exit
fi
# Bound late, as many libraries are: each first call saves all registers on the stack, with the last copied bytes in
# them.
runs 0 "the scanner is built" ${CC:-cc} -std=c11 -O2 -Wall -Wextra -Werror -shared -fPIC -Wl,-z,lazy -o scan.so \
    "$top/tests/memory/scan.c" -ldl
facecrop -o crops.xfv "$anna" "$bella" && embed -o faces.xfv crops.xfv && verify -o pair.xfv faces.xfv &&
    fggb-grad -o maps.xfv pair.xfv
fggb-grad --keep-gradients faces.xfv | verify -o kept.xfv
path-grad -o path.xfv pair.xfv
path-grad --combine joint -o joint.xfv pair.xfv
cat >needles.py <<'PY'
# needles.py FILE...: 48 bytes of each thing that a stream holds, or of the photograph's pixels (PPM), which have enough in them to be known by
import sys
from streams import *
out = {}
def put(kind, data):
    data = bytes(data)
    for at in range(len(data) // 2 // 4 * 4, len(data) - 48, 4):
        if len(set(data[at:at + 48])) > 14:
            out.setdefault(kind, []).append(data[at:at + 48])
            return
def walk(kind, v):
    if isinstance(v, dict) and "dtype" in v:
        if kind != "gradients": put(kind, v["data"])
        else: put(kind, array(v).astype("<f4").tobytes())
        if kind == "image":
            x = (array(v).astype("<f4") - np.float32(127.5)) / np.float32(128)
            put("input", x.tobytes())
            put("input", (array(v).astype("<f4") - np.float32(127.5)) * np.float32(1 / 128.0))
        if kind == "embedding":
            e = array(v)
            put("unit", (e / np.linalg.norm(e)).astype("<f4").tobytes())
    elif isinstance(v, dict):
        for k, x in v.items(): walk("gradients" if "norm" in v and k == "maps" else kind if kind in ("partner", "agreement") else k, x)
    elif isinstance(v, list):
        for x in v: walk(kind, x)
for name in sys.argv[1:]:
    data = open(name, "rb").read()
    if data[:2] == b"P6": put("photograph", data[len(data) // 3:])
    elif data[:2] == b"\xff\xd8": put("file", data)
    else:
        for r in records(data): walk("record", r)
for kind, v in out.items():
    unique = sorted(set(v))[:8]
    open("needles." + kind, "wb").write(b"".join(unique))
    print(kind, len(unique))
PY
cp "$anna" anna.jpg
djpeg anna.jpg >anna.ppm 2>/dev/null || jpegtopnm "$anna" >anna.ppm 2>/dev/null
"$PYTHON" needles.py anna.ppm "$anna" maps.xfv kept.xfv path.xfv joint.xfv >kinds
is "$(cut -d' ' -f1 kinds | sort | tr '\n' ' ')" \
    "a agreement b dissimilarity embedding file gradients image input partner photograph signed similarity unit " \
    "things to look for"
# gone KIND... -- COMMAND...: it held things of each kind, and at its end there is none left. A program may end well
# (0), or with records that failed (1).
gone() {
    kinds= files=
    while [ "$1" != -- ]; do kinds="$kinds $1" files="$files:needles.$1"; shift; done
    shift
    env LD_PRELOAD="$work/scan.so" XFV_NEEDLES="${files#:}" "$@" --no-sandbox >out 2>err </dev/null
    status=$? n=0
    for k in $kinds; do
        n=$((n + 1))
        like "$status $(sed -n 's/^scan: //p' err | sed -n ${n}p)" '^[01] held [1-9][0-9]*, left 0$' \
            "$(basename "$1") overwrites what it held of $k: $*"
    done
}
gone photograph file image -- facecrop "$anna" "$bella"
gone photograph image -- facecrop -j 2 "$anna" "$bella"
gone image input embedding -- embed crops.xfv
gone input embedding -- embed -j 2 crops.xfv
gone embedding image -- verify faces.xfv
gone image embedding gradients -- fggb-grad kept.xfv
gone image embedding dissimilarity -- fggb-grad -j 2 pair.xfv
gone image embedding similarity -- path-grad -j 2 pair.xfv
gone a b partner agreement -- path-grad --combine joint pair.xfv
gone image dissimilarity -- heatmap maps.xfv
gone image dissimilarity -- report maps.xfv
# From standard input, through stdio's buffer.
gone file photograph -- sh -c 'facecrop "$@" - <anna.jpg' sh
gone photograph -- sh -c 'facecrop --aligned "$@" - <anna.ppm' sh

# Also when the run ends early: a stream that is cut, and a full device.
head -c 30000 faces.xfv >cut.xfv
for k in image embedding; do
    env LD_PRELOAD="$work/scan.so" XFV_NEEDLES="needles.$k" verify --no-sandbox cut.xfv >out 2>err
    like "$? $(sed -n 's/^scan: //p' err)" '^3 held [0-9]*, left 0$' "verify of a cut stream: $k"
done
env LD_PRELOAD="$work/scan.so" XFV_NEEDLES=needles.image embed --no-sandbox crops.xfv >/dev/full 2>err
like "$? $(sed -n 's/^scan: //p' err)" '^4 held [1-9][0-9]*, left 0$' "embed onto a full device: image"
done_testing
