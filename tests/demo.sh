#!/bin/sh
# make demo: two photographs, the decision, and the picture that explains it. Run from the project's folder.
set -eu
B=${B:-build}
PATH="$B/bin:$PATH"
export PATH
photos=tests/photos
one="facecrop $photos/anna-1.jpg $photos/anna-2.jpg | embed | verify"

echo "Are these the same person, and which pixels does the method count for it?"
echo
echo "  $one | fggb-grad | heatmap -o $B/why.png"
echo
facecrop "$photos/anna-1.jpg" "$photos/anna-2.jpg" | embed | verify | fggb-grad -o "$B/demo.xfv"
heatmap -o "$B/why.png" "$B/demo.xfv"
xfv-json "$B/demo.xfv" |
    jq -r 'select(._ == "pair") | "\(.a.id)  \(.b.id)  score \(.score * 1000 | round / 1000)  threshold \(.threshold)  \(if .accept then "ACCEPT" else "REJECT" end)"'
echo
echo "The picture: $B/why.png"
echo "Next: export PATH=\$PWD/$B/bin:\$PATH, README.md for recipes, and what such a picture proves (less than it seems to)."
