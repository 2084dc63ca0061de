# gnuplot -e "out='FOLDER'; format='svg'" plots.gp: Deletion and Insertion curves of every method, and the DET and ROC curves
if (format eq "svg") { set terminal svg size 900,600 dynamic background "white" } else { set terminal pngcairo size 900,600 }
set datafile separator "\t"
set key outside right
set xlabel "pixels taken, %"
set ylabel "accuracy"
set yrange [0:1]
set grid
curves = out . "/curves.tsv"
is_control(m) = m[1:7] eq "control"
# Controls grey and dashed, FGGB black and thick, the others round the colour circle.
colour(m, i, n) = m eq "fggb" ? 0 : is_control(m) ? 0x999999 : hsv2rgb(real(i) / n, 0.9, 0.8)
style(m, i) = is_control(m) ? 2 + i % 4 : 1
do for [map in "similarity dissimilarity"] {
    fills = system("awk -F '\\t' -v m=" . map . " '$2 == m && !s[$4]++ { print $4 }' " . curves)
    do for [fill in fills] { # MinPlus has no dissimilarity map
        methods = system("awk -F '\\t' -v m=" . map . " -v f=" . fill . " 'NR > 1 && $2 == m && $4 == f && !(m == \"dissimilarity\" && $1 == \"minplus\") && !s[$1]++ { print $1 }' " . curves)
        do for [direction in "deletion insertion"] {
            number = direction eq "deletion" ? 7 : 8
            set output sprintf("%s/%s-%s%s.%s", out, map, direction, fill eq word(fills, 1) ? "" : "-" . fill, format)
            set title sprintf("%s of %s maps (%s)", direction, map, fill)
            plot for [i = 1:words(methods)] \
                "< awk -F '\\t' '$1 == \"" . word(methods, i) . "\" && $2 == \"" . map . "\" && $4 == \"" . fill . "\"' " . curves \
                using 5:number with linespoints pointtype i pointsize 0.7 dashtype style(word(methods, i), i) linewidth (word(methods, i) eq "fggb" ? 3 : 1.3) \
                linecolor rgb colour(word(methods, i), i, words(methods)) title word(methods, i)
        }
    }
}
# Below one error in all pairs there is nothing to see.
least = real(system("awk -F '\\t' 'NR > 1 && $2 > 0 && (!l || $2 < l) { l = $2 } NR > 1 && $3 > 0 && (!l || $3 < l) { l = $3 } END { print l ? l / 2 : 1e-4 }' " . out . "/det.tsv"))
floor_of(x) = x > least ? x : least
set key off
set output sprintf("%s/det.%s", out, format)
set title "detection error trade-off"
set xlabel "FMR"
set ylabel "FNMR"
set logscale xy
set xrange [least:1]
set yrange [least:1]
plot out . "/det.tsv" using (floor_of($2)):(floor_of($3)) with steps linewidth 2
set output sprintf("%s/roc.%s", out, format)
set title "receiver operating characteristic"
set ylabel "TAR"
unset logscale y
set yrange [0:1.01]
plot out . "/det.tsv" using (floor_of($2)):(1 - $3) with steps linewidth 2
