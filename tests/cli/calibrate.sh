# calibrate: thresholds from labelled pairs, their intervals, and what is said when the data is too small.
. "$top/tests/tap.sh"
export PYTHONPATH="$top/tests" XFV_MODEL_PATH="$work"
cat >make.py <<'PY'
import hashlib
from streams import *
open("tiny.xfvm", "wb").write(model())
d = hashlib.sha256(open("tiny.xfvm", "rb").read()).hexdigest()
head = dict(model={"name": "tiny", "digest": d})
pairs = [{"_": "pair", "id": f"i{i}", "a": {"id": "x", "model": d}, "b": {"id": "y", "model": d}, "score": i / 400 - .5, "label": False} for i in range(400)]
pairs += [{"_": "pair", "id": f"g{i}", "a": {"id": "x", "model": d}, "b": {"id": "y", "model": d}, "score": .4 + i / 400, "label": True} for i in range(200)]
def put(name, recs, **h): open(name + ".xfv", "wb").write(stream(recs, **h))
put("pairs", pairs, **head)
put("impostors", pairs[:400], **head)
put("plain", [{k: v for k, v in p.items() if k != "label"} for p in pairs], **head)
put("some", [{"_": "pair", "id": "unscored", "label": True}, {"_": "pair", "id": "unlabelled", "score": .1}] + pairs, **head)
put("other", [dict(pairs[0], a={"id": "x", "model": "f" * 64})], **head)
put("empty", [], **head)
PY
runs 0 "Python makes streams" "$PYTHON" make.py
runs 0 "calibrate" calibrate -v --fmr 1e-1,1e-2,1e-3 --data 'a test' -o c.xfvm pairs.xfv
is "$(grep -c 'cannot support' err)" 1 "one false match rate cannot be supported"
is "$(grep -c 'only roughly' err)" 1 "one only roughly"
like "$(cat err)" \
    'fmr=1e-1: 0\.[0-9]+; FMR 0\.1 \[0\.07.*\] of 400 impostor pairs, FNMR 0 \[0, 0\.018\] of 200 genuine' \
    "rates, intervals and counts"
model-info --json c.xfvm >info
is "$(jq -r '.thresholds[] | select(.data == "a test") | .name' info | tr '\n' ' ')" "eer fmr=1e-1 fmr=1e-2 fmr=1e-3 " \
    "the model holds the thresholds"
is "$(jq -c '.thresholds[] | select(.name == "fmr=1e-1") | [.pairs, .genuine, .impostor, .fmr, (.fmr_interval | length)]' info)" '[600,200,400,0.1,2]' "with their data"
is "$(jq -r '.thresholds[] | select(.name == "default") | .value' info)" \
    "$(model-info --json tiny.xfvm | jq -r '.thresholds[] | select(.name == "default") | .value')" "the default stays"
like "$(model-info c.xfvm)" 'fmr=1e-2: 0\.4.*200 genuine, 400 impostor.*a test' "model-info shows it"
runs 0 "again, on the result" calibrate -q --default fmr=1e-1 --fmr 1e-1 -m tiny.xfvm -o d.xfvm pairs.xfv
is "$(model-info --json d.xfvm |
    jq -r '[.thresholds[] | select(.name == "default" or .name == "fmr=1e-1") | .value] | .[0] == .[1]')" true "--default makes it the model's own"
calibrate -q --fmr 1e-1,1e-2,1e-3 --data 'a test' -o e.xfvm pairs.xfv
cmp -s c.xfvm e.xfvm; ok $? "the same pairs, the same bytes"

is "$(jq -c '.calibration | [.data, .low, .high, (.impostor | length, add), (.genuine | length, add), .impostor[50], .genuine[75]]' info)" '["a test",-1,1,100,400,100,200,8,8]' "and the distribution of the scores"
like "$(model-info c.xfvm)" '^scores +of 200 genuine and 400 impostor pairs, from -1 to 1 in 100 bins; a test' \
    "model-info counts it"
cat >again.py <<'PY'
import hashlib
from streams import *
d = hashlib.sha256(open("c.xfvm", "rb").read()).hexdigest()
f = [vector_face("a", [1, 0, 0], model=d), vector_face("b", [0.8, 0.6, 0], model=d)]
open("faces.xfv", "wb").write(stream(f, model={"name": "tiny", "digest": d}))
PY
"$PYTHON" again.py
runs 0 "verify --at a threshold that the data cannot support" verify --tsv -m c.xfvm --at fmr=1e-3 faces.xfv
like "$(cat err)" '400 impostor pairs cannot support this false match rate \(30000 are wanted\)' "says so"
verify -q -t 0.5 -m c.xfvm faces.xfv -o decided.xfv
is "$(xfv-json decided.xfv | jq -c 'select(._ == "head") | .calibration | [.data, (.genuine | add)]')" \
    '["a test",200]' "verify hands the distribution on"
runs 0 "--at one that it can" verify --tsv -m c.xfvm --at fmr=1e-1 faces.xfv
is "$(wc -c <err)" 0 "says nothing"

# The model stays the same network: what was embedded and explained before goes on, in streams of old, too, which named
# the file.
cat >identity.py <<'PY'
import hashlib, io, sys
from streams import *
data = open("tiny.xfvm", "rb").read()
d, f = sys.argv[1], hashlib.sha256(data).hexdigest()
open("crops.xfv", "wb").write(stream([face("a", 1), face("b", 2)]))
def rewritten(data, change):
    head, *rest = list(msgpack.Unpacker(io.BytesIO(data), max_buffer_size=0))[:-1]
    change(head, rest)
    return stream(rest, **{k: v for k, v in head.items() if k not in ("_", "magic", "version", "provenance")})
def weight(head, rest):
    w = array(rest[0]["tensor"]).copy()
    w.flat[0] += 1e-3
    rest[0]["tensor"] = tensor(w)
changes = {"weight": weight, "threshold": lambda h, r: h["thresholds"][0].update(value=.75), "mean": lambda h, r: h["input"].update(mean=[127.0] * 3),
           "colour": lambda h, r: h["input"].update(colour="bgr"), "template": lambda h, r: h.update(template=[float(i) for i in range(10)]),
           "score": lambda h, r: h.update(score="euclidean")}
def node(head, rest): head["graph"]["nodes"][1] = {"op": "relu", "name": "p1", "in": ["a"], "out": "b"}
changes["node"] = node
for source in ("tiny", "c"):
    for name, change in changes.items(): open(f"{source}-{name}.xfvm", "wb").write(rewritten(open(source + ".xfvm", "rb").read(), change))
# A stream as programs wrote it when the digest was the file's.
def back(r):
    for x in (r, r.get("a"), r.get("b")):
        if isinstance(x, dict) and x.get("model") == d: x["model"] = f
    return r
for name in sys.argv[2:]:
    rs = list(msgpack.Unpacker(open(name, "rb"), max_buffer_size=0))[1:-1]
    open("old-" + name, "wb").write(stream([back(r) for r in rs], model={"name": "tiny", "digest": f}))
PY
digest=$(model-info --json tiny.xfvm | jq -r .digest)
runs 0 "models of which one thing differs" "$PYTHON" identity.py "$digest"
embed -q -m tiny.xfvm crops.xfv -o embedded.xfv
verify -q -m tiny.xfvm --all embedded.xfv | fggb-grad -q -m tiny.xfvm -o explained.xfv
"$PYTHON" identity.py "$digest" embedded.xfv explained.xfv
is "$(xfv-json explained.xfv | jq -r 'select(._ == "pair").a.model') $(xfv-json old-explained.xfv |
    jq -r 'select(._ == "pair").a.model')" "$digest $(sha256sum <tiny.xfvm | cut -c 1-64)" \
    "faces name the network; those of old named the file"
for old in '' old-; do
    for m in c tiny-threshold c-threshold tiny; do
        [ "$old$m" != old-tiny-threshold ] || continue # calibrate remembers the file, an editor does not
        runs 0 "${old}embeddings go on with $m.xfvm" verify -q -m $m.xfvm --all ${old}embedded.xfv
        runs 0 "${old}explained pairs are decided anew" verify -q -m $m.xfvm ${old}explained.xfv
        runs 0 "and asked about" delins -q -m $m.xfvm ${old}explained.xfv
    done
    for part in weight mean colour template score node; do
        for m in tiny c; do
            runs 5 "${old}embeddings do not with another $part in $m.xfvm" verify -q -m $m-$part.xfvm --all \
                ${old}embedded.xfv
            like "$(cat err)" "made with model 'tiny' of digest .*run embed -m" "which says what to do"
            runs 5 "${old}explained pairs do not" delins -q -m $m-$part.xfvm ${old}explained.xfv
        done
    done
done
runs 5 "nor streams of old with a threshold changed by an editor" verify -q -m tiny-threshold.xfvm --all \
    old-embedded.xfv
runs 0 "faces of old and of today are compared" sh -c \
    'xfv-select --mixed embedded.xfv old-embedded.xfv | verify -q -m c.xfvm --all --tsv --header'
is "$(wc -l <out)" 7 "each with each"
runs 0 "calibrated once more" calibrate -q -m c.xfvm --fmr 1e-1 -o again.xfvm pairs.xfv
runs 0 "the embeddings of old go on" verify -q -m again.xfvm --all old-embedded.xfv
runs 0 "means leave the identity alone, too" model-means -q -m c.xfvm -l a -o means.xfvm crops.xfv
runs 0 "embeddings go on" verify -q -m means.xfvm --all embedded.xfv
runs 0 "so do those of old" verify -q -m means.xfvm --all old-embedded.xfv
mkdir found && cp c.xfvm found/tiny.xfvm
runs 0 "without -m the file of the network's name decides" env XFV_MODEL_PATH="$work/found" verify --all --tsv \
    embedded.xfv
like "$(cat err)" "another file of the network 'tiny', whose thresholds may differ: .*-m names the one" "which is said"

runs 2 "no labels" calibrate -o n.xfvm plain.xfv
like "$(cat err)" "no labelled pairs" "is said"
runs 2 "impostors only" calibrate -o n.xfvm impostors.xfv
runs 2 "nothing" calibrate -o n.xfvm empty.xfv
runs 1 "a pair without a score" calibrate -o s.xfvm some.xfv
like "$(cat err)" "1 pairs without a label left out" "pairs without a label are counted"
runs 5 "pairs of another model" calibrate -o n.xfvm other.xfv
runs 2 "an impossible rate" calibrate --fmr 2 -o n.xfvm pairs.xfv
runs 2 "an unknown default" calibrate --default fmr=1e-9 -o n.xfvm pairs.xfv
[ ! -e n.xfvm ]; ok $? "failures leave no file"
done_testing
