#!/bin/sh
# One method on one piece: piece.sh SHARD NAME "PROGRAM OPTIONS". Makes SHARD/NAME.xfv, pairs with curves but without maps and images, whole or not at all;
# and SHARD/NAME.seconds, the time that the method took: on the clock, and of processors.
set -eu
s=$1 name=$2 method=$3
# $method and $MEAN are the study's own words, to be split.
eval "set -- $method"
start=$(date +%s.%N)
"$@" -o "$s/$name.maps" "$s/pairs.xfv"
end=$(date +%s.%N)
# The shell's times: its own, then those of the programs that it waited for, as 1m2.5s.
times >"$s/$name.times"
sed -n 2p "$s/$name.times" | awk -v start="$start" -v end="$end" '{ for (i = 1; i <= 2; i++) { split($i, t, "[ms]"); cpu += 60 * t[1] + t[2] } printf "%.2f\t%.2f\n", end - start, cpu }' \
    >"$s/$name.seconds"
grep -v '^#' "$CELLS" | grep . >"$s/$name.cells"
last=$(wc -l <"$s/$name.cells") in=$s/$name.maps n=0
while read -r cell; do
    n=$((n + 1))
    drop="--drop maps --drop image --drop embedding"
    [ "$n" -eq "$last" ] || drop=
    # shellcheck disable=SC2086
    delins $cell $drop -o "$s/$name.$n.tmp" "$in" </dev/null
    rm "$in"
    in=$s/$name.$n.tmp
done <"$s/$name.cells"
mv "$in" "$s/$name.xfv"
rm "$s/$name.cells" "$s/$name.times"
