#!/bin/sh
# Programs with workers, built with -fsanitize=thread: no report, and what -j 3 gives is what -j 1 gives. $B is that
# build.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top"
bin=$top/$B/bin work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XFV_MODEL_PATH="$work:$top/models"
"$B/unit/cli_pool"
for p in "$bin"/*; do # every program with workers but xfv-explain, which only starts others
    case $p in *.[do] | */xfv-explain) continue ;; esac
    if "$p" --help 2>/dev/null | grep -q -- --jobs && ! grep -qE "(^|[ /])${p##*/}([\" ]|$)" "$0"; then
        echo "${p##*/} has workers and is not tried here"; exit 1; fi
done
PYTHONPATH=tests "${PYTHON:-/usr/bin/python3}" - "$work" <<'PY'
import sys
from streams import *
open(sys.argv[1] + "/tiny.xfvm", "wb").write(model())
open(sys.argv[1] + "/faces.xfv", "wb").write(stream([face(str(i), i) for i in range(24)]))
PY
cd "$work"
for j in 1 3; do
    "$bin/embed" -m tiny -j $j -o e$j.xfv faces.xfv
    "$bin/model-means" -m tiny -j $j -o m$j.xfvm faces.xfv
    "$bin/verify" -o p$j.xfv e$j.xfv
    "$bin/fggb-grad" -j $j -o g$j.xfv p$j.xfv
    "$bin/facecrop" -j $j --min-size 60 -o f$j.xfv "$top"/tests/photos/anna-1.jpg "$top"/tests/photos/bella.jpg \
        "$top"/tests/photos/clara.jpg
    while read -r name to x; do
        # shellcheck disable=SC2086
        "$bin/"$x -j $j -o $name$j.$to g$j.xfv
    done <<'LIST'
path xfv path-grad --baseline blur
xssab xfv xssab-grad
cosine xfv cosine-grad
cam xfv gradcam
fame xfv fame
rise xfv corrrise --size 4 --masks 50
face xfv xface --sizes 3,5
minplus xfv minplus --fast
lime xfv lime --segments 9 --samples 50
control xfv control-map
curves xfv delins --steps 5
trials xfv ablate --fill black -n 2
picture ppm heatmap -s 1
LIST
done
for one in *1.*; do cmp "$one" "${one%1.*}3.${one##*.}"; done
echo "no races"
