#!/bin/sh
# make check-faults: build the library, walk. Arguments: programs (default: all).
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
B=${B:-build}
case $B in /*) ;; *) B=$top/$B ;; esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
${CC:-cc} -std=c11 -O1 -Wall -Wextra -shared -fPIC -o "$work/fault.so" "$top/tests/faults/fault.c" -ldl
mkdir "$work/run"
PYTHONPATH="$top/tests" "${PYTHON:-/usr/bin/python3}" "$top/tests/faults/walk.py" "$work/fault.so" "$B/bin" \
    "$work/run" "$@"
