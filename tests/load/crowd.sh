#!/bin/sh
# crowd.sh [N]: N pipelines at once (64), by xargs -P; each must give what one alone gives, byte for byte. $B/bin on
# PATH, models found by XFV_MODEL_PATH.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
n=${1:-64}
case ${B:=build} in /*) ;; *) B=$top/$B ;; esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PATH="$B/bin:$PATH" XFV_MODEL_PATH="$work:$top/models" LC_ALL=C
cd "$work"
PYTHONPATH="$top/tests" "${PYTHON:-/usr/bin/python3}" - <<'PY'
from streams import *
open("tiny.xfvm", "wb").write(model())
rng = np.random.default_rng(5)
for i in range(8):
    open(f"{i}.ppm", "wb").write(b"P6 16 16 255\n" + rng.integers(0, 256, (16, 16, 3), np.uint8).tobytes())
PY
cat >pipeline.sh <<'SH2'
facecrop -q --aligned --size 16 0.ppm 1.ppm 2.ppm gone.ppm 3.ppm 4.ppm 5.ppm 6.ppm 7.ppm | embed -q -j 2 -m tiny | verify -q --all |
    fggb-grad -q -j 2 -o "$1.xfv"
[ $? -eq 1 ] || { echo "pipeline $1 failed"; exit 1; } # 1: there is no gone.ppm
heatmap -q --layout maps -s 1 -j 2 -o "$1-%d.ppm" "$1.xfv"
[ $? -eq 1 ] || { echo "pictures of $1 failed"; exit 1; }
SH2
sh pipeline.sh 0
seq "$n" | xargs -P "$n" -I{} sh pipeline.sh {}
for i in $(seq "$n"); do
    cmp 0.xfv "$i.xfv"
    for k in 0 13 27; do cmp 0-$k.ppm "$i-$k.ppm"; done
done
[ "$(find . -name '*.tmp.*' | wc -l)" -eq 0 ] || { echo "temporary files are left"; exit 1; }
[ "$(find . -name '*.ppm' | wc -l)" -eq $((8 + 28 * (n + 1))) ] || { echo "pictures are missing"; exit 1; }
echo "$n pipelines at once: each as one alone"
