# Is a face fit to be compared? The key `quality`, floors of facecrop and xfv-select, images that are no aligned crops.
. "$top/tests/tap.sh"
photos=$top/tests/photos
cp "$photos"/*.jpg .
faces() { xfv-json "$2" | jq -c "select(._ == \"face\") | $1"; }
errs() { xfv-json "$1" | jq -r 'select(._ == "err") | [.id, .code, .message] | @tsv'; }
cat >make.py <<'PY'
import msgpack, sys
from PIL import Image, ImageFilter, ImageEnhance
im = Image.open("bella.jpg").convert("RGB")
im.filter(ImageFilter.GaussianBlur(7)).save("blurred.png")
ImageEnhance.Brightness(im).enhance(.18).save("dark.png")
im.point(lambda v: min(255, int(v * 2.6))).save("bright.png")
im.resize((60, 60)).save("small.png")
im.crop((130, 0, 420, 420)).save("cut.png")
PY
$PYTHON make.py; ok $? "make worse photographs"

# ---- the record
runs 0 "photographs as they are" facecrop -o good.xfv anna-1.jpg anna-2.jpg bella.jpg clara.jpg
is "$(wc -c <err)" 0 "nothing is doubtful"
is "$(faces '.quality | keys_unsorted | join(",")' good.xfv | sort -u)" \
    '"eye-distance,residual,roll,yaw,pitch,sharpness,under-exposure,over-exposure,outside"' "the measures, in order"
is "$(faces '.landmarks as $l | ($l[1][0] - $l[0][0]) as $x | ($l[1][1] - $l[0][1]) as $y | .quality as $q |
    [(($x * $x + $y * $y | sqrt) - $q["eye-distance"] | fabs < 1e-3),
    (atan2($y; $x) * 57.29578 - $q.roll | fabs < 1e-3)]' good.xfv | sort -u)" "[true,true]" \
    "eyes' distance and roll are those of the landmarks"
is "$(faces '.quality | .yaw < -20 and .pitch > 10' good.xfv | tail -1)" true "clara looks to her right, and down"
runs 0 "worse ones" facecrop -o bad.xfv bella.jpg blurred.png dark.png bright.png small.png cut.png
like "$(cat err)" "doubtful face: " "are warned of"
worse() { # NUMBER KEY COMPARISON
    how=$(faces ".quality[\"$2\"]" bad.xfv | awk -v n="$1" '{v[NR] = $1} END {print (v[n] > v[1] ? "more" : "less")}')
    is "$how" "$3" "$2 is $3 in picture $1"
}
worse 2 sharpness less
worse 3 under-exposure more
worse 4 over-exposure more
worse 5 eye-distance less
worse 6 outside more
facecrop bella.jpg | embed -o e.xfv
cat >norm.py <<'PY'
import msgpack
for r in msgpack.Unpacker(open("e.xfv", "rb"), max_buffer_size=1 << 28):
    if r["_"] == "face":
        import array
        v = array.array("f", r["embedding"]["data"])
        print(abs(sum(x * x for x in v) ** .5 - r["quality"]["norm"]) < 1e-3)
PY
is "$($PYTHON norm.py)" True "embed adds the embedding's length"
embed e.xfv >e2.xfv; xfv-cmp e.xfv e2.xfv; ok $? "and once more, the same"

# ---- an embedding shorter than the model's limit
cat >noise.py <<'PY'
import random
from PIL import Image
random.seed(1)
im = Image.open("bella.jpg").convert("RGB")
im.putdata([tuple(max(0, min(255, int(v + random.gauss(0, 90)))) for v in p) for p in im.getdata()])
im.save("noise.png")
PY
$PYTHON noise.py; ok $? "make a photograph of much noise"
runs 0 "facecrop finds nothing doubtful in noise" facecrop -o n.xfv noise.png bella.jpg
is "$(wc -c <err)" 0 "which no other measure shows"
runs 0 "embed, a face of noise and a good one" embed -o noisy.xfv n.xfv
like "$(cat err)" "^embed: .*: a doubtful face: length of the embedding 4[0-9.]*, less than 51.81\$" \
    "embed warns of the short embedding"
is "$(wc -l <err)" 1 "embed warns of the noise alone"
is "$(faces '.quality["norm-low"]' noisy.xfv | sort -u)" 51.8117 "the record of a face holds the model's limit"
verify noisy.xfv >pair.xfv
runs 0 "embed of a pair" embed -o again.xfv pair.xfv
like "$(cat err)" "doubtful face: length" "embed warns of a pair's face likewise"
cosine-grad pair.xfv | report >page.html
like "$(cat page.html)" '<strong class="doubt">doubtful: length of the embedding 4[0-9.]*, less than 51.81' "the page says so"
for i in 1 2 3 4 5 6 7; do cat n.xfv; done | embed -j 2 2>err >/dev/null
is "$(tail -1 err)-$(wc -l <err | tr -d ' ')" "embed: likewise 2 more-6" "embed writes five lines, then a count"

cat >plain.py <<'PY'
import sys, zlib, msgpack
crc, n = 0, 0
for r in msgpack.Unpacker(sys.stdin.buffer, max_buffer_size=1 << 28):
    if r["_"] == "norm": continue
    if r["_"] == "end": r = {"_": "end", "records": n, "errors": 0, "crc32": crc}
    elif r["_"] != "head": n += 1
    d = msgpack.packb(r)
    crc = zlib.crc32(d, crc)
    sys.stdout.buffer.write(d)
PY
$PYTHON plain.py <"$top/models/mobilefacenet.xfvm" >plain.xfvm
runs 0 "embed by a model without the limit" embed -m plain.xfvm -o plain.xfv noisy.xfv
is "$(cat err)-$(faces '.quality | has("norm-low")' plain.xfv | sort -u)" "-false" \
    "embed takes another model's limit away"

# ---- floors
runs 1 "--min-eye-distance" facecrop --min-eye-distance 30 -o f.xfv bella.jpg small.png
like "$(errs f.xfv)" "^small.png	quality	the face is not fit to be compared: \
distance of the eyes in pixels 1[0-9.]*, less than 30, of --min-eye-distance" "refuses, and says why"
is "$(faces .id f.xfv)" '"bella.jpg"' "and takes the other"
for o in --min-confidence=1 --max-residual=.1 --max-roll=1 --max-yaw=1 --max-pitch=1 --min-sharpness=9 \
    --max-under-exposure=0; do
    runs 1 "$o" facecrop "$o" -o f.xfv bella.jpg
done
runs 1 "--max-over-exposure" facecrop --max-over-exposure=.01 -o f.xfv bright.png
runs 1 "--max-outside" facecrop --max-outside .01 -o f.xfv cut.png
runs 0 "a face on the good side of all" facecrop --min-confidence .9 --max-residual 6 --max-roll 20 --max-yaw 40 \
    --max-outside .1 bella.jpg
runs 2 "--max-residual -1" facecrop --max-residual -1 bella.jpg
facecrop -q --max-residual 3.1 -j 1 anna-1.jpg bella.jpg anna-2.jpg >j1.xfv
facecrop -q --max-residual 3.1 -j 3 anna-1.jpg bella.jpg anna-2.jpg | cmp - j1.xfv; ok $? "the same bytes whatever -j"

# ---- the same in xfv-select
embed -o ge.xfv good.xfv
is "$(xfv-select --max-residual 3.1 ge.xfv | faces .id - | tr '\n' ' ')" '"anna-1.jpg" "anna-2.jpg" ' \
    "--max-residual selects faces"
is "$(verify --all ge.xfv | xfv-select --max-residual 3.1 | xfv-json | jq -c 'select(._ == "pair") | [.a.id, .b.id]')" \
    '["anna-1.jpg","anna-2.jpg"]' "and pairs of two such faces"
n=$(faces .quality.norm ge.xfv | sort -n | sed -n 3p)
is "$(xfv-select --min-norm "$n" ge.xfv | faces .id - | wc -l | tr -d ' ')" 2 "--min-norm"
is "$(xfv-select --min-norm 1 good.xfv | faces .id - | wc -l | tr -d ' ')" 0 "a face without the measure fails"

# ---- figure and page say what is doubtful
facecrop -q blurred.png anna-2.jpg | embed | verify | cosine-grad >maps.xfv
report maps.xfv >page.html
is "$(grep -c '<strong class="doubt">doubtful: sharpness 0.0' page.html)" 1 "the page says what is doubtful"
heatmap -o with.png maps.xfv
cat >forget.py <<'PY'
import msgpack, sys, zlib
crc, n = 0, 0
for r in msgpack.Unpacker(sys.stdin.buffer, max_buffer_size=1 << 28):
    if r["_"] == "end": r = {"_": "end", "records": n, "errors": 0, "crc32": crc}
    elif r["_"] != "head": n += 1
    if r["_"] == "pair": del r["a"]["quality"]
    d = msgpack.packb(r)
    crc = zlib.crc32(d, crc)
    sys.stdout.buffer.write(d)
PY
$PYTHON forget.py <maps.xfv | heatmap -o without.png -
# The only difference is red words at the right of face A.
is "$($PYTHON -c '
from PIL import Image, ImageChops
a, b = Image.open("with.png").convert("RGB"), Image.open("without.png").convert("RGB")
box = ImageChops.difference(a, b).getbbox()
p = [q for q in a.crop(box).getdata() if q[0] - q[1] > 100]
print(len(p) > 50, box[2] < a.width * .55)')" "True True" "so does the figure, in red"

# ---- aligned, or not
cat >save.py <<'PY'
import sys, msgpack
for r in msgpack.Unpacker(open(sys.argv[1], "rb"), max_buffer_size=1 << 28):
    if r["_"] == "face": open(r["id"] + ".ppm", "wb").write(b"P6 112 112 255\n" + r["image"]["data"])
PY
$PYTHON save.py good.xfv
runs 0 "--aligned on aligned crops" facecrop --aligned -o a.xfv ./*.jpg.ppm
is "$(cat err)" "" "says nothing"
runs 0 "--aligned on photographs" facecrop --aligned -o a.xfv anna-1.jpg bella.jpg
is "$(grep -c 'no aligned crop: eyes, nose and mouth lie [0-9]* pixels of 112 from' err)" 2 "warns of each"
is "$(faces '.quality | keys_unsorted | join(",")' a.xfv | sort -u)" '"sharpness,under-exposure,over-exposure"' \
    "and measures pixels"
# shellcheck disable=SC2046
facecrop --aligned -o a.xfv $(for i in 1 2 3 4 5 6 7; do echo anna-1.jpg; done) 2>err
is "$(tail -1 err)-$(wc -l <err | tr -d ' ')" "facecrop: likewise 2 more-6" "five lines, then a count"
done_testing
