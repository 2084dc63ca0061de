#!/bin/sh
# Run the tests: every program in $B/unit (TAP on stdout) and every tests/cli/*.sh (TAP too; see tests/tap.sh). Arguments: names of tests to run
# (default: all). Closes with "N passed, N failed". A test that dies, prints no plan, or runs another number of checks than planned has failed.
# So has a run that leaves or changes a file in the checkout.
set -u
top=$(cd "$(dirname "$0")/.." && pwd)
B=${B:-build}
case $B in /*) ;; *) B=$top/$B ;; esac
export B top LC_ALL=C
export PATH="$B/bin:$PATH" XFV_MODEL_PATH="$top/models"
[ -n "${PYTHON:-}" ] || PYTHON=/usr/bin/python3
export PYTHON
export LSAN_OPTIONS="${LSAN_OPTIONS:-suppressions=$top/tests/static/lsan.supp:print_suppressions=0}" # for what is built with a sanitizer
export ASAN_OPTIONS="${ASAN_OPTIONS:-allocator_may_return_null=1:exitcode=99}"
wrap=${XFV_TEST_WRAP:-} # e.g. "valgrind -q --error-exitcode=99", put before unit tests
passed=0 failed=0 skipped=0
wanted() { [ $# -eq 1 ] && return 0; n=$1; shift; for w; do [ "$w" = "$n" ] && return 0; done; return 1; }
one() { # name command...
    name=$1; shift
    log=$(mktemp)
    "$@" >"$log" 2>"$log.err" </dev/null; rc=$?
    set -- $(awk '/^ok /{ if (/# skip/) s++; else p++ } /^not ok /{f++} /^1\.\.[0-9]+/{sub(/^1\.\./,""); sub(/ .*/,""); plan=$0} END{printf "%d %d %d %s", p, f, s, plan==""?"none":plan}' "$log")
    extra=0
    [ "$4" = none ] && extra=1
    [ "$4" != none ] && [ "$4" -ne $(($1 + $2 + $3)) ] && extra=1
    [ $rc -ne 0 ] && [ "$2" -eq 0 ] && extra=1
    passed=$((passed + $1)) failed=$((failed + $2 + extra)) skipped=$((skipped + $3))
    if [ $(($2 + extra)) -gt 0 ]; then
        echo "FAIL $name (status $rc, plan $4, ran $(($1 + $2 + $3)))"
        grep -A4 '^not ok' "$log" | head -40
        head -20 "$log.err"
    else
        echo "pass $name ($1)"
        grep '# skip' "$log" | sed 's/^/     /'
    fi
    rm -f "$log" "$log.err"
}
# What git sees of the tree: no test may change it. Empty where there is no git or no checkout.
tree() { git -C "$top" status --porcelain --untracked-files=all 2>/dev/null; }
before=$(tree)
for t in "$B"/unit/*; do
    case $t in *.d | *.o) continue ;; esac
    [ "$t" = "$B/unit/damaged" ] && [ -x "$B/san/unit/damaged" ] && [ -z "$wrap" ] && t=$B/san/unit/damaged # under ASan and UBSan
    [ -x "$t" ] && wanted "$(basename "$t")" "$@" && one "$(basename "$t")" $wrap "$t"
done
for t in "$top"/tests/cli/*.sh; do
    [ -e "$t" ] && wanted "$(basename "$t" .sh)" "$@" && one "$(basename "$t" .sh)" sh "$t"
done
if [ "$(tree)" != "$before" ]; then
    failed=$((failed + 1))
    echo "FAIL: the tests changed the source tree"
    { printf '%s\n' "$before"; tree; } | sort | uniq -u | sed 's/^/     /' | head -20
fi
if [ $skipped -gt 0 ]; then echo "$passed passed, $failed failed, $skipped skipped"; else echo "$passed passed, $failed failed"; fi
[ $failed -eq 0 ] && [ $passed -gt 0 ]
