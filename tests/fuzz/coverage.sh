#!/bin/sh
# coverage.sh [TARGET]...: for each target, the lines of each file of its rooms that tests/damaged and build-fuzz/corpus
# reach, as a table. A room's share can be small because a target takes one door into it: importing a network does not
# train one.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top"
corpus=${CORPUS:-build-fuzz/corpus}
[ $# -gt 0 ] || set -- stream model tflite onnx tfjs image lists
rooms() { # how the names of its files begin
    case $1 in
    stream) echo 'base/ stream/' ;;
    model) echo 'stream/ net/model/ net/graph/graph.c net/graph/shape.c' ;;
    tflite) echo 'net/import/tflite net/import/flatbuffer net/graph/fold net/graph/shape.c net/graph/graph.c' ;;
    onnx) echo 'net/import/onnx net/graph/fold net/graph/shape.c net/graph/graph.c' ;;
    tfjs) echo 'net/import/tfjs' ;;
    image) echo 'image/decode.c image/jpeg.c image/png.c image/pnm.c image/webp.c image/source.c' ;;
    lists) echo 'pair/pairs.c face/landmarks.c' ;;
    esac
}
for t; do
    rm -f build-cov/$t.*.profraw
    find tests/damaged/"$t" $corpus/"$t" -type f 2>/dev/null |
        XFV_FUZZ=$t LLVM_PROFILE_FILE=build-cov/$t.%p.profraw xargs -n 500 build-cov/replay
    llvm-profdata merge -o build-cov/$t.profdata build-cov/$t.*.profraw
    rm -f build-cov/$t.*.profraw
    llvm-cov export -summary-only -instr-profile build-cov/$t.profdata build-cov/replay |
        "${PYTHON:-/usr/bin/python3}" tests/fuzz/summary.py "$t" $(rooms "$t")
done
