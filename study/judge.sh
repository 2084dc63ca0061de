#!/bin/sh
# A method of one's own through all that the project measures, beside four of the project's and two controls: judge.sh
# LFW OUT COMMAND.
#
# COMMAND  a stage that reads pairs on standard input and adds a map to each; the name of its maps is its own affair
# OUT      the project's methods are made there once; from then on only COMMAND runs
#
# Environment: QUICK=1  planted truth, trials and Deletion on 8 pairs a sign (two minutes); else all tests on CASES
# pairs a sign (default 30)
#              BESIDE  the methods of study/evidence.methods that it is judged beside
#
# OUT keeps the commit that made the project's rows: where another one is judged, a line under the tables names both.
set -eu
[ $# -eq 3 ] || { echo "judge.sh LFW OUT COMMAND" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$2"
OUT=$(cd "$2" && pwd)
tests=pdftbrn CASES=${CASES:-30}
if [ -n "${QUICK:-}" ]; then
    tests=ptf CASES=8 TRIALS=8 MANY=40
    export TRIALS MANY
fi
OUT=$OUT/$CASES-$tests
mkdir -p "$OUT"
commit=$(git -C "$here" describe --always --dirty 2>/dev/null || facecrop --version)
[ -s "$OUT/commit" ] || echo "$commit" >"$OUT/commit"
rm -f "$OUT"/*/mine.* # the command may have changed, whatever its name
tab=$(printf '\t')
{
    echo "control-truth${tab}p${tab}104${tab}control-map --kind truth"
    for name in ${BESIDE:-control-random control-face gradcam path-grad path-half fggb}; do
        sed -n "s/^\($name\)$tab[a-z]*$tab/\1$tab$tests$tab/p" "$here/evidence.methods"
    done
    printf 'mine\t%s\t0\tsh %s/own.sh\n' "$tests" "$here"
} >"$OUT/judged"
start=$(date +%s) METHOD=$3
METHOD_FROM=$PWD
export METHOD METHOD_FROM
METHODS=$OUT/judged CASES=$CASES sh "$here/evidence.sh" "$1" "$OUT"
kept=$(cat "$OUT/commit")
[ "$kept" = "$commit" ] ||
    echo "The project's rows were made by commit $kept, this one is $commit: remove $OUT to make them anew." |
        tee -a "$OUT/tables.md" >&2
echo "judge: $(($(date +%s) - start)) s; pairs a sign: $CASES; the tables are in $OUT/tables.md" >&2
cat "$OUT/tables.md"
