# The README's stage in Python keeps the stream's rules.
. "$top/tests/tap.sh"
pairs() { "$PYTHON" "$top/tests/gen/pairs.py" "$@"; }
blob() { "$PYTHON" "$top/examples/fixed-blob.py"; }

pairs pair err x-note nomaps accent >in.xfv
blob <in.xfv >out.xfv; is $? 0 "it runs"
xfv-json in.xfv >in.json; xfv-json out.xfv >out.json; is $? 0 "and its output is a sound stream"
is "$(jq -c 'select(._ == "pair") | [.maps[].method]' out.json | tr '\n' ' ')" \
    '["fggb","fixed-blob"] ["fixed-blob"] ["fggb","fixed-blob"] ' "every pair has the map"
is "$(jq -c 'del(.maps, .provenance, .crc32)' out.json)" "$(jq -c 'del(.maps, .provenance, .crc32)' in.json)" \
    "all else passes, in order"
is "$(jq -r 'select(._ == "head") | .provenance[-1].tool' out.json)" fixed-blob "the head names it"
heatmap --layout maps -s 1 -o pair-%d.ppm out.xfv 2>err;
is "$? $(pnmfile pair-0.ppm | sed 's/.*, \(.*\)  max.*/\1/')" "1 460 by 228" "heatmap draws a row for each method"
cat in.xfv in.xfv | blob | xfv-json | tail -1 | jq .records >n; is "$? $(cat n)" "0 5" "joined streams pass"
pairs pair >whole.xfv # a byte of a name becomes one that is no UTF-8; the checksum stays
LC_ALL=C sed 's,photos/a0,photos/\xff0,g' whole.xfv >odd.xfv
xfv-json odd.xfv >/dev/null 2>&1; is $? 3 "(a changed byte breaks the checksum)"
blob <odd.xfv >/dev/null 2>err; is $? 1 "damage is noticed"
like "$(cat err)" damaged "and told"
pairs pair cut | blob >cut.xfv 2>err; is $? 1 "a cut stream, too"
heatmap -o cut.png cut.xfv 2>err; is "$? $([ -e cut.png ] && echo made)" "3 " "and the next stage fails"
head -c 20000 in.xfv | blob >cut.xfv 2>err; is $? 1 "cut within a record"
done_testing
