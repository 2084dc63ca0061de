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
    "$bin/facecrop" -j $j --min-size 60 -o f$j.xfv "$top"/tests/photos/anna-1.jpg "$top"/tests/photos/bella.jpg "$top"/tests/photos/clara.jpg
    while read -r name x; do
        # shellcheck disable=SC2086
        "$bin/"$x -j $j -o $name$j.xfv g$j.xfv
    done <<'LIST'
path path-grad --baseline blur
xssab xssab-grad
cosine cosine-grad
cam gradcam
fame fame
rise corrrise --size 4 --masks 50
face xface --sizes 3,5
minplus minplus --fast
lime lime --segments 9 --samples 50
control control-map
curves delins --steps 5
trials ablate --fill black -n 2
picture heatmap -s 1
LIST
done
for s in e p g f path xssab cosine cam fame rise face minplus lime control curves trials picture; do cmp ${s}1.xfv ${s}3.xfv; done
echo "no races"
