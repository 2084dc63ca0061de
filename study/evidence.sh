#!/bin/sh
# Do maps say something about the pair, and do they depend on the network? evidence.sh LFW OUT makes the tables of
# docs/evidence.md in OUT/tables.md and OUT/tables.
#
# LFW   folder with pairs.txt and images/NAME/NAME_0001.jpg
# OUT   folder for everything made; a run that was stopped goes on where it stood: what is there is not made again
#
# Pairs are of folds 3 and 4, whose people are in no other fold; the mean face that path-grad starts from is of folds 1
# and 2 (it lies in the model).
#
# Environment: CASES   pairs a sign with a planted truth, and a kind elsewhere (default 120)
#              MANY    pairs a sign that all of these are taken from, and photographs read for (default: the two folds')
#              JOBS    pieces worked on at a time, by GNU parallel when it is there (default: one a core)
#              TRIALS  pairs a sign on which each map is tried (default 60); all: the 400 pairs of trial.txt
#              SEED    of the regions that are planted (default 0)
#              METHODS what is judged, and by which tests (default: study/evidence.methods)
#              BLACKBOX 1: the methods of study/evidence-blackbox.methods as well, which take hours
# MODEL   a model, by name (looked for in XFV_MODEL_PATH) (default: the product's); it needs means (model-means)
#              MODELS  several of them, in quotes: each has a folder OUT/NAME; OUT/tables.md holds all tables
# The programs are taken from PATH.
set -eu
export LC_ALL=C
mkdir -p "$2"
LFW=$(cd "$1" && pwd) OUT=$(cd "$2" && pwd) here=$(cd "$(dirname "$0")" && pwd)
CASES=${CASES:-120} TRIALS=${TRIALS:-60} SEED=${SEED:-0} JOBS=${JOBS:-$(getconf _NPROCESSORS_ONLN)}
METHODS=${METHODS:-$here/evidence.methods} PYTHON=${PYTHON:-/usr/bin/python3} MODEL=${MODEL:-}
say() { echo "evidence: $*" >&2; }
network() { [ -z "$MODEL" ] || echo "-m $MODEL"; }
cd "$OUT"
if [ -n "${MODELS:-}" ]; then
    : >tables.md
    for m in $MODELS; do
        name=$(basename "$m" .xfvm)
        MODELS='' MODEL=$m sh "$here/evidence.sh" "$LFW" "$OUT/$name"
        { printf '## %s\n\n' "$name" && cat "$name/tables.md" && echo; } >>tables.md
    done
    exit
fi
images=$LFW/images; [ -d "$images" ] || images=$LFW

[ -s images.txt ] || $PYTHON "$here/evidence-pairs.py" "$LFW/pairs.txt" "$images" ${MANY:+"$MANY"}
if [ ! -s faces.xfv ]; then
    (cd "$images" && tr '\n' '\0' <"$OUT/images.txt" |
        facecrop $(network) -j "$JOBS" --face central --files0-from - 2>"$OUT/facecrop.log") | embed $(network) -j "$JOBS" -o faces.xfv || [ $? -eq 1 ]
fi

# The pairs of each test: OUT/TEST.xfv.
letters=$(cat "$METHODS" ${BLACKBOX:+"$here/evidence-blackbox.methods"} | grep -v '^#' | cut -f 2 | tr -d '\n')
asked() { # TEST: does a method want it?
    case $1 in
    planted) l=p ;; dpr) l=d ;; natural) l=f ;; trial) l=t ;; partners) l=b ;; few) return 0 ;; noise-*) l=n ;; random-*) l=r ;;
    esac
    case $letters in *$l*) ;; *) return 1 ;; esac
}
made() { # TEST COMMAND: its standard output becomes TEST.xfv, whole or not at all
    [ -s "$1.xfv" ] || ! asked "$1" && return
    say "pairs of $1"
    test=$1; shift
    "$@" >"$test.tmp" && mv "$test.tmp" "$test.xfv"
}
decide() { embed $(network) -j "$JOBS" | verify $(network); }
both() { # COMMAND: over genuine pairs, then over impostor pairs, CASES of each
    for label in genuine impostor; do
        verify -q $(network) --pairs $label.txt faces.xfv | "$@" | xfv-select --head "$CASES" | decide; done
}
made planted both plant --skip --keep-clean --seed "$SEED" --donors faces.xfv
made dpr both plant --skip --kind patches --seed "$SEED" --donors faces.xfv
made natural both cat
tried() { if [ "$TRIALS" = all ]; then verify -q $(network) --pairs trial.txt faces.xfv; else
    (CASES=$TRIALS && both cat); fi; }
made trial tried
[ ! -s partners.txt ] || made partners verify -q $(network) --pairs partners.txt faces.xfv
made few verify -q $(network) --pairs few.txt faces.xfv
for sigma in 4 8; do
    noisy() { plant --kind noise --sigma $sigma few.xfv | decide; }
    made noise-$sigma noisy
done
# The same crops, embedded and compared by a network whose last layers were shuffled, at the same threshold.
threshold=$([ ! -s few.xfv ] || xfv-json few.xfv | sed -n 's/.*"threshold":\([-0-9.e]*\).*/\1/p' | head -n 1)
mkdir -p models
for last in 1 3 6 12; do
    m=models/random-$last.xfvm
    # its own average face at the last map, which the shuffled network does not have
    if [ ! -s $m ] && asked random-$last; then
        model-randomise $(network) --last $last -o $m.tmp.xfvm
        xfv-select --head 500 faces.xfv | model-means -q -m $m.tmp.xfvm --layer cells -o $m 2>/dev/null ||
            cp $m.tmp.xfvm $m
        rm $m.tmp.xfvm
    fi
    shuffled() { xfv-select --drop embedding few.xfv | embed -m $m | verify -m $m -t "$threshold"; }
    made random-$last shuffled
done

# One line a piece of work: test, name, command.
cat "$METHODS" ${BLACKBOX:+"$here/evidence-blackbox.methods"} | grep -v '^#' | grep . >methods
tests() { # LETTERS: names of tests
    case $1 in *p*) echo planted ;; esac
    case $1 in *d*) echo dpr ;; esac
    case $1 in *f*) echo natural ;; esac
    case $1 in *t*) echo trial ;; esac
    case $1 in *b*) [ ! -s partners.xfv ] || echo partners ;; esac
    case $1 in *r*) printf '%s\n' few random-1 random-3 random-6 random-12 ;; esac
    case $1 in *n*) printf '%s\n' noise-4 noise-8 ;; esac
}
tab=$(printf '\t')
while IFS=$tab read -r name letters passes command; do
    for t in $(tests "$letters"); do
        mkdir -p "$t"
        [ -s "$t/$name.xfv" ] || printf '%s\t%s\t%s\n' "$t" "$name" "$command"
    done
done <methods >todo
say "$(wc -l <todo) pieces of work"
if command -v parallel >/dev/null && [ "$JOBS" -gt 1 ]; then
    parallel --will-cite -j "$JOBS" --colsep '\t' --halt now,fail=1 sh "$here/evidence-piece.sh" <todo
else
    while IFS=$tab read -r t name command; do sh "$here/evidence-piece.sh" "$t" "$name" "$command" </dev/null;
    done <todo
fi
$PYTHON "$here/evidence-report.py" >tables.md
$PYTHON "$here/tables.py" tables.md tables
say "see $OUT/tables.md"
