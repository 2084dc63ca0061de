#!/bin/sh
# colour-edges.sh FOLDER: a network that was never trained and knows no faces, as text for model-import(1):
# FOLDER/colour-edges.graph and its weights.
#
#     sh colour-edges.sh . &&
#         model-import colour-edges.graph -o colour-edges.xfvm --input rgb --mean 127.5 --std 127.5 --template none
#     facecrop --whole crop -m ./colour-edges.xfvm a.png b.png | embed -m ./colour-edges.xfvm |
#         verify -m ./colour-edges.xfvm -t 0.9 | fggb-grad -m ./colour-edges.xfvm | heatmap -o why.png
#
# 64x64 pixels. Eight filters of 3x3 (three colour contrasts, brightness, edges in four directions), each and its
# negative, what is below zero cut off, averaged over a grid of 4x4: 256 numbers that say which colours and edges are
# where.
set -eu
cd "$1"
awk 'BEGIN {
    split("2 -1 -1  -1 2 -1  -1 -1 2  1 1 1", colour)                                              # R G B of filters 1 to 4, at the middle pixel
    split("-1 0 1 -2 0 2 -1 0 1  -1 -2 -1 0 0 0 1 2 1  0 1 2 -1 0 1 -2 -1 0  2 1 0 1 0 -1 0 -1 -2", edge) # Sobel, rows of 3x3, of filters 5 to 8
    for (p = 1; p <= 9; p++)
        for (c = 1; c <= 3; c++)
            for (f = 1; f <= 16; f++) {
                k = (f - 1) % 8 + 1
                w = k > 4 ? edge[(k - 5) * 9 + p] : p == 5 ? colour[(k - 1) * 3 + c] : 0
                printf "\\%03o", 128 + (f > 8 ? -w : w)                                                   # bytes, 128 for zero
            }
}' | while IFS= read -r bytes || [ -n "$bytes" ]; do printf "$bytes"; done >colour-edges.u8
cat >colour-edges.graph <<'X'
xfv-graph 1
input image 64x64x3
data colour-edges.u8
weight filters 3x3x3x16 u8 1 -128
node conv filtered image weight=filters kernel=3x3 stride=1x1 pads=1,1,1,1
node relu cut filtered
node avgpool grid cut kernel=16x16 stride=16x16
node reshape embedding grid shape=256
output embedding
X
