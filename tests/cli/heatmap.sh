# heatmap: layouts, names of files, streams of pictures, what records may hold, and what goes wrong.
. "$top/tests/tap.sh"
pairs() { "$PYTHON" "$top/tests/gen/pairs.py" "$@"; }
size() { pnmfile "$1" | sed 's/.*, \([0-9]*\) by \([0-9]*\).*/\1x\2/'; }
# colour FILE X Y: the pixel
colour() { pamcut -left="$2" -top="$3" -width=1 -height=1 "$1" | pnmnoraw | tail -1 | tr -s ' ' | sed 's/ *$//'; }

pairs pair >one.xfv
pairs pair pair label:true >three.xfv

# where pictures go
runs 0 "a picture on standard output" heatmap one.xfv
cp out one.ppm
is "$(head -c 2 one.ppm)" P6 "is a PPM"
like "$(size one.ppm)" '^1[0-9]{3}x[67][0-9]{2}$' "of a figure's size"
runs 0 "-o why.png" heatmap -o why.png one.xfv
pngtopnm why.png 2>/dev/null | cmp -s - one.ppm; ok $? "holds the same pixels"
is "$(wc -c <out | tr -d ' ')" 0 "and nothing is printed"
runs 0 "standard input" heatmap - <one.xfv
cmp -s out one.ppm; ok $? "gives the same"
runs 0 "three pairs on standard output" heatmap three.xfv
cp out all.ppm
is "$(pnmfile -allimages all.ppm | grep -c 'raw, ')" 3 "are a Netpbm stream of three"
runs 0 "-o all.ppm takes a stream" heatmap -o file.ppm three.xfv
cmp -s file.ppm all.ppm; ok $? "the same"
runs 0 "-o name-%d.png" heatmap -o name-%d.png three.xfv
is "$(echo name-*)" "name-0.png name-1.png name-2.png" "one file a pair, from 0"
pngtopnm name-0.png 2>/dev/null | cmp -s - one.ppm; ok $? "the first one as alone"
runs 0 "-o x%03d.PPM" heatmap -o 'x%03d.PPM' three.xfv
cat x000.PPM x001.PPM x002.PPM | cmp -s - all.ppm; ok $? "numbers of three digits, Netpbm by the name"
runs 0 "four workers" heatmap -j4 three.xfv
cmp -s out all.ppm; ok $? "draw the same bytes"
cat one.xfv three.xfv | heatmap -o cat%d.ppm; cmp -s cat3.ppm x002.PPM; ok $? "concatenated streams count on"

# one name for more than one pair
echo old >keep.png
runs 2 "more than one pair and one name is an error" heatmap -o keep.png three.xfv
like "$(cat err)" '%d' "that says what to do"
is "$(cat keep.png)" old "and leaves the file as it was"
for bad in a.gif a '%s.png' '%d%d.png' '50%.png' '%5d.png' '%n.png' '%-d.png' '%0d.png' '%d'; do
    runs 2 "-o $bad is refused" heatmap -o "$bad" one.xfv
done
is "$(ls | grep -c tmp)" 0 "no temporary file is left"

# layouts
heatmap --layout maps -s 1 -b 0 -c viridis one.xfv >maps.ppm
is "$(size maps.ppm)" 460x112 "bare maps at scale 1"
is "$(colour maps.ppm 45 45)" "253 231 37" "the strongest value has the strongest colour"
is "$(colour maps.ppm 0 0)" "68 1 84" "zero has the weakest"
heatmap --layout maps -s 1 -b 0 -c viridis -r each one.xfv >each.ppm
is "$(colour each.ppm 161 90) $(colour maps.ppm 161 90)" "253 231 37 65 68 135" \
    "a weak map looks weak, unless each has its own scale"
heatmap --layout maps -s 1 one.xfv >blurred.ppm
cmp -s blurred.ppm maps.ppm; is $? 1 "blur changes the picture"
heatmap --layout overlay -s 2 one.xfv >over.ppm
is "$(size over.ppm)" 908x224 "overlays at scale 2"
is "$(colour over.ppm 0 0)" "93 93 93" "nothing covers the (grey) face where a map is 0"
heatmap --layout overlay -s 2 --alpha 0 one.xfv >bare.ppm
pairs empty | heatmap --layout overlay -s 2 -b 0 >empty.ppm
pamcut -left=228 -width=224 empty.ppm >e1; pamcut -left=228 -width=224 bare.ppm >e2; cmp -s e1 e2;
ok $? "an empty map is the plain face"
pairs signed >signed.xfv
heatmap --layout maps -s 1 -b 0 signed.xfv >signed.ppm
is "$(size signed.ppm)" 460x228 "a signed map has its own row"
like "$(colour signed.ppm 33 172) $(colour signed.ppm 78 172)" \
    '^(39 100 25|40 10[01] 26|[34]. 1.. 2.) 14[0-9] . 8[0-9]$' "green above 0, pink below"
is "$(colour signed.ppm 116 116) $(colour signed.ppm 232 116)" "255 255 255 214 214 218" \
    "B's, which is missing, is missing under B's others"
heatmap --layout maps -s 1 --method gradient signed.xfv >g.ppm
is "$(size g.ppm)" 228x112 "--method picks one"
pairs two | heatmap --layout maps -s 1 >two.ppm
is "$(size two.ppm)" 460x228 "two methods, two rows"
for c in jet viridis magma inferno greens-reds piyg rdylgn; do runs 0 "--colours $c" heatmap -c $c signed.xfv; done
runs 0 "a large scale" heatmap -s 8 one.xfv
like "$(size out)" '^4[0-9]{3}x2[0-9]{3}$' "grows words and all"

# contact sheets
pairs pair label:true pair signed nomaps >five.xfv
runs 0 "-l sheet" heatmap --layout sheet five.xfv
cp out sheet.ppm
is "$(pnmfile -allimages sheet.ppm | grep -c 'raw, ')" 1 "is one picture of all pairs"
is "$(size sheet.ppm)" 756x916 "in a grid of about 4:3"
is "$(heatmap --layout sheet -j3 five.xfv | cmp - sheet.ppm)" "" "the same bytes from three workers"
runs 0 "-o sheet.png" heatmap --layout sheet -o sheet.png five.xfv
pngtopnm sheet.png 2>/dev/null | cmp -s - sheet.ppm; ok $? "holds the same pixels"
heatmap --layout sheet --columns 5 five.xfv >row.ppm; heatmap --layout sheet --columns 1000 five.xfv | cmp -s - row.ppm;
ok $? "no more columns than pairs"
is "$(size row.ppm)" 1256x461 "--columns 5: one row"
pairs pair >i.xfv; heatmap --layout sheet i.xfv >cell.ppm
pamcut -left=0 -width=250 row.ppm | pnmcrop -quiet >c1 2>/dev/null; pnmcrop -quiet cell.ppm >c2 2>/dev/null;
cmp -s c1 c2; ok $? "a pair looks the same alone and among others"
is "$(colour row.ppm 256 6)" "185 28 28" "a wrong decision has a red frame"
runs 0 "faces, before verify" sh -c \
    'facecrop "$top"/tests/photos/anna-1.jpg "$top"/tests/photos/bella.jpg | heatmap --layout sheet --columns 2'
is "$(size out)" "274x161" "are drawn with their ids"
runs 0 "--method" heatmap --layout sheet --method fggb i.xfv
cmp -s out cell.ppm; ok $? "the first method's maps are the default"
pairs flood pair nan >i.xfv
runs 1 "pairs that cannot be drawn" heatmap --layout sheet --columns 9 i.xfv
is "$(wc -l <err | tr -d ' ') $(size out)" "2 506x461" "are told, and left out"
runs 2 "a sheet of more than 64 Mi pixels" heatmap --layout sheet -s 20 -o big.png three.xfv
like "$(cat err) $(ls | grep -c big)" '64 Mi pixels.*xfv-select --head.* 0$' \
    "says how to draw it in parts, and writes nothing"
PYTHONPATH="$top/tests" "$PYTHON" - <<'PY'
from streams import *
large = [{"_": "pair", "id": str(k), "a": face("a", 1, 130), "b": face("b", 2, 130), "score": .5, "threshold": .4, "accept": True} for k in range(4)]
open("large.xfv", "wb").write(stream([*large, face("small", 3, 8)]))
PY
runs 1 "pairs too large for a cell" heatmap -j 1 --layout sheet -s 64 --method none large.xfv
is "$(sed 's/^heatmap: \([0-9]*\): \([a-z ]*\).*/\1 \2/' err | tr '\n' ';')" \
    "0 the picture would have ;1 the picture would have ;2 the picture would have ;3 the picture would have ;" \
        "are told of, and not the face after them"
runs 2 "a sheet under numbered names" heatmap --layout sheet -o 's%d.png' i.xfv
runs 3 "a sheet of a cut stream" sh -c \
    '"$PYTHON" "$top/tests/gen/pairs.py" pair cut | heatmap --layout sheet -o cut.png'
is "$(ls | grep -cx cut.png)" 0 "is not written"

# odd records
for i in empty small tiny odd noimage bare huge accent hostile label:false label:unsure label:true; do
    pairs "$i" >i.xfv
    runs 0 "a pair: $i" heatmap -o "odd-%d.png" i.xfv
done
for i in nan inf negative badmaps nomaps; do
    pairs pair "$i" pair >i.xfv
    rm -f odd-*
    runs 1 "a pair with something wrong: $i" heatmap -o "odd-%d.png" i.xfv
    is "$(echo odd-*) $(wc -l <err | tr -d ' ')" "odd-0.png odd-1.png odd-2.png 1" "is told in a line, and still drawn"
done
like "$(cat err)" '^heatmap: [^:]*: .*no maps.*fggb-grad' "a pair without maps: what is missing"
runs 1 "without maps, bare layouts draw nothing" heatmap --layout maps i.xfv
is "$(pnmfile -allimages out | grep -c 'raw, ')" 2 "but the others"
pairs flood pair >i.xfv
runs 1 "too many methods" heatmap -o 'flood-%d.png' i.xfv
like "$(cat err) $(echo flood-*)" 'method.* flood-1.png$' "fail that pair only, and keep the others' numbers"
pairs pair err x-note >i.xfv
runs 1 "an err record in the stream" heatmap i.xfv
like "$(cat err)" '^heatmap: [^:]*: facecrop: no face found$' "is told in a line"
pairs x-note >i.xfv
runs 1 "a stream without pairs" heatmap -o none.png i.xfv
like "$(cat err) $(ls | grep -c none)" 'no pair.* 0$' "is told, and no file made"
runs 1 "--method that nothing has" heatmap --method nobody one.xfv
like "$(cat err)" "no maps of the method 'nobody'" "is told"

# JPEG and SVG
runs 0 "-o why.jpg" heatmap -o why.jpg one.xfv
"$PYTHON" -c 'import numpy as np
from PIL import Image
a, b = (np.asarray(Image.open(n)).astype(int) for n in ("why.jpg", "one.ppm"))
print(Image.open("why.jpg").format, a.shape == b.shape, np.abs(a - b).mean() < 2)' >jpg.out
is "$(cat jpg.out)" "JPEG True True" "is a JPEG that looks like the PPM"
heatmap one.xfv >screen.ppm
heatmap --width 88 -o page.ppm one.xfv
runs 0 "-o why.svg --width 88" heatmap --width 88 -o why.svg one.xfv
"$PYTHON" - <<'PY' >svg.out
import base64, io, xml.dom.minidom
import numpy as np
from PIL import Image
root = xml.dom.minidom.parse("why.svg").documentElement
words = [t.firstChild.data for t in root.getElementsByTagName("text")]
w, h = (int(v) for v in root.getAttribute("viewBox").split()[2:])
ppm = np.asarray(Image.open("page.ppm"))
worst = 0
for i in root.getElementsByTagName("image"):  # every picture stands where the PPM has it
    p = np.asarray(Image.open(io.BytesIO(base64.b64decode(i.getAttribute("href").split(",")[1]))))
    x, y = int(i.getAttribute("x")), int(i.getAttribute("y"))
    worst = max(worst, np.abs(p.astype(int) - ppm[y:y + p.shape[0], x:x + p.shape[1]])[1:-1, 1:-1].max())  # a bar has its frame upon it
print(root.getAttribute("width"), (w, h) == ppm.shape[1::-1], len(root.getElementsByTagName("image")), worst, "Accept" in words)
PY
is "$(cat svg.out)" "88mm True 8 0 True" "is a drawing 88 mm wide, its pictures those of the PPM, its words text"
cmp -s screen.ppm one.ppm; ok $? "without --width the figure is for a screen"
cat >letters.py <<'PY'
import sys, xml.dom.minidom
root = xml.dom.minidom.parse(sys.argv[1]).documentElement
points = float(root.getAttribute("width")[:-2]) / 25.4 * 72
sizes = [float(t.getAttribute("font-size")) for t in root.getElementsByTagName("text")]
ends = [float(t.getAttribute("x")) + float(t.getAttribute("textLength")) for t in root.getElementsByTagName("text")]
wide = float(root.getAttribute("viewBox").split()[2])
print(root.getAttribute("width"), "%.0f" % points, min(sizes) * points / wide >= 6, max(ends) <= wide)
PY
pairs pair label:true signed two nomaps >kinds.xfv
for width in 1column 2column; do
    heatmap -q --width $width -o "$width-%d.svg" kinds.xfv
    for k in 0 1 2 3 4; do "$PYTHON" letters.py $width-$k.svg; done | sort -u >letters.out
    is "$(cat letters.out)" "$([ $width = 1column ] && echo 88mm 249 || echo 180mm 510) True True" \
        "--width $width: letters of at least 6 pt, none beyond the edge"
done
s=$(size page.ppm); [ "${s%x*}" -lt "${s#*x}" ]; ok $? "one column is narrow"

# PDF
if ldd "$B/bin/heatmap" 2>/dev/null | grep -q pango; then
    runs 0 "-o why.pdf" heatmap --width 2column -o why.pdf three.xfv -o 'pdf%d.pdf'
    heatmap --width 2column -j 3 -o 'again%d.pdf' three.xfv; cmp -s pdf1.pdf again1.pdf;
    ok $? "the same bytes again, with three workers"
    heatmap --width 2column -o pdf.svg one.xfv
    is "$("$PYTHON" - <<'PY'
import re, zlib
data = open("pdf0.pdf", "rb").read()
box = [float(v) for v in re.search(rb"/MediaBox \[ ?([\d. ]+)\]", data).group(1).split()]
print(data[:5], round(box[2]), b"FontFile" in data, data.count(b"/Subtype /Image") >= 7, b"CreationDate" in data)
PY
)" "b'%PDF-' 510 True True False" "a PDF 180 mm wide with fonts of its own, the faces and maps, and no date"
    if command -v pdftotext >/dev/null; then
        pdftotext -layout pdf0.pdf - >pdf.txt
        like "$(cat pdf.txt)" "same person: score|Accept" "its words are text"
    fi
    runs 0 "its own PDF is replaced" heatmap -o pdf0.pdf one.xfv
    printf '%%PDF-1.5\n%%abcd\n' >theirs.pdf
    runs 2 "another is not" heatmap -o theirs.pdf one.xfv
    runs 2 "a sheet is no PDF" heatmap --layout sheet -o sheet.pdf one.xfv
    runs 0 "names in all scripts" sh -c \
        '"$PYTHON" "$top/tests/gen/pairs.py" hostile accent | heatmap -o "hostile%d.pdf"'
else
    runs 1 "no PDF without Pango" heatmap -o why.pdf one.xfv
    like "$(cat err)" "take .svg" "which is said"
fi

# single panels: each is the tile of the bare layouts
heatmap --layout overlay -s 1 one.xfv >tiles.ppm
heatmap --layout maps -s 1 one.xfv >bare.ppm
at=0
for panel in plus-a minus-a plus-b minus-b; do
    heatmap --panel $panel -s 1 one.xfv >p.ppm; pamcut -left=$at -width=112 tiles.ppm | cmp -s - p.ppm;
    ok $? "--panel $panel: the tile of the overlay"
    heatmap --layout maps --panel $panel -s 1 one.xfv >p.ppm; pamcut -left=$at -width=112 bare.ppm | cmp -s - p.ppm;
    ok $? "and of the maps"
    at=$((at + 116))
done
is "$(heatmap --panel a -s 1 one.xfv | size /dev/stdin) $(pairs nomaps | heatmap --panel b -s 2 2>/dev/null |
    size /dev/stdin)" "112x112 224x224" "--panel a: the face, of a pair without maps, too"
is "$(heatmap --panel plus-a -s 1 signed.xfv | size /dev/stdin) $(heatmap --panel minus-a -s 1 signed.xfv |
    size /dev/stdin)" "112x228 112x112" "two methods below one another; a signed map is no S-"
runs 2 "--panel of a sheet" heatmap --layout sheet --panel a one.xfv
runs 2 "--panel of nothing" heatmap --panel c one.xfv
heatmap --width 88 -j 3 -o svg%d.svg three.xfv; cmp -s svg0.svg why.svg; ok $? "the same bytes among others"
runs 0 "its own picture is replaced" heatmap -o why.jpg one.xfv
cp "$top/tests/photos/anna-1.jpg" photo.jpg
runs 2 "a photograph is not" heatmap -o photo.jpg one.xfv
cmp -s photo.jpg "$top/tests/photos/anna-1.jpg"; ok $? "and stays as it was"
runs 2 "a sheet is no SVG" heatmap --layout sheet -o sheet.svg one.xfv
for bad in 5 3000 x 3column; do runs 2 "--width $bad" heatmap --width "$bad" -o x.svg one.xfv; done

# names in all scripts
PYTHONPATH="$top/tests" "$PYTHON" - <<'PY'
from streams import *
def one(k, name): return {"_": "pair", "id": str(k), "a": face(name, 1, 112), "b": face("b", 2, 112), "score": .5, "threshold": .4, "accept": True}
open("greek.xfv", "wb").write(stream([one(0, "Ελένη Анна.jpg")]))
open("none.xfv", "wb").write(stream([one(0, "\U0001da8b\u0e000.jpg")]))
open("broken.xfv", "wb").write(stream([one(0, "\udcff\u202eЖ\x01" + "ж" * 900)]))
PY
heatmap --layout sheet -o greek.ppm greek.xfv 2>err
if ldd "$B/bin/heatmap" 2>/dev/null | grep -q pango; then
    is "$(wc -c <err)" 0 "Greek and Cyrillic names are drawn"
else
    like "$(cat err)" 'drawn as boxes' "without Pango they are boxes, which is said"
fi
heatmap --layout sheet -j 4 -o again.ppm greek.xfv 2>/dev/null; cmp -s greek.ppm again.ppm;
ok $? "the same bytes with four workers"
heatmap --layout sheet -o none.ppm none.xfv 2>err;
like "$(cat err)" 'no font here has' "letters that no font has are boxes, which is said"
runs 0 "a name that is no UTF-8, turns text, and is long" heatmap --layout sheet -o broken.png broken.xfv

# options
for bad in "--layout poster" "-c rainbow" "-b -1" "-b nan" "-b x" "--alpha 1.5" "--columns 0" "--columns 1001" "-s 0" \
    "-s 65" "-s 1.5" "-r all" "-j 0x" "--nonsense"; do
    # shellcheck disable=SC2086
    runs 2 "$bad is refused" heatmap $bad one.xfv
done
runs 0 "--help" heatmap --help
like "$(cat out)" 'Usage: heatmap' "is help"
runs 0 "--version" heatmap --version
like "$(head -1 out)" '^heatmap [0-9]+\.[0-9]+\.[0-9]+$' "is a version"

# broken inputs and outputs
pairs pair pair cut >cut.xfv
runs 3 "a stream without its end" heatmap -o 'cut-%d.png' cut.xfv
is "$(echo cut-*.png)" "cut-0.png cut-1.png" "fails after drawing what was whole"
for n in 0 1 30 5000 "$(($(wc -c <one.xfv) - 1))"; do
    head -c "$n" one.xfv >part.xfv
    runs 3 "cut after $n bytes" heatmap -o part.png part.xfv
    [ ! -e part.png ] && [ "$(wc -l <err)" -eq 1 ]; ok $? "one line, no picture"
done
runs 4 "no such file" heatmap nowhere.xfv
runs 4 "no such folder" heatmap -o nowhere/why.png one.xfv
heatmap one.xfv >/dev/full 2>err; is $? 4 "a full device"
is "$(wc -l <err | tr -d ' ')" 1 "one line"
( heatmap three.xfv; echo $? >status ) 2>err | head -c 1 >/dev/null
is "$(cat status) $(wc -c <err | tr -d ' ')" "141 0" "a reader that goes away ends it silently"
( trap '' PIPE; heatmap three.xfv; echo $? >status ) 2>err | head -c 1 >/dev/null
is "$(cat status) $(wc -c <err | tr -d ' ')" "141 0" "also where SIGPIPE was ignored"
done_testing
