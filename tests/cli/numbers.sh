# Numbers at their edges: constant and identical images, weights and embeddings of NaN, infinity, nothing, very much and
# very little, scores that equal their threshold. Each gives a defined result or an error that names it, and no record
# that is written holds a number which is none.
. "$top/tests/tap.sh"
export PYTHONPATH="$top/tests" XFV_MODEL_PATH="$work"
numbers="$top/tests/edge_numbers.py"
runs 0 "Python makes networks, faces, maps and scores" "$PYTHON" "$numbers"
told() { "$PYTHON" "$top/tests/finite.py" "$1" 2>&1; }
wild() { told "$1" | grep -c 'not finite:'; }

for m in nan inf; do
    runs 5 "a model with a weight of $m: status 5" embed -m $m faces.xfv
    like "$(cat err)" "weight '[a-z0-9]*' holds a number that is not finite" "which names the weight"
done
runs 1 "embeddings that overflow: status 1" embed -q -m huge -o huge.xfv faces.xfv
is "$(told huge.xfv | grep -c '^err .*: the network gives a number that is not finite for this image')-$(told huge.xfv |
    grep -c 'finite$')-$(wild huge.xfv)" 13-3-0 "an err record each, but for grey images, which hardly move"
for m in tiny large small faint subnormal dust zero; do
    runs 0 "embed: $m" embed -q -m $m -o e-$m.xfv faces.xfv
    is "$(wild e-$m.xfv)" 0 "finite"
    verify -q -m $m -o p-$m.xfv e-$m.xfv
done
said="0.1513 reject;1 accept;1 accept;0.52 accept;1 accept;-0.1457 reject;1 accept;0.02752 reject;"
scores() { told "$1" | sed 's/.*: //' | awk '{printf "%.4g %s;", $1, $2}'; }
for m in tiny large small faint; do
    is "$(scores p-$m.xfv)" "$said" "verify, $m: the size of an embedding does not matter"; done
is "$(told p-zero.xfv | grep -c 'err .*: an embedding is all zero: it has no direction to compare')" 8 \
    "verify, zero: no direction, no pair"
is "$(told p-subnormal.xfv | grep -c 'err .*: an embedding is all zero: it has no direction to compare')" 8 \
    "verify, weights below the smallest normal number: a network takes them for zero"

runs 1 "verify: vectors" verify -q -m tiny -o v.xfv vectors.xfv
is "$(told v.xfv | sed 's/^\([a-z]*\) [^:]*: /\1 /; s/pair //' | tr '\n' ';')" \
    "1 accept;-1 reject;0.707107 accept;0.707107 accept;0.707107 accept;err an embedding is all zero: it has no direction to compare;err an embedding is all zero: it has no direction to compare;err an embedding is all zero: it has no direction to compare;err an embedding holds a number that is not finite;err an embedding holds a number that is not finite;0.6 accept;" \
    "the same, opposite, huge, denormal, both; zero, NaN and infinity by name"
for t in 0.6 0.6000000000000001; do verify -q -m tiny -t $t --tsv vectors.xfv | tail -n 1 | cut -f 5; done >out
is "$(tr '\n' ' ' <out)" "accept reject " "a score equal to its threshold is accepted, one below it is not"
for t in nan inf -inf 1e400 ''; do
    runs 2 "verify --threshold '$t': status 2" verify -m tiny --threshold "$t" vectors.xfv; done

while read -r m x; do
    $x -o x.xfv p-$m.xfv 2>err
    status=$?
    told x.xfv >told
    [ $status -le 1 ] && [ "$(wc -l <told)" -eq 8 ] && ! grep -q 'not finite:' told &&
        [ "$(grep -c '^err' told)" -eq "$(wc -l <err)" ]
    ok $? "$x, $m: eight records, all finite or an error of its own"
done <<'LIST'
tiny fggb-grad
tiny fggb-grad --embedding raw
tiny fggb-grad --channels 2
tiny fggb-grad --tolerance .2
tiny path-grad --baseline blur
tiny path-grad --baseline partner --kind cells --combine cosine
tiny xssab-grad
tiny cosine-grad
tiny gradcam
tiny fame
tiny corrrise --size 4 --masks 50
tiny xface --sizes 3,5
tiny minplus --fast
tiny lime --segments 9 --samples 50
tiny control-map
large fggb-grad
large path-grad --baseline blur
large xssab-grad
large gradcam
small fggb-grad
small path-grad --baseline blur
faint fggb-grad
faint fggb-grad --embedding raw
faint path-grad --baseline blur
faint path-grad --baseline blur --kind cells
faint xssab-grad
faint cosine-grad
faint gradcam
faint fame
faint minplus --fast
dust fggb-grad
dust path-grad --baseline blur
LIST

# what reads maps: three of six are not finite
cat >records <<'LIST'
delins -m tiny
delins -m tiny --fill mean --blur 2 --ties random
regions
LIST
while read -r x; do
    $x -o x.xfv maps.xfv 2>err
    is "$?-$(wc -l <err)-$(told x.xfv | grep -c 'accept$')" 1-3-3 \
        "$x: an error for each map that is not finite, results for huge, denormal and zero ones"
done <records
while read -r x; do
    $x maps.xfv >out 2>err
    is "$?-$(grep -cE 'not finite|NaN or infinity' err)" 1-3 "$x: the same"
done <<'LIST'
delins -m tiny --tsv
regions --tsv
explain-score
heatmap --layout maps -s 1 -b 2 -o m-%d.png
heatmap --layout overlay -s 1 -b 0 -o o-%d.png
report -o report.html
LIST
explain-score maps.xfv >out 2>/dev/null; regions --tsv maps.xfv >>out 2>/dev/null;
delins -q -m tiny --tsv maps.xfv >>out 2>/dev/null
is "$(grep -ciw -e nan -e inf -e '-nan' out)" 0 "and no table shows a nan"

for s in equal extreme nan inf; do
    roc -q -o roc.tsv scores-$s.xfv
    status=$?
    is "$status-$(grep -ciw -e nan -e inf -e '-nan' roc.tsv)" \
        "$(case $s in nan | inf) echo 1-0 ;; *) echo 0-0 ;; esac)" "roc: scores, $s: a table of numbers"
    calibrate -q -m tiny -o c.xfvm scores-$s.xfv
    is "$?" "$(case $s in nan | inf) echo 1 ;; *) echo 0 ;; esac)" "calibrate: the same"
    runs 0 "and its model is one" model-info ./c.xfvm
    rm -f c.xfvm roc.tsv
done
like "$(calibrate -q -m tiny -o c.xfvm scores-equal.xfv; model-info ./c.xfvm)" "eer: 0.5, FMR 1 .*FNMR 0 " \
    "calibrate: all scores equal the threshold: all are accepted"
for s in genuine impostor one none; do
    runs 2 "roc: pairs of one kind or none: status 2 ($s)" roc scores-$s.xfv
    runs 2 "calibrate: the same" calibrate -m tiny -o c2.xfvm scores-$s.xfv
done
done_testing
