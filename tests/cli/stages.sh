# The stages of docs/stages.md in C and in JavaScript keep the stream's rules; what they say is right. (Python's:
# python-stage.)
. "$top/tests/tap.sh"
pairs() { "$PYTHON" "$top/tests/gen/pairs.py" "$@"; }
keeps_rules() { # NAME COMMAND: what every stage owes
    name=$1; shift
    pairs pair err x-note nomaps accent >in.xfv
    "$@" <in.xfv >out.xfv 2>err; is $? 0 "$name: runs"
    xfv-check out.xfv 2>err; is $? 1 "$name: its output is sound (and has an err record)"
    xfv-json in.xfv >in.json; xfv-json out.xfv >out.json
    is "$(jq -c "del(.provenance, .crc32, .\"$own\")" out.json)" "$(jq -c 'del(.provenance, .crc32)' in.json)" \
        "$name: all else passes, in order"
    is "$(jq -r 'select(._ == "head") | .provenance[-1].tool' out.json)" "$name" "$name: the head names it"
    "$@" <out.xfv >again.xfv;
    is "$(xfv-json again.xfv | jq -c 'del(.provenance, .crc32)')" "$(jq -c 'del(.provenance, .crc32)' out.json)" \
        "$name: twice is once"
    cat in.xfv in.xfv | "$@" | xfv-json | jq -c 'select(._ == "end") | .records' | tr '\n' ' ' >n;
    is "$(cat n)" "5 5 " "$name: joined streams pass"
    size=$(wc -c <in.xfv)
    bad=
    for cut in 0 1 20 $((size / 3)) $((size / 2)) $((size - 40)) $((size - 1)); do
        head -c $cut in.xfv | "$@" >cut.xfv 2>err && bad="$bad $cut:0"
        xfv-check cut.xfv 2>/dev/null; [ $? -ge 3 ] || bad="$bad $cut:sound"
    done
    is "$bad" "" "$name: cut anywhere, it fails, and the next stage as well"
    LC_ALL=C sed 's,photos/a0,photos/b0,' in.xfv | "$@" >/dev/null 2>err; is $? 3 "$name: a changed byte"
    like "$(cat err)" damaged "$name: is told"
    printf '\301' | "$@" >/dev/null 2>err; is $? 3 "$name: no MessagePack"
    printf 'hello' | "$@" >/dev/null 2>err; is $? 3 "$name: a text"
    { "$@" <in.xfv >/dev/full; } 2>err; [ $? -ne 0 ]; ok $? "$name: a full disk is noticed"
    facecrop "$top/tests/photos/anna-1.jpg" "$top/tests/photos/anna-2.jpg" >photos.xfv
    (while dd bs=997 count=1 iflag=fullblock of=piece 2>/dev/null; [ -s piece ]; do cat piece; done) <photos.xfv |
        "$@" | xfv-check; ok $? "$name: in small pieces"
}
own=x-brightness
compile="${CC:-cc} -std=c11 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -o brightness $top/examples/brightness.c"
runs 0 "the stage in C compiles without warnings" $compile \
    $(pkg-config --cflags --libs "$(pkg-config --exists msgpack-c && echo msgpack-c || echo msgpack)" zlib)
keeps_rules brightness ./brightness
facecrop "$top"/tests/photos/*.jpg | ./brightness >bright.xfv
cat >mean.py <<'PY'
import os, sys
sys.path.insert(0, os.environ["top"] + "/tests")
from streams import *
for r in records(open(sys.argv[1], "rb").read()): print(abs(array(r["image"]).mean() - r["x-brightness"]) < 1e-9, 20 < r["x-brightness"] < 235)
PY
is "$("$PYTHON" mean.py bright.xfv | sort | uniq -c | tr -s ' ')" " 4 True True" \
    "brightness: the mean that numpy finds, of four photographs"
is "$(embed <bright.xfv | verify --all | xfv-json |
    jq -s 'map(select(._ == "pair") | .a["x-brightness"], .b["x-brightness"]) | length, all(type == "number")' | tr '\n' ' ')" \
    "12 true " "brightness: the number travels into the pairs"

if command -v node >/dev/null; then
    own=x-margin
    doubtful() { node "$top/examples/doubtful.mjs" "$@"; }
    keeps_rules doubtful doubtful
    facecrop "$top"/tests/photos/*.jpg | embed | verify --all -t 0.7 -o all.xfv
    doubtful <all.xfv | xfv-json |
        jq -c 'select(._ == "pair") | (.score - .threshold | fabs) - ."x-margin" | fabs < 1e-12' | sort | uniq -c |
        tr -s ' ' >n
    is "$(cat n)" " 6 true" "doubtful: the margin of six pairs"
    doubtful 0.1 <all.xfv >near.xfv
    is "$(xfv-json near.xfv | jq -r 'select(._ == "pair") | .id' | sed 's,[^|]*/,,g') $(xfv-check near.xfv &&
        xfv-json near.xfv | jq -c 'select(._ == "end") | .records')" \
        "anna-1.jpg|anna-2.jpg 1" "doubtful: one is near 0.7, and is counted"
    is "$(fggb-grad near.xfv | xfv-json | jq -c 'select(._ == "pair") | .maps | length')" 1 \
        "doubtful: the next stage explains it"
    doubtful near <all.xfv >/dev/null 2>err; is $? 2 "doubtful: a limit that is no number"
else
    skip "the stage in JavaScript" "needs node (Debian: nodejs)"
fi
done_testing
