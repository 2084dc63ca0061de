# Networks of one's own: other sizes and colours through the whole pipeline; fifty damaged files, each refused with status 5 and a sentence.
. "$top/tests/tap.sh"
photos="$top/tests/photos"

# size channels colour
for case in "150 3 rgb" "160 3 bgr" "224 3 rgb" "160 1 grey"; do
    set -- $case
    "$PYTHON" "$top/tests/onnx/small.py" face.onnx "$1" "$1" "$2"
    runs 0 "$case: imported" model-import face.onnx -o face.xfvm --input "$3"
    like "$(cat err)" "embedding is 'raw', 32 numbers; an L2 normalisation follows" "$case: which says what the embedding is"
    is "$(model-info --json ./face.xfvm | jq -c '[.height, .width, .colour, (.template[0] | floor)]')" "[$1,$1,\"$3\",$((382946 * $1 / 1120000))]" "$case: size, colour and template" ||
        model-info --json ./face.xfvm
    facecrop -m face.xfvm "$photos/anna-1.jpg" "$photos/anna-2.jpg" | embed -m face.xfvm | verify -m face.xfvm -t 0.5 | fggb-grad -m face.xfvm -o why.xfv
    is "$(xfv-json why.xfv | jq -c 'select(._ == "pair") | [.a.image.shape, .a.embedding.shape, .maps[0].a.similarity.shape, .maps[0].b.dissimilarity.shape]')" \
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
runs 0 "a TFLite file is told by its content" sh -c '"$B/unit/tflite" --write t.onnx && model-import -q t.onnx -o x.xfvm'
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
PY
"$PYTHON" damage.py
n=0 wrong=
for f in cut*.* flip*.*; do
    case $f in
    *.xfvm) model-info "./$f" >out 2>err ;;
    *) model-import -q "$f" -o out.xfvm >out 2>err ;;
    esac
    st=$?
    n=$((n + 1))
    [ $st -eq 5 ] && [ "$(wc -l <err)" -eq 1 ] && [ "$(wc -c <err)" -gt 30 ] || wrong="$wrong $f:$st"
done
is "$n$wrong" "60" "sixty damaged files: status 5 and one sentence each"
done_testing
