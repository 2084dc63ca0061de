# roc --discard against the same numbers worked out in Python, on made-up pairs.
. "$top/tests/tap.sh"
# make.py FILE: pairs with scores the noisier the less sharp the worse face is; yaw of both signs; some know no norm.
cat >make.py <<'PY'
import msgpack, random, sys, zlib
random.seed(3)
crc = 0
with open(sys.argv[1], "wb") as f:
    def put(r):
        global crc
        d = msgpack.packb(r)
        crc = zlib.crc32(d, crc)
        f.write(d)
    put({"_": "head", "magic": "xfv", "version": [1, 0], "provenance": []})
    for i in range(1200):
        q = [{"sharpness": random.random(), "yaw": random.uniform(-60, 60), "outside": 0} for _ in range(2)]
        if i % 4: q[0]["norm"], q[1]["norm"] = 50 + random.random(), 60
        worst = min(x["sharpness"] for x in q)
        score = (.7 if i % 2 else .1) + random.gauss(0, .05 + .8 * (1 - worst) ** 6)
        put({"_": "pair", "id": str(i), "score": score, "threshold": .4, "accept": score >= .4, "label": bool(i % 2),
             "a": {"id": "p%d_1" % i, "quality": q[0]}, "b": {"id": "q%d_1" % i, "quality": q[1]}})
    f.write(msgpack.packb({"_": "end", "records": 1200, "errors": 0, "crc32": crc}))
PY
# want.py STREAM MEASURE THRESHOLD: share, floor, fnmr, fmr, genuine, impostor for each share, and the area
cat >want.py <<'PY'
import msgpack, sys
name, t = sys.argv[2], float(sys.argv[3])
pairs = [r for r in msgpack.Unpacker(open(sys.argv[1], "rb")) if r["_"] == "pair"]
def worse(p):
    v = [p[s]["quality"].get(name) for s in "ab"]
    if None in v: return None
    return min(v) if name in ("sharpness", "norm") else -max(map(abs, v))
known = sorted((worse(p), i) for i, p in enumerate(pairs) if worse(p) is not None)
def at(share):
    first = int(share * len(known) + 1e-9)
    while 0 < first and known[first - 1][0] == known[first][0]: first -= 1
    kept = [pairs[i] for _, i in known[first:]]
    g = [p["score"] for p in kept if p["label"]]
    m = [p["score"] for p in kept if not p["label"]]
    return (first / len(known), abs(known[first][0]), sum(s < t for s in g) / len(g), sum(s >= t for s in m) / len(m),
            len(g), len(m))
last = -1
for share in (0, .01, .02, .05, .1, .15, .2, .3):
    row = at(share)
    if row[0] > last: print(name, *("%.6f" % v for v in row[:4]), *row[4:], sep="\t")
    last = max(last, share - 1e-9)
print(name, "area", "%.6f" % (sum(at(i / 100)[2] for i in range(21)) / 21 / at(0)[2]), sep="\t")
PY
$PYTHON make.py pairs.xfv; ok $? "make pairs"
runs 0 "all measures" roc --discard all --fmr .05 --replicates 100 -v -o all.tsv pairs.xfv
t=$(sed -n 's/.*threshold \([0-9.]*\), at an FMR of 0.05/\1/p' err)
is "$(head -1 all.tsv)" "measure	discarded	floor	fnmr	lo	hi	fmr	genuine	impostor" "the table's head"
is "$(cut -f 1 all.tsv | uniq | tr '\n' ' ')" "measure yaw sharpness outside norm " \
    "what the faces tell"
for m in sharpness yaw norm; do
    awk -v m=$m '$1 == m && $2 == "area" {print $1 "\t" $2 "\t" $4} $1 == m && $2 != "area"' all.tsv |
        awk -F '\t' 'NF == 3 {print; next} {print $1 "\t" $2 "\t" $3 "\t" $4 "\t" $7 "\t" $8 "\t" $9}' >got.$m
    $PYTHON want.py pairs.xfv $m "$t" >want.$m
    is "$(cat got.$m)" "$(cat want.$m)" "$m: as worked out in Python"
done
is "$(awk -F '\t' '$2 == "area" {print $1, ($6 < 1)}' all.tsv | head -2 | tr '\n' ' ')" "yaw 0 sharpness 1 " \
    "sharpness earns its place, yaw does not"
is "$(grep -c '^outside' all.tsv)" 2 "where all are equally good nothing can be set aside"
is "$(awk -F '\t' 'NR > 1 && $2 != "area" && ($4 < $5 || $4 > $6)' all.tsv)" "" "rates lie within their intervals"
runs 0 "one measure" roc --discard sharpness --fmr .05 --replicates 100 -o one.tsv pairs.xfv
is "$(tail -n +2 one.tsv)" "$(grep '^sharpness' all.tsv)" "is a part of it"
runs 0 "as JSON" roc --discard sharpness --json --replicates 20 pairs.xfv
is "$(jq -s -r '.[0].measure // .[0][0].measure' out)" sharpness "has names"
runs 2 "a measure that is none" roc --discard beauty pairs.xfv
like "$(cat err)" "^roc: --discard: unknown measure 'beauty': use one of all, confidence, eye-distance" \
    "is told what there is"
runs 2 "a measure that no face tells" roc --discard roll pairs.xfv
like "$(cat err)" "no pair's faces tell 'roll'" "is said"
runs 2 "--discard with --folds" roc --discard all --folds 2 pairs.xfv
done_testing
