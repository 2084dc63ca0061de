# The Python module (python/xfv): its own tests, and a stage made with it keeps the stream's rules.
. "$top/tests/tap.sh"
facecrop "$top"/tests/photos/*.jpg | embed -o faces.xfv
verify --all faces.xfv | cosine-grad -o pairs.xfv
"$PYTHON" "$top/tests/python/module.py" . >module.tap 2>err; status=$?
grep -E '^(ok|not ok) ' module.tap >lines
while IFS= read -r line; do
    case $line in not*) ok 1 "module: ${line#*- }" ;; *'# skip'*) skip "module: ${line#*- }" "" ;; *) ok 0 "module: ${line#*- }" ;; esac
done <lines
is $status 0 "module: runs to its end" || sed 's/^/#   /' err | tail -n 5

cat >mine.py <<'PY'
import xfv
for pair in xfv.stage("mine", "1", args=["--k=2"]):
    pair["x-mine"] = float(pair.a.image.mean())
PY
mine() { "$PYTHON" mine.py; }
"$PYTHON" "$top/tests/gen/pairs.py" pair err x-note nomaps accent >in.xfv
mine <in.xfv >out.xfv 2>err; is "$? $(cat err)" "1 " "a stage: status 1, for the err record that it passed on"
xfv-check out.xfv >/dev/null 2>&1; is $? 1 "a stage: its output is sound"
xfv-json in.xfv >in.json; xfv-json out.xfv >out.json
is "$(jq -c 'del(.provenance, .crc32, ."x-mine")' out.json)" "$(jq -c 'del(.provenance, .crc32)' in.json)" \
    "a stage: all else passes, in order"
is "$(jq -c 'select(._ == "head") | .provenance[-1]' out.json)" '{"tool":"mine","version":"1","args":["--k=2"]}' \
    "a stage: the head names it"
mine <out.xfv >again.xfv 2>/dev/null;
is "$(xfv-json again.xfv | jq -c 'del(.provenance, .crc32)')" "$(jq -c 'del(.provenance, .crc32)' out.json)" \
    "a stage: twice is once"
cat in.xfv in.xfv | mine 2>/dev/null | xfv-json | jq -c 'select(._ == "end") | .records' | tr '\n' ' ' >n;
is "$(cat n)" "5 5 " "a stage: joined streams pass"
size=$(wc -c <in.xfv) bad=
for cut in 0 1 20 $((size / 3)) $((size - 1)); do
    head -c $cut in.xfv | mine >cut.xfv 2>err; [ $? -eq 3 ] && grep -q '^mine: ' err || bad="$bad $cut"
    xfv-check cut.xfv >/dev/null 2>&1; [ $? -ge 3 ] || bad="$bad $cut:sound"
done
is "$bad" "" "a stage: cut anywhere, it says so with status 3, and the next stage fails as well"
LC_ALL=C sed 's,photos/a0,photos/b0,' in.xfv | mine >/dev/null 2>err;
is "$? $(grep -c damaged err)" "3 1" "a stage: a changed byte"
{ mine <in.xfv >/dev/full; } 2>err; [ $? -ne 0 ]; ok $? "a stage: a full disk is noticed"
mine <in.xfv | head -c 100 >/dev/null; ok 0 "a stage: a reader that stops"
cat >fails.py <<'PY'
import sys, xfv
for i, pair in enumerate(xfv.stage("fails", "1")):
    if sys.argv[1] == "raise": raise ValueError("no idea")
    if sys.argv[1] == "fail" and i == 0: pair.fail("the left eye is missing", "noeye")
    if sys.argv[1] == "drop" and i == 0: pair.drop()
PY
"$PYTHON" fails.py raise <pairs.xfv >cut.xfv 2>err;
is "$? $(tail -n 1 err)" "1 ValueError: no idea" "a body that raises ends the run"
xfv-check cut.xfv >/dev/null 2>&1; is $? 3 "... without an end, so that the next stage fails"
"$PYTHON" fails.py fail <pairs.xfv >failed.xfv 2>err; is $? 1 "fail: status 1"
is "$(xfv-json failed.xfv | jq -r 'select(._ == "err") | [.tool, .code, .message] | join(" ")')" \
    "fails noeye the left eye is missing" "fail: an err record in its place"
like "$(cat err)" "^fails: .*anna-1.*: the left eye is missing" "fail: said on standard error"
"$PYTHON" fails.py drop <pairs.xfv >dropped.xfv;
is "$? $(xfv-json dropped.xfv | grep -c '"_":"pair"')" "0 5" "drop: one pair of six is left out"
is "$(facecrop "$top"/tests/photos/*.jpg | embed | verify --all | "$PYTHON" "$top/examples/half-face.py" | xfv-json |
    jq -r 'select(._ == "pair").maps[0].method' | sort | uniq -c | tr -s ' ')" \
    " 6 half-face" "the example in a pipeline"
runs 0 "python3 -m xfv: arrays" "$PYTHON" -m xfv pairs.xfv all.npz
runs 3 "python3 -m xfv: a cut stream" "$PYTHON" -m xfv cut.xfv all.npz
like "$(cat err)" "cut.xfv: the stream was cut" "python3 -m xfv: names the file"
done_testing
