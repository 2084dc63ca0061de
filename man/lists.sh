#!/bin/sh
# lists.sh [check | table]: write README.md's table of programs and xfv(7)'s lists, between their marks, from the pages
# of the programs. With check write nothing: the status is 1 where they are old. With table print a line for each
# program: program, task, the method's short name for xfv-explain (-: none), what it does. `.\" xfv: 2.5 gradcam` in a
# page, after its .Nd: this is the fifth program of the second task here, and xfv-explain calls it gradcam.
set -eu
cd "$(dirname "$0")/.."
tasks='Decide:Explain with gradients:Explain with scores only:Control:Look:Measure decisions'
tasks=$tasks':Measure explanations:Handle streams:Handle models'
table() {
    awk -v tasks="$tasks" 'BEGIN { split(tasks, task, ":"); task[0] = "Begin" }
        /^\.Nm / && !named[FILENAME]++ { name = $2 }
        /^\.Nd / && !said[FILENAME]++ { what = substr($0, 5) }
        /^\.\\" xfv: / { split($3, at, ".")
            printf "%d\t%d\t%s\t%s\t%s\t%s\n", at[1], at[2], name, task[at[1] + 0], (NF > 3 ? $4 : "-"), what }' man/*.1 |
        sort -n -k 1,1 -k 2,2 | cut -f 3-
}
mode=${1:-write} status=0
[ "$mode" != table ] || { table; exit; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
rows() { table | grep -v '^xfv	'; }
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
replace README.md "$tmp/readme"
replace man/xfv.7 "$tmp/xfv7"
exit $status
