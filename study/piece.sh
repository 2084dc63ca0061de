#!/bin/sh
# One method on one piece: piece.sh SHARD NAME "PROGRAM OPTIONS". Makes SHARD/NAME.xfv, pairs with curves but without
# maps and images, whole or not at all;
# and SHARD/NAME.seconds, the time that the method took: on the clock, and of processors.
set -eu
s=$1 name=$2 method=$3
# $method and $MEAN are the study's own words, to be split.
eval "set -- $method"
sh "$(dirname "$0")/timed.sh" "$s/$name.seconds" "$@" -o "$s/$name.maps" "$s/pairs.xfv"
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
rm "$s/$name.cells"
