# regions: what it adds to a stream, its table, 68 points, and the comparison of groups.
. "$top/tests/tap.sh"
pairs() { "$PYTHON" "$top/tests/gen/pairs.py" "$@"; }
tab=$(printf '\t')

pairs pair nomaps signed err x-note >in.xfv
runs 1 "a stream in, a stream out; an err record passes" regions -o out.xfv in.xfv
xfv-json out.xfv >out.json
is "$(jq -r '._' out.json | tr '\n' ' ')" "head pair pair pair err x-note end " "every record"
is "$(jq -r 'select(._ == "pair") | .maps // [] | map(has("regions")) | @csv' out.json | tr '\n' ' ')" \
    "true  true,true " "each map has regions"
is "$(jq -r 'select(.maps) | .maps[].regions | [.a, .b][] | .area | add | . * 1e6 | round' out.json | sort -u)" \
    1000000 "areas sum to 1"
is "$(jq -r 'select(.id == "p0") | .maps[0].regions.a.similarity | del(.mass) | add | . * 1e6 | round' out.json)" \
    1000000 "shares sum to 1"
is "$(jq -r 'select(.id == "p2") | .maps[1].regions.a | keys_unsorted | join(",")' out.json)" \
    "from,area,signed+,signed-" "a signed map has two parts"
is "$(jq -c 'del(.maps[]?.regions) | del(.provenance, .crc32)' out.json)" \
    "$(xfv-json in.xfv | jq -c 'del(.provenance, .crc32)')" "all else is as it was"
regions out.xfv >again.xfv
is "$(xfv-json again.xfv | jq -c 'del(.provenance, .crc32)')" "$(jq -c 'del(.provenance, .crc32)' out.json)" \
    "twice is once"

regions --tsv in.xfv >t.tsv 2>/dev/null
is "$(head -n 1 t.tsv | cut -f 1-8)" \
    "pair${tab}face${tab}method${tab}map${tab}from${tab}mass${tab}forehead${tab}brows" "a table's heading"
is "$(wc -l <t.tsv | tr -d ' ')" 11 "a row for each map: 4 + 4 + 2"
is "$(cut -f 5 t.tsv | sort -u | tr '\n' ' ')" "from template " "a face without landmarks is laid out by the template"
facecrop "$top/tests/photos/anna-1.jpg" "$top/tests/photos/bella.jpg" | embed | verify -o two.xfv
XFV_TOP=$top "$PYTHON" "$top/examples/fixed-blob.py" <two.xfv >blob.xfv
is "$(regions --tsv blob.xfv | cut -f 5 | sort -u | tr '\n' ' ')" "from landmarks " "one with landmarks by them"
is "$(regions --tsv blob.xfv | awk -F '\t' 'NR > 1 && $10 + 0 > $7 && $10 + 0 > $13 {n++} END {print n}')" 2 \
    "a blob in the middle lies more on the nose than on forehead or chin"

# 68 points: the middle of the face as a tiny nose region
"$PYTHON" - "$top/tests/photos/anna-1.jpg" >p68.txt <<'PY'
import math, sys
t = [(165, 152), (225, 218), (156, 219), (102, 219), (158, 277)]  # anna-1's five points
mid = lambda a, b, w: (a[0] + (b[0] - a[0]) * w, a[1] + (b[1] - a[1]) * w)
le, re, n, lm, rm = t
c = mid(mid(le, re, .5), mid(lm, rm, .5), .3)
jaw = [(c[0] + 140 * math.cos(2.36 - 3.1416 * i / 16 + 1.5708), c[1] + 140 * math.sin(2.36 - 3.1416 * i / 16 + 1.5708)) for i in range(17)]
p = jaw + [mid(le, re, w) for w in (-.3, -.2, -.1, 0, .1)] + [mid(le, re, w) for w in (.9, 1, 1.1, 1.2, 1.3)] + [mid(mid(le, re, .5), n, w / 3) for w in range(4)]
p += [mid(lm, rm, w) for w in (.3, .4, .5, .6, .7)] + [(le[0] + 8 * math.cos(i), le[1] + 4 * math.sin(i)) for i in range(6)]
p += [(re[0] + 8 * math.cos(i), re[1] + 4 * math.sin(i)) for i in range(6)] + [mid(lm, rm, i / 6) for i in range(7)] + [mid(lm, rm, i / 6) for i in range(5, 0, -1)]
p += [mid(lm, rm, i / 7) for i in range(8)]
assert len(p) == 68
print(sys.argv[1], *("%.1f %.1f" % q for q in p))
PY
runs 0 "--landmarks68" regions --tsv --landmarks68 p68.txt blob.xfv
is "$(cut -f 2,5 out | sort -u | tr '\t\n' '  ')" "a 68 b landmarks face from " \
    "outlines where the file has them, five points where not"
like "$(cat err)" '1 faces are not in' "which is said"
echo "x 1 2 3" >short68.txt
runs 2 "a line that is too short" regions --tsv --landmarks68 short68.txt blob.xfv
like "$(cat err)" 'short68.txt:1: a path and 136 numbers' "named"

# groups
"$PYTHON" "$top/tests/gen/groups.py" 24 1 >planted.xfv
runs 0 "groups that differ" regions --groups groups.tsv --replicates 400 --plot g.gp planted.xfv
cp out planted.tsv
value() { awk -F '\t' -v q="$1" -v g="$2" -v s="$3" -v c="$4" '$1 == q && $4 == g && $3 == s {print $c}' "$5"; }
is "$(head -n 1 planted.tsv | tr '\t' ' ')" \
    "quantity method pairs group n persons value lo hi against difference d_lo d_hi p holm note" "the heading"
is "$(value fmr x impostor 5 planted.tsv)" 72 \
    "72 impostor pairs in a group: pairs across groups and strangers are left out"
is "$(value fmr x impostor 6 planted.tsv)" 24 "24 persons"
like "$(cat err)" 'left out: 1 pairs of two groups, 1 pairs with a face that the table does not name' "which is said"
is "$(awk -F '\t' '$15 != "NA" && $15 + 0 < 0.05 && $15 != "holm" {print $1 "/" $3}' planted.tsv |
    grep -c '^S+ \(mouth\|chin\)/')" 4 "S+ differs on mouth and chin, in both kinds of pairs"
is "$(value score x genuine 15 planted.tsv | awk '{print ($1 < 0.01)}')" 1 "so do the genuine scores"
is "$(awk -F '\t' '$14 != "NA" && $15 != "NA" && $15 + 0 < $14 + 0' planted.tsv | wc -l | tr -d ' ')" 0 \
    "Holm never makes a p smaller"
is "$(value fmr x impostor 7-9 planted.tsv; awk -F '\t' '$1 == "fmr" && $4 == "x" {print ($8 == 0 && $9 > 0.1)}' \
    planted.tsv)" "$(printf '0.00000\n1')" "and its interval still has a width"
is "$(awk -F '\t' '$1 == "fmr" && $4 == "x" {print ($15 < 0.05) $16}' planted.tsv)" "1-" \
    "none against many is a difference"
regions --groups groups.tsv --replicates 400 planted.xfv >same.tsv 2>/dev/null
cmp -s same.tsv planted.tsv; ok $? "the same seed, the same bytes"
regions --groups groups.tsv --replicates 400 --seed 7 planted.xfv 2>/dev/null | cmp -s - planted.tsv;
is $? 1 "another seed, other intervals"
like "$(cat g.gp)" '^set multiplot layout' "a gnuplot script"
is "$(grep -c '^EOD' g.gp)" "$(grep -c '<< EOD' g.gp)" "with its data in it"
"$PYTHON" "$top/tests/gen/groups.py" 24 0 >alike.xfv
regions --groups groups.tsv --replicates 400 alike.xfv >alike.tsv 2>/dev/null
is "$(awk -F '\t' '$15 != "NA" && $15 != "holm" && $15 + 0 < 0.05' alike.tsv | wc -l | tr -d ' ')" 0 "groups that are alike do not differ"
runs 0 "--markdown --against" regions --groups groups.tsv --replicates 100 --markdown --against x planted.xfv
like "$(sed -n 2p out)" '^\|---\|' "a Markdown table"
is "$(grep -c '| x | [+-]' out)" "$(grep -c '| y |.*| x |' out)" "y is compared with x"
"$PYTHON" "$top/tests/gen/groups.py" 4 -1 >few.xfv
runs 0 "few people, no labels" regions --groups groups.tsv --replicates 100 few.xfv
like "$(cat err)" 'too few pairs.*marked few' "is said"
like "$(cat err)" 'no pair has a label' "so is that"
is "$(awk -F '\t' 'NR > 1 && $14 != "NA"' out | wc -l | tr -d ' ')" 0 "no p-value at all"
runs 2 "an unknown group" regions --groups groups.tsv --against z few.xfv
printf 'a\n' >bad.tsv
runs 2 "a table of one column" regions --groups bad.tsv few.xfv
runs 4 "a table that is not there: status 4" regions --groups nowhere.tsv few.xfv
like "$(cat err)" "cannot open .nowhere.tsv.: No such file" "and why"
runs 2 "--plot alone" regions --plot x few.xfv
printf 'q\tx\n' >none.tsv
runs 2 "no pair in a group" regions --groups none.tsv few.xfv
done_testing
