#!/bin/sh
# make check-browser: report's page in Chromium. Needs Debian's chromium and nodejs, and playwright-core through npm
# (fetched once into node_modules).
# Screenshots stay in $B/browser, to be looked at.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
case ${B:=build} in /*) ;; *) B=$top/$B ;; esac
PATH=$B/bin:$PATH XFV_MODEL_PATH=$top/models PYTHON=${PYTHON:-/usr/bin/python3}
export PATH XFV_MODEL_PATH top
for p in "${CHROMIUM:-chromium}" node npm pdftotext; do
    command -v "$p" >/dev/null || {
        echo "check-browser needs $p (Debian: apt install chromium nodejs npm poppler-utils)" >&2; exit 1; }
done
cd "$top/tests/browser"
[ -d node_modules/playwright-core ] || npm ci --no-audit --no-fund --ignore-scripts
out=$B/browser
mkdir -p "$out"
cp "$top"/tests/photos/*.jpg "$out"
cd "$out"
echo 'no photograph' >empty.jpg
printf 'anna-1.jpg\tanna-2.jpg\tsame\nanna-1.jpg\tbella.jpg\tdifferent\nanna-2.jpg\tclara.jpg\tdifferent\nanna-1.jpg\tclara.jpg\tdifferent\nbella.jpg\tclara.jpg\tdifferent\n' >pairs.tsv
# err records give status 1
{ facecrop ./*.jpg || [ $? -eq 1 ]; } 2>/dev/null | { embed || [ $? -eq 1 ]; } | {
    verify -t -0.05 --pairs pairs.tsv || [ $? -eq 1 ]; } 2>/dev/null |
    { fggb-grad || [ $? -eq 1 ]; } | { gradcam || [ $? -eq 1 ]; } | { ablate || [ $? -eq 1 ]; } >explained.xfv
printf './%s\t%s\n' anna-1.jpg north anna-2.jpg north bella.jpg north clara.jpg 'south & <west>' >groups.tsv
report --groups groups.tsv --photographs -o page.html explained.xfv 2>/dev/null || [ $? -eq 1 ]
for n in 200 2000; do "$PYTHON" "$top/tests/gen/repeat.py" explained.xfv $n >$n.xfv; report -o $n.html $n.xfv; done
"$PYTHON" - >odd.xfv <<'PY'
import os, sys
sys.path.insert(0, os.environ["top"] + "/tests")
import numpy as np
from streams import face, stream

names = ["\u540d\u524d.jpg", "\u0635\u0648\u0631\u0629", "\U0001f600 & <b>", "a\udcffb", "a%20b", "a b", "a#b?c=d&e", "../x/..", "", "", "x" * 5000,
         "line\nbreak", "\u202egpj.exe"]
sizes = [16, 112, 1, 7, 300]
sys.stdout.buffer.write(stream([
    {"_": "pair", "id": n, "a": face(n, i, sizes[i % 5]), "b": face(n, i + 50, 16), "score": .1 * i, "threshold": .5, "accept": i > 4}
    for i, n in enumerate(names)]))
PY
report -o odd.html odd.xfv
exec node "$top/tests/browser/report.mjs" page.html 200.html 2000.html odd.html "$out"
