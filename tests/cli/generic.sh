# facecrop --whole: images of anything, by networks that know no faces, through the whole pipeline.
. "$top/tests/tap.sh"
export PYTHONPATH="$top/tests" XFV_MODEL_PATH="$work"
runs 0 "the example's network" sh "$top/examples/colour-edges.sh" .
runs 0 "imported" model-import -q colour-edges.graph -o colour-edges.xfvm --name colour-edges --input rgb --mean 127.5 \
    --std 127.5 --template none
"$PYTHON" "$top/tests/onnx/small.py" wide.onnx 48 96 3
runs 0 "a network of 96 x 48 pixels" model-import -q wide.onnx -o wide.xfvm --input bgr --template none
cat >make.py <<'PY'
import numpy as np
from PIL import Image
def scene(colour, x, size=64, stripes=0):
    a = np.full((size, size, 3), 90, np.uint8)
    yy, xx = np.mgrid[:size, :size]
    a[(yy - size // 2) ** 2 + (xx - x) ** 2 < (size // 5) ** 2] = colour
    if stripes: a[:, ::stripes] = 200
    return a
for name, a in {"red": scene((220, 30, 30), 20), "red2": scene((200, 40, 30), 22), "blue": scene((30, 30, 220), 44), "stripes": scene((90, 90, 90), 0, stripes=4)}.items():
    Image.fromarray(a).save(name + ".png")
Image.fromarray(scene((220, 30, 30), 20)).save("red.webp", lossless=True)
Image.fromarray(scene((220, 30, 30), 20)).save("red.ppm")
Image.fromarray(scene((220, 30, 30), 20)[:, :, 0]).save("grey.pgm")
rng = np.random.default_rng(1)
Image.fromarray(rng.integers(0, 256, (128, 256, 3), np.uint8)).save("noise.png")  # twice as wide as high
PY
cat >check.py <<'PY'
import sys
from streams import *
from PIL import Image
def descriptor(a):
    f = np.frombuffer(open("colour-edges.u8", "rb").read(), np.uint8).reshape(3, 3, 3, 16).astype(float) - 128
    x = np.pad((a.astype(float) - 127.5) / 127.5, ((1, 1), (1, 1), (0, 0)))
    y = sum(np.tensordot(x[i:i + 64, j:j + 64], f[i, j], 1) for i in range(3) for j in range(3))
    return np.maximum(y, 0).reshape(4, 16, 4, 16, 16).mean((1, 3)).reshape(-1)
noise = np.asarray(Image.open("noise.png")).astype(float)
def halves(a): return np.floor(a.reshape(a.shape[0] // 2, 2, a.shape[1] // 2, 2, 3).mean((1, 3)) + 0.5)
want = sys.argv[1]
for r in records(sys.stdin.buffer.read()):
    a = array(r["image"])
    if want == "descriptor":
        d = np.abs(array(r["embedding"]) - descriptor(a)).max()
        same = r["id"] == "noise.png" or (a == np.asarray(Image.open(r["id"]).convert("RGB"))).all()
        print("right" if d < 1e-4 and same and r["generic"] is True else d)
    else:
        half = halves(noise)
        exact = {"crop": half[:, 32:96], "pad": np.pad(halves(half), ((16, 16), (0, 0), (0, 0))), "stretch": noise.reshape(64, 2, 64, 4, 3).mean((1, 3))}[want]
        t = {"crop": [.5, 0, -32.25, 0, .5, -.25], "pad": [.25, 0, -.375, 0, .25, 15.625], "stretch": [.25, 0, -.375, 0, .5, -.25]}[want]
        print("right" if np.abs(a - exact).max() <= 1 and np.allclose(r["transform"], t) else [np.abs(a - exact).max(), r["transform"]])
PY
runs 0 "Python makes images" "$PYTHON" make.py
runs 0 "PNG, WebP, PPM and grey PGM at the network's size" sh -c \
    "facecrop --whole exact -m colour-edges red.png red2.png blue.png stripes.png red.webp red.ppm grey.pgm | embed -m colour-edges -o e.xfv"
is "$("$PYTHON" check.py descriptor <e.xfv | sort | uniq -c | tr -s ' ')" " 7 right" \
    "embeddings are those of NumPy, images those of the files"
for how in crop pad stretch; do
    facecrop --whole $how -m colour-edges noise.png | embed -m colour-edges >n.xfv
    is "$("$PYTHON" check.py $how <n.xfv)$("$PYTHON" check.py descriptor <n.xfv)" rightright "facecrop --whole $how"
done
for j in 2 3; do
    facecrop --whole exact -m colour-edges -j $j red.png red2.png blue.png stripes.png red.webp red.ppm grey.pgm |
        embed -m colour-edges -j $j | cmp -s - e.xfv; ok $? "-j $j: the same bytes"; done
printf 'red.png\0blue.png\0' | facecrop --whole exact -m colour-edges --files0-from - | xfv-json |
    jq -r 'select(.id) | .id' | tr '\n' ' ' >out
is "$(cat out)" "red.png blue.png " "--files0-from"
cat red.ppm grey.pgm | facecrop --whole exact -m colour-edges | xfv-json | jq -r 'select(.id) | .id' | tr '\n' ' ' >out
is "$(cat out)" "-#0 -#1 " "a Netpbm stream from standard input"
runs 1 "another size: status 1" facecrop --whole exact -m colour-edges red.png noise.png
like "$(cat err)" "^facecrop: [^:]*: the image is 256 x 128 pixels, not 64 x 64: --whole crop, pad or stretch" \
    "which says what to do"
is "$(xfv-json out | jq -r 'select(.id) | ._ + " " + (.code // "")' | tr '\n' ';')" "face ;err size;" "an err record"
runs 2 "an unknown rule" facecrop --whole zoom red.png
for other in --aligned "--landmarks list" "--turn 90" "--min-sharpness 1"; do
    runs 2 "an option that speaks of faces" facecrop --whole crop $other red.png
    like "$(cat err)" "^facecrop: .*--whole" "names --whole as the other"
done
facecrop --whole exact -m mobilefacenet --size 64 red.png >f.xfv 2>err;
is "$(xfv-json f.xfv | jq -c 'select(._ == "face") | [.image.shape, .generic, .quality]')" '[[64,64,3],true,null]' \
    "facecrop --whole takes --size, and measures no quality"

# The rest of the pipeline.
verify --all -m colour-edges -t 0.9 e.xfv -o pairs.xfv
is "$(xfv-json pairs.xfv | jq -r 'select(.id == "red.png|red.webp") | .score > 0.999999')$(xfv-json pairs.xfv |
    jq -r 'select(.id == "red.png|red2.png" or .id == "red.png|blue.png") | .accept' | tr '\n' ' ')" "truetrue false " "like colours and places are alike"
xfv-select -k pair --head 3 pairs.xfv | fggb-grad | cosine-grad | xssab-grad | path-grad --baseline blur |
    control-map -o maps.xfv
is "$(xfv-json maps.xfv | jq -r 'select(._ == "pair") | .maps | length' | sort -u)" 5 "explained in five ways"
runs 0 "sound" xfv-check maps.xfv
runs 0 "drawn" heatmap -o why-%d.png maps.xfv
runs 0 "a page" report -o page.html maps.xfv
is "$(grep -c 'evidence on this picture' page.html)-$(grep -c 'Share by region' page.html)" \
    "$(grep -c 'evidence on this picture' page.html)-0" "has no facial regions"
like "$(sed 's/\xc2\xa0/ /g' page.html)" "[0-9]+ % of the evidence on this picture" "and words of its own"
runs 0 "Deletion and Insertion" delins --tsv -m colour-edges maps.xfv
is "$(cut -f 1 out | sort -u | wc -l)" 6 "for each method"
runs 1 "regions: status 1" regions --tsv maps.xfv
like "$(cat err)" "whole pictures .facecrop --whole., which have no eyes" "says why not"
facecrop --whole crop -m wide red.png blue.png noise.png | embed -m wide | verify --all -m wide -t 0 |
    fggb-grad -m wide -o wide.xfv
is "$(xfv-json wide.xfv | jq -c 'select(._ == "pair") | [.a.image.shape, .maps[0].b.similarity.shape]' | sort -u)" \
    "[[48,96,3],[48,96]]" "a network that is not square"
runs 0 "is drawn, too" heatmap -o wide-%d.png wide.xfv
done_testing
