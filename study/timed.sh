#!/bin/sh
# timed.sh FILE COMMAND...: run the command and write into FILE, with a tab between, its seconds on the clock and of
# processors.
file=$1
shift
start=$(date +%s.%N)
"$@"
status=$?
end=$(date +%s.%N)
# The shell's times: its own, then those of the programs that it waited for, as 1m2.5s.
times >"$file.tmp"
sed -n 2p "$file.tmp" |
    awk -v start="$start" -v end="$end" \
    '{ for (i = 1; i <= 2; i++) { split($i, t, "[ms]"); cpu += 60 * t[1] + t[2] } printf "%.2f\t%.2f\n", end - start, cpu }' >"$file"
rm "$file.tmp"
exit $status
