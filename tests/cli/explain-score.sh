# plant and explain-score: the truth is where it is said to be, and the table tells maps that know it from maps that do
# not.
. "$top/tests/tap.sh"
p=$top/tests/photos
mkdir photos
cp "$p/anna-1.jpg" photos/anna_1.jpg; cp "$p/anna-2.jpg" photos/anna_2.jpg; cp "$p/anna-2.jpg" photos/anna_3.jpg
cp "$p/bella.jpg" photos/bella_1.jpg; cp "$p/clara.jpg" photos/clara_1.jpg
facecrop photos/*.jpg | embed -o faces.xfv
printf '%s\t%s\t%s\n' anna_1 anna_2 genuine anna_2 anna_1 genuine bella_1 anna_1 impostor clara_1 anna_2 impostor \
    anna_1 bella_1 impostor >list
sed 's/anna_1/anna_1.jpg/g; s/anna_2/anna_2.jpg/g; s/bella_1/bella_1.jpg/g; s/clara_1/clara_1.jpg/g' list >pairs.txt
verify --pairs pairs.txt faces.xfv -o pairs.xfv
cat >check.py <<'PY'
import msgpack, numpy as np, sys
def T(t): return np.frombuffer(t["data"], t["dtype"]).reshape(t["shape"])
def pairs(path):
    return [r for r in msgpack.Unpacker(open(path, "rb"), raw=False, max_bin_len=1 << 28, unicode_errors="surrogateescape") if r["_"] == "pair"]
side, reach = sys.argv[3], int(sys.argv[4])
for a, b in zip(pairs(sys.argv[1]), pairs(sys.argv[2])):
    t = b["truth"]; m = T(t["mask"]) > 0
    other = "ba"["ab".index(side)]
    assert t["face"] == side and a[other] == b[other] and "embedding" not in b[side] and "maps" not in b
    assert t["sign"] == ("dissimilarity" if a["label"] or t["kind"] not in ("swap", "patches") else "similarity")
    d = np.any(T(a[side]["image"]) != T(b[side]["image"]), axis=2)
    grown = m.copy()
    for k in range(reach):
        g = grown.copy(); g[1:] |= grown[:-1]; g[:-1] |= grown[1:]; g[:, 1:] |= grown[:, :-1]; g[:, :-1] |= grown[:, 1:]; grown = g
    assert m.sum() > 100 and not (d & ~grown).any() and (d & m).sum() > 0.3 * m.sum(), (m.sum(), d.sum(), (d & ~grown).sum())
    assert abs(t["score_before"] - a["score"]) < 1e-12
    if t["kind"] == "patches": assert np.array_equal(T(t["original"]), T(a[side]["image"]))
    if "donor" in t: assert ("anna" in t["donor"]) == (not a["label"])
print("good")
PY
verify --pairs pairs.txt faces.xfv | xfv-json | grep -c '"_":"pair"' >n
for k in occluder sunglasses mask; do
    runs 0 "$k" plant -k $k -o $k.xfv pairs.xfv
    is "$($PYTHON check.py pairs.xfv $k.xfv b 0 2>&1 | tail -1)" good \
        "changes face b where the truth says, and nowhere else"
done
runs 1 "swap: a pair without a donor becomes an err record" plant --donors faces.xfv pairs.xfv
like "$(cat err)" 'another photograph of the partner' "that says what is missing"
head -4 pairs.txt >four.txt
verify --pairs four.txt faces.xfv -o four.xfv
runs 0 "--skip leaves it out" plant --skip -v --donors faces.xfv -o skipped.xfv pairs.xfv
like "$(cat err)" '2 pairs left out|1 pairs left out' "and tells how many"
grep genuine pairs.txt >g.txt; verify --pairs g.txt faces.xfv -o g.xfv
printf 'anna_1.jpg\tbella_1.jpg\timpostor\nanna_2.jpg\tclara_1.jpg\timpostor\n' >i.txt;
verify --pairs i.txt faces.xfv -o i.xfv
cat g.xfv i.xfv >gi.xfv
runs 0 "swap" plant --donors faces.xfv -o swap.xfv gi.xfv
is "$($PYTHON check.py gi.xfv swap.xfv b 4 2>&1 | tail -1)" good \
    "somebody else's region in genuine pairs, the partner's person's in the others"
runs 0 "patches" plant -k patches --donors faces.xfv -o patches.xfv g.xfv
is "$($PYTHON check.py g.xfv patches.xfv a 0 2>&1 | tail -1)" good "on face a, with the image as it was"
plant --donors faces.xfv gi.xfv | cmp -s - swap.xfv; ok $? "again, the same bytes"
plant --donors faces.xfv --seed 1 gi.xfv | cmp -s - swap.xfv; [ $? -eq 1 ]; ok $? "another seed, others"
runs 2 "swap without donors" plant pairs.xfv
runs 2 "no such region" plant --region ear --donors faces.xfv pairs.xfv
# the ceiling: windows given their clean pixels back, worked out again by embed and NumPy
runs 0 "the clean face is kept" plant --keep-clean --donors faces.xfv -o kept.xfv gi.xfv
xfv-json kept.xfv | jq -c 'select(._ == "pair") | .truth | has("original")' | sort -u >all
is "$(cat all)" true "in the truth"
plant --keep-clean -k mask --face a gi.xfv | embed | verify -o masked.xfv
embed kept.xfv | verify -o ceiling.xfv
cat >ceiling.py <<'PY'
import io, subprocess, sys
import msgpack, numpy as np
from streams import *
unit = lambda f: f / np.linalg.norm(f)
def embed(images):
    faces = [{"_": "face", "id": str(i), "image": tensor(x)} for i, x in enumerate(images)]
    out = subprocess.run(["embed", "-q"], input=stream(faces), stdout=subprocess.PIPE, check=True).stdout
    return [unit(array(r["embedding"]).astype("f8")) for r in records(out)]
for r in records(open(sys.argv[1], "rb").read()):
    side, m = r["truth"]["face"], r["maps"][-1]
    planted, clean = array(r[side]["image"]), array(r["truth"]["original"])
    windows = [(y, x) for y in range(0, 104, 8) for x in range(0, 104, 8)]
    some = [w for w in windows if (planted != clean)[w[0]:w[0] + 16, w[1]:w[1] + 16].any()]
    back = []
    for y, x in some:
        image = planted.copy(); image[y:y + 16, x:x + 16] = clean[y:y + 16, x:x + 16]
        back.append(image)
    partner, was, *now = embed([array(r["ba"["ab".index(side)]]["image"]), planted] + back)
    s, n = np.zeros((112, 112)), np.zeros((112, 112))
    for y, x in windows: n[y:y + 16, x:x + 16] += 1
    for (y, x), f in zip(some, now): s[y:y + 16, x:x + 16] += partner @ was - partner @ f
    got = array(m["a"]["similarity"]) - array(m["a"]["dissimilarity"])
    assert m["method"] == "control-truth" and m["a"] == m["b"] and 0 < len(some) < 169
    assert np.abs(got - s / n).max() < 2e-5 < 1e-3 < np.abs(got).max(), (np.abs(got - s / n).max(), np.abs(got).max())
print("good")
PY
for f in ceiling masked; do
    runs 0 "control-map --kind truth, $f" control-map -k truth -j 2 -o $f.maps $f.xfv
    is "$(PYTHONPATH="$top/tests" $PYTHON ceiling.py $f.maps 2>&1 | tail -1)" good \
        "is the change of the score, window by window"
done
runs 0 "a method beside it" sh -c 'path-grad ceiling.maps | explain-score --json'
jq -es '[.[] | select(.test == "auroc similarity" or .test == "auroc similarity, share of control-truth")] as $v | ($v | length) == 3 and
    (($v[1].value - 0.5) / ($v[0].value - 0.5) - $v[2].value | fabs) < 1e-4 and $v[2].method == "path-grad" and $v[2].lo <= $v[2].value' out >/dev/null
ok $? "is given its share of the way from chance"
runs 1 "control-map --kind truth: pairs whose clean face was not kept" control-map -k truth pairs.xfv
like "$(cat err)" 'plant --keep-clean' "tells what keeps it"
# a map that is the truth, a fixed one, and ours
embed swap.xfv | verify -o planted.xfv
like "$(xfv-json planted.xfv | jq -c 'select(._ == "pair") | .score != .truth.score_before' | sort -u)" '^true$' \
    "the planted pairs have a new score"
cat >oracle.py <<'PY'
import msgpack, sys, zlib, struct
def pack(x): return msgpack.packb(x, unicode_errors="surrogateescape")
crc = n = 0
for r in msgpack.Unpacker(sys.stdin.buffer, raw=False, max_bin_len=1 << 28, unicode_errors="surrogateescape"):
    if r["_"] == "head": b = pack(r); sys.stdout.buffer.write(b); crc, n = zlib.crc32(b), 0; continue
    if r["_"] == "end": r["crc32"], r["records"] = crc, n; sys.stdout.buffer.write(pack(r)); continue
    t = r["truth"]; m = t["mask"]; f = struct.pack("<%df" % len(m["data"]), *[1.0 if b else 0.0 for b in m["data"]])
    z = {"dtype": "<f4", "shape": m["shape"], "data": f}
    e = {"dtype": "<f4", "shape": m["shape"], "data": bytes(4 * len(m["data"]))}
    s = {"similarity": z, "dissimilarity": e} if t["sign"] == "similarity" else {"similarity": e, "dissimilarity": z}
    r.setdefault("maps", []).append({"method": "truth", "params": {}, "a": s, "b": s})
    b = pack(r); crc = zlib.crc32(b, crc); n += 1; sys.stdout.buffer.write(b)
PY
$PYTHON oracle.py <planted.xfv >truth.xfv
runs 0 "all of it" sh -c \
    'control-map --kind face truth.xfv | path-grad | path-grad --baseline partner --as partner -o maps.xfv'
runs 0 "the table" explain-score --blur 0 maps.xfv
value() { awk -F'\t' -v m="$1" -v t="$2" '$1 == m && $2 == t {print $4}' out; }
is "$(value truth 'auroc dissimilarity') $(value truth 'auroc similarity') $(value truth 'energy similarity') $(value \
    truth 'pointing dissimilarity')" "1.0000 1.0000 1.0000 1.0000" "the truth is found"
is "$(value truth 'region rank dissimilarity')" 1.0000 "and ranks first"
is "$(value control-face 'region rank dissimilarity') $(value control-face 'region rank similarity')" "0.5000 0.5000" \
    "a fixed picture ranks at chance"
is "$(head -1 out)" "$(printf 'method\ttest\tn\tvalue\tlo\thi')" "a heading"
cp out one; explain-score --blur 0 maps.xfv | cmp -s - one; ok $? "the same table again"
runs 0 "only what moved the score" explain-score --blur 0 --effect 1.9 maps.xfv
is "$(grep -c auroc out)" 0 "nothing moved it by 1.9"
runs 0 "against themselves" explain-score --against maps.xfv --name itself maps.xfv
is "$(value path-grad 'like itself')" 1.0000 "maps are like themselves"
runs 0 "markdown" explain-score --markdown maps.xfv
like "$(sed -n 3,9p out)" '^\| path-grad \|.* \(.* to .*, n [0-9]+\)' "a row a method"
runs 0 "json" explain-score --json maps.xfv
jq -es 'length > 10 and all(.value > -2)' out >/dev/null; ok $? "is JSON"
path-grad -o others.xfv pairs.xfv
runs 2 "against other pairs" explain-score --against others.xfv maps.xfv
like "$(cat err)" 'other pairs, or in another order' "tells so"
runs 1 "pairs without maps" explain-score pairs.xfv
like "$(cat err)" 'explainer' "says what to do"
runs 0 "partners: pairs.xfv has faces with several" sh -c 'path-grad pairs.xfv | explain-score'
like "$(cut -f2 out)" '^partners: ' "compared"
head -c 60000 maps.xfv >cut.xfv
runs 3 "a cut stream" explain-score cut.xfv
printf 'method\tpasses\tms\ncontrol-face\t0\t1.5\nnobody\t9\t9\n' >cost.tsv
control-map --kind face pairs.xfv -o face.xfv
is "$(explain-score --cost cost.tsv face.xfv | awk -F '\t' '$2 ~ /a pair/ { print $1, $2, $3, $4, $5 }' |
    tr '\n' ';')" "control-face passes a pair 1 0.0000 nan;control-face ms a pair 1 1.5000 nan;" "costs, of the methods that are judged"
like "$(explain-score --cost cost.tsv --markdown face.xfv | tail -1)" ' 0 . 1.5 .$' \
    "costs in Markdown, without an interval"
is "$(explain-score --cost cost.tsv --json face.xfv | jq -c 'select(.test == "ms a pair") | [.value, has("lo")]')" \
    '[1.5,false]' "and in JSON"
echo 'control-face 0' >bad.tsv
runs 2 "a table of costs that is none" explain-score --cost bad.tsv face.xfv
PYTHONPATH="$top/tests" "$PYTHON" - <<'PY'
from streams import *
def pair(*sizes):
    maps = [{"method": f"m{k}", "params": {}, **{s: {"similarity": tensor(np.ones((n, n), "<f4")), "dissimilarity": tensor(np.eye(n, dtype="<f4"))} for s in "ab"}}
            for k, n in enumerate(sizes)]
    return {"_": "pair", "id": "a|b", "a": {"id": "a"}, "b": {"id": "b"}, "score": .5, "threshold": .4, "accept": True, "label": True, "maps": maps}
for name, sizes in (("two", (16, 32)), ("small", (16,)), ("large", (32,))): open(name + ".xfv", "wb").write(stream([pair(*sizes)]))
names = pair(16, 16)
for k, m in enumerate(names["maps"]): m["method"] = f"x\t0\nnone|{k}"
names["delins"] = [{"method": m["method"], "map": "\t", "image": "a\n", "fill": "blur", "deletion": [1., .5], "insertion": [.5, 1.], "threshold": .4, "genuine": True}
                   for m in names["maps"]]
open("names.xfv", "wb").write(stream([names]))
PY
runs 2 "maps of two sizes in one pair" explain-score two.xfv
like "$(cat err)" 'maps of 32x32 after maps of 16x16' "which is said"
runs 2 "maps of another size to compare with" explain-score --against large.xfv small.xfv
PYTHONPATH="$top/tests" "$PYTHON" - <<'PY'
from streams import *
open("noscore.xfv", "wb").write(stream([{"_": "pair", "id": "a|b", "a": face("a", 1), "b": face("b", 2), "score": None, "label": True}]))
PY
runs 0 "plant: a score that is nil" plant -k occluder noscore.xfv
is "$(xfv-json out | jq -c 'select(._ == "pair") | .truth | has("score_before")')" false "is no score before"
for t in explain-score "regions --tsv" "delins --tsv" "delins --table pairs"; do
    runs 0 "$t: methods named with tabs and line ends" $t names.xfv
    is "$(awk -F '\t' '{ print NF }' out | sort -u | wc -l | tr -d ' ') $(grep -c 'x_0_none|0' out |
        sed 's/[1-9][0-9]*/some/')" "1 some" "no line is forged"
done
is "$(explain-score --markdown names.xfv | tr -cd '|\n' | sort -u | wc -l | tr -d ' ')" 1 "nor a cell in Markdown"
mkdir folder
runs 4 "costs that cannot be read" explain-score --cost folder face.xfv
for t in plant explain-score; do runs 0 "$t --help" $t --help; runs 2 "$t: bad option" $t --nonsense; done
done_testing
