# delins and roc against the same numbers worked out in NumPy.
. "$top/tests/tap.sh"
export PYTHONPATH="$top/tests:$top/python" XFV_MODEL_PATH="$work"
cat >make.py <<'PY'
from streams import *
from oracle import embed, network_input, unit, images
import numpy as np
open("tiny.xfvm", "wb").write(model())
# 12 people, 4 photographs of one: variants of one image, so that genuine pairs score higher
rng = np.random.default_rng(9)
people = rng.integers(0, 256, (12, 16, 16, 3))
faces = []
for p in range(12):
    for k in range(1, 5):
        im = np.clip(people[p] + rng.normal(0, 60, people[p].shape), 0, 255).astype(np.uint8)
        faces.append({"_": "face", "id": f"d/P_{p}_{k:04d}.jpg", "image": tensor(im)})
open("faces.xfv", "wb").write(stream(faces))
with open("pairs.txt", "w") as f:
    for p in range(12):
        f.write(f"d/P_{p}_0001.jpg\td/P_{p}_0002.jpg\tgenuine\nd/P_{p}_0003.jpg\td/P_{(p + 5) % 12}_0004.jpg\timpostor\n")
PY
runs 0 "faces, a model and a list" "$PYTHON" make.py
embed -m tiny faces.xfv | verify --pairs pairs.txt -t 0.4 -o pairs.xfv
xssab-grad pairs.xfv | control-map --seed 2 -o maps.xfv
cat >check.py <<'PY'
import sys
from oracle import *
from streams import records
what, pairs = sys.argv[1], records(open(sys.argv[2], "rb").read())

def ranked(m, tie, k):
    order = sorted(range(256), key=lambda i: (-m.flat[i], tie[i]))
    mask = np.zeros(256); mask[order[:k]] = 1
    return mask.reshape(16, 16)

def curve(r, entry, map_of, image, fill=None, ties="position", steps=10, blur=0, far=False):
    unit = (lambda f: f) if far else globals()["unit"]
    P = lambda rgb, masks, fill=0.0: unit(masked(rgb, masks, fill))
    rgb, m = images(r), [map_of(*maps_of(r, entry)[s]).astype(np.float32) for s in "ab"]
    g = SplitMix(0, r["id"].encode())
    f = {"deletion": [None, None], "insertion": [None, None]}
    for i in range(2):
        if image not in (i, 2):
            for d in f: f[d][i] = np.repeat(unit(embed(network_input(rgb[i])[None])), steps + 1, 0)
            continue
        if blur: m[i] = reflect_blur(m[i].astype(float), blur, max(1, int(2.5 * blur))).astype(np.float32)
        tie = list(range(256))
        if ties == "random": g.shuffle(tie)
        if ties == "together": top = [m[i] > np.float32(np.percentile(m[i].astype(float), 100 - 100 * k / steps)) for k in range(steps + 1)]
        else: top = [ranked(m[i], tie, int(256 * k / steps + 0.5)) for k in range(steps + 1)]
        top = np.array(top, float)
        f["deletion"][i], f["insertion"][i] = P(rgb[i], 1 - top, fill(rgb, i)), P(rgb[i], top, fill(rgb, i))
    if far: return {d: -np.linalg.norm(f[d][0] - f[d][1], axis=1) for d in f}
    return {d: (f[d][0] * f[d][1]).sum(1) for d in f}

black = lambda rgb, i: 0.0
mean = lambda rgb, i: rgb[i].astype(float).mean((0, 1))
partner = lambda rgb, i: rgb[1 - i].astype(float)
def blurred(rgb, i): return np.stack([reflect_blur(rgb[i][..., c].astype(float), 1.5, 3) for c in range(3)], 2)
S, D, signed = (lambda s, d: s), (lambda s, d: d), (lambda s, d: s - d)
settings = {"lu2024": lambda r, e: curve(r, e, *((S, 0) if r["label"] else (D, 2)), black, "random"),
            "distance": lambda r, e: curve(r, e, *((S, 0) if r["label"] else (D, 2)), black, "random", far=True),
            "fame2026": lambda r, e: curve(r, e, S, 0, black, "together", blur=5),
            "signed": lambda r, e: curve(r, e, signed, 1, mean, "position", 4),
            "partner": lambda r, e: curve(r, e, D, 2, partner, "position", 5),
            "blur": lambda r, e: curve(r, e, S, 0, blurred, "position", 5)}
area = lambda y: ((y[1:] + y[:-1]) / 2).mean()
if what in settings:
    assert len(pairs) == 24
    for r in pairs:
        assert len(r["delins"]) == 2 and [d["method"] for d in r["delins"]] == ["xssab", "control-random"]
        for e in range(2):
            wanted = settings[what](r, e)
            for d in wanted:
                got = np.array(r["delins"][e][d])
                assert np.abs(got - wanted[d]).max() < 1e-5, (r["id"], d, got, wanted[d])
                assert abs(r["delins"][e][d + "_area"] - area(got)) < 1e-12
if what == "table":  # argv[3]: the summary of pairs that have curves
    rows = [l.rstrip("\n").split("\t") for l in open(sys.argv[3])]
    table = {(r[0], r[1], r[4]): dict(zip(rows[0], r)) for r in rows[1:]}
    assert len(table) == 10, list(table)  # two methods; genuine: accuracy, tar, score; impostor: accuracy, score
    for e, method in enumerate(("xssab", "control-random")):
        for kind, truth in (("similarity", True), ("dissimilarity", False)):
            chosen = [r for r in pairs if r["label"] == truth]
            for d in ("deletion", "insertion"):
                scores = np.array([r["delins"][e][d] for r in chosen])
                right = ((scores >= 0.4) == truth).astype(float)
                for metric, v in (("accuracy", right), ("score", scores)) + ((("tar", right),) if truth else ()):
                    row = table[method, kind, metric]
                    assert row["pairs"] == "12"
                    assert abs(float(row[d]) - area(v.mean(0))) < 2e-5, row
                    assert float(row[d + "_lo"]) <= float(row[d]) + 1e-5 and float(row[d + "_hi"]) >= float(row[d]) - 1e-5
                    if e == 0: assert row["reference"] == "-" and row["p_" + d] == "-"
                    else:
                        base = np.array([r["delins"][0][d] for r in chosen])
                        b = ((base >= 0.4) == truth).astype(float) if metric != "score" else base
                        delta = np.array([area(x) - area(y) for x, y in zip(v, b)])
                        assert abs(float(row["d_" + d]) - delta.mean()) < 2e-5
                        delta = delta[delta != 0]
                        ranks = np.array([(np.abs(delta) < abs(x)).sum() + ((np.abs(delta) == abs(x)).sum() + 1) / 2 for x in delta])
                        n, counts = len(delta), np.unique(np.abs(delta), return_counts=True)[1]
                        var = n * (n + 1) * (2 * n + 1) / 24 - (counts ** 3 - counts).sum() / 48
                        from math import erfc, sqrt
                        p = erfc(abs(ranks[delta > 0].sum() - n * (n + 1) / 4) / sqrt(2 * var)) if n else 1
                        assert abs(float(row["p_" + d]) - p) < 0.01 * p + 1e-6 and row["p_" + d] == row["holm_" + d], (row, p)
print("good")
PY
one() {
    name=$1; shift
    runs 0 "delins $*" delins "$@" -o "$name.xfv" maps.xfv
    is "$("$PYTHON" check.py "$name" "$name.xfv" 2>&1 | tail -n 1)" good "its curves are those worked out by NumPy"
}
one lu2024
one fame2026 --protocol fame2026
one signed --map signed --image b --fill mean --ties position -n 4
one partner --map dissimilarity --image both --fill partner --ties position -n 5
one blur --map similarity --image a --fill blur --fill-sigma 1.5 --ties position -n 5
delins -j 3 -o j3.xfv maps.xfv
cmp -s lu2024.xfv j3.xfv; ok $? "the same bytes with three workers"
runs 0 "a table of curves that are there" delins --tsv --reference xssab -o table.tsv lu2024.xfv
is "$("$PYTHON" check.py table lu2024.xfv table.tsv 2>&1 | tail -n 1)" good \
    "areas, differences and Wilcoxon's p as worked out by NumPy; intervals hold them"
delins --tsv --reference xssab -o direct.tsv maps.xfv
cmp -s table.tsv direct.tsv; ok $? "the same table straight from the maps"
delins --drop maps --drop image --drop embedding -o slim.xfv maps.xfv
delins --tsv --reference xssab -o slim.tsv slim.xfv
cmp -s table.tsv slim.tsv; ok $? "and from pairs that kept only their curves"
[ "$(wc -c <slim.xfv)" -lt $(($(wc -c <lu2024.xfv) / 4)) ]; ok $? "which are small"
delins --tsv --seed 1 --reference xssab slim.xfv >seed.tsv
cmp -s table.tsv seed.tsv; is $? 1 "another seed, other intervals"
is "$(delins --table curves slim.xfv | wc -l) $(delins --table pairs slim.xfv | wc -l)" "45 49" \
    "a row for each step, and for each pair"
is "$(delins --tsv --method control-random maps.xfv | cut -f1 | sort -u | tr '\n' ' ')" "control-random method " \
    "one method only"
delins --pairs genuine maps.xfv | xfv-json | jq -c 'select(._ == "pair") | [.label, (.delins | length)]' | sort |
    uniq -c | tr -s ' ' >some
is "$(cat some)" " 12 [false,0]
 12 [true,2]" "genuine pairs only: the others pass through"
delins --protocol fame2026 --steps 5 --no-provenance -o one.xfv maps.xfv
delins --steps 5 --protocol fame2026 --no-provenance -o other.xfv maps.xfv
cmp -s one.xfv other.xfv; ok $? "a protocol, and what changes it, in any order"
"$PYTHON" - <<'PY'
from streams import *
head, *rest = records(open("maps.xfv", "rb").read(), all=True)
for r in rest:
    for m in r.get("maps", []): m["params"] = None
open("nil.xfv", "wb").write(stream(rest[:-1], model=head["model"]))
PY
delins -o nilled.xfv nil.xfv
is "$?$(xfv-json nilled.xfv | jq -c 'select(._ == "pair") | .delins | map(has("params"))' | sort -u)" "0[false,false]" \
    "maps whose params are nil"
# another program as the network
delins --exec "embed -q -m tiny" -j 2 -o lu-exec.xfv maps.xfv 2>err
is "$?$(cat err)" 0 "the network asked by --exec"
is "$("$PYTHON" check.py lu2024 lu-exec.xfv 2>&1 | tail -n 1)" good "gives the same curves"
cat >three.py <<'PY'
# a network of one's own: mean red, green and blue
from packs import *
import struct, sys
faces = records(sys.stdin.buffer.read())
for r in faces:
    rgb = r["image"]["data"]
    r["embedding"] = {"dtype": "<f4", "shape": [3], "data": struct.pack("<3f", *(sum(rgb[c::3]) / (len(rgb) // 3) for c in range(3)))}
sys.stdout.buffer.write(stream(faces))
PY
runs 0 "a network of three numbers, in Python" delins -n 2 --fill grey --exec "$PYTHON three.py" -o three.xfv maps.xfv
cat >three-check.py <<'PY'
from oracle import *
from streams import records
for r in records(open("three.xfv", "rb").read()):  # grey images have the direction (1, 1, 1); at 0 % all is there
    a, b = (unit(i.astype(float).mean((0, 1))[None])[0] for i in images(r))
    d, grey = r["delins"][0], np.ones(3) / np.sqrt(3)
    close(np.array([d["deletion"][0], d["insertion"][-1]]), np.array([a @ b, a @ b]), 1e-5)
    close(np.array(d["deletion"][-1]), np.array(b @ grey if r["label"] else 1.0), 1e-3)
print("good")
PY
is "$("$PYTHON" three-check.py 2>&1 | tail -n 1)" good "decides by what it says"
delins --exec "exit 3" -o none.xfv maps.xfv 2>err; is "$?" 3 "a command that fails stops the run"
# a network whose score is minus the distance
"$PYTHON" -c 'from streams import *; open("far.xfvm", "wb").write(model("far", score="euclidean"))'
embed -m far faces.xfv | verify -m far --pairs pairs.txt -t -0.9 | xssab-grad | control-map --seed 2 | delins -o far.xfv
is "$("$PYTHON" check.py distance far.xfv 2>&1 | tail -n 1)" good \
    "a network compared by distance is measured by distance"
# maps of one image only
corrrise -n 8 --patches 1 --size 5 -o whole.xfv pairs.xfv;
corrrise -n 8 --patches 1 --size 5 --image auto -o needed.xfv pairs.xfv
is "$(xfv-json needed.xfv | jq -c 'select(._ == "pair") | [.label, (.maps[0] | has("b"))]' | sort -u | tr '\n' ' ')" \
    "[false,true] [true,false] " \
    "--image auto: A of genuine pairs, both of impostor pairs"
delins --table pairs whole.xfv >whole.tsv; delins --table pairs needed.xfv >needed.tsv
cmp -s whole.tsv needed.tsv; ok $? "which is all that delins needs"
runs 1 "and not enough to measure B" delins --image both -o none.xfv needed.xfv
like "$(cat err)" "has no maps of face b" "which it says"
runs 1 "pairs without maps" delins -o none.xfv pairs.xfv
is "$(xfv-json none.xfv | jq -r 'select(._ == "err") | .code' | sort -u)" maps "become err records that say so"
runs 2 "the same curves twice" delins --tsv lu2024.xfv slim.xfv
# an explainer of one's own, 20 lines of Python, beside the others: the command of docs/recipes.md
xssab-grad pairs.xfv | "$PYTHON" "$top/examples/half-face.py" | delins --tsv --reference xssab >own.tsv
is "$(cut -f1 own.tsv | sort -u | tr '\n' ' ')" "half-face method xssab " \
    "a stage in Python is scored beside the others"

# roc
embed -m tiny faces.xfv | verify --pairs pairs.txt -t 0.4 --tsv --header -o scores.tsv
roc --folds 4 --curve det.tsv -o stream.tsv pairs.xfv
roc --folds 4 --scores scores.tsv -o roc.tsv
is "$(cut -f1,2 stream.tsv | sed 's/\(\.[0-9]\{4\}\)[0-9]*$/\1/')" \
    "$(cut -f1,2 roc.tsv | sed 's/\(\.[0-9]\{4\}\)[0-9]*$/\1/')" "roc: the same from pairs and from verify's table"
cat >roc.py <<'PY'
import numpy as np
rows = [l.split("\t") for l in open("scores.tsv").read().splitlines()[1:]]
s, g = np.array([float(r[2]) for r in rows]), np.array([r[5] == "genuine" for r in rows])
got = {l.split("\t")[0]: l.split("\t")[1:] for l in open("roc.tsv").read().splitlines()}
value = lambda k: float(got[k][0])
pairs = s[g][:, None] - s[~g][None]
assert abs(value("auc") - ((pairs > 0) + 0.5 * (pairs == 0)).mean()) < 1e-6
t = np.unique(s)
fmr, fnmr = np.array([(s[~g] >= x).mean() for x in t]), np.array([(s[g] < x).mean() for x in t])
best = np.abs(fmr - fnmr).min()
assert any(abs(value("eer") - (a + b) / 2) < 1e-6 for a, b in zip(fmr, fnmr) if abs(abs(a - b) - best) < 1e-12)
for k in (0.1,): assert abs(value(f"tar@fmr={k:g}") - max([0] + [1 - b for a, b in zip(fmr, fnmr) if a <= k])) < 1e-6
fold, right = np.arange(24) * 4 // 24, np.zeros(24)
for f in range(4):
    o = fold != f
    cuts = np.concatenate([[s[o].min()], (np.sort(s[o])[1:] + np.sort(s[o])[:-1]) / 2, [s[o].max() + 1e-6]])
    accuracy = [((s[o] >= c) == g[o]).mean() for c in cuts]
    c = min(c for c, a in zip(cuts, accuracy) if a == max(accuracy))
    right[~o] = (s[~o] >= c) == g[~o]
assert abs(value("fold_accuracy") - right.mean()) < 1e-6, (value("fold_accuracy"), right.mean())
for k in ("eer", "auc", "tar@fmr=0.1", "fold_accuracy"): assert float(got[k][1]) <= value(k) <= float(got[k][2])
det = np.loadtxt("det.tsv", skiprows=1)
assert len(det) == len(t) and np.abs(det[::-1, 1] - fmr).max() < 1e-6 and np.abs(det[::-1, 2] - fnmr).max() < 1e-6
assert got["tar@fmr=0.01"] == got["tar@fmr=0.001"] == ["-"] * 4  # 12 impostor pairs cannot tell
x = float(rows[0][3])
for k, wrong in (("fmr", s[~g] >= x), ("fnmr", s[g] < x)):
    v, lo, hi, at = map(float, got[k])
    assert abs(v - wrong.mean()) < 1e-6 and at == x and lo <= v <= hi and hi > 0.2
    if not wrong.any(): assert abs(hi - (1 - 0.025 ** (1 / len(wrong)))) < 1e-6  # Clopper and Pearson's, in closed form
print("good")
PY
is "$("$PYTHON" roc.py 2>&1 | tail -n 1)" good "roc: AUC, EER, TAR, fold accuracy and curve as worked out by NumPy"
cut -f1-5 scores.tsv | sed 's/$/\t-/' >unlabelled.tsv
runs 2 "roc: a table without labels" roc --scores unlabelled.tsv
runs 2 "roc: a table and a stream" roc --scores scores.tsv pairs.xfv
# a photograph that failed is told, and is no pair: folds stay as they are; a pair that failed keeps its place
cat >bad.py <<'PY'
from streams import *
head, *records, _ = msgpack.Unpacker(open("pairs.xfv", "rb"), max_buffer_size=0)
open("withbad.xfv", "wb").write(stream([err("bad.jpg")] + records, **{k: head[k] for k in head if k not in ("_", "magic", "version")}))
PY
"$PYTHON" bad.py
runs 1 "roc: an err record: status 1" roc -v --folds 4 withbad.xfv
like "$(cat err)" "record 1 .bad.jpg.: facecrop: " "it is told"
like "$(cat err)" "12 genuine and 12 impostor pairs, 0 failed" "roc -v: how many pairs"
cmp -s out stream.tsv; ok $? "the same table"
awk -F '\t' -v OFS='\t' 'NR == 3 { $3 = "nan" } { print }' scores.tsv >nan.tsv
runs 1 "roc: a pair without a score in the table" roc --folds 4 --scores nan.tsv
like "$(cat err)" "roc: line 3: the pair failed" "is told"
# names that no method has
runs 0 "delins: --reference of no method" delins --tsv --reference fggb-grad lu2024.xfv
like "$(cat err)" "no map is of 'fggb-grad', so no method is compared with it; --reference takes one of these: [a-z]" \
    "is told, and what there is"
runs 0 "delins: the default reference is missing" delins --tsv -o missing.tsv lu2024.xfv
like "$(cat err)" "no map is of 'fggb', so no method is compared" "is told, too"
runs 0 "delins: a table without comparisons" delins --table curves -o missing.tsv lu2024.xfv
is "$(cat err)" "" "needs no reference"
runs 0 "delins: one method" sh -c "xssab-grad pairs.xfv | delins --tsv --replicates 50 -o missing.tsv"
is "$(cat err)" "" "needs none, either"
runs 1 "delins: --method of none" delins --tsv --method gradcam2 lu2024.xfv
like "$(cat err)" "no map is of 'gradcam2'; there are [a-z]" "is told, and what there is"
runs 0 "delins: -v" delins -v --tsv lu2024.xfv
like "$(cat err)" "^delins: [0-9]+ pairs$" "how many pairs there were"
runs 2 "roc: impostors only" sh -c 'grep impostor scores.tsv | roc --scores -'
done_testing
