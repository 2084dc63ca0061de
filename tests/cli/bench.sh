# make bench in its short form: it runs to its end, and every row is a measurement.
. "$top/tests/tap.sh"
bench() {
    "$PYTHON" "$top/tests/bench/bench.py" "$B" "$top/models/mobilefacenet.xfvm" "$top"/tests/photos/anna-*.jpg "$@"; }
runs 0 "all groups of rows" bench --short --out speed.tsv
is "$(grep -v '^#' speed.tsv | cut -f1 | uniq | tr '\n' ' ')" \
    "group fggb embed facecrop forward search blackbox programs machine " "each group has rows"
is "$(grep -v '^#' speed.tsv | awk -F'\t' 'NR > 1 && !($3 > 0 && $4 > 0 && $4 <= $3 + 0 && $3 <= $5 + 0)')" "" \
    "numbers above 0, the median between the quartiles"
[ "${XFV_SANITIZED:-0}" = 1 ] && skip "shares of the peak" "a sanitizer slows the kernels and the peak differently" ||
    is "$(awk -F'\t' '/share of the peak/ { print ($3 > 0.01 && $3 < 1.05) }' speed.tsv | sort | uniq -c | tr -s ' ')" \
        " 2 1" \
        "shares of the peak are below it"
is "$(grep -v '^#' out)" "$(grep -v '^#' speed.tsv | sed 1d)" "the same rows on standard output"
runs 2 "a group that does not exist" bench --short --only fgbg
like "$(cat err)" "fggb, embed, facecrop" "is answered with those that do"
done_testing
