#!/bin/sh
# clang-tidy over every C file, with the checks of .clang-tidy; findings fail. XFV_ANALYSIS: see base/err.h. Arguments:
# files (default: all).
set -u
cd "$(dirname "$0")/../.." || exit 1
[ $# -gt 0 ] || set -- $(find libcommon tools -name '*.c' ! -name 'kern_*' ! -path '*/base/err.c' | sort)
flags=$(make -s CC=clang print-cflags | sed 's/-ffile-prefix-map=[^ ]*//; s/-D_FORTIFY_SOURCE=2//')
printf '%s\n' "$@" |
    xargs -P "${JOBS:-2}" -n 8 sh -c 'clang-tidy --quiet "$@" -- $0 -DXFV_ANALYSIS 2>/dev/null' "$flags" &&
    echo "no findings"
