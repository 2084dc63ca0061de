#!/bin/sh
# The tables and plots of what study/run.sh has measured so far: report.sh OUT
# Writes OUT/summary.tsv, OUT/curves.tsv, OUT/roc.tsv, OUT/det.tsv, OUT/tables.md and, when gnuplot is there, plots as SVG and PNG.
set -eu
OUT=$1
here=$(cd "$(dirname "$0")" && pwd)
export LC_ALL=C
for s in "$OUT"/shards/*.d; do
    for f in "$s"/*.xfv; do
        case $f in */pairs.xfv) ;; *) [ -e "$f" ] && printf '%s\n' "$f" ;; esac
    done
done >"$OUT/measured"
[ -s "$OUT/measured" ] || { echo "study: nothing measured yet" >&2; exit 1; }
# Streams concatenate, so no list of files is too long for a command line.
all() { while IFS= read -r f; do cat "$f"; done <"$OUT/measured"; }
all | delins --tsv --reference fggb -o "$OUT/summary.tsv"
all | delins --table curves -o "$OUT/curves.tsv"
all | delins --table pairs -o "$OUT/areas.tsv"
roc --scores "$OUT/scores.tsv" --curve "$OUT/det.tsv" -o "$OUT/roc.tsv" || [ $? -eq 1 ]
for f in "$OUT"/shards/*.d/*.seconds; do
    printf '%s\t%s\n' "$(basename "$f" .seconds)" "$(cat "$f")"
done | awk -F '\t' '{ n[$1]++; s[$1] += $2 } END { for (k in n) printf "%s\t%d\t%.1f\n", k, n[k], s[k] }' | sort >"$OUT/seconds.tsv"

# table MAP: Markdown rows from the summary, best Deletion first. Controls are marked.
table() {
    awk -F '\t' -v map="$1" -v paper="$2" '
        BEGIN { n = split(paper, p, " "); for (i = 1; i <= n; i++) { split(p[i], q, "="); known[q[1]] = q[2] } }
        NR == 1 { for (i = 1; i <= NF; i++) c[$i] = i; next }
        $c["map"] == map && $c["metric"] == "accuracy" {
            m = $c["method"]
            d = $c["reference"] == "-" ? "" : sprintf("%+.1f [%+.1f, %+.1f]", 100 * $c["d_deletion"], 100 * $c["d_deletion_lo"], 100 * $c["d_deletion_hi"])
            i = $c["reference"] == "-" ? "" : sprintf("%+.1f [%+.1f, %+.1f]", 100 * $c["d_insertion"], 100 * $c["d_insertion_lo"], 100 * $c["d_insertion_hi"])
            h = $c["reference"] == "-" ? "" : $c["holm_deletion"] " / " $c["holm_insertion"]
            printf "%s\t%.6f\t| %s | %s | %s | %.1f [%.1f, %.1f] | %.1f [%.1f, %.1f] | %s | %s | %s | %s |\n", $c["fill"], $c["deletion"],
                (m ~ /^control/ ? "*" m "*" : m == "fggb" ? "**fggb**" : m), $c["fill"], $c["pairs"], 100 * $c["deletion"], 100 * $c["deletion_lo"], 100 * $c["deletion_hi"],
                100 * $c["insertion"], 100 * $c["insertion_lo"], 100 * $c["insertion_hi"], d, i, h, known[m]
        }' "$OUT/summary.tsv" | sort -t "$(printf '\t')" -k1,1 -k2,2n | cut -f3
}
heading() {
    echo "| method | fill | pairs | Deletion, % (lower is better) | Insertion, % (higher is better) | Deletion less FGGB's | Insertion less FGGB's | p (Holm), Deletion / Insertion | paper, Deletion |"
    echo "|---|---|---|---|---|---|---|---|---|"
}
value() { awk -F '\t' -v k="$1" '$1 == k { if ($3 == "-") printf "%.2f", 100 * $2; else printf "%.2f [%.2f, %.2f]", 100 * $2, 100 * $3, 100 * $4 }' "$OUT/roc.tsv"; }
area() { awk -F '\t' -v map="$1" -v d="$2" 'NR == 1 { for (i = 1; i <= NF; i++) c[$i] = i; next } $1 == "fggb" && $c["map"] == map && $c["metric"] == "accuracy" { printf "%.1f [%.1f, %.1f]", 100 * $c[d], 100 * $c[d "_lo"], 100 * $c[d "_hi"]; exit }' "$OUT/summary.tsv"; }
{
    echo "Table I. Similarity maps: genuine pairs, pixels of A taken; area under the accuracy curve with 95 % interval. *Controls* know nothing of the decision."
    echo
    heading
    table similarity "fggb=24.18 corrrise=24.51 lime=35.82"
    echo
    echo "Table II. Dissimilarity maps: impostor pairs, pixels of both images taken."
    echo
    heading
    table dissimilarity "fggb=44.03 xssab=49.72"
    echo
    echo "Table III. Networks. Paper, LFW accuracy: ArcFace 99.70, AdaFace 99.27, MobileFaceNet 98.87."
    echo
    echo "| network | accuracy at its best threshold, % | EER, % | FGGB S+ Deletion | FGGB S+ Insertion | FGGB S- Deletion | FGGB S- Insertion |"
    echo "|---|---|---|---|---|---|---|"
    echo "| ${MODEL:-mobilefacenet} | $(value best_accuracy) | $(value eer) | $(area similarity deletion) | $(area similarity insertion) | $(area dissimilarity deletion) | $(area dissimilarity insertion) |"
} >"$OUT/tables.md"
echo "study: see $OUT/tables.md" >&2
if command -v gnuplot >/dev/null; then
    for format in svg png; do gnuplot -e "out='$OUT'; format='$format'" "$here/plots.gp"; done
fi
