# A pair's maps: every program that reads them takes and refuses the same ones, and says the same of a pair without.
. "$top/tests/tap.sh"
export PYTHONPATH="$top/tests" XFV_MODEL_PATH="$work"
cat >make.py <<'PY'
from streams import *
import copy, subprocess
open("tiny.xfvm", "wb").write(model())
open("faces.xfv", "wb").write(stream([face("d/A_1.jpg", 1), face("d/A_2.jpg", 2), face("d/B_1.jpg", 3)]))
open("list", "w").write("d/A_1.jpg\td/A_2.jpg\tgenuine\n")
made = subprocess.run("embed -m tiny faces.xfv | verify --pairs list >v.xfv; plant -k patches --donors faces.xfv v.xfv | embed -m tiny | verify | xssab-grad", shell=True, stdout=subprocess.PIPE).stdout
pair = [r for r in records(made) if r["_"] == "pair"][0]
def write(name, change):
    p = copy.deepcopy(pair)
    change(p)
    open(name + ".xfv", "wb").write(stream([p], model={"name": "tiny", "digest": p["a"]["model"]}))
def on(key, value):
    def change(p): p["maps"][0][key] = value
    return change
def map_of(side, key, a):
    def change(p): p["maps"][0][side][key] = tensor(a)
    return change
good = array(pair["maps"][0]["a"]["similarity"]).copy()
nan = good.copy(); nan[3, 3] = np.nan
write("good", lambda p: None)
write("wide", lambda p: [p["maps"][0][s].update({k: tensor(array(p["maps"][0][s][k]).astype("<f8")) for k in ("similarity", "dissimilarity")}) for s in "ab"])
write("nil", on("params", None))
write("none", lambda p: p.pop("maps"))
write("empty", lambda p: p.update(maps=[]))
write("text", lambda p: p.update(maps="fggb"))
write("entry", lambda p: p["maps"].append(3))
write("nameless", lambda p: p["maps"][0].pop("method"))
write("numbered", on("method", 7))
write("long", on("method", "m" * 64))
write("params", on("params", "x"))
write("side", on("a", [1, 2]))
write("sideless", lambda p: [p["maps"][0].pop(s) for s in "ab"])
write("nan", map_of("a", "similarity", nan))
write("flat", map_of("a", "similarity", good.ravel()))
write("bytes", map_of("a", "similarity", np.zeros((16, 16), np.uint8)))
write("tall", map_of("a", "similarity", np.zeros((5000, 1), "<f4")))
PY
runs 0 "pairs with maps of every kind" "$PYTHON" make.py
each() { # FILE: what each program makes of it, "ok" or "no"
    for p in "heatmap --layout maps -o m.png" "report -o page.html" "regions --tsv" "delins --tsv" "$restore" \
        "explain-score" \
        "control-map --kind mean --method xssab --from $1.xfv" xfv-check; do
        # shellcheck disable=SC2086
        if $p "$1.xfv" >out 2>err && ! grep -q . err; then printf 'ok '; else printf 'no '; fi
    done
}
if command -v dpr >/dev/null; then restore=dpr; else restore="delins --protocol dpr"; fi
for f in good nil wide; do is "$(each $f)" "ok ok ok ok ok ok ok ok " "$f: every program takes it"; done
for f in text entry nameless numbered long params side sideless nan flat bytes tall; do
    is "$(each $f)" "no no no no no no no no " "$f: no program takes it"; done
for f in none empty; do
    for p in "heatmap --layout maps" "delins --tsv" "$restore" explain-score; do
        # shellcheck disable=SC2086
        $p $f.xfv >out 2>err
        like "$(cat err)" "the pair has no maps: send it through an explainer .fggb-grad, say. first" \
            "$f, ${p%% *}: the sentence"
    done
    report $f.xfv >page.html 2>err
    like "$(cat page.html)" "the pair has no maps: send it through an explainer .fggb-grad, say. first" \
        "$f, report: the same on the page"
done
delins --tsv sideless.xfv 2>err >out
like "$(cat err)" "entry 0 of the pair's 'maps' holds no map of face a or b" "which entry, and what is wrong"
done_testing
