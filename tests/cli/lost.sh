# No record is lost without a word, in any program, at any place of a stream (tests/lost.py); and nothing to do is said,
# with status 1.
. "$top/tests/tap.sh"
export PYTHONPATH="$top/tests" XFV_MODEL_PATH="$work:$top/models"
cat >make.py <<'PY'
from streams import *
open("tiny.xfvm", "wb").write(model())
open("faces.xfv", "wb").write(stream([face("d/%d.jpg" % i, i) for i in range(6)]))
open("table.tsv", "w").write("d/0.jpg\td/1.jpg\tyes\nd/2.jpg\td/3.jpg\tno\nd/4.jpg\td/5.jpg\tno\n")
open("bare.xfv", "wb").write(stream([vector_face("a", [1, 0]), vector_face("b", [1, 0]), face("last")]))
open("one.xfv", "wb").write(stream([vector_face("only", [1, 0])]))
open("failed.xfv", "wb").write(stream([err("gone")]))
open("nothing.xfv", "wb").write(stream([]))
PY
runs 0 "Python makes faces and a model" "$PYTHON" make.py
embed -m tiny -o embedded.xfv faces.xfv && verify -q --pairs table.tsv -o pairs.xfv embedded.xfv &&
    fggb-grad -q -o maps.xfv pairs.xfv
plant -q --skip --kind patches --donors embedded.xfv pairs.xfv | fggb-grad -q -o patched.xfv
is "$("$PYTHON" "$top/tests/lost.py" 2>runs)" "nothing is lost" "every program, every place: $(cat runs)"
said() { xfv-json out | jq -r 'select(.id) | ._ + " " + .id + " " + (.code // "")' | tr '\n' ';'; }
runs 1 "the last of an odd number has no embedding: status 1" verify -t .5 bare.xfv
is "$(said)" "pair a|b ;err last embedding;" "and an err record"
like "$(cat err)" "embedding: run embed before verify" "which names the next step"
for mode in --all "--probe only"; do
    runs 1 "verify $mode of one face: status 1" verify -t .5 $mode one.xfv
    is "$(said)" "err only unpaired;" "verify $mode: an err record"
done
"$PYTHON" -c \
    'from streams import *; open("good.xfv", "wb").write(stream([face("x"), vector_face("d/only", [1, 0]), face("y"), err("z")]))'
for mode in --all "--probe d/only" "--probe only"; do
    runs 1 "verify $mode of one face that can be compared: status 1" verify -t .5 $mode good.xfv
    is "$(said | tr ';' '\n' | sort | tr '\n' ';')" \
        "err d/only unpaired;err x embedding;err y embedding;err z noface;" "an err record for each"
done
like "$(verify -v -m tiny --pairs table.tsv embedded.xfv 2>&1 >/dev/null; head -n 1 table.tsv >first; verify -v \
    --pairs first embedded.xfv 2>&1 >/dev/null)" \
    "4 of 6 faces are in no line of 'first'" "verify -v counts the faces that a list leaves out"
for p in "fggb-grad -m tiny" "path-grad -m tiny --baseline blur" "corrrise -m tiny --size 4" "lime -m tiny" control-map;
do
    for input in nothing one failed; do
        runs 1 "$p with nothing to explain ($input): status 1" $p $input.xfv
        like "$(cat err)" "^${p%% *}: no pair in the stream.*: nothing to explain$" "$p: says so"
    done
done
is "$("$PYTHON" "$top/tests/fuzz/programs.py" "${XFV_TEST_MUTATIONS:-2}" 2>runs)" "all stand" \
    "mutated streams through every program: $(cat runs)"
done_testing
