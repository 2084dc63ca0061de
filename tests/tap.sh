# Test Anything Protocol for tests/cli: source it, call the checks (is, like and runs fail where the check does), end
# with `done_testing`. Every test runs in an empty folder, removed when all passed and kept (its name printed) when not.
# $top is the project, $B the build folder; the programs are on PATH. `runs` writes the command in front of its
# description, and the checks after it write that command behind theirs, which go on from there ("is called one", "and
# says so"): a line that fails tells who did what.
set -u
: "${top:?run through tests/run.sh}"
tap_n=0 tap_bad=0
work=$(mktemp -d) && cd "$work" || exit 1
tap_ran=
tap_line() { # status description
    tap_n=$((tap_n + 1))
    if [ "$1" -eq 0 ]; then echo "ok $tap_n - $2"; else echo "not ok $tap_n - $2"; tap_bad=$((tap_bad + 1)); fi
}
ok() { tap_line "$1" "$2${tap_ran:+ [$tap_ran]}"; } # status description
# is GOT WANTED DESCRIPTION
is() { if [ "$1" = "$2" ]; then ok 0 "$3"; else ok 1 "$3"; echo "#   got:    $1" | head -5;
echo "#   wanted: $2" | head -5; return 1; fi; }
# like TEXT GREP-ERE DESCRIPTION
like() { if printf '%s\n' "$1" | grep -qE -- "$2"; then ok 0 "$3"; else ok 1 "$3"; echo "#   got:    $1" | head -5;
echo "#   wanted: /$2/"; return 1; fi; }
# runs STATUS DESCRIPTION COMMAND...: run it; stdout goes to out, stderr to err; the status must be STATUS
runs() {
    want=$1 what=$2
    shift 2
    "$@" >out 2>err
    got=$? tap_ran=$(printf '%.90s' "$*" | head -n 1)
    if [ $got -eq "$want" ]; then tap_line 0 "$tap_ran, status $want: $what"; return 0; fi
    tap_line 1 "$tap_ran, status $got, wanted $want: $what"
    sed 's/^/#   /' err | head -5
    return 1
}
skip() { tap_n=$((tap_n + 1)); echo "ok $tap_n - $1 # skip $2"; }
done_testing() { echo "1..$tap_n"; cd /; if [ $tap_bad -eq 0 ]; then rm -rf "$work"; else echo "# kept $work"; exit 1;
fi; }
