#!/bin/sh
# The tables and plots of what study/run.sh has measured so far: report.sh OUT
# Writes OUT/summary.tsv, OUT/curves.tsv, OUT/areas.tsv, OUT/roc.tsv, OUT/det.tsv, OUT/seconds.tsv, OUT/tables.md,
# OUT/tables and, when gnuplot is there, plots as SVG and
# PNG. Networks of OUT/networks stand in the same Table III.
set -eu
OUT=$1
here=$(cd "$(dirname "$0")" && pwd)
export LC_ALL=C
if [ -d "$OUT/models" ]; then
    XFV_MODEL_PATH=$(cd "$OUT/models" && pwd)${XFV_MODEL_PATH:+:$XFV_MODEL_PATH}
    export XFV_MODEL_PATH
fi
results() { # SHARD: its results
    for f in "$1"/*.xfv; do
        case $f in */pairs.xfv) ;; *) [ -e "$f" ] && printf '%s\n' "$f" ;; esac
    done
}
for s in "$OUT"/shards/*.d; do results "$s"; done >"$OUT/measured"
[ -s "$OUT/measured" ] || { echo "study: nothing measured yet" >&2; exit 1; }
# The pieces that every method has: there all are compared on the same pairs.
wanted=$(sed 's|.*/||' "$OUT/measured" | sort -u | wc -l)
for s in "$OUT"/shards/*.d; do
    if [ "$(results "$s" | wc -l)" -eq "$wanted" ]; then results "$s"; fi
done >"$OUT/common"
# Streams concatenate, so no list of files is too long for a command line.
all() { while IFS= read -r f; do cat "$f"; done <"$1"; }
all "$OUT/measured" | delins --tsv --reference fggb -o "$OUT/summary.tsv"
all "$OUT/measured" | delins --table curves -o "$OUT/curves.tsv"
all "$OUT/measured" | delins --table pairs -o "$OUT/areas.tsv"
rm -f "$OUT/summary-common.tsv"
if [ -s "$OUT/common" ] && ! cmp -s "$OUT/common" "$OUT/measured"; then
    all "$OUT/common" | delins --tsv --reference fggb -o "$OUT/summary-common.tsv"; fi
roc --scores "$OUT/scores.tsv" --curve "$OUT/det.tsv" -o "$OUT/roc.tsv" || [ $? -eq 1 ]
# Command, pieces, seconds on the clock and of processors.
for f in "$OUT"/shards/*.d/*.seconds; do
    printf '%s\t%s\n' "$(basename "$f" .seconds)" "$(cat "$f")"
done | awk -F '\t' '{ n[$1]++; s[$1] += $2; c[$1] += $3; if ($3 == "") unknown[$1] = 1 }
    END { for (k in n) printf "%s\t%d\t%.1f\t%s\n", k, n[k], s[k], k in unknown ? "-" : sprintf("%.1f", c[k]) }' | sort >"$OUT/seconds.tsv"

# table SUMMARY MAP PAPER: Markdown rows, best Deletion first. Controls are marked.
table() {
    echo "| method | fill | pairs | Deletion, % (lower is better) | Insertion, % (higher is better) | Deletion less FGGB's | Insertion less FGGB's | p (Holm), Deletion / Insertion | paper, Deletion | paper, Insertion |"
    echo "|---|---|---|---|---|---|---|---|---|---|"
    awk -F '\t' -v map="$2" -v paper="$3" '
        function cell(v) { return 100 * $c[v] == 0 ? "0.0" : sprintf("%.1f", 100 * $c[v]) }
        function range(v) { return cell(v) " [" cell(v "_lo") ", " cell(v "_hi") "]" }
        function change(v) { return $c["reference"] == "-" ? "" : sprintf("%+.1f [%+.1f, %+.1f]", 100 * $c[v], 100 * $c[v "_lo"], 100 * $c[v "_hi"]) }
        BEGIN { n = split(paper, p, " "); for (i = 1; i <= n; i++) { split(p[i], q, "="); known[q[1]] = q[2] } }
        NR == 1 { for (i = 1; i <= NF; i++) c[$i] = i; next }
        # MinPlus has no dissimilarity map: what is measured there is chance.
        $c["map"] == map && $c["metric"] == "accuracy" && !(map == "dissimilarity" && $c["method"] == "minplus") {
            m = $c["method"]
            h = $c["reference"] == "-" ? "" : $c["holm_deletion"] " / " $c["holm_insertion"]
            printf "%s\t%.6f\t| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", $c["fill"], $c["deletion"],
                (m ~ /^control/ ? "*" m "*" : m == "fggb" ? "**fggb**" : m), $c["fill"], $c["pairs"], range("deletion"), range("insertion"),
                change("d_deletion"), change("d_insertion"), h, m in known ? known[m] : "", m in known ? "not known" : ""
        }' "$1" | sort -t "$(printf '\t')" -k1,1 -k2,2n | cut -f3
    echo
}
both_tables() { # SUMMARY SUFFIX TEXT
    echo "Table I$2. Similarity maps: genuine pairs, pixels of A taken; area under the accuracy curve with 95 % interval. *Controls* know nothing of the decision.$3"
    echo
    table "$1" similarity "fggb=24.18 corrrise=24.51 lime=35.82"
    echo "Table II$2. Dissimilarity maps: impostor pairs, pixels of both images taken.$3"
    echo
    table "$1" dissimilarity "fggb=44.03 xssab=49.72"
}
# network FOLDER: its row of Table III
network() {
    area() { # METHOD MAP WHAT
        awk -F '\t' -v method="$1" -v map="$2" -v d="$3" 'NR == 1 { for (i = 1; i <= NF; i++) c[$i] = i; next }
            $1 == method && $c["map"] == map && $c["metric"] == "accuracy" && $c["fill"] == "black" {
                printf "%.1f [%.1f, %.1f]", 100 * $c[d], 100 * $c[d "_lo"], 100 * $c[d "_hi"]; exit }' "$folder/summary.tsv"
    }
    folder=$1
    cut -f1 "$folder/summary.tsv" | sed 1d | sort -u | while read -r m; do
        case $m in fggb | xssab | cosine-gradient | control-centre | control-face | control-edges) ;; *) continue ;; esac
        n=$(awk -F '\t' -v method="$m" \
            'NR == 1 { for (i = 1; i <= NF; i++) c[$i] = i; next } $1 == method && $c["metric"] == "accuracy" && $c["fill"] == "black" { n += $c["pairs"] } END { print n }' "$folder/summary.tsv")
        echo "| $(cat "$folder/model" 2>/dev/null ||
            echo mobilefacenet) | $m | $n | $(area "$m" similarity deletion) | $(area "$m" similarity insertion) | $(area "$m" dissimilarity deletion) | $(area "$m" dissimilarity insertion) |"
    done
}
accuracy() {
    folder=$1
    value() {
        awk -F '\t' -v k="$1" \
            '$1 == k { if ($3 == "-") printf "%.2f", 100 * $2; else printf "%.2f [%.2f, %.2f]", 100 * $2, 100 * $3, 100 * $4 }' "$folder/roc.tsv"; }
    pairs=$(awk -F '\t' '$1 == "genuine" || $1 == "impostor" { n += $2 } END { print n }' "$folder/roc.tsv")
    echo "| $(cat "$folder/model" 2>/dev/null ||
        echo mobilefacenet) | $pairs | $(value best_accuracy) | $(value eer) | $(value auc) | $(value tar@fmr=0.01) | $(cat "$folder/threshold") |"
}
folders=$OUT
for f in "$OUT"/networks/*; do [ -s "$f/summary.tsv" ] && folders="$folders $f"; done
{
    both_tables "$OUT/summary.tsv" "" ""
    if [ -s "$OUT/summary-common.tsv" ]; then
        both_tables "$OUT/summary-common.tsv" b " Only the pairs that all methods have."; fi
    echo "Table III. Networks. Paper, LFW accuracy: ArcFace 99.70, AdaFace 99.27, MobileFaceNet 98.87; its explanation scores are not known. Black fill."
    echo
    echo "| network | pairs | accuracy at its best threshold, % | EER, % | AUC, % | TAR at FMR 1 %, % | threshold (of the EER) |"
    echo "|---|---|---|---|---|---|---|"
    for f in $folders; do accuracy "$f"; done
    echo
    echo "| network | method | pairs | S+ Deletion | S+ Insertion | S- Deletion | S- Insertion |"
    echo "|---|---|---|---|---|---|---|"
    for f in $folders; do network "$f"; done
} >"$OUT/tables.md"
"${PYTHON:-/usr/bin/python3}" "$here/tables.py" "$OUT/tables.md" "$OUT/tables"
echo "study: see $OUT/tables.md" >&2
if command -v gnuplot >/dev/null; then
    for format in svg png; do gnuplot -e "out='$OUT'; format='$format'" "$here/plots.gp"; done
else
    echo "study: no gnuplot, so no plots" >&2
fi
