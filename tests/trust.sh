#!/bin/sh
# make trust: every program against every attack, as one table on standard output. Arguments: programs (default: all).
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
B=${B:-build}
case $B in /*) ;; *) B=$top/$B ;; esac
export top B PYTHON="${PYTHON:-/usr/bin/python3}" LC_ALL=C PATH="$B/bin:$PATH" PYTHONPATH="$top/tests"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export XFV_MODEL_PATH="$work:$top/models"
"$PYTHON" - <<'PY'
from streams import *
open("tiny.xfvm", "wb").write(model())
open("faces.xfv", "wb").write(stream([face("d/%d.jpg" % i, i) for i in range(6)]))
open("table.tsv", "w").write("d/0.jpg\td/1.jpg\tyes\nd/2.jpg\td/3.jpg\tno\nd/4.jpg\td/5.jpg\tno\n")
PY
cp "$top/tests/photos/anna-1.jpg" anna.jpg
embed -m tiny -o embedded.xfv faces.xfv
verify -q --pairs table.tsv -o pairs.xfv embedded.xfv
fggb-grad -q -o maps.xfv pairs.xfv
plant -q --skip --kind patches --donors embedded.xfv pairs.xfv | fggb-grad -q -o patched.xfv
${CC:-cc} -std=c11 -O1 -shared -fPIC -o hijack.so "$top/tests/sandbox/hijack.c" -ldl -pthread
"$PYTHON" "$top/tests/trust.py" "$work" "$@"
