# Messages about records: their number, and names of photographs only with -v. Every program, on records that fail, of an id that is easily found.
. "$top/tests/tap.sh"
export PYTHONPATH="$top/tests" XFV_MODEL_PATH="$work:$top/models"
who=Secret_Person_0007
cat >make.py <<'PY'
from streams import *
who = "Secret_Person_0007"
def write(name, *records): open(name, "wb").write(stream(list(records)))
open("tiny.xfvm", "wb").write(model())
def pair(a, b, **more): return {"_": "pair", "id": "photos/%s.jpg|%s" % (who, who), "a": a, "b": b, "score": 0.9, "threshold": 0.5, "accept": True, "label": True, **more}
bare = {"_": "face", "id": "photos/%s.jpg" % who}
odd = {**bare, "image": {"dtype": "<f4", "shape": [1], "data": b"1234"}, "embedding": {"dtype": "<f4", "shape": [2], "data": b"12345678"}}
blank = {**bare, "image": tensor(np.zeros((16, 16, 3), np.uint8)), "embedding": tensor(np.zeros(12, "<f4"))}
nan = [{"method": m, "a": {"similarity": tensor(np.full((16, 16), np.nan, "<f4"))}, "b": {}} for m in ("fggb", "two")]
curve = {"method": "fggb", "map": "similarity", "image": "a", "fill": "blur", "deletion": [1.0, 0.5], "insertion": [0.5, 1.0], "threshold": 0.5, "genuine": True}
failed = err(who, "no face 'photos/%s.jpg' in photos/%s.jpg, says %s" % (who, who, who))
write("faces.xfv", bare, odd, bare)
write("pairs.xfv", pair(bare, bare), pair(odd, odd, maps=nan), pair(blank, blank, maps=nan))
write("errs.xfv", failed, pair(blank, blank, maps=nan), failed)
write("curves.xfv", pair(bare, bare, delins=[curve, curve]))
write("donors.xfv", {**blank, "id": "other"})
PY
runs 0 "Python makes records that fail" "$PYTHON" make.py
# hidden DESCRIPTION COMMAND...: what it says, once without -v and once with, in silent and loud; no name in silent
hidden() {
    what=$1; shift
    "$@" >out 2>silent </dev/null
    p=$1; shift
    "$p" -v "$@" >out 2>loud </dev/null
    if grep -q "${who%_*}" silent; then ok 1 "$what: no name without -v"; grep "${who%_*}" silent | sed 's/^/#   /' | head -3; else ok 0 "$what: no name without -v"; fi
}
# named DESCRIPTION COMMAND...: there is something to say, and -v says whom it is about
named() {
    hidden "$@"
    like "$(cat silent)" "^$p: .*(record|line|pair) [0-9]+: .* .-v names it.$|^verify: --probe" "$what: a number, and how to learn the name"
    is "$(grep -c 'v names it' silent)" "$([ "$p$what" = verifyprobe ] && echo 0 || echo 1)" "$what: that once"
    like "$(cat loud)" "$who" "$what: with -v the name"
    is "$(grep -c 'v names it' loud)" 0 "$what: and no hint"
}
tab=$(printf '\t')
failing=0
for path in "$B"/bin/*; do
    p=$(basename "$path")
    "$p" --help 2>/dev/null | grep -q -- --max-record || continue
    args=$(sed -n "s/^$p$tab[^$tab]*$tab//p" "$top/tests/commands.tsv" | sed 's/embedded.xfv/donors.xfv/; s/ *-m tiny//')
    if "$p" --help | grep -q -- --model; then args="$args -m tiny"; fi
    for input in faces pairs errs curves; do
        case $p in
        facecrop) continue ;;
        xfv-cmp) args=$input.xfv ;;
        heatmap | report) args="-o $input-$p.png" ;;
        esac
        hidden "$p $input" "$p" $args "$input.xfv"
        grep -qE 'record [0-9]+:' silent || continue
        failing=$((failing + 1))
        like "$(cat loud)" "$who" "$p $input: with -v the name"
    done
done
ok $((failing < 30)) "of these, $failing tell of a record"
named "an err record" heatmap -o x.png errs.xfv
runs 2 "curves that no table holds: status 2" delins --tsv curves.xfv
like "$(cat err)" "^delins: record 1: the pair has two curves" "by number"
like "$(delins -v --tsv curves.xfv 2>&1 >out)" "record 1 .photos/$who.jpg.$who.: the pair has two curves" "with -v by name"

# Photographs as operands and in lists.
echo "no photograph" >$who.jpg
printf '%s\0' "photos/$who.jpg" >list
for command in "facecrop --aligned" "facecrop" "embed -g -m tiny"; do
    named "$command: no such file" $command "photos/$who.jpg"
    named "$command: no photograph" $command "$who.jpg" "./$who.jpg"
    named "$command: a list" $command --files0-from list
done
is "$(facecrop --aligned "photos/$who.jpg" 2>/dev/null | xfv-json | jq -r 'select(._ == "err") | .id + " " + .message')" \
    "photos/$who.jpg cannot open: No such file or directory" "the err record keeps its id and its reason"
hidden "both operands and a list" facecrop --files0-from list "$who.jpg"

# Lists of pairs, and a probe.
"$PYTHON" -c 'from streams import *; import sys; sys.stdout.buffer.write(stream([face("x/a.jpg"), face("x/b.jpg"), err("bad.jpg")]))' | embed -m tiny -o faces.xfv 2>/dev/null
printf '# two\nx/a.jpg %s.jpg\nx/b.jpg photos/%s\n' $who $who >pairs.txt
named "a list of pairs" verify -m tiny --pairs pairs.txt faces.xfv
like "$(cat silent)" "^verify: line 2: no face '...' among the 2 of the input" "by its line"
hidden probe verify -m tiny --probe $who faces.xfv
like "$(cat loud)" "no face '$who'" "a probe: with -v the name"
is "$(verify -m tiny --pairs pairs.txt faces.xfv 2>/dev/null | xfv-json | jq -r 'select(.tool == "verify") | .message' | grep -c "$who")" 2 "err records keep the name"
done_testing
