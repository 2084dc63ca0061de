# facecrop: detection on the photographs of tests/photos, every way to name images, damage, odd sizes.
. "$top/tests/tap.sh"
photos=$top/tests/photos
for p in anna-1 anna-2 bella clara; do cp "$photos/$p.jpg" .; done
json() { xfv-json "$@"; }
# faces FILTER FILE: jq over the face records
faces() { json "$2" | jq -c "select(._ == \"face\") | $1"; }
errs() { json "$1" | jq -r 'select(._ == "err") | [.id, .tool, .code, .message] | @tsv'; }

# ---- what a face record holds
runs 0 "four photographs" facecrop -o four.xfv anna-1.jpg anna-2.jpg bella.jpg clara.jpg
is "$(wc -c <err)" 0 "nothing is said when all is well"
is "$(faces 'keys_unsorted | join(",")' four.xfv | sort -u)" \
    '"_,id,source,size,box,confidence,turn,landmarks,transform,quality,image,source-digest"' "keys, in order"
is "$(faces '[.id, .source, .size]' four.xfv | head -1)" '["anna-1.jpg","anna-1.jpg",[400,400]]' "id, source and size"
is "$(faces '[.image.dtype, .image.shape]' four.xfv | sort -u)" '["|u1",[112,112,3]]' "the crop"
is "$(json four.xfv |
    jq -c 'select(._ == "head") | .provenance[0] | [.tool, .args, (.models | map(.name)), (.models | map(.digest | length)), (.kernels | type)]')" \
    '["facecrop",[],["mtcnn-p","mtcnn-r","mtcnn-o"],[64,64,64],"string"]' \
        "provenance names the detector's models and the kernels"
# Where eyes and mouths are, read off the photographs by eye.
cat >seen.json <<'J'
{"anna-1.jpg": [[164,159],[226,218],[150,222],[103,223],[161,276]],
 "anna-2.jpg": [[137,188],[231,207],[166,265],[123,292],[208,309]],
 "bella.jpg": [[131,228],[234,216],[205,286],[151,322],[236,317]],
 "clara.jpg": [[137,186],[222,174],[169,254],[169,292],[235,282]]}
J
is "$(json four.xfv | jq -s -c --slurpfile w seen.json '[.[] | select(._ == "face") | . as $f | range(5) as $i |
    [$f.landmarks[$i], $w[0][$f.id][$i]] | (.[0][0] - .[1][0]) as $x | (.[0][1] - .[1][1]) as $y | ($x * $x + $y * $y | sqrt)] |
    [length, (map(select(. > 12)) | length)]')" "[20,0]" "landmarks lie where one sees them"
is "$(faces 'select(.confidence < 0.99 or .box[2] - .box[0] < 150 or .box[3] - .box[1] < 200)' four.xfv)" "" \
    "all are sure, and large"
# The transform takes the landmarks near ArcFace's places, and a point of the source there: the crop is that part of the
# photograph.
is "$(faces '. as $f | [[38.3,51.7],[73.5,51.5],[56.0,71.7],[41.5,92.4],[70.7,92.2]] | to_entries | map($f.landmarks[.key] as $p |
    ($f.transform[0] * $p[0] + $f.transform[1] * $p[1] + $f.transform[2] - .value[0]) as $x |
    ($f.transform[3] * $p[0] + $f.transform[4] * $p[1] + $f.transform[5] - .value[1]) as $y | $x * $x + $y * $y | sqrt) | max < 10' four.xfv | sort -u)" true \
    "the transform takes the landmarks near the template"
is "$(faces '(.transform[0] - .transform[4] | fabs) < 1e-12 and (.transform[1] + .transform[3] | fabs) < 1e-12' \
    four.xfv | sort -u)" true "and is a similarity"
cat >crops.py <<'PY'
# crops.py FILE...: decode the first face's crop of each stream, print the largest mean difference from the first
import sys, msgpack, numpy as np
def crop(f):
    for r in msgpack.Unpacker(open(f, "rb"), max_buffer_size=1 << 28):
        if r["_"] == "face": return np.frombuffer(r["image"]["data"], "u1").reshape(r["image"]["shape"]).astype(float)
a, *rest = map(crop, sys.argv[1:])
print(max(abs(a - b).mean() if b is not None and a.shape == b.shape else 255 for b in rest))
PY
near() { d=$($PYTHON crops.py "$1" "$2"); [ "$(printf '%s\n' "$d" | awk -v m="$3" '{print ($1 <= m)}')" = 1 ];
ok $? "$4 (mean difference $d)"; }

# ---- the same face in other files
cat >make.py <<'PY'
from PIL import Image
import numpy as np
im = Image.open("anna-1.jpg")
turned = {1: None, 2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE,
          6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE, 8: Image.Transpose.ROTATE_270}
im.save("plain.png")
for o in (3, 6, 8):
    e = Image.Exif(); e[0x0112] = o
    im.transpose(turned[o]).save(f"exif{o}.jpg", quality=97, subsampling=0, exif=e)
im.convert("L").save("grey.png")
im.convert("CMYK").save("cmyk.jpg", quality=97)
im.quantize(256).save("palette.png")
a = im.copy(); a.putalpha(255); a.save("alpha.png")
im.save("plain.ppm")
Image.fromarray(np.full((200, 300), 128, np.uint8)).save("flat.png")
Image.fromarray(np.full((1, 1, 3), 128, np.uint8)).save("one.png")
wide = Image.new("RGB", (20000, 400)); wide.paste(im, (15000, 0)); wide.save("wide.jpg", quality=90)
tall = Image.new("L", (30, 20000), 90); tall.save("tall.png")
two = Image.new("RGB", (1000, 600)); two.paste(Image.open("bella.jpg"), (0, 100)); two.paste(im.resize((300, 300)), (560, 150)); two.save("two.jpg", quality=92)
PY
$PYTHON make.py; ok $? "make more images"
pamdepth 65535 plain.ppm >deep.ppm && pnmtopng deep.ppm >deep.png 2>/dev/null
for f in plain.png exif3.jpg exif6.jpg exif8.jpg palette.png alpha.png cmyk.jpg deep.png deep.ppm; do
    facecrop -o one.xfv $f 2>err || cat err
    case $f in *.jpg) most=4 ;; palette.png) most=7 ;; *) most=1 ;; esac
    near four.xfv one.xfv $most "$f shows the same face"
done
runs 0 "a grey image" facecrop -o grey.xfv grey.png
is "$(faces '.box[0] > 60 and .box[0] < 120' grey.xfv)" true "has its face"

# ---- which face
runs 0 "all faces" facecrop --face all -o all.xfv two.jpg
is "$(faces '[.id, .source]' all.xfv | tr '\n' ' ')" '["two.jpg#0","two.jpg"] ["two.jpg#1","two.jpg"] ' \
    "numbered, by size"
is "$(faces '(.box[2] - .box[0]) * (.box[3] - .box[1])' all.xfv |
    awk 'NR > 1 && $1 > last {bad = 1} {last = $1} END {print NR, bad + 0}')" "2 0" "the largest first"
facecrop -o largest.xfv two.jpg;
is "$(faces '[.id, .box[0] < 400]' largest.xfv)" '["two.jpg",true]' "the largest is bella's"
facecrop --face central -o central.xfv two.jpg;
is "$(faces '[.id, .box[0] > 400]' central.xfv)" '["two.jpg",true]' "the central one is anna's"
runs 1 "faces smaller than --min-size" facecrop --min-size 350 -o none.xfv anna-1.jpg
like "$(cat err)" '^facecrop: [^:]*: no face of at least 350 pixels found in 400 x 400 pixels: --min-size' \
    "are not found"
runs 2 "--face none" facecrop --face none anna-1.jpg
runs 2 "--min-size 5" facecrop --min-size 5 anna-1.jpg

# ---- sizes and templates
facecrop --size 224 -o big.xfv anna-1.jpg
is "$(faces '.image.shape' big.xfv)" '[224,224,3]' "--size"
is "$(json four.xfv big.xfv |
    jq -s -c '[.[] | select(.id == "anna-1.jpg").transform] | (.[1][0] - 2 * .[0][0]) | fabs < 1e-9')" true "scales the transform"
facecrop -m mobilefacenet -o mfn.xfv anna-1.jpg
near four.xfv mfn.xfv 0 "-m mobilefacenet crops as the default does"
runs 5 "-m mtcnn-r has no places for landmarks" facecrop -m mtcnn-r anna-1.jpg

# ---- aligned, landmarks
cat >save.py <<'PY'
import sys, msgpack
for r in msgpack.Unpacker(open(sys.argv[1], "rb"), max_buffer_size=1 << 28):
    if r["_"] == "face":
        open(sys.argv[2], "wb").write(b"P6 112 112 255\n" + r["image"]["data"]); break
PY
$PYTHON save.py four.xfv crop.ppm
runs 0 "--aligned" facecrop --aligned -o aligned.xfv crop.ppm
near four.xfv aligned.xfv 0 "an aligned crop is left as it is"
is "$(faces 'keys_unsorted | join(",")' aligned.xfv)" '"_,id,source,size,transform,quality,image,source-digest"' \
    "it has no box and no landmarks"
is "$(faces '.transform == [1.0,0.0,0.0,0.0,1.0,0.0]' aligned.xfv)" true "its transform changes nothing"
facecrop --aligned --size 56 -o half.xfv crop.ppm
is "$(faces '[.image.shape, .transform == [0.5,0.0,-0.25,0.0,0.5,-0.25]]' half.xfv)" '[[56,56,3],true]' \
    "and is resized to --size"
{ echo "# from elsewhere"; echo;
faces '"\(.id) \(.landmarks | flatten | map(tostring) | join(" "))"' four.xfv | tr -d '"'; } >given.txt
runs 0 "--landmarks, all photographs of the file" facecrop --landmarks given.txt -o given.xfv
is "$(faces '[.id, .image.mean]' given.xfv)" "$(faces '[.id, .image.mean]' four.xfv)" "crops as detection does"
is "$(faces 'keys_unsorted | join(",")' given.xfv | sort -u)" \
    '"_,id,source,size,landmarks,transform,quality,image,source-digest"' "without box and confidence"
cp anna-1.jpg "a b.jpg"
echo "a b.jpg 1 2 30 2 15 20 5 30 25 30
a b.jpg 100 100 200 100 150 150 110 200 190 200" >two.txt
runs 0 "two faces of a name with a blank" facecrop --landmarks two.txt -o two.xfv "a b.jpg"
is "$(faces '.id' two.xfv | tr '\n' ' ')" '"a b.jpg#0" "a b.jpg#1" ' "are numbered"
runs 1 "a photograph that the file does not hold" facecrop --landmarks two.txt -o two.xfv anna-2.jpg
like "$(errs two.xfv)" '^anna-2.jpg	facecrop	landmarks	no line for this image in two.txt$' "is an err record"
echo "anna-1.jpg 5 5 5 5 5 5 5 5 5 5" >same.txt
runs 1 "five landmarks on one spot" facecrop --landmarks same.txt -o same.xfv
like "$(errs same.xfv)" '	landmarks	the landmarks coincide' "are an err record"
for bad in "anna-1.jpg 1 2 3" "1 2 3 4 5 6 7 8 9 10" "anna-1.jpg 1 2 3 4 5 6 7 8 9 x" \
    "anna-1.jpg 1 2 3 4 5 6 7 8 9 nan"; do
    echo "$bad" >bad.txt
    runs 2 "a bad line of landmarks" facecrop --landmarks bad.txt -o bad.xfv
    like "$(cat err)" '^facecrop: bad.txt:1: a path and ten numbers are expected' "is named: $bad"
done
runs 2 "--aligned with --landmarks" facecrop --aligned --landmarks given.txt anna-1.jpg
runs 4 "a file of landmarks that is not there" facecrop --landmarks nowhere.txt anna-1.jpg

# ---- what cannot be: an err record, and the run goes on
head -c 9000 anna-1.jpg >cut.jpg
: >empty.jpg
echo hello >text.jpg
mkdir folder
runs 1 "bad images among good ones" facecrop --max-pixels 9M -o mixed.xfv anna-1.jpg cut.jpg missing.jpg flat.png \
    one.png empty.jpg text.jpg folder tall.png bella.jpg
is "$(errs mixed.xfv | cut -f 1-3 | tr '\t\n' '  ')" \
    "cut.jpg facecrop damaged missing.jpg facecrop open flat.png facecrop noface one.png facecrop noface empty.jpg facecrop decode text.jpg facecrop format folder facecrop open tall.png facecrop noface " \
    "each says what it is"
is "$(faces '.id' mixed.xfv | tr '\n' ' ')" '"anna-1.jpg" "bella.jpg" ' "the good ones are there"
is "$(wc -l <err | tr -d ' ')" 8 "one line each on stderr"
is "$(json mixed.xfv | jq -c 'select(._ == "end") | [.records, .errors]')" "[10,8]" "counted in the end record"
runs 1 "an image past --max-pixels" facecrop --max-pixels 1M -o wide.xfv wide.jpg
like "$(errs wide.xfv)" '	limit	image of 20000 x 400 pixels, more than the limit of 1048576 \(--max-pixels\)' \
    "is named with its size"
runs 0 "20,000 pixels wide" facecrop -o wide.xfv wide.jpg
is "$(faces '.box[0] > 15000' wide.xfv)" true "the face is found in it"
runs 1 "without provenance, quiet" facecrop -q --no-provenance -o q.xfv missing.jpg
is "$(wc -c <err)" 0 "-q says nothing"

# ---- lists, workers, pipes
printf '%s\0' anna-1.jpg anna-2.jpg bella.jpg clara.jpg >list
facecrop -0 list >list.xfv; cmp list.xfv four.xfv; ok $? "-0: the same as operands"
facecrop --files0-from - <list | cmp - four.xfv; ok $? "--files0-from -"
runs 2 "operands and a list" facecrop -0 list anna-1.jpg
printf 'anna-1.jpg\0\0' >holes; runs 2 "an empty name in a list" facecrop -0 holes -o x.xfv
[ ! -e x.xfv ]; ok $? "leaves no output behind"
runs 2 "standard input twice" facecrop - -
many="anna-1.jpg cut.jpg anna-2.jpg missing.jpg two.jpg deep.ppm grey.png flat.png bella.jpg exif6.jpg clara.jpg"
# shellcheck disable=SC2086
{ facecrop -q --face all -j 1 $many $many >j1.xfv; facecrop -q --face all -j 2 $many $many >j2.xfv;
facecrop -q --face all -j 5 $many $many >j5.xfv; }
cmp j1.xfv j2.xfv && cmp j1.xfv j5.xfv; ok $? "the same bytes for -j 1, 2 and 5"
is "$(faces '.id' j1.xfv | wc -l | tr -d ' ')" 18 "with all their faces"
facecrop <anna-1.jpg >stdin.xfv; is "$(faces '.id' stdin.xfv)" '"-"' "an image on standard input"
near four.xfv stdin.xfv 0 "is the same image"
cat anna-1.jpg anna-2.jpg >two.jpg
cat plain.png plain.png >two.png
runs 0 "two JPEG images on standard input" facecrop <two.jpg
like "$(cat err)" "more than one image, and only the first is read: .*Netpbm" "are told"
runs 0 "two PNG images" facecrop <two.png
like "$(cat err)" "more than one image" "too"
runs 0 "one" facecrop <anna-1.jpg
is "$(cat err)" "" "is not"
runs 0 "two in a file, as cameras write them" facecrop two.jpg
is "$(cat err)" "" "are not told"
cat plain.ppm deep.ppm plain.ppm >stream.ppm
cat stream.ppm | facecrop - >s.xfv;
is "$(faces '[.id, .source]' s.xfv | tr '\n' ' ')" '["-#0","-#0"] ["-#1","-#1"] ["-#2","-#2"] ' \
    "a Netpbm stream on standard input"
is "$(faces '.image.mean' s.xfv | sort -u | wc -l | tr -d ' ')" 1 "each image of it"
facecrop stream.ppm >s2.xfv;
is "$(faces '.id' s2.xfv | tr '\n' ' ')" '"stream.ppm#0" "stream.ppm#1" "stream.ppm#2" ' "a file of several images"
facecrop plain.ppm >s3.xfv; is "$(faces '.id' s3.xfv)" '"plain.ppm"' "a file of one"
head -c 700000 stream.ppm | facecrop -q - >s4.xfv;
is "$?-$(faces '.id' s4.xfv | wc -l | tr -d ' ')-$(errs s4.xfv | cut -f 1,3)" "1-1--#1	damaged" \
    "a stream cut in its second image: the first, and an err record"
mkfifo pipe
cat anna-1.jpg >pipe & facecrop pipe | json | jq -r 'select(._ == "face").id' >out; wait
is "$(cat out)" pipe "an image from a FIFO"
# A finished face does not wait for the next image of a live stream.
(cat plain.ppm; while [ ! -e seen ] && [ $((n = ${n:-0} + 1)) -lt 100 ]; do sleep 0.1; done; cat plain.ppm) |
    facecrop -j 2 - >live.xfv &
: >>live.xfv; n=0; while [ "$(wc -c <live.xfv)" -lt 37632 ] && [ $n -lt 80 ]; do sleep 0.1; n=$((n + 1)); done
[ $n -lt 80 ]; ok $? "a face is written before the next image comes"; touch seen; wait
is "$(faces '.id' live.xfv | wc -l | tr -d ' ')" 2 "and the rest after"

# ---- outputs
runs 4 "onto a full device" sh -c 'facecrop anna-1.jpg >/dev/full'
is "$(wc -l <err | tr -d ' ')" 1 "one line"
facecrop anna-1.jpg anna-2.jpg bella.jpg 2>err | head -c 1 >/dev/null;
is "$(wc -c <err)" 0 "a reader that leaves: silence"
sh -c 'trap "" PIPE; facecrop anna-1.jpg anna-2.jpg 2>err2 | head -c 1 >/dev/null';
is "$(wc -c <err2)" 0 "also where SIGPIPE was ignored"
runs 0 "-v" facecrop -v -o v.xfv anna-1.jpg
like "$(cat err)" '^facecrop: 1 images?, 1 faces?; seconds: ' "tells what it did"
cmp v.xfv stdin.xfv >/dev/null; facecrop anna-1.jpg | cmp - v.xfv; ok $? "the same bytes with -o and -v"
printf '%s' "$(cat given.txt)" >cut.txt
runs 2 "a list of landmarks cut in its last number: status 2" facecrop --landmarks cut.txt
like "$(cat err)" "cut.txt:[0-9]*: the last line has no end, so its last number may be cut" "says so"
done_testing
