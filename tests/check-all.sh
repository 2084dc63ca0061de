#!/bin/sh
# make check-all: everything that `make check` runs, and what takes longer. Each step says how long it took, on the
# clock and in seconds of processors;
# the run closes with both sums and "N steps passed, M failed".
# Steps by name on the command line run alone: sh tests/check-all.sh static asan
set -u
top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top" || exit 1
make="${MAKE:-make} --no-print-directory -s -j${JOBS:-2}"
logs=$top/build-logs
mkdir -p "$logs"
passed=0 failed=0 total=0
# spent: the seconds of processors that this shell's children have taken so far into $seconds. (In $(...), times would
# tell of another shell.)
spent() {
    times >"$logs/times" &&
        seconds=$(awk 'NR == 2 { gsub(/[ms]/, " "); $0 = $0; print int(($1 + $3) * 60 + $2 + $4) }' "$logs/times"); }
chosen=" $* "
step() { # name command...
    name=$1; shift
    [ "$chosen" = "  " ] || case $chosen in *" $name "*) ;; *) return ;; esac
    start=$(date +%s)
    spent && before=$seconds
    if "$@" >"$logs/$name" 2>&1 </dev/null; then passed=$((passed + 1)) word=pass; else
        failed=$((failed + 1)) word=FAIL; fi
    took=$(($(date +%s) - start)) && total=$((total + took))
    spent && echo "$word $name ($took s, $((seconds - before)) of processors): $(tail -n 1 "$logs/$name")"
    [ $word = pass ] || grep -aE '^(FAIL|not ok)|ERROR|error:|warning:|WARNING' -A8 "$logs/$name" | head -n 60
}

san='-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined,float-cast-overflow -fno-sanitize-recover=all'
tsan='-O1 -g -fno-omit-frame-pointer -fsanitize=thread'
# Not strict_string_checks: it wants a NUL behind the counted texts of a record, which strndup need not see.
export ASAN_OPTIONS=detect_stack_use_after_return=1:allocator_may_return_null=1:exitcode=99
export UBSAN_OPTIONS=print_stacktrace=1
export LSAN_OPTIONS=suppressions=$top/tests/static/lsan.supp:print_suppressions=0
export TSAN_OPTIONS=suppressions=$top/tests/static/tsan.supp:exitcode=99

# Not again under the sanitizers: what looks at files rather than runs programs, and what runs the same programs once
# more for the shell's, the processes' or the texts' sake; and what takes ten minutes there, over passes that fggb-grad
# makes as well.
twice=" completions docs readme torch xfv-doctor fggb-dial hosts kills licences scale static study tutorial "
asan() {
    export XFV_SANITIZED=1
    TESTS=$(for t in tests/unit/*.c tests/cli/*.sh; do t=${t##*/}; case "$twice" in *" ${t%.*} "*) ;; *) echo "${t%.*}" ;; esac; done | tr '\n' ' ')
    $make B=build-asan HARDEN=-fPIC CFLAGS="$san" LDFLAGS='-fsanitize=address,undefined' TESTS="$TESTS" test
}
kernels() { # those of the convolutions, which asan leaves out: what calls each of them, beside plain loops
    $make B=build-kernels HARDEN=-fPIC CFLAGS="$san" LDFLAGS='-fsanitize=address,undefined' \
        $(for t in $passes; do echo "build-kernels/unit/$t"; done) || return 1
    B=build-kernels sh tests/run.sh $passes && B=build-kernels XFV_KERNELS=avx2 sh tests/run.sh $passes &&
        B=build-kernels XFV_KERNELS=generic sh tests/run.sh $passes
}
passes="net ops kernels terms func"
thread() { # workers: the pool, the stage loop, and the programs with -j
    $make B=build-tsan HARDEN=-fPIC CFLAGS="$tsan" LDFLAGS=-fsanitize=thread all build-tsan/unit/cli_pool &&
        B=build-tsan sh tests/static/tsan.sh
}
memory() { # under valgrind what takes seconds there; the others run under the sanitizers
    $make all $(for t in $quick; do echo "build/unit/$t"; done) || return 1
    XFV_TEST_WRAP="valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,possible --suppressions=$top/tests/static/valgrind.supp" \
        sh tests/run.sh $quick
}
quick="cli_parse record stream_write tflite measure graph"
clang_build() {
    $make B=build-clang CC=clang \
        WARN="-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wformat=2 -Wvla -Werror" all &&
        echo "no warnings"; }
analyzer() { # gcc's: the rooms that take what a file holds. cppcheck: all
    sh tests/static/analyzer.sh
}
tidy() { $make all && sh tests/static/tidy.sh; } # it includes what make generates; so do the casts
cppcheck_all() {
    cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr \
        --suppressions-list=tests/static/cppcheck.supp \
        --error-exitcode=1 --template='{file}:{line}: warning: {message} [{id}]' -j "${JOBS:-2}" \
            -D_POSIX_C_SOURCE=200809L -D__x86_64__ -DXFV_MODEL_DIR='""' \
        -Ilibcommon -Itests libcommon tools && echo "no findings"
}
casts() { $make all && /usr/bin/python3 tests/static/casts.py $($make print-cflags); }
includes() { sh tests/static/includes.sh && echo "in order"; }
crowd() { $make all && sh tests/load/crowd.sh 64; }
hardening() { $make all && sh tests/static/hardening.sh build/bin/* && echo "all there"; }

sh tests/deps.sh clang clang-tidy cppcheck valgrind || exit 1
# more cuts, mutations and numbers than make check tries
check_longer() { XFV_TEST_CUTS=1 XFV_TEST_MUTATIONS=6 XFV_TEST_EXTREMES=25 $make check; }
step check check_longer
step includes includes
step casts casts
step hardening hardening
step asan asan
step kernels kernels
step valgrind memory
step tsan thread
step clang clang_build
step analyzer analyzer
step tidy tidy
step cppcheck cppcheck_all
step faults $make check-faults
if command -v chromium >/dev/null; then step browser $make check-browser; else
    echo "skip browser: Debian's chromium is not installed"; fi
step soak $make soak RECORDS=10000 NET=tiny
step crowd crowd
step fuzz $make fuzz SECONDS="${FUZZ_SECONDS:-10}"
step msan $make check-msan
step cluster sh tests/cluster/run.sh # where Slurm is there
step package $make check-package
spent && echo "$total s, $seconds of processors"
echo "$passed steps passed, $failed failed"
[ $failed -eq 0 ]
