# The commands of models/README.md that bring networks of others, on files of the same forms (tests/onnx/published.py).
. "$top/tests/tap.sh"
"$PYTHON" "$top/tests/onnx/published.py" .
ok $? "networks are made"
sed -n '/^## Networks of others/,/^## /p' "$top/models/README.md" | grep '^    model-import ' >commands
[ "$(wc -l <commands)" -ge 7 ]
ok $? "the page has commands"
while read -r line; do
    case $line in *model.json*) pkg-config --exists jansson || continue ;; esac
    name=$(echo "$line" | sed 's/.*-o \([^ ]*\)\.xfvm.*/\1/')
    runs 0 "$name" sh -c "$line" || cat err
    facecrop -q -m "./$name.xfvm" "$top/tests/photos/anna-1.jpg" "$top/tests/photos/bella.jpg" |
        embed -q -m "./$name.xfvm" |
        verify -q -m "./$name.xfvm" -t 0.5 | fggb-grad -q --channels 4 -m "./$name.xfvm" >"$name.xfv"
    ok $? "$name: a pair is compared and explained"
done <commands
done_testing
