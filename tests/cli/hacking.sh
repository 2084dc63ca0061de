# HACKING.md: short, and its recipes list the files that the last addition of each kind touched.
. "$top/tests/tap.sh"
cd "$top" || exit 1
page=HACKING.md
ok "$(($(wc -w <$page) > 1200))" "at most 1,200 words"
section() { awk -v h="### $1" '$0 == h { on = 1; next } /^#/ { on = 0 } on' $page; }
listed() { section "$1" | sed -n 's/^- `\(.*\)`$/\1/p' | sort; }
last() { section "$1" | tr '\n' ' ' | sed -n 's/.*The last one is `\([^`]*\)`.*/\1/p'; }
# touched WORD FILE...: of the code, those that hold a word that begins so, in any case
touched() { word=$1; shift; grep -rliIE -- "(^|[^a-z])$word" "$@" | sort; }
for kind in "A method" "An ONNX operator" "An image format" "A program" "A record key"; do
    [ -n "$(last "$kind")" ] && [ -n "$(listed "$kind")" ]; ok $? "$kind: a last one, and its files"
    for f in $(listed "$kind"); do [ -e "$f" ]; ok $? "$kind: $f is there"; done
done
is "$(touched "$(last 'A method')" libcommon tools Makefile "man/$(last 'A method').1")" "$(listed 'A method')" \
    "a method: these files and no others"
is "$(touched "$(last 'An ONNX operator')" libcommon tools Makefile)" "$(listed 'An ONNX operator')" \
    "an operator: these files and no others"
word=$(last 'An image format')
is "$(grep -rlE "xfv_decode_$word|READ\($word,|\"$word\"|lib$word" libcommon tools Makefile debian/control | sort)" "$(listed 'An image format')" \
    "a format: these files and no others"
is "$(listed 'A program' | grep -vc "$(last 'A program')")" 0 "a program: its own files and no others"
word=$(last 'A record key')
is "$({ grep -rl "\"$word\"" libcommon tools; grep -l "^\.It Li $word$" man/xfv-stream.5; } | sort)" \
    "$(listed 'A record key')" "a record key: these files and no others"
# With the history at hand: the last ones are the last ones.
newest() { git log --diff-filter=A --format= --name-only -- "$@" 2>/dev/null; }
if [ -n "$(git rev-parse --git-dir 2>/dev/null)" ] && [ -n "$(newest tools/xface.c)" ]; then
    is "$(newest 'tools/*.c' | while read -r f; do [ -e "$f" ] && ! grep -q xfv_explainer_main "$f" &&
        basename "$f" .c && break; done)" "$(last 'A program')" "no program is newer"
    is "$(newest 'tools/*.c' | while read -r f; do [ -e "$f" ] && grep -q xfv_explainer_main "$f" && basename "$f" .c &&
        break; done)" "$(last 'A method')" "no method is newer"
else
    skip "no program or method is newer" "the history is not here"
fi
# The pipelines that compare two builds cover every program.
for program in $(cut -f 1 "$B/gen/programs.tsv"); do
    grep -qE "(^|[ |({!])$program( |\\)|;|\$)" tests/same-bytes.sh; ok $? "tests/same-bytes.sh runs $program"
done
# Rooms: the page's row is that of the test of includes.
is "$(sed -n '/^| room /,/^$/s/^| \([a-z][a-z/, ]*\) |.*/\1/p' $page | grep -v '^room$' | tr -d ',' | tr '\n' ' ' |
    sed 's/ $//')" "$(sed -n 's/^rooms="\(.*\)"/\1/p' tests/static/includes.sh)" \
    "the rooms, in their order"
is "$(awk 'length > 120' $page | wc -l | tr -d ' ')" 0 "its lines are short enough to read"
done_testing
