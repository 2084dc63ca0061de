#!/bin/sh
# run.sh SECONDS [TARGET]...: fuzz each target, from its seeds, tests/damaged and what earlier runs found
# (build-fuzz/corpus). A finding fails the run; its input is build-fuzz/TARGET-crash-*: mend the fault, and put the
# input into tests/damaged/TARGET. ENGINE=afl: the same targets under AFL++ (build-afl), from the same corpus; what it
# finds new goes into build-fuzz/corpus, too. sh tests/fuzz/run.sh merge [TARGET]...: add to tests/damaged, from what
# fuzzing found, what reaches code that it does not yet reach.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top"
seconds=$1
shift
[ $# -gt 0 ] || set -- stream model tflite onnx tfjs image lists
corpus=build-fuzz/corpus
mkdir -p $corpus/tflite $corpus/onnx
PYTHONPATH=tests "${PYTHON:-/usr/bin/python3}" tests/fuzz/seeds.py $corpus
build=build-fuzz
[ "${ENGINE:-}" = afl ] && build=build-afl
$build/unit/tflite --write $corpus/tflite/small >/dev/null
cp tests/onnx/*.onnx $corpus/onnx
export LSAN_OPTIONS=suppressions=$top/tests/static/lsan.supp:print_suppressions=0 \
    ASAN_OPTIONS=allocator_may_return_null=1:detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1
bad=0
afl() { # target, longest input
    rm -rf build-afl/out/"$1"
    mkdir -p build-afl/in/"$1" build-afl/out
    cp $corpus/"$1"/* tests/damaged/"$1"/* build-afl/in/"$1" # AFL++ leaves out what teaches it nothing new
    find build-afl/in/"$1" -type f -size +"$(($2 / 1024))"k -delete
    if ! XFV_FUZZ=$1 AFL_NO_UI=1 AFL_SKIP_CPUFREQ=1 AFL_NO_AFFINITY=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 \
        LSAN_OPTIONS=symbolize=0 ASAN_OPTIONS=abort_on_error=1:symbolize=0:detect_leaks=0:allocator_may_return_null=1 \
            UBSAN_OPTIONS=halt_on_error=1:abort_on_error=1:symbolize=0 \
        afl-fuzz -V "$seconds" -t 20000 -m none -i build-afl/in/"$1" -o build-afl/out/"$1" -- build-afl/fuzz \
            >build-afl/"$1".log 2>&1; then
        echo "$1: AFL++ did not run, see build-afl/$1.log"
        return 1
    fi
    found=build-afl/out/$1/default
    for f in "$found"/queue/id*; do cp "$f" "$corpus/$1/afl-$(sha1sum <"$f" | cut -c 1-16)"; done
    n=$(find "$found"/crashes "$found"/hangs -name 'id*' | wc -l)
    echo "$1: $(sed -n 's/^execs_done *: *//p' "$found"/fuzzer_stats) runs under AFL++, $(sed -n \
        's/^corpus_found *: *//p' "$found"/fuzzer_stats) new inputs, $n findings"
    [ "$n" -eq 0 ]
}
for t; do
    max=4096
    case $t in model | tflite) max=40000 ;; onnx) max=70000 ;; esac
    asan=$ASAN_OPTIONS # libheif's leaks are known by their callers, which only the slow way finds
    [ "$t" = image ] && asan=$asan:fast_unwind_on_malloc=0
    if [ "$seconds" = merge ]; then # the smaller inputs only: the whole is replayed by make check
        mkdir -p $corpus/small-$t "tests/damaged/$t"
        find $corpus/$t -type f -size -3k -exec cp {} $corpus/small-$t \;
        XFV_FUZZ=$t build-fuzz/fuzz -merge=1 -max_len=2048 "tests/damaged/$t" $corpus/small-$t 2>/dev/null
        continue
    fi
    mkdir -p $corpus/$t "tests/damaged/$t"
    if [ "${ENGINE:-}" = afl ]; then
        afl "$t" $max || bad=1
        continue
    fi
    if ASAN_OPTIONS=$asan XFV_FUZZ=$t build-fuzz/fuzz -max_total_time="$seconds" -max_len=$max -timeout=20 \
        -rss_limit_mb=2048 -malloc_limit_mb=1024 -print_final_stats=1 \
        -artifact_prefix="build-fuzz/$t-" $corpus/$t "tests/damaged/$t" >build-fuzz/$t.log 2>&1; then
        echo "$t: $(sed -n 's/^stat::number_of_executed_units: *//p' build-fuzz/$t.log) runs, $(grep -oE 'cov: [0-9]+' \
            build-fuzz/$t.log | tail -n 1), no finding"
    else
        bad=1
        echo "$t: FINDING, see build-fuzz/$t.log and build-fuzz/$t-*"
        grep -aE '^(SUMMARY|==[0-9]+==ERROR|.*runtime error)|^ +#[0-9] ' build-fuzz/$t.log | head -n 12
    fi
done
if [ "$build" = build-fuzz ] && [ "$seconds" != merge ]; then
    "${PYTHON:-/usr/bin/python3}" tests/fuzz/results.py build-fuzz "$@" >build-fuzz/results.tsv
fi
exit $bad
