# fggb-grad: the record, its maps against NumPy's central differences, options, the cache, what it refuses.
. "$top/tests/tap.sh"
export PYTHONPATH="$top/tests" XFV_MODEL_PATH="$work"
cat >make.py <<'PY'
from streams import *
open("tiny.xfvm", "wb").write(model())
open("turned.xfvm", "wb").write(model("turned", 1, transposed=True))
open("other.xfvm", "wb").write(model("other", 2))
rng = np.random.default_rng(5)
base = rng.integers(0, 256, (16, 16, 3))
near = [np.clip(base + rng.integers(-40, 40, base.shape), 0, 255).astype(np.uint8) for _ in range(6)]
open("faces.xfv", "wb").write(stream([face(f"d/{i}.jpg", image=tensor(im)) for i, im in enumerate(near)]))
open("twins.xfv", "wb").write(stream([face("a", 3), face("a2", 3), face("b", 4), face("b", 4)]))
PY
cat >check.py <<'PY'
# The maps of every pair from the definition: central differences of the network, in double.
import sys
from streams import *
kind, colour, norm, turned = sys.argv[1:5]
w = {r["name"]: array(r["tensor"]).astype(np.float64) for r in records(open("tiny.xfvm", "rb").read())}
def forward(x): # [n,16,16,3] -> [n,12]
    x = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    a = sum(x[:, dy:dy+16:2, dx:dx+16:2] @ w["w1"][dy, dx] for dy in range(3) for dx in range(3)) + w["b1"]
    b = np.pad(np.where(a > 0, a, a * w["s1"]), ((0, 0), (1, 1), (1, 1), (0, 0)))
    c = sum(b[:, dy:dy+8, dx:dx+8] * w["w2"][dy, dx, 0] for dy in range(3) for dx in range(3))
    return c.reshape(len(x), -1) @ w["w3"] + w["b3"]
unit = lambda F: F / np.linalg.norm(F, axis=-1, keepdims=True)
def maps(image): # unit embedding, g [12,16,16]
    x = (image.astype(np.float64) - 127.5) / 128
    if turned == "turned": x = x.transpose(1, 0, 2)
    h = 1e-5
    e = np.eye(768).reshape(768, 16, 16, 3) * h
    f = unit if kind == "normalised" else lambda F: F
    J = (f(forward(x + e)) - f(forward(x - e))).T.reshape(N, 16, 16, 3) / (2 * h)
    g = {"mean": abs(J).mean(3), "max": abs(J).max(3), "l2": np.sqrt((J ** 2).sum(3))}[colour]
    by = {"l2": np.sqrt((g ** 2).sum((1, 2))), "max": g.max((1, 2)), "none": np.ones(N) - 1e-8}[norm]
    g = g / (by[:, None, None] + 1e-8)
    return unit(forward(x[None])[0]), g.transpose(0, 2, 1) if turned == "turned" else g
worst = 0
for r in records(sys.stdin.buffer.read()):
    faces = {s: maps(array(r[s]["image"])) for s in "ab"}
    wk = faces["a"][0] * faces["b"][0]
    assert abs(wk.sum() - r["score"]) < 1e-5
    m = r["maps"][-1]
    assert m["method"] == "fggb" and m["params"] == {"threshold": m["params"]["threshold"], "embedding": kind, "colour": colour, "norm": norm}, m["params"]
    for s in "ab":
        S = np.tensordot(wk - m["params"]["threshold"] / N, faces[s][1], 1)
        got = array(m[s]["similarity"]) - array(m[s]["dissimilarity"]).astype(np.float64)
        assert (array(m[s]["similarity"]) * array(m[s]["dissimilarity"]) == 0).all() and got.dtype == np.float64
        worst = max(worst, np.linalg.norm(got - S) / np.linalg.norm(S))
print("right" if worst < 1e-4 else worst)
PY
runs 0 "Python makes faces and models" "$PYTHON" make.py
embed -m tiny faces.xfv | verify >p.xfv
runs 0 "fggb-grad" fggb-grad p.xfv
cp out g.xfv
is "$("$PYTHON" check.py normalised mean l2 - <g.xfv)" right "the maps are those of central differences"
for o in "raw mean l2" "normalised max l2" "normalised l2 max" "raw l2 none"; do
    set -- $o
    is "$(fggb-grad --embedding "$1" --colour "$2" --norm "$3" p.xfv | "$PYTHON" check.py "$1" "$2" "$3" -)" right \
        "--embedding $1 --colour $2 --norm $3"
done
is "$(embed -m turned faces.xfv | verify | fggb-grad | "$PYTHON" check.py normalised mean l2 turned)" right \
    "the maps of a network that sees the image turned lie on the image"
is "$(xfv-json g.xfv |
    jq -c 'select(._ == "pair") | [(keys_unsorted | .[-1]), (.maps[0] | keys_unsorted), .maps[0].a.similarity.shape, .maps[0].b.dissimilarity.dtype]' | head -n 1)" \
    '["maps",["method","params","of","a","b"],[16,16],"<f4"]' "the record"
is "$(xfv-json g.xfv | jq '[inputs] | map(select(._ == "pair").maps[0].params.threshold) | unique[]')" 0.5 \
    "at the pair's threshold"
runs 0 "--threshold" fggb-grad -t -0.25 p.xfv
is "$("$PYTHON" check.py normalised mean l2 - <out)" right "explains the decision at another one"
is "$(xfv-json out | jq -c 'select(._ == "pair") | [.threshold, .maps[0].params.threshold]' | head -n 1)" \
    '[0.5,-0.25]' "and leaves the pair's alone"
is "$(xfv-json out | jq -c 'select(._ == "head") | .provenance[-1].args')" '["--threshold=-0.25"]' "provenance"
fggb-grad p.xfv | fggb-grad --embedding raw >two.xfv
is "$(xfv-json two.xfv | jq -c 'select(._ == "pair") | [.maps[].params.embedding]' | head -n 1)" \
    '["normalised","raw"]' "a second run appends its maps"

# The cache
embed -m tiny faces.xfv | verify --all >all.xfv
fggb-grad -v all.xfv >all-g.xfv 2>err
like "$(tr "\n" " " <err)" "15 pairs .* 6 forward" "a face in many pairs is differentiated once"
fggb-grad -v --cache 0 all.xfv 2>err >out
cmp -s out all-g.xfv; ok $? "a cache of two faces: the same bytes"
like "$(tr "\n" " " <err)" "15 pairs .* [12][0-9] forward" "for more work"
fggb-grad -v -j 3 --cache 40K all.xfv 2>err | cmp -s - all-g.xfv;
ok $? "a cache of three, three workers: the same bytes"
embed -m tiny twins.xfv | verify | fggb-grad -v >out 2>err
like "$(tr "\n" " " <err)" "2 pairs .* 6 forward" \
    "two equal images in a pair are one, and twice two for the noise of maps of one photograph"
is "$(xfv-json out | jq -c 'select(._ == "pair").maps[0] | del(.a.noise, .b.noise) | .a == .b' | tr '\n' ' ')" \
    "true true " "with one map"

# What does not fit
cat >damage.py <<'PY'
import sys, copy
from streams import *
recs = records(open("p.xfv", "rb").read(), all=True)
head, pair = recs[0], recs[1]
def variant(name, change):
    p = copy.deepcopy(pair)
    change(p)
    open(name + ".xfv", "wb").write(stream([p, pair], model=head["model"]))
variant("noimage", lambda p: p["a"].pop("image"))
variant("noface", lambda p: p.pop("b"))
variant("nothreshold", lambda p: p.pop("threshold"))
variant("maps", lambda p: p.update(maps="x"))
variant("foreign", lambda p: p["b"].update(embedding=tensor(array(p["b"]["embedding"]) * np.float32(1.01))))
variant("close", lambda p: p["b"].update(embedding=tensor(array(p["b"]["embedding"]) * np.float32(1.0001))))
variant("length", lambda p: p["b"].update(embedding=tensor(np.zeros(5, "<f4"))))
variant("digest", lambda p: p["a"].update(model="f" * 64))
PY
"$PYTHON" damage.py
for v in noimage:noimage noface:noface nothreshold:threshold maps:maps; do
    runs 1 "${v%:*}: status 1" fggb-grad "${v%:*}.xfv"
    is "$(xfv-json out | jq -r 'select(._ != "head") | ._ + " " + (.code // "")' | tr '\n' ';')" \
        "err ${v#*:};pair ;end ;" "an err record, and the next pair"
done
runs 0 "pairs without threshold, and --threshold" fggb-grad -t .5 nothreshold.xfv
for v in foreign length digest; do
    runs 5 "$v: status 5" fggb-grad $v.xfv
    is "$(wc -l <err)" 1 "one line"
done
runs 0 "an embedding within rounding of the model's" fggb-grad close.xfv
runs 5 "-m another model: status 5" fggb-grad -m other p.xfv
embed -m tiny faces.xfv >e.xfv
runs 1 "faces without pairs" fggb-grad e.xfv
like "$(cat err)" "run verify" "are passed on with a hint"
verify --drop embedding e.xfv | fggb-grad | xfv-json | jq -c 'select(._ == "pair") | .maps' >dropped
xfv-json g.xfv | jq -c 'select(._ == "pair") | .maps' | cmp -s - dropped;
ok $? "pairs without embeddings: the same maps"
cat >equal.py <<'PY'
from streams import *
import sys
pairs = [[r for r in records(open(f, "rb").read()) if r["_"] == "pair"] for f in ("p.xfv", "equal.xfv", "flat.xfv")]
for plain, p, q in zip(*pairs):
    s = lambda r, side: array(r["maps"][0][side]["similarity"]).astype(float) - array(r["maps"][0][side]["dissimilarity"])
    for side in "ab":
        assert p["maps"][0]["method"] == "fggb-equal" and p["maps"][0]["params"]["weights"] == "equal"
        lead = p["score"] - p["threshold"]
        one = s(p, side) / lead
        assert one.min() >= 0 and abs(one - s(q, side) / (q["score"] - -0.5)).max() < 1e-6 * one.max(), (one.min(), lead)
print("ok")
PY
runs 0 "equal weights" fggb-grad --weights equal p.xfv -o equal.xfv
fggb-grad --weights equal -t -0.5 p.xfv -o flat.xfv
is "$("$PYTHON" equal.py)" ok "one map of one sign, times the score's distance from the threshold"
for o in "--weights x" "--embedding x" "--colour x" "--norm x" "--threshold 2" "--cache x"; do
    runs 2 "$o: status 2" fggb-grad $o p.xfv
done
done_testing
