#!/bin/sh
# gcc -fanalyzer over every C file; findings fail. XFV_ANALYSIS tells it that what reports a failure returns no 0
# (base/err.h); without optimisation, which would take that hint away before the analyser sees it.
set -u
cd "$(dirname "$0")/../.." || exit 1
# What gcc 12 cannot see, so that these two are left to valgrind and the sanitizers:
# malloc-leak: it loses ownership through pointers to pointers and arrays of pointers (xfv_reader_open(&r, ...),
# w->cells[0] = ...).
# use-of-uninitialized-value: arrays that a loop fills as far as another loop reads them (at[0..rank)).
off="-Wno-analyzer-malloc-leak -Wno-analyzer-use-of-uninitialized-value"
cflags=$(make -s print-cflags | sed 's/-D_FORTIFY_SOURCE=2//; s/-O[0-9]//g')
find libcommon tools -name '*.c' ! -name 'kern_*' ! -name 'func_*' ! -path '*/base/err.c' | sort | xargs -P "${JOBS:-2}" -n 4 sh -c '
    bad=0; for f; do gcc $0 -O0 -DXFV_ANALYSIS -fanalyzer '"$off"' -Werror -c -o /dev/null "$f" || bad=1; done; exit $bad' "$cflags" && echo "no findings"
