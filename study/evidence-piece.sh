#!/bin/sh
# One method and one test: evidence-piece.sh TEST NAME COMMAND, in the folder of study/evidence.sh. Makes TEST/NAME.xfv,
# whole or not at all, and
# TEST/NAME.seconds, the time that the method took: on the clock, and of processors.
set -eu
t=$1 name=$2
here=$(cd "$(dirname "$0")" && pwd)
model=
case $t in random-*) model="-m models/$t.xfvm" ;; esac
case $3 in control-*) model= ;; esac # they ask no network
# shellcheck disable=SC2086
sh "$here/timed.sh" "$t/$name.seconds" $3 $model -o "$t/$name.maps" "$t.xfv"
case $t in
dpr) delins --protocol dpr --tsv "$t/$name.maps" -o "$t/$name.tsv" ;;
trial)
    ablate -q --drop image --drop embedding "$t/$name.maps" -o "$t/$name.tried"
    mv "$t/$name.tried" "$t/$name.maps"
    ;;
natural)
    in=$t/$name.maps
    for fill in black blur partner; do
        delins --protocol lu2024 --blur 5 --fill $fill -o "$t/$name.$fill" "$in"
        rm "$in"
        in=$t/$name.$fill
    done
    xfv-select --drop maps --drop image --drop embedding "$in" -o "$t/$name.maps"
    rm "$in"
    ;;
esac
# Faces with several partners are known by their pixels.
case $t in dpr | natural | partners | trial) ;; *) xfv-select --drop image --drop embedding "$t/$name.maps" -o "$t/$name.small" && mv "$t/$name.small" "$t/$name.maps" ;; esac
mv "$t/$name.maps" "$t/$name.xfv"
