# Numbers at the ends of what a number may be, in every place of a record, through every program (tests/extreme.py).
. "$top/tests/tap.sh"
export PYTHONPATH="$top/tests" XFV_MODEL_PATH="$work:$top/models"
cat >make.py <<'PY'
from streams import *
open("tiny.xfvm", "wb").write(model())
open("faces.xfv", "wb").write(stream([face("d/%d.jpg" % i, i) for i in range(6)]))
open("table.tsv", "w").write("d/0.jpg\td/1.jpg\tyes\nd/2.jpg\td/3.jpg\tno\nd/4.jpg\td/5.jpg\tno\n")
PY
runs 0 "Python makes faces and a model" "$PYTHON" make.py
embed -m tiny -o embedded.xfv faces.xfv && verify -q --pairs table.tsv -o pairs.xfv embedded.xfv &&
    fggb-grad -q -o maps.xfv pairs.xfv
plant -q --skip --kind patches --donors embedded.xfv pairs.xfv | fggb-grad -q -o patched.xfv
is "$("$PYTHON" "$top/tests/extreme.py" 2>runs)" "all stand" "every program, every number: $(cat runs)"
done_testing
