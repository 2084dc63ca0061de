# Every command that a manual page shows under EXAMPLES runs as it is shown, page by page, on photographs and with files
# of the names that it uses.
# A tiny network stands in for the default one, so that methods of thousands of passes take no time.
. "$top/tests/tap.sh"
export PYTHONPATH="$top/tests" XFV_MODEL_PATH="$work/models:$top/models"
command -v bash >/dev/null || { skip "bash, for pipefail" "there is no bash"; done_testing; exit 0; }
mkdir -p models files/photos files/people files/gallery files/lfw files/models pages
cp "$top"/models/mtcnn-*.xfvm files/models/
"$PYTHON" -c \
    'from streams import *; import sys; sys.stdout.buffer.write(model("mobilefacenet", size=112, thresholds=(("default", -0.9999),)))' >plain.xfvm
cat >blocks.py <<'PY'
"""blocks.py PAGE: each display under EXAMPLES, as mandoc shows it, into pages/PAGE.N.sh or, when it is Python, .py."""
import os, re, subprocess, sys
text = subprocess.run(["mandoc", "-T", "ascii", "-O", "width=1000", sys.argv[1]], stdout=subprocess.PIPE, check=True).stdout.decode()
text = re.sub(".\b", "", text) # bold and underlined
section = re.search(r"^EXAMPLES\n(.*?)^(?=\S)", text, re.M | re.S)
blocks, inside = [], False
for line in section.group(1).split("\n") if section else []:
    display = line.startswith(" " * 11)
    if display and not inside: blocks.append([])
    if display: blocks[-1].append(line[11:])
    if line.strip(): inside = display
for n, b in enumerate(blocks, 1):
    kind = "py" if b[0].startswith("import ") else "sh"
    with open(f"pages/{os.path.basename(sys.argv[1])}.{n}.{kind}", "w") as f: f.write("\n".join(b) + "\n")
PY
for page in "$top"/man/*.1 "$top"/man/xfv.7; do "$PYTHON" blocks.py "$page" || ok 1 "$page is shown by mandoc"; done
n=$(ls pages | wc -l)
[ "$n" -ge 65 ]; ok $? "the pages show $n examples"

# The files that they name. The default network accepts every pair; in pairs.xfv a stricter threshold rejects the
# genuine one.
(
    set -e
    cd files
    cp "$top/tests/photos/anna-1.jpg" photos/Anna_0001.jpg && cp "$top/tests/photos/anna-2.jpg" photos/Anna_0002.jpg
    for i in 1 2; do cp "$top/tests/photos/bella.jpg" photos/Bella_000$i.jpg && cp "$top/tests/photos/clara.jpg" photos/Clara_000$i.jpg; done
    for f in a alice who oak; do cp photos/Anna_0001.jpg $f.jpg; done
    "$PYTHON" -c 'from PIL import Image; im = [Image.open("photos/%s_0001.jpg" % n) for n in ("Anna", "Bella")]
g = Image.new("RGB", (sum(i.width for i in im), max(i.height for i in im))); g.paste(im[0], (0, 0)); g.paste(im[1], (im[0].width, 0))
g.save("group.jpg", quality=95)'
    cp photos/Anna_0002.jpg b.jpg && cp photos/Bella_0001.jpg bob.jpg && cp photos/Clara_0001.jpg elm.jpg
    cp photos/*.jpg people/ && cp photos/[BC]*.jpg gallery/
    facecrop photos/*.jpg | model-means -m ../plain.xfvm -o ../models/mobilefacenet.xfvm
    for f in mine plants calibrated; do cp ../models/mobilefacenet.xfvm $f.xfvm; done
    facecrop photos/*.jpg | embed -o faces.xfv
    for f in lfw faces.1 faces.2 faces.3 faces.4; do cp faces.xfv $f.xfv; done
    p=photos/
    printf "$p%s.jpg\t$p%s.jpg\t%s\n" Anna_0001 Anna_0002 genuine Anna_0001 Clara_0001 impostor Anna_0002 Bella_0001 impostor >pairs.txt
    cp pairs.txt pairs.tsv && cp pairs.txt lfw/pairs.txt
    tr '\t' ',' <pairs.txt >pairs.csv && cp pairs.csv labels.csv
    t=$(verify --pairs pairs.txt --tsv faces.xfv | awk -F '\t' '$6 == "genuine" { print $3 + 1e-5 }')
    verify --pairs pairs.txt -t "$t" -o pairs.xfv faces.xfv
    fggb-grad -o explained.xfv pairs.xfv
    for i in 1 2; do
        xfv-select --shard $i/2 -o part-$i.xfv pairs.xfv
        xfv-select --shard $i/2 -o explained$i.xfv explained.xfv
    done
    cp explained.xfv others.xfv && cp explained.xfv maps-of-the-other.xfv
    printf "$p%s.jpg\t%s\n" Anna_0001 young Anna_0002 young Bella_0001 old >age.tsv
) >log 2>&1; is $? 0 "the files are made" || sed 's/^/#   /' log | tail -n 5

# Not to be had here: a film, networks of other formats; and what a page needs that is not installed.
missing() { # COMMANDS: why they cannot run
    case $1 in
    *film.mp4*) echo "there is no film" ;;
    *face.onnx* | *MobileFaceNet.tflite*) echo "there is no such network file" ;;
    *gnuplot*) command -v gnuplot >/dev/null || echo "there is no gnuplot" ;;
    *pnmcat*) command -v pnmcat >/dev/null || echo "there are no programs of Netpbm" ;;
    esac
}
page=
for b in $(ls pages | sort -t. -k1,1 -k3,3n); do
    # A page's examples build on one another, and leave the other pages' files alone.
    [ "${b%.*.*}" = "$page" ] || { page=${b%.*.*}; rm -rf here; cp -R files here; }
    why=$(missing "$(cat "pages/$b")")
    if [ -n "$why" ]; then skip "$b" "$why"; continue; fi
    case $b in
    *.py) (cd here && "$PYTHON" "../pages/$b") >out 2>err ;;
    *) (cd here && bash -e -o pipefail "../pages/$b") >out 2>err ;;
    esac
    is $? 0 "$(echo "$b" | sed 's/\.\([0-9]*\)\.[a-z]*$/, example \1/')" || sed 's/^/#   /' err | tail -n 3
done
done_testing
