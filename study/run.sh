#!/bin/sh
# The study of Lu, Xu, Ebrahimi (arXiv 2403.04549) on LFW: run.sh LFW OUT
#
# LFW   folder with pairs.txt and images/NAME/NAME_0001.jpg (or NAME/NAME_0001.jpg)
# OUT   folder for everything made; a run that was stopped goes on where it stood: what is there is not made again
#
# Environment: PAIRS   number of pairs, half of them genuine, spread over all folds (default 600; 0: all)
#              SHARD   pairs of one piece of work (default 20)
#              JOBS    pieces worked on at a time, by GNU parallel when it is there (default: one a core)
#              METHODS programs and their options, a line each (default: study/methods)
# MODEL   a model, by name (looked for in XFV_MODEL_PATH) or by path (with a slash, or ending in .xfvm) (default: the
# product's)
#              CELLS   settings of delins, a line each (default: study/cells)
# MODELS  several models, for a table across networks: the first goes into OUT, with all METHODS; each other one into
# OUT/networks/NAME, with
#              OTHER_METHODS (default: study/methods.networks) on the first OTHER_PAIRS of the same pairs (default: all)
# The programs are taken from PATH.
set -eu
LFW=$1 OUT=$2
here=$(cd "$(dirname "$0")" && pwd)
PAIRS=${PAIRS:-600} SHARD=${SHARD:-20} JOBS=${JOBS:-$(getconf _NPROCESSORS_ONLN)} METHODS=${METHODS:-$here/methods} \
    CELLS=${CELLS:-$here/cells}
MODEL=${MODEL:-}
say() { echo "study: $*" >&2; }
name_of() { basename "$1" .xfvm; }

# Several networks: this program once for each, then the table across all.
if [ -n "${MODELS:-}" ]; then
    models=$MODELS first=${MODELS%% *}
    unset MODELS
    MODEL=$first sh "$0" "$LFW" "$OUT"
    for m in $models; do
        [ "$m" = "$first" ] && continue
        say "network $m"
        MODEL=$m PAIRS=${OTHER_PAIRS:-$PAIRS} METHODS=${OTHER_METHODS:-$here/methods.networks} sh "$0" "$LFW" \
            "$OUT/networks/$(name_of "$m")"
    done
    exec sh "$here/report.sh" "$OUT"
fi
# A stream names its model, and programs look for it by that name, which need not be the file's.
network=${MODEL:-mobilefacenet}
case $MODEL in
*/* | *.xfvm)
    network=$(name_of "$MODEL")
    mkdir -p "$OUT/models"
    name=$(model-info "$MODEL" | sed -n 's/^name *//p')
    ln -sf "$(cd "$(dirname "$MODEL")" && pwd)/$(basename "$MODEL")" "$OUT/models/$name.xfvm"
    XFV_MODEL_PATH=$(cd "$OUT/models" && pwd)${XFV_MODEL_PATH:+:$XFV_MODEL_PATH} MODEL=$name
    export XFV_MODEL_PATH
    ;;
esac
export LC_ALL=C MODEL CELLS
mkdir -p "$OUT/shards"
echo "$network" >"$OUT/model"
images=$LFW/images; [ -d "$images" ] || images=$LFW

# LFW's pairs in an order in which every piece has genuine and impostor pairs of all folds; what is left over is for the
# mean map.
if [ ! -s "$OUT/pairs.tsv" ]; then
    awk 'BEGIN { OFS = "\t" }
        NR == 1 { n = NF > 1 ? $2 : $1; next }
        NF == 3 { print ((k[1]++) % n), 1, int((NR - 2) / (2 * n)), sprintf("%s_%04d", $1, $2), sprintf("%s_%04d", $1, $3), "genuine" }
        NF == 4 { print ((k[0]++) % n), 0, int((NR - 2) / (2 * n)), sprintf("%s_%04d", $1, $2), sprintf("%s_%04d", $3, $4), "impostor" }' "$LFW/pairs.txt" |
        sort -s -k1,1n -k3,3n -k2,2nr | cut -f4-6 >"$OUT/order.tsv"
    { if [ "$PAIRS" -gt 0 ]; then head -n "$PAIRS"; else cat; fi; } <"$OUT/order.tsv" >"$OUT/pairs.tsv.tmp"
    if [ "$PAIRS" -gt 0 ]; then tail -n +$((PAIRS + 1)); else cat;
    fi <"$OUT/order.tsv" | head -n "$SHARD" >"$OUT/rest.tsv"
    [ -s "$OUT/rest.tsv" ] || head -n "$SHARD" "$OUT/order.tsv" >"$OUT/rest.tsv"
    mv "$OUT/pairs.tsv.tmp" "$OUT/pairs.tsv"
fi
say "$(wc -l <"$OUT/pairs.tsv") pairs"

# Faces: the one nearest the middle of each image, embedded. An image without a face becomes an err record, and its
# pairs are missing.
if [ ! -s "$OUT/faces.xfv" ]; then
    cat "$OUT/pairs.tsv" "$OUT/rest.tsv" | cut -f1,2 | tr '\t' '\n' | sort -u | while read -r id; do
        printf '%s/%s/%s.jpg\0' "$images" "${id%_*}" "$id"; done >"$OUT/images.list"
    facecrop -j "$JOBS" ${MODEL:+-m "$MODEL"} --face central --files0-from "$OUT/images.list" -o "$OUT/crops.xfv" \
        2>"$OUT/facecrop.log" || [ $? -eq 1 ]
    embed -j "$JOBS" ${MODEL:+-m "$MODEL"} -o "$OUT/faces.xfv" "$OUT/crops.xfv" || [ $? -eq 1 ]
    rm "$OUT/crops.xfv"
fi

# The decision threshold: that of the equal error rate on these pairs.
if [ ! -s "$OUT/threshold" ]; then
    verify -v -t 0 --pairs "$OUT/pairs.tsv" --tsv --header -o "$OUT/scores.tsv" "$OUT/faces.xfv" 2>"$OUT/verify.log" ||
        [ $? -eq 1 ]
    sed -n 's/.*equal error rate .* at threshold //p' "$OUT/verify.log" | grep . >"$OUT/threshold"
fi
threshold=$(cat "$OUT/threshold")
say "threshold $threshold"

# Pairs in pieces.
if [ ! -e "$OUT/shards/done" ]; then
    split -l "$SHARD" -a 4 -d "$OUT/pairs.tsv" "$OUT/shards/"
    for s in "$OUT"/shards/[0-9][0-9][0-9][0-9]; do
        mkdir -p "$s.d"
        verify --pairs "$s" -t "$threshold" -o "$s.d/pairs.xfv" "$OUT/faces.xfv" 2>>"$OUT/verify.log" || [ $? -eq 1 ]
        rm "$s"
    done
    : >"$OUT/shards/done"
fi
# For control-map --kind mean: FGGB's maps of pairs that are not in the study.
if [ ! -s "$OUT/mean.xfv" ] && grep -q -- '--kind mean' "$METHODS"; then
    verify --pairs "$OUT/rest.tsv" -t "$threshold" "$OUT/faces.xfv" 2>>"$OUT/verify.log" |
        fggb-grad -j "$JOBS" -o "$OUT/mean.xfv" || [ $? -eq 1 ]
fi

# One line a piece of work: the pairs, the curves to make, the method with its options.
MEAN=$OUT/mean.xfv
export MEAN
grep -v '^#' "$METHODS" | grep . >"$OUT/methods"
for s in "$OUT"/shards/*.d; do
    n=0
    while read -r method; do
        n=$((n + 1))
        name=$(echo "$method" | tr -cs 'a-z0-9\n' '-' | sed 's/-*$//')
        [ -s "$s/$name.xfv" ] || printf '%s\t%s\t%s\n' "$s" "$name" "$method"
    done <"$OUT/methods"
done >"$OUT/todo"
say "$(wc -l <"$OUT/todo") pieces of work"
date +%s >>"$OUT/started"
if command -v parallel >/dev/null && [ "$JOBS" -gt 1 ]; then
    parallel --will-cite -j "$JOBS" --colsep '\t' --halt now,fail=1 sh "$here/piece.sh" <"$OUT/todo"
else
    tab=$(printf '\t')
    while IFS="$tab" read -r s name method; do sh "$here/piece.sh" "$s" "$name" "$method" </dev/null; done <"$OUT/todo"
fi
sh "$here/report.sh" "$OUT"
