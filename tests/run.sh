#!/bin/sh
# Run the tests: every program in $B/unit (TAP on stdout) and every tests/cli/*.sh (TAP too; see tests/tap.sh).
# Arguments: names of tests to run (default: all). Closes with "N passed, N failed". A test that dies, prints no plan,
# or runs another number of checks than planned has failed. So has a run that leaves or changes a file in the checkout.
# XFV_TEST_JOBS tests run at a time (default: as many as there are processors). Each line tells the checks that passed
# and the processor seconds of the test and of all that it ran, which a busy machine changes less than the clock; a line
# before the last has their sum.
set -u
top=$(cd "$(dirname "$0")/.." && pwd)
B=${B:-build}
case $B in /*) ;; *) B=$top/$B ;; esac
export B top LC_ALL=C
export PATH="$B/bin:$PATH" XFV_MODEL_PATH="$top/models"
[ -n "${PYTHON:-}" ] || PYTHON=/usr/bin/python3
export PYTHON PYTHONPATH="$top/python${PYTHONPATH:+:$PYTHONPATH}" PYTHONDONTWRITEBYTECODE=1
# for what is built with a sanitizer
export LSAN_OPTIONS="${LSAN_OPTIONS:-suppressions=$top/tests/static/lsan.supp:print_suppressions=0}"
export ASAN_OPTIONS="${ASAN_OPTIONS:-allocator_may_return_null=1:exitcode=99}"
wrap=${XFV_TEST_WRAP:-} # e.g. "valgrind -q --error-exitcode=99", put before unit tests
# the longest, so that none of them runs alone at the end
first=" study examples rivals lost torch robust heatmap memory docs readme facecrop fggb-dial "
alone=" hosts limits sandbox " # they measure time, or would disturb the others: one by one, at the end

# run FOLDER KIND/NAME: the test's outputs, status and seconds into FOLDER; the name on stdout when it is done
run() {
    log=$1/${2%/*}-${2#*/}
    case $2 in
    unit/*)
        t=$B/$2
        # under ASan and UBSan
        [ "$2" = unit/damaged ] && [ -x "$B/san/unit/damaged" ] && [ -z "$wrap" ] && t=$B/san/unit/damaged
        $wrap "$t" >"$log" 2>"$log.err" </dev/null
        ;;
    *) sh "$top/tests/$2.sh" >"$log" 2>"$log.err" </dev/null ;;
    esac
    { echo $?; times; } >"$log.tmp" && mv "$log.tmp" "$log.rc"
    echo "$2"
}
if [ "${1:-}" = --one ]; then
    run "$2" "$3"
    exit 0
fi

# spent: the processor seconds of what the shells have waited for whose status and times are on stdin
spent() {
    awk 'NF == 2 && ++n % 2 == 0 { gsub(/[ms]/, " "); $0 = $0; sum += ($1 + $3) * 60 + $2 + $4 } END { printf "%.1f\n", sum }'; }

passed=0 failed=0 skipped=0
tell() { # FOLDER KIND/NAME
    name=${2#*/} log=$1/${2%/*}-${2#*/}
    read -r rc <"$log.rc"
    seconds=$(spent <"$log.rc")
    set -- $(awk \
        '/^ok /{ if (/# skip/) s++; else p++ } /^not ok /{f++} /^1\.\.[0-9]+/{sub(/^1\.\./,""); sub(/ .*/,""); plan=$0} END{printf "%d %d %d %s", p, f, s, plan==""?"none":plan}' "$log")
    extra=0
    [ "$4" = none ] && extra=1
    [ "$4" != none ] && [ "$4" -ne $(($1 + $2 + $3)) ] && extra=1
    [ "$rc" -ne 0 ] && [ "$2" -eq 0 ] && extra=1
    passed=$((passed + $1)) failed=$((failed + $2 + extra)) skipped=$((skipped + $3))
    if [ $(($2 + extra)) -gt 0 ]; then
        echo "FAIL $name (status $rc, plan $4, ran $(($1 + $2 + $3)), $seconds s)"
        grep -A4 '^not ok' "$log" | head -40
        head -20 "$log.err"
    else
        echo "pass $name ($1, $seconds s)"
        grep '# skip' "$log" | sed 's/^/     /'
    fi
}

# What git sees of the tree: no test may change it. Empty where there is no git or no checkout.
tree() { git -C "$top" status --porcelain --untracked-files=all 2>/dev/null; }
before=$(tree)

wanted() { [ $# -eq 1 ] && return 0; n=$1; shift; for w; do [ "$w" = "$n" ] && return 0; done; return 1; }
long= together= last=
add() {
    case $first in *" ${1#*/} "*) long="$long $1"; return ;; esac
    case $alone in *" ${1#*/} "*) last="$last $1" ;; *) together="$together $1" ;; esac
}
for t in "$B"/unit/*; do
    case $t in *.d | *.o) continue ;; esac
    [ -x "$t" ] && wanted "${t##*/}" "$@" && add "unit/${t##*/}"
done
for t in "$top"/tests/cli/*.sh; do
    name=${t##*/}
    [ -e "$t" ] && wanted "${name%.sh}" "$@" && add "cli/${name%.sh}"
done
together="$long $together"
for w; do
    case "$together $last " in *"/$w "*) ;; *) echo "$0: no test '$w' in $B/unit (make builds them) or tests/cli" >&2; exit 2 ;; esac
done

logs=$(mktemp -d) || exit 1
trap 'rm -rf "$logs"' EXIT
trap 'exit 130' INT TERM
jobs=${XFV_TEST_JOBS:-$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)}
each() { [ -z "$2" ] || printf '%s\n' $2 | xargs -r -P "$1" -n 1 sh "$top/tests/run.sh" --one "$logs"; }
{ each "$jobs" "$together"; each 1 "$last"; } | {
    # A test's line comes when all before it have been told.
    set -- $together $last
    while read -r _; do
        while [ $# -gt 0 ] && [ -e "$logs/${1%/*}-${1#*/}.rc" ]; do tell "$logs" "$1"; shift; done
    done
    if [ "$(tree)" != "$before" ]; then
        failed=$((failed + 1))
        echo "FAIL: the tests changed the source tree"
        { printf '%s\n' "$before"; tree; } | sort | uniq -u | sed 's/^/     /' | head -20
    fi
    [ $# -eq 0 ] || { echo "FAIL $*: not run to the end"; failed=$((failed + $#)); }
    echo "$(cat "$logs"/*.rc | spent) processor seconds"
    if [ $skipped -gt 0 ]; then echo "$passed passed, $failed failed, $skipped skipped"; else
        echo "$passed passed, $failed failed"; fi
    [ $failed -eq 0 ] && [ $passed -gt 0 ]
}
