#!/bin/sh
# Planted truth on Labeled Faces in the Wild, the tables of docs/evidence.md: planted.sh LFW [OUT]. LFW holds images/NAME/NAME_0001.jpg and pairs.txt.
# Folds 3 and 4 (their people are in no other fold); the mean face that path-grad starts from is of folds 1 and 2. CASES (120) a sign; FGGB=N adds
# fggb-grad on the first N of each, which takes a second a face. The programs are those on PATH.
set -eu
lfw=$(cd "$1" && pwd) cases=${CASES:-120}
mkdir -p "${2:-planted}" && cd "${2:-planted}"
PYTHON=${PYTHON:-/usr/bin/python3}
$PYTHON - "$lfw/pairs.txt" <<'PY'
import random, sys
rows = [l.split() for l in open(sys.argv[1])]
n, rows, names = int(rows[0][1]), rows[1:], set()
name = lambda p, k: "%s_%04d" % (p, int(k))
genuine, impostor = [], []
for i, r in enumerate(rows[:4 * 2 * n]):
    a, b = (name(r[0], r[1]), name(r[0], r[2])) if len(r) == 3 else (name(r[0], r[1]), name(r[2], r[3]))
    names |= {a, b}
    if i >= 2 * 2 * n: (genuine if len(r) == 3 else impostor).append((a, b, "genuine" if len(r) == 3 else "impostor"))
random.seed(8)
random.shuffle(genuine)
random.shuffle(impostor)
open("genuine.txt", "w").writelines("\t".join(p) + "\n" for p in genuine)
open("impostor.txt", "w").writelines("\t".join(p) + "\n" for p in impostor)
open("images.txt", "w").writelines("images/%s/%s.jpg\n" % (x.rsplit("_", 1)[0], x) for x in sorted(names))
PY
out=$PWD
[ -e faces.xfv ] || (cd "$lfw" && tr '\n' '\0' <"$out/images.txt" | facecrop --face central --files0-from - -j 0 | embed -j 0 -o "$out/faces.xfv")
first() { # N: the first N pairs of a stream
    $PYTHON -c '
import msgpack, sys, zlib
n, k, out = int(sys.argv[1]), 0, sys.stdout.buffer
for r in msgpack.Unpacker(sys.stdin.buffer, max_bin_len=1 << 28, unicode_errors="surrogateescape"):
    b = msgpack.packb(r, unicode_errors="surrogateescape")
    if r["_"] == "head": crc = zlib.crc32(b); out.write(b)
    elif r["_"] != "end" and k < n: k += 1; crc = zlib.crc32(b, crc); out.write(b)
out.write(msgpack.packb({"_": "end", "records": k, "errors": 0, "crc32": crc}))' "$1"
}
for l in genuine impostor; do
    verify --pairs $l.txt faces.xfv | plant --skip --donors faces.xfv | first "$cases" | embed -j 0 | verify -o $l.xfv
done
cat genuine.xfv impostor.xfv >cases.xfv
control-map --kind random cases.xfv | control-map --kind face | control-map --kind edges | cosine-grad | gradcam | xssab-grad | path-grad | path-grad -c joint -n 2 --as path-joint |
    path-grad --baseline partner --as path-partner | path-grad --kind cells --combine dot --as cell-dot -o maps.xfv
explain-score maps.xfv -o all.tsv
explain-score --effect 0.05 maps.xfv -o effect.tsv
if [ "${FGGB:-0}" -gt 0 ]; then
    (first "$FGGB" <genuine.xfv && first "$FGGB" <impostor.xfv) | fggb-grad -j 0 | control-map --kind face | path-grad | explain-score -o fggb.tsv
fi
for t in all effect fggb; do
    [ ! -e $t.tsv ] || { echo "$t:"; grep -v "like " $t.tsv; }
done
