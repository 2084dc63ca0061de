#!/bin/sh
# Programs with workers, built with -fsanitize=thread: no report, and what -j 3 gives is what -j 1 gives. $B is that build.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top"
bin=$top/$B/bin work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XFV_MODEL_PATH="$work:$top/models"
"$B/unit/cli_pool"
PYTHONPATH=tests "${PYTHON:-/usr/bin/python3}" - "$work" <<'PY'
import sys
from streams import *
open(sys.argv[1] + "/tiny.xfvm", "wb").write(model())
open(sys.argv[1] + "/faces.xfv", "wb").write(stream([face(str(i), i) for i in range(24)]))
PY
cd "$work"
for j in 1 3; do
    "$bin/embed" -m tiny -j $j -o e$j.xfv faces.xfv
    "$bin/verify" -o p$j.xfv e$j.xfv
    "$bin/fggb-grad" -j $j -o g$j.xfv p$j.xfv
    "$bin/facecrop" -j $j -s 60 -o f$j.xfv "$top"/tests/photos/anna-1.jpg "$top"/tests/photos/bella.jpg "$top"/tests/photos/clara.jpg
done
for s in e p g f; do cmp ${s}1.xfv ${s}3.xfv; done
echo "no races"
