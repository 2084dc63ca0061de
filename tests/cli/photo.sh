# heatmap --layout photo: faces and maps on the photographs that they were cut out of.
. "$top/tests/tap.sh"
cp "$top"/tests/photos/*.jpg .
cat >make.py <<'PY'
from PIL import Image
group = Image.new("RGB", (1000, 480), (90, 110, 120))
group.paste(Image.open("anna-2.jpg"), (50, 40))
group.paste(Image.open("clara.jpg"), (550, 40))
group.save("group.png")
group.transpose(Image.Transpose.ROTATE_90).save("side.png")
group.save("two.ppm")
open("films.ppm", "wb").write(2 * open("two.ppm", "rb").read())
PY
$PYTHON make.py; ok $? "make photographs"
# where.py STREAM PICTURE PANEL: does the strongest colour of the panel lie where the first face's crop has (38, 52)?
cat >where.py <<'PY'
import sys, msgpack, numpy as np
from PIL import Image
records = msgpack.Unpacker(open(sys.argv[1], "rb"), max_buffer_size=1 << 28, unicode_errors="surrogateescape")
face = next(r["a"] for r in records if r["_"] == "pair")
im = np.asarray(Image.open(sys.argv[2]).convert("RGB")).astype(float)
w, h = face["size"]
f = min(3, 640 / max(w, h))
pw, ph = round(w * f), round(h * f)
left = 12 + int(sys.argv[3]) * (pw + 8)
panel = im[32:32 + ph, left:left + pw]
colour = panel.max(2) - panel.min(2)
ys, xs = np.where(colour > .9 * colour.max())
t = np.array(face["transform"]).reshape(2, 3)
x, y = np.linalg.solve(t[:, :2], np.array([38, 52]) - t[:, 2])
print(np.hypot((xs.mean() + .5) / f - .5 - x, (ys.mean() + .5) / f - .5 - y) < 2)
PY
# eye.py: a stage that gives every pair maps of one pixel, the left eye of the template
cat >eye.py <<'PY'
import sys, zlib, msgpack, numpy as np
m = np.zeros((112, 112), "<f4"); m[52, 38] = 1
t = {"dtype": "<f4", "shape": [112, 112], "data": m.tobytes()}
crc, n, bad = 0, 0, 0
for r in msgpack.Unpacker(sys.stdin.buffer, max_buffer_size=1 << 28, unicode_errors="surrogateescape"):
    if r["_"] == "end": r = {"_": "end", "records": n, "errors": bad, "crc32": crc}
    elif r["_"] != "head": n += 1
    if r["_"] == "pair": r["maps"] = [{"method": "eye", "a": {"similarity": t}, "b": {"dissimilarity": t}}]
    d = msgpack.packb(r, unicode_errors="surrogateescape")
    crc = zlib.crc32(d, crc)
    sys.stdout.buffer.write(d)
PY
for p in group side; do
    facecrop --face all $p.png 2>err | embed | verify --all | $PYTHON eye.py >$p.xfv
    runs 0 "a group, $p.png" heatmap --layout photo -b 2 -o "$p-%d.png" $p.xfv
    is "$($PYTHON where.py $p.xfv $p-0.png 1)" True "$p: the map lies where the transform says"
done
heatmap --layout photo -b 2 -j 3 -o again-%d.png group.xfv; cmp again-0.png group-0.png;
ok $? "the same bytes whatever -j"
digest() { xfv-json "$1" | jq -r 'select(._ == "face")["source-digest"]' | sort -u; }
sum() { sha256sum "$1" | cut -d ' ' -f 1; }
facecrop group.png >one.xfv; is "$(digest one.xfv)" "$(sum group.png)" "the record holds the digest"

# ---- faces alone, several photographs
facecrop anna-1.jpg bella.jpg >faces.xfv
runs 0 "faces" heatmap --layout photo -o faces.png faces.xfv
runs 0 "a picture each" heatmap --layout photo -o 'each-%d.png' faces.xfv
is "$(echo each-*.png)" "each-0.png each-1.png" "by number"
is "$(heatmap --layout photo faces.xfv | pamfile -allimages | wc -l | tr -d ' ')" 2 "and on standard output"
facecrop films.ppm >films.xfv
runs 0 "images of a file of several" heatmap --layout photo -o 'film-%d.png' films.xfv
is "$(echo film-*.png)-$(digest films.xfv)" "film-0.png film-1.png-$(sum films.ppm)" "both, with the file's digest"

heatmap --layout photo --say words -o said.png group.xfv >said
[ -s said ] && [ -s said.png ]; ok $? "--say tells what the pair says, as with a figure"

# ---- the page
runs 0 "report --photographs" report --photographs -o page.html group.xfv
is "$(grep -c '<svg class="whole" viewBox="0 0 224 108"' page.html)" 2 "shows the photograph beside both crops"
report -o plain.html group.xfv; is "$(grep -c '<svg class="whole"' plain.html)" 0 "without it, it does not"

# ---- what is not what it was
cp anna-1.jpg kept.jpg
printf x >>anna-1.jpg
runs 1 "a changed photograph" heatmap --layout photo -o changed.png faces.xfv
like "$(cat err)" "^heatmap: anna-1.jpg: the photograph has changed since it was cropped: its SHA-256 is [0-9a-f]{12}" \
    "is named"
[ -s changed.png ]; ok $? "the other is drawn"
rm anna-1.jpg
runs 1 "a missing one" heatmap --layout photo -o missing.png faces.xfv
like "$(cat err)" "^heatmap: anna-1.jpg: the photograph is not there: run heatmap in the folder where" "is named"
facecrop -q kept.jpg bella.jpg | embed | verify | cosine-grad >gone.xfv
printf x >>kept.jpg
runs 1 "report of a changed photograph" report --photographs -o page.html gone.xfv
is "$(grep -c 'face a: the photograph has changed' err)-$(grep -c '<svg class="whole"' page.html)" 1-1 \
    "names it, and shows the other"
facecrop - <kept.jpg >stdin.xfv
runs 1 "one from standard input" heatmap --layout photo -o stdin.png stdin.xfv
like "$(cat err)" "came from standard input" "is not there any more"
is "$(digest stdin.xfv)" "$(sum kept.jpg)" "though its digest is known"
facecrop -q --aligned bella.jpg >crop.xfv
runs 1 "a crop" heatmap --layout photo -o crop.png crop.xfv
like "$(cat err)" "the face was given as a crop: it has no place on a photograph" "has no place"
done_testing
