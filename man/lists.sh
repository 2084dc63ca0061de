#!/bin/sh
# lists.sh [check]: make README.md's table of programs and xfv(7)'s lists of tools/programs.tsv, between their marks.
# With check nothing is written, and the
# status is 1 when they are not what the table says.
set -eu
cd "$(dirname "$0")/.."
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
rows() { grep -v '^#' tools/programs.tsv | grep -v '^xfv	'; }
{
    echo '| task | programs |'
    echo '|---|---|'
    rows | awk -F '\t' '{ if ($2 != task && task != "") print "| " task " | " line " |"; line = $2 == task ? line ", `" $1 "`" : "`" $1 "`"; task = $2 }
        END { print "| " task " | " line " |" }'
} >"$tmp/readme"
rows | awk -F '\t' '$2 != task { if (task != "") print ".El\n.Pp"; task = $2; print task ":\n.Bl -tag -width \"model-import(1)\" -compact" }
    { print ".It Xr " $1 " 1"; print $4 ($4 ~ /[.?]$/ ? "" : ".") } END { print ".El" }' >"$tmp/xfv7"
replace() { # file, list: what stands between the marks
    awk -v list="$2" \
        '/programs: made by man\/lists.sh/ { print; while ((getline line <list) > 0) print line; skip = 1 } /programs: end/ { skip = 0 } !skip' "$1" |
        awk '!/programs: made by man\/lists.sh/ || !seen++' >"$tmp/new"
    cmp -s "$1" "$tmp/new" && return 0
    [ "$mode" != check ] || { echo "$1: run sh man/lists.sh" >&2; status=1; return 0; }
    cat "$tmp/new" >"$1"
}
mode=${1:-write} status=0
replace README.md "$tmp/readme"
replace man/xfv.7 "$tmp/xfv7"
exit $status
