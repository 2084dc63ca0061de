# The study of docs/evidence.md, small: three photographs in LFW's layout, a method and two controls. It goes on where
# it stood.
. "$top/tests/tap.sh"
mkdir -p lfw/images/Anna lfw/images/Bella lfw/images/Clara
for n in Anna_0001:anna-1 Anna_0002:anna-2 Bella_0001:bella Clara_0001:clara; do
    cp "$top/tests/photos/${n#*:}.jpg" "lfw/images/${n%_*}/${n%:*}.jpg"; done
printf '2\t1\nAnna\t1\t2\nAnna\t1\tBella\t1\nAnna\t2\t1\nClara\t1\tAnna\t2\n' >lfw/pairs.txt
# shellcheck disable=SC2016
printf '# quick ones\nxssab-grad\ncontrol-map --kind centre\ncontrol-map --kind mean --from $MEAN\n' >methods
echo "--protocol lu2024 -n 4" >cells
export PAIRS=0 SHARD=2 JOBS=2 METHODS="$work/methods" CELLS="$work/cells"
runs 0 "the study" sh "$top/study/run.sh" lfw made
is "$(sed -n 's/study: \(.*\) pieces of work/\1/p' err)" 6 "three methods on two pieces"
is "$(awk -F '\t' 'NR > 1 { print $1, $2, $5, $6 }' made/summary.tsv | sort | uniq -c | wc -l | tr -d ' ')" 15 \
    "a row for each method, map and metric"
for n in I II III; do like "$(cat made/tables.md)" "^Table $n\\." "table $n"; done
like "$(cat made/tables.md)" '^\| \*control-centre\* \| black \| 2 \|' "with the controls, of two pairs each"
cp made/summary.tsv first.tsv
runs 0 "once more" sh "$top/study/run.sh" lfw made
is "$(sed -n 's/study: \(.*\) pieces of work/\1/p' err)" 0 "nothing is made again"
rm made/shards/0001.d/xssab-grad.xfv
runs 0 "after a piece was lost" sh "$top/study/run.sh" lfw made
is "$(sed -n 's/study: \(.*\) pieces of work/\1/p' err)" 1 "only that is made again"
cmp -s made/summary.tsv first.tsv; ok $? "with the same numbers"
if command -v gnuplot >/dev/null; then
    [ -s made/similarity-deletion.svg ] && [ -s made/det.png ]; ok $? "plots"
else
    skip "plots" "no gnuplot here"
fi
# two networks: the second is the first with its last layer shuffled
mkdir nets
model-randomise -n 1 -m mobilefacenet -o nets/shuffled.xfvm
grep xssab methods >others
MODELS="mobilefacenet nets/shuffled.xfvm" OTHER_METHODS="$work/others" OTHER_PAIRS=2 sh "$top/study/run.sh" lfw made \
    2>err
is "$?" 0 "two networks"
is "$(sed -n 's/^| \([a-z]*\) | xssab | \([0-9]*\) |.*/\1 \2/p' made/tables.md | tr '\n' ' ')" \
    "mobilefacenet 4 shuffled 2 " "stand in one table"
cmp -s made/summary.tsv first.tsv; ok $? "and nothing of the first was made again"
# the evidence, on the same photographs: planted truth, patches, shuffled networks
printf 'control-truth\tp\t104\tcontrol-map --kind truth\ncontrol-face\tpdrt\t0\tcontrol-map --kind face\npath\tpdrb\t18\tcosine-grad\n' >judged
METHODS="$work/judged" runs 0 "the evidence" sh "$top/study/evidence.sh" lfw shown
is "$(sed -n 's/evidence: \(.*\) pieces of work/\1/p' err)" 16 \
    "two methods, each judged by seven sets of pairs, the ceiling and a trial"
is "$(grep -c '^| \*control-face\* | .* | .500 |' shown/tables.md)" 2 "a fixed picture has the rank of chance"
is "$(sed -n '/^### Planted truth, all cases/,/^| map/p' shown/tables.md | grep -o 'share of the ceiling' | wc -l |
    tr -d ' ')" 2 "shares of the ceiling"
like "$(sed -n '/^### Planted truth, all cases/,/^| \*\*/p' shown/tables.md)" '\| path \| [.0-9]+[^|]*\| -?[.0-9]+' \
    "of the path's"
like "$(sed -n '/^### PatchLFW/,/^###/p' shown/tables.md)" '^\| path \| ' "patches"
like "$(sed -n '/^### Last layers/,/^###/p' shown/tables.md)" '^\| \*control-face\* \| 1.000 \| 1.000' \
    "a fixed picture outlives the network"
for table in "$top"/docs/tables/evidence/[aclp]*.tsv "$top"/docs/tables/study/*.tsv; do
    is "$(head -qn 1 made/tables/"${table##*/}" shown/tables/"${table##*/}" 2>/dev/null)" "$(head -n 1 "$table")" \
        "docs/ has a table that the study makes: ${table##*/}"
done
like "$(sed -n '/^### Maps tried/,/^###/p' shown/tables.md)" '^\| \*control-face\* \| [0-9]+ % \([0-9]+ to [0-9]+[,)]' \
    "claims that stand on their own pairs"
like "$(cat shown/cost.tsv)" '^path	18	[0-9.]+$' "what it costs"
runs 0 "the evidence once more" env METHODS="$work/judged" sh "$top/study/evidence.sh" lfw shown
is "$(sed -n 's/evidence: \(.*\) pieces of work/\1/p' err)" 0 "nothing is made again"
grep -v '^control-face' judged | sed 's/pdrb/p/' >fewer
runs 0 "networks by name, regions by another seed, of which none moves the score" \
    env MODELS=mobilefacenet SEED=3 METHODS="$work/fewer" sh "$top/study/evidence.sh" lfw several
is "$(grep -c '^## mobilefacenet\|^### Planted truth, the score moved by .05 or more (0 and 0)' several/tables.md)" 2 \
    "all tables on one page"
runs 2 "make reproduce without a folder" make -C "$top" --no-print-directory reproduce B="$B" LFW=
export JOBS=1 # two at a time worked above
# a method of one's own
export BESIDE=control-face
QUICK=1 runs 0 "make judge's script" sh "$top/study/judge.sh" lfw own "$PYTHON $top/examples/half-face.py"
like "$(sed -n '/^### Planted truth, all cases/,/^###/p' out)" '^\| mine \| [.0-9]+' \
    "the method's row among the project's"
like "$(sed -n '/^### Maps tried/,/^###/p' out)" '^\| mine \| [0-9]+ % \([0-9]+ to [0-9]+[,)]' "its trials"
QUICK=1 runs 0 "once more" sh "$top/study/judge.sh" lfw own "$PYTHON $top/examples/half-face.py"
is "$(sed -n 's/evidence: \(.*\) pieces of work/\1/p' err)" 3 "only the method runs again"
QUICK=1 sh "$top/study/judge.sh" lfw own false >out 2>err; [ $? -ne 0 ]; ok $? "a method that fails is no table"
done_testing
