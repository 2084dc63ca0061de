# Typical mistakes: each is told in words that name the next step.
. "$top/tests/tap.sh"
export PYTHONPATH="$top/tests"
cp "$top/tests/photos/anna-1.jpg" a.jpg
cat >make.py <<'PY'
from streams import *
open("tiny.xfvm", "wb").write(model()); open("other.xfvm", "wb").write(model("other", seed=2))
open("faces.xfv", "wb").write(stream([face("a.jpg", 1), face("b.jpg", 2)]))
def empty(name, version, **more):
    data = pack({"_": "head", "magic": "xfv", "version": version, **more})
    open(name, "wb").write(data + pack({"_": "end", "records": 0, "errors": 0, "crc32": zlib.crc32(data)}))
empty("old.xfv", [0, 9], provenance=[{"tool": "embed", "version": "0.0.1"}])
empty("new.xfv", [2, 0], provenance=[])
open("nothing.xfv", "wb").write(stream([]))
PY
"$PYTHON" make.py
XFV_MODEL_PATH="$work:$top/models"
embed -m tiny faces.xfv -o embedded.xfv && verify embedded.xfv -o pairs.xfv && fggb-grad pairs.xfv -o maps.xfv &&
    ppmmake blue 300 300 >blue.ppm
# mistake STATUS DESCRIPTION SENTENCE COMMAND...
mistake() { want=$1 what=$2 sentence=$3; shift 3; "$@" >out 2>err; is "$?" "$want" "$what: status $want";
like "$(cat err)" "$sentence" "$what: the next step"; }

mistake 5 "no such model" "^embed: no model 'nosuch': looked for .*xfv-doctor lists" embed -m nosuch faces.xfv
mistake 5 "no such file of a model" "^embed: cannot open the model ./nosuch.xfvm: No such file" embed -m ./nosuch.xfvm \
    faces.xfv
mistake 5 "an ONNX file as model" "^embed: './net.onnx' is a network of another format: model-import makes a model" \
    embed -m ./net.onnx faces.xfv
mistake 3 "a photograph for embed" "^embed: a.jpg: this is a JPEG image, not an xfv stream: facecrop makes a stream" \
    embed -m tiny a.jpg
mistake 3 "a picture for verify" "^verify: blue.ppm: this is a PNM image, not an xfv stream: facecrop makes a stream" \
    verify blue.ppm
mistake 3 "a model for embed" "^embed: the input is a model, .*give the model with -m" embed -m tiny tiny.xfvm
mistake 1 "a stream for facecrop" "^facecrop: faces.xfv: this is a stream of xfv-tools, .*: embed, verify" facecrop \
    faces.xfv
mistake 1 "names of photographs on standard input" \
    "^facecrop: [^:]*: no image of a format that is read .* but text: images are named as arguments" sh -c 'ls *.jpg | facecrop'
mistake 1 "a list of lines for --files0-from" \
    "^facecrop: standard input: a name of several lines, and no file: names end with NUL" sh -c \
    'printf "a.jpg\nb.jpg\n" | facecrop -0 -'
mistake 1 "no face" "^facecrop: blue.ppm: no face of at least 20 pixels .*--min-size .*--aligned" facecrop blue.ppm
mistake 1 "verify before embed" "the face has no embedding: run embed before verify" verify -m tiny faces.xfv
mistake 1 "an explainer before verify" "^fggb-grad: no pair in the stream, but 2 faces: run verify before fggb-grad" \
    fggb-grad embedded.xfv
for p in "heatmap -o x.png" "report -o x.html" "regions --tsv" "delins --tsv" "explain-score"; do
    mistake 1 "${p%% *} before verify" \
        "^${p%% *}: no pair in the stream, but 2 faces: run verify and an explainer .fggb-grad. before ${p%% *}" $p \
        embedded.xfv
    mistake 1 "${p%% *} of an empty stream" "^${p%% *}: no pair in the stream" $p nothing.xfv
done
for p in roc calibrate; do
    mistake 2 "$p before verify" \
        "^$p: no pair in the stream, but 2 faces: run verify --pairs with a list that has labels before $p" $p \
        embedded.xfv
    mistake 2 "$p without labels" "^$p: .*verify --pairs|verify .*--pairs" $p pairs.xfv
done
for p in "heatmap -o x.png" "regions --tsv" "delins --tsv" "explain-score"; do
    mistake 1 "${p%% *} without maps" "^${p%% *}: .*(run|through) an explainer .fggb-grad" $p pairs.xfv
done
report -o page.html pairs.xfv
like "$(cat page.html)" "the pair has no maps: send it through an explainer .fggb-grad, say. first" \
    "report without maps: the page says so"
mistake 5 "another model than the stream's" \
    "made with model 'tiny' .*but 'other' has digest .*: give the right one with -m, or run embed -m other anew" \
    verify -m other embedded.xfv
mistake 5 "another model than the pairs'" "made with model 'tiny' .*run embed -m other anew" fggb-grad -m other \
    pairs.xfv
mistake 5 "a model that only the stream names" \
    "^verify: the model that the stream names, as there is no -m: no model 'tiny'" env XFV_MODEL_PATH="$top/models" \
    verify embedded.xfv
mistake 3 "an old stream" \
    "stream version 0.9, written by embed 0.0.1; this program reads version 1: make the stream anew" verify old.xfv
mistake 3 "a newer stream" "stream version 2.0, .*take programs of one release" verify new.xfv
printf 'a.jpg c.jpg\n' >list
mistake 1 "an unknown id" "^verify: line 1: no face '...' among the 2 of the input .ids are the photographs' names" \
    verify --private --pairs list embedded.xfv
mistake 1 "an unknown id, by name" "^verify: line 1 .a.jpg.c.jpg.: no face 'c.jpg' among the 2 of the input" verify \
    --pairs list embedded.xfv
mistake 2 "a list that is none" "list, line 1: expected two ids and perhaps a label, found 5 fields" sh -c \
    'echo a b c d e >list; verify --pairs list embedded.xfv'
mistake 2 "an unknown threshold" "it has: default, eer" verify --at fmr=1 embedded.xfv
mistake 2 "a GIF asked of heatmap" "must end in .png" heatmap -o x.gif maps.xfv
mistake 2 "a misspelt option" "^verify: unknown option '--theshold': did you mean '--threshold'\?" verify --theshold 0.3
mistake 2 "letters swapped" "did you mean '--help'" facecrop --hlep
mistake 2 "another spelling" "^heatmap: unknown option '--color': did you mean '--colours'\?" heatmap --color=viridis \
    maps.xfv
mistake 2 "an option that is like none" "^verify: unknown option '--frobnicate' .see" verify --frobnicate
mistake 2 "too short an option" "^verify: ambiguous option '--t': --threshold, --tsv, --timeout" verify --t 0.3
for dash in -dash.jpg --dash.jpg; do
    cp a.jpg ./$dash
    mistake 2 "a file called $dash" \
        "^facecrop: unknown option '--?d[a-z.]*': before the name of a file that begins with '-' write './'" facecrop \
        a.jpg $dash
done
mistake 3 "a stage that failed" "empty input: did the program before it fail" verify </dev/null
if command -v script >/dev/null; then
    for p in embed verify heatmap facecrop "facecrop --whole crop"; do
        script -qec "$p | cat" /dev/null </dev/null >out 2>&1
        like "$(cat out)" "no input: name" "$p at a terminal: what to name"
    done
    script -qec "verify --all embedded.xfv" /dev/null </dev/null >out 2>&1
    is "$(head -c 5 out)" a.jpg "a table on a terminal begins with its first row, not behind a line of progress"
fi
done_testing
