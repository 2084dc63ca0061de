# xfv-select, xfv-check, xfv-cmp.
. "$top/tests/tap.sh"
export PYTHONPATH="$top/tests" XFV_MODEL_PATH="$work"
cat >make.py <<'PY'
from streams import *
def pair(a, b, score, label=None, **more):
    p = {"_": "pair", "id": f"{a}|{b}", "a": {"id": a, "embedding": tensor(np.ones(3, "<f4"))}, "b": {"id": b}, "score": score, "threshold": 0.5, "accept": score >= 0.5}
    if label is not None: p["label"] = label
    return {**p, **more}
pairs = [pair("d/1.jpg", "d/2.jpg", 0.75, True), pair("d/3.jpg", "e/4.jpg", 0.25, True), err("d/5.jpg"), pair("e/6.jpg", "e/7.jpg", 0.5, False), pair("x", "y", -0.5), {"_": "x-note", "n": 1}]
w = lambda n, s: open(n, "wb").write(s)
w("pairs.xfv", stream(pairs))
w("faces.xfv", stream([face("a.jpg", 1), face("b.jpg", 2)]))
w("more.xfv", stream([face("c.jpg", 3)]))
w("other.xfv", stream([face("c.jpg", 3)], model={"name": "m", "digest": "00"}))
w("x1.xfv", stream([{"_": "x-t", "v": 1, "t": tensor(np.array([1, 2, 3], "<f4")), "k": "s"}], x_key=1))
w("x2.xfv", stream([{"_": "x-t", "k": "s", "v": 1.0, "t": tensor(np.array([1, 2.0002, np.nan], "<f4"))}], x_key=1))
w("x3.xfv", stream([{"_": "x-t", "k": "s", "v": 1.0, "t": tensor(np.array([1, 2.0001, 3], "<f4"))}], x_key=1, provenance=[{"tool": "t"}]))
w("long.xfv", stream([{"_": "x-t", "k" * 300: 1, "k" * 299 + "j": 2}]))
w("empty.xfv", stream([]))
bad = {"id": face("x") | {"id": 5}, "box": face("x", box=[1, 2, 3]), "nan": face("x", box=[1, 2, 3, float("nan")]), "image": face("x") | {"image": tensor(np.zeros((2, 2), np.uint8))},
       "channels": face("x") | {"image": tensor(np.zeros((2, 2, 4), np.uint8))}, "embedding": vector_face("x", np.zeros((2, 2))), "nob": {k: v for k, v in pairs[0].items() if k != "b"},
       "decision": {**pairs[0], "accept": False}, "inface": {**pairs[0], "b": face("y", box="no")}, "tensor": {"_": "x-t", "deep": [{"dtype": "<f4", "shape": [2], "data": b"1"}]},
       "err": {"_": "err", "id": "x"}, "maps": {**pairs[0], "maps": {}}}
for k, v in bad.items(): w(f"bad-{k}.xfv", stream([face("ok", 1), v]))
PY
runs 0 "Python makes streams" "$PYTHON" make.py
ids() { xfv-json "$@" | jq -r 'select(._ != "head" and ._ != "end") | .id // ._' | tr '\n' ' '; }
sel() { want=$1; shift; xfv-select -q -o got.xfv "$@" pairs.xfv 2>err; is "$(ids got.xfv)" "$want" "xfv-select $*"; }
sel "d/1.jpg|d/2.jpg d/3.jpg|e/4.jpg d/5.jpg e/6.jpg|e/7.jpg x|y x-note "
sel "d/3.jpg|e/4.jpg e/6.jpg|e/7.jpg " --id 'e/*'
sel "d/1.jpg|d/2.jpg x|y " --id 'd/1*' --id y
sel "d/5.jpg " --kind err
sel "d/5.jpg x-note " -k err -k x-note
sel "d/1.jpg|d/2.jpg d/3.jpg|e/4.jpg " --label yes
sel "e/6.jpg|e/7.jpg " --label no
sel "x|y " --kind pair --label none
sel "d/1.jpg|d/2.jpg e/6.jpg|e/7.jpg " --decision accept
sel "d/3.jpg|e/4.jpg " --decision reject --label yes
sel "d/3.jpg|e/4.jpg e/6.jpg|e/7.jpg " --score 0.25..0.5
sel "x|y " --score ..0
sel "d/1.jpg|d/2.jpg " --score 0.6..
sel "d/5.jpg x|y x-note " --invert --score 0..
sel "d/1.jpg|d/2.jpg d/3.jpg|e/4.jpg " --head 2
sel "" --head 0
sel "e/6.jpg|e/7.jpg x|y " --kind pair --shard 2/2
sel "d/3.jpg|e/4.jpg " --kind pair --head 2 --shard 2/2
for bad in "--score 1" "--score .." "--score a..b" "--score 0.5..0.1" "--label maybe" "--head -1" "--drop id" \
    "--drop _"; do runs 2 "xfv-select $bad: status 2" xfv-select $bad pairs.xfv; done
xfv-select -q --drop embedding --drop score pairs.xfv | xfv-json |
    jq -c 'select(._ == "pair") | [has("score"), (.a | has("embedding"))]' | sort -u >out
is "$(cat out)" '[false,false]' "--drop: from records and from the faces of pairs"
is "$(xfv-select --score=..0 pairs.xfv | xfv-json | jq -c 'select(._ == "head") | .provenance[-1].args')" \
    '["--score=..0"]' "the conditions are in the provenance"
xfv-select -q --kind err pairs.xfv >/dev/null; is $? 1 "an err record selected: status 1"
xfv-select -q --kind pair pairs.xfv >/dev/null; is $? 0 "none selected: status 0"

runs 0 "several streams" xfv-select --join -o joined.xfv faces.xfv more.xfv
is "$(ids joined.xfv)-$(xfv-json joined.xfv | jq -r ._ | grep -c head)" "a.jpg b.jpg c.jpg -1" \
    "one segment of all records"
cat faces.xfv more.xfv | xfv-select --join | cmp -s - joined.xfv; ok $? "of joined streams, the same"
xfv-select --join faces.xfv | cmp -s - faces.xfv; ok $? "of one stream, itself"
runs 3 "heads that differ: status 3" xfv-select --join faces.xfv other.xfv
like "$(cat err)" "^xfv-select: .*--mixed" "and the way out is named"
runs 0 "--mixed" xfv-select --mixed -o mixed.xfv other.xfv faces.xfv
is "$(xfv-select --join --head 1 faces.xfv more.xfv | xfv-json | jq -c 'select(._ == "head") | .provenance[-1].args')" \
    '["--head=1"]' "xfv-select --join under a condition is named in the provenance"
for i in 1 2 3; do xfv-select --shard $i/3 -o shard-$i.xfv joined.xfv; done
runs 0 "the parts of --shard" xfv-select --join -o again.xfv shard-1.xfv shard-2.xfv shard-3.xfv
runs 0 "the whole again" xfv-cmp again.xfv joined.xfv
is "$(ids mixed.xfv)$(xfv-json mixed.xfv | jq -c 'select(._ == "head") | [.model, .mixed]')" \
    'c.jpg a.jpg b.jpg [null,true]' "joins them, and the head names no model"

runs 0 "xfv-check" xfv-check faces.xfv more.xfv empty.xfv
is "$(cat out err | wc -c)" 0 "says nothing"
runs 1 "err records: status 1" xfv-check pairs.xfv
xfv-check -v faces.xfv 2>err;
like "$(cat err)" "sound: 1 segments, 2 faces, 0 pairs, 0 errors, 0 others" "-v says what there is"
for f in bad-*.xfv; do
    runs 3 "xfv-check $f: status 3" xfv-check "$f"
    is "$(wc -l <err)" 1 "one line: $(cat err)"
done

runs 0 "xfv-cmp: a stream with itself" xfv-cmp pairs.xfv pairs.xfv
runs 0 "keys of any length" xfv-cmp long.xfv long.xfv
runs 0 "the order of keys and 1 for 1.0 make no difference, nor does the provenance" xfv-cmp --atol 1e-3 x1.xfv x3.xfv
runs 1 "a number differs" xfv-cmp x1.xfv x3.xfv
like "$(cat out)" "^record 1: /t: 1 of 3 numbers differ, the most at place 1: 2 and 2\.000" "which is told"
runs 1 "within --rtol, but a NaN" xfv-cmp --rtol 1e-3 x1.xfv x2.xfv
like "$(cat out)" "^record 1: /t: 1 of 3 numbers differ, the most at place 2: 3 and nan" "is told"
runs 1 "other lengths" xfv-cmp faces.xfv joined.xfv
is "$(cat out)" "record 3 (c.jpg): the first stream ends here" "are told"
runs 1 "other heads" xfv-cmp more.xfv other.xfv
is "$(cat out)" "record 0: /model: only in the second" "are told"
runs 1 "--lines" xfv-cmp --lines 1 pairs.xfv faces.xfv
like "$(tail -n 1 out)" "^and [0-9]+ more" "counts the rest"
runs 2 "one operand: status 2" xfv-cmp faces.xfv
runs 2 "- twice: status 2" xfv-cmp - - <faces.xfv
head -c 500 faces.xfv >cut.xfv
runs 3 "a stream that is cut: status 3" xfv-cmp faces.xfv cut.xfv
# Streams joined by cat and cut at a border.
"$PYTHON" -c \
    'from streams import *; [open(f"part-{i}.xfv", "wb").write(stream([face(f"{i}.jpg", i)])) for i in range(3)]'
cat part-0.xfv part-1.xfv part-2.xfv >three.xfv
runs 0 "three segments" xfv-check -v --segments 3 three.xfv
like "$(cat err)" "sound: 3 segments, 3 faces" "are counted"
head -c $(cat part-0.xfv part-1.xfv | wc -c) three.xfv >two.xfv
runs 0 "cut at a border they look whole" xfv-check two.xfv
runs 3 "but not with --segments: status 3" xfv-check --segments 3 two.xfv
like "$(cat err)" "2 segments where --segments wants 3" "which says so"
xfv-select --join -v -o /dev/null three.xfv 2>err;
like "$(cat err)" "3 segments joined" "xfv-select --join -v counts them"
done_testing
