# Messages about records name the file; with --private (or XFV_PRIVATE=1) their number only. Every program, on records
# that fail.
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
# hidden DESCRIPTION COMMAND...: what it says, with --private and without, in silent and loud; no name in silent
hidden() {
    what=$1; shift
    XFV_PRIVATE=1 "$@" >out 2>by-variable </dev/null
    p=$1; shift
    "$p" --private "$@" >out 2>silent </dev/null
    "$p" "$@" >out 2>loud </dev/null
    if grep -q "${who%_*}" silent; then
        ok 1 "$what: no name with --private"
        grep "${who%_*}" silent | sed 's/^/#   /' | head -3
    else ok 0 "$what: no name with --private"; fi
    cmp -s silent by-variable; ok $? "$what: XFV_PRIVATE=1 does the same"
}
# named DESCRIPTION COMMAND...: there is something to say, and without --private it says whom it is about
named() {
    hidden "$@"
    like "$(cat silent)" "^$p: .*(record|line|pair) [0-9]+: |^verify: --probe" "$what: a number"
    like "$(cat loud)" "$who" "$what: the name without"
}
tab=$(printf '\t')
failing=0
for path in "$B"/bin/*; do
    p=$(basename "$path")
    "$p" --help 2>/dev/null | grep -q -- --max-record || continue
    args=$(sed -n "s/^$p$tab[^$tab]*$tab//p" "$top/tests/commands.tsv" |
        sed 's/embedded.xfv/donors.xfv/; s/ *-m tiny//')
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
        like "$(cat loud)" "$who" "$p $input: the name without"
    done
done
ok $((failing < 30)) "of these, $failing tell of a record"
named "an err record" heatmap -o x.png errs.xfv
runs 2 "curves that no table holds: status 2" delins --private --tsv curves.xfv
like "$(cat err)" "^delins: record 1: the pair has two curves" "by number"
like "$(delins --tsv curves.xfv 2>&1 >out)" "^delins: photos/$who.jpg.$who: the pair has two curves" "without by name"

# Photographs as operands and in lists.
echo "no photograph" >$who.jpg
printf '%s\0' "photos/$who.jpg" >list
for command in "facecrop --aligned" "facecrop" "facecrop --whole crop -m tiny"; do
    named "$command: no such file" $command "photos/$who.jpg"
    named "$command: no photograph" $command "$who.jpg" "./$who.jpg"
    named "$command: a list" $command --files0-from list
done
is "$(facecrop --aligned "photos/$who.jpg" 2>/dev/null | xfv-json | jq -r 'select(._ == "err") | .id + " " + .message')" \
    "photos/$who.jpg cannot open: No such file or directory" "the err record keeps its id and its reason"
hidden "both operands and a list" facecrop --files0-from list "$who.jpg"

# Lists of pairs, and a probe.
"$PYTHON" -c \
    'from streams import *; import sys; sys.stdout.buffer.write(stream([face("x/a.jpg"), face("x/b.jpg"), err("bad.jpg")]))' | embed -m tiny -o faces.xfv 2>/dev/null
printf '# two\nx/a.jpg %s.jpg\nx/b.jpg photos/%s\n' $who $who >pairs.txt
named "a list of pairs" verify -m tiny --pairs pairs.txt faces.xfv
like "$(cat silent)" "^verify: line 2: no face '...' among the 2 of the input" "by its line"
hidden probe verify -m tiny --probe $who faces.xfv
like "$(cat loud)" "no face '$who'" "a probe: the name without"
is "$(verify -m tiny --pairs pairs.txt faces.xfv 2>/dev/null | xfv-json | jq -r 'select(.tool == "verify") | .message' |
    grep -c "$who")" 2 "err records keep the name"
# One line for the pipeline, by the program that met the failure; a stored stream is told of again.
cp "$top/tests/photos/anna-1.jpg" anna.jpg
for end in "heatmap -o x.png" "report -o x.html" "delins --tsv"; do
    sh -c "facecrop anna.jpg missing.jpg | embed | verify | fggb-grad | $end" >out 2>err
    is "$? $(cat err)" "1 facecrop: missing.jpg: cannot open: No such file or directory" \
        "a missing file: one line, though $end ends the pipe"
done
facecrop missing.jpg 2>/dev/null | embed | verify | fggb-grad -o failed.xfv
heatmap -o x.png failed.xfv 2>err
like "$(cat err)" "^heatmap: missing.jpg: facecrop: cannot open" "a stored stream: what failed is told"
facecrop missing.jpg 2>/dev/null | heatmap -v -o x.png 2>err
like "$(cat err)" "record 1 .missing.jpg.: facecrop: cannot open" "and in a pipe with -v"
done_testing
