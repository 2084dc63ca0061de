# xfv: the list of programs, which their pages make, and what else is made of that list.
. "$top/tests/tap.sh"
table=$B/gen/programs.tsv
runs 0 "xfv alone" xfv
cp out list
for path in "$top"/tools/*.c "$top"/tools/*.sh; do
    p=$(basename "${path%.*}")
    is "$(grep -c "^$p	" "$table")" 1 "$p has one row, by its page"
    [ "$p" = xfv ] || like "$(cat list)" "^  $p +[a-z]" "xfv lists $p with a line"
done
is "$(awk -F '\t' 'NF != 4 || $4 ~ /[.]$/' "$table" | wc -l | tr -d ' ')" 0 \
    "four fields a row, and no point at the end"
is "$(cut -f 1 "$table" | while read -r p; do [ -x "$B/bin/$p" ] || echo "$p"; done)" "" \
    "every row is a program"
runs 0 "README.md and xfv(7) are what the pages say" sh "$top/man/lists.sh" check
methods=$(awk -F '\t' '$3 != "-" { print $3 }' "$table")
for m in $methods; do like "$(xfv-explain --help)" "[[ ]$m[] ]" "xfv-explain --help names $m";
xfv-explain --dry-run --method "$m" a b >out 2>err; ok $? "xfv-explain --method $m"; done
grep -l 'xfv_explainer_main' "$top"/tools/*.c | while read -r f; do
    grep -q "^$(basename "${f%.c}")	[^	]*	[a-z]" "$table" || basename "$f"
done >missing
is "$(cat missing)" "" "every explainer has a short name"

runs 0 "xfv NAME runs it" xfv facecrop "$top/tests/photos/anna-1.jpg"
facecrop "$top/tests/photos/anna-1.jpg" | cmp -s - out; ok $? "with its arguments, to the same bytes"
runs 0 "without the prefix" xfv select --version
like "$(head -1 out)" '^xfv-select ' "it is xfv-select"
runs 2 "another program's status" xfv verify --nonsense
like "$(cat err)" "^verify: .*--nonsense" "and its words"
runs 2 "no such program" xfv nosuch
like "$(cat err)" "there is no program 'nosuch'" "is named"
runs 2 "a program of another project" xfv ls
runs 2 "a way out of the folder" xfv ../../bin/sh -c true
runs 2 "help without a name" xfv help
if command -v man >/dev/null; then
    MANPAGER=cat MANWIDTH=80 xfv help verify >page 2>err
    like "$(cat page)" '^ *verify .* pairs?|VERIFY\(1\)' "xfv help NAME opens the page"
else
    skip "xfv help NAME opens the page" "man is not installed"
fi
done_testing
