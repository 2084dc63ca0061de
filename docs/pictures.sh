#!/bin/sh
# The pictures of README.md and docs/limits.md, drawn anew: pictures.sh OUT. Run in the project's folder, the programs
# in PATH. The commands are those of the pages; tests/cli/pictures.sh compares the pictures that the pages hold.
set -eu
out=$(mkdir -p "$1" && cd "$1" && pwd)
cd tests/photos
small() { # standard input, a picture, as a PNG of 256 colours: a third of the bytes
    pngtopnm | pnmquant -quiet -floyd 256 | pnmtopng -quiet >"$out/$1.png"
}
draw() { heatmap -o "$out/$1.all.png" && small "$1" <"$out/$1.all.png" && rm "$out/$1.all.png"; }
facecrop anna-1.jpg anna-2.jpg | embed | verify | fggb-grad | draw why
facecrop anna-1.jpg bella.jpg | embed | verify | fggb-grad | draw why-not
printf 'anna-1.jpg anna-2.jpg same\n' >"$out/pair.txt"
facecrop anna-1.jpg anna-2.jpg bella.jpg clara.jpg | embed -o "$out/faces.xfv"
verify --pairs "$out/pair.txt" "$out/faces.xfv" | plant --region forehead --donors "$out/faces.xfv" | embed | verify |
    fggb-grad |
    path-grad --combine pair | control-map --kind face | draw forehead
rm "$out/pair.txt" "$out/faces.xfv"
