# facecrop: photographs that lie on their side or head, groups among them, and faces that fill the frame.
. "$top/tests/tap.sh"
photos=$top/tests/photos
faces() { xfv-json "$2" | jq -c "select(._ == \"face\") | $1"; }
errs() { xfv-json "$1" | jq -r 'select(._ == "err") | [.id, .code, .message] | @tsv'; }
cat >make.py <<'PY'
import sys
from PIL import Image
photos = sys.argv[1]
# Pillow turns anticlockwise: by so many degrees clockwise it is upright again.
turned = {90: Image.Transpose.ROTATE_90, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_270}
def turns(im, name):
    im.save(f"{name}-0.png")
    for t, how in turned.items(): im.transpose(how).save(f"{name}-{t}.png")
one = {n: Image.open(f"{photos}/{n}.jpg").convert("RGB") for n in ("anna-1", "anna-2", "bella", "clara")}
for n, im in one.items(): turns(im, n)
group = Image.new("RGB", (1300, 900), (90, 110, 120))
for i, im in enumerate(one.values()):
    group.paste(im.resize((300 + 20 * i, 300 + 20 * i)), (50 + 650 * (i % 2), 50 + 420 * (i // 2)))
turns(group, "group")
dark = one["anna-1"].point(lambda v: v // 4)
dark.save("night.jpg", quality=40)
turns(Image.open("night.jpg"), "night")
# Faces that fill the frame: a tenth inside the boxes that facecrop gave.
box = {"anna-2": (74, 66, 301, 374), "bella": (69, 110, 278, 390), "clara": (104, 65, 304, 346)}
for n, (l, t, r, b) in box.items():
    w, h = (r - l) / 10, (b - t) / 10
    turns(one[n].crop((int(l + w), int(t + h), int(r - w), int(b - h))), f"tight-{n}")
Image.new("RGB", (300, 200), (128, 128, 128)).save("flat.png")
Image.new("RGB", (200, 200), (128, 128, 128)).save("square.png")
Image.new("RGB", (900, 900), (128, 128, 128)).save("large.png")
PY
$PYTHON make.py "$photos"; ok $? "make turned photographs"

# ---- one face, four turns
for t in 0 90 180 270; do
    for p in anna-1 anna-2 bella clara; do echo $p-$t.png; done
done >names
# shellcheck disable=SC2046
runs 0 "four photographs in four turns" facecrop -o four.xfv $(cat names)
is "$(faces '"\(.id) \(.turn)"' four.xfv | tr -d '"' | sed 's/.*-\([0-9]*\)\.png /\1 /' | awk '$1 != $2' | wc -l |
    tr -d ' ')" 0 "the record tells the turn"
awk '{split($1, a, "-"); n = $1; sub(/-[0-9]*\.png$/, "", n); print n "-0.png\t" $1}' names >self.tsv
embed -o e.xfv four.xfv
is "$(verify --pairs self.tsv --tsv e.xfv | awk '$3 < .9' | wc -l | tr -d ' ')" 0 "each matches its upright self"
is "$(verify --pairs self.tsv --tsv e.xfv | wc -l | tr -d ' ')" 16 "all sixteen"
# In the photograph's own pixels: the transform takes the landmarks near ArcFace's places, and the box holds them.
is "$(faces '. as $f | [[38.3,51.7],[73.5,51.5],[56.0,71.7],[41.5,92.4],[70.7,92.2]] | to_entries |
    map($f.landmarks[.key] as $p | $f.transform as $t | ($t[0] * $p[0] + $t[1] * $p[1] + $t[2] - .value[0]) as $x |
    ($t[3] * $p[0] + $t[4] * $p[1] + $t[5] - .value[1]) as $y | $x * $x + $y * $y | sqrt) | max < 10' four.xfv |
    sort -u)" true "the transform takes the landmarks near the template"
is "$(faces '.box as $b | .landmarks | map(.[0] > $b[0] and .[0] < $b[2] and .[1] > $b[1] and .[1] < $b[3]) | all' \
    four.xfv | sort -u)" true "the box holds the landmarks"
# Pixel (x, y) of the upright one is pixel (y, 399 - x) of the one to turn by 90, and so on.
is "$(xfv-json four.xfv | jq -s -c 'map(select(._ == "face")) | (map({(.id): .landmarks}) | add) as $l |
    [["anna-2", 400], ["clara", 400], ["bella", 420]] |
    map(. as [$n, $s] | range(5) as $i | $l["\($n)-0.png"][$i] as [$x, $y] |
    [$l["\($n)-90.png"][$i], [$y, $s - 1 - $x]],
    [$l["\($n)-180.png"][$i], [$s - 1 - $x, $s - 1 - $y]], [$l["\($n)-270.png"][$i], [$s - 1 - $y, $x]]) |
    map(((.[0][0] - .[1][0]) | fabs), ((.[0][1] - .[1][1]) | fabs)) | [length, max < 4]')" "[90,true]" \
    "landmarks lie where they lie in the upright one, turned"

# ---- a head that leans by 48 degrees, in the dark: two turns are as good, one face comes of both
runs 0 "a dim face aslant, in four turns" facecrop -o night.xfv night-0.png night-90.png night-180.png night-270.png
embed -o ne.xfv night.xfv
for t in 0 90 180 270; do printf 'anna-1-0.png\tnight-%s.png\n' $t; done >night.tsv
xfv-select --join e.xfv ne.xfv >dim.xfv
is "$(verify --pairs night.tsv --tsv dim.xfv | awk '$3 >= .88' | wc -l | tr -d ' ')" 4 "matches itself by day in each"

# ---- one turn, on demand
runs 0 "--turn 180" facecrop --turn 180 -o t.xfv bella-180.png
is "$(faces '.turn' t.xfv)" 180 "is taken at its word"
xfv-select --id bella-180.png -o want.xfv four.xfv; xfv-cmp want.xfv t.xfv >/dev/null; ok $? "and finds what auto finds"
runs 1 "--turn 180 of an upright photograph" facecrop --turn 180 -o t.xfv clara-0.png
like "$(errs t.xfv)" "noface	no face of at least 26 pixels found in 400 x 400 pixels turned by 180 degrees" \
    "sees no face, and says what it did"
runs 2 "--turn 45" facecrop --turn 45 bella-0.png
runs 2 "--turn with --aligned" facecrop --turn 90 --aligned bella-0.png

# ---- a group is turned as a whole
runs 0 "a group in four turns" facecrop --face all -o group.xfv group-0.png group-90.png group-180.png group-270.png
is "$(faces '"\(.source) \(.turn)"' group.xfv | sort | uniq -c | awk '{print $1, $2, $3}' | tr -d '"' | tr '\n' ',')" \
    "4 group-0.png 0,4 group-180.png 180,4 group-270.png 270,4 group-90.png 90," "all four faces of each"

# ---- faces that fill the frame
for p in anna-2 bella clara; do for t in 0 90 180 270; do echo tight-$p-$t.png; done; done >tight
# shellcheck disable=SC2046
runs 0 "faces that fill the frame, in four turns" facecrop -o tight.xfv $(cat tight)
embed -o te.xfv tight.xfv
xfv-select --join e.xfv te.xfv >both.xfv
awk '{n = $1; sub(/^tight-/, "", n); sub(/-[0-9]*\.png$/, "", n); print n "-0.png\t" $1}' tight >tight.tsv
is "$(verify --pairs tight.tsv --tsv both.xfv | awk '$3 >= .65' | wc -l | tr -d ' ')" 12 "match the whole photograph"
runs 0 "by one turn" facecrop --turn 0 -o one.xfv tight-bella-0.png
is "$(faces '.box[0] < 0 or .box[1] < 0 or .box[2] > 167' one.xfv)" true "the box reaches out of the frame"

# ---- --aligned is offered where it may help
runs 1 "no face anywhere" facecrop -o none.xfv flat.png square.png large.png
is "$(errs none.xfv | grep -- --aligned | cut -f 1)" square.png "--aligned is offered for a small square only"
done_testing
