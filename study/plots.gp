# gnuplot -e "out='FOLDER'; format='svg'" plots.gp: Deletion and Insertion curves of every method, and the DET curve
if (format eq "svg") { set terminal svg size 900,600 dynamic background "white" } else { set terminal pngcairo size 900,600 }
set datafile separator "\t"
set key outside right
set xlabel "pixels taken, %"
set ylabel "accuracy"
set yrange [0:1]
set grid
curves = out . "/curves.tsv"
do for [map in "similarity dissimilarity"] {
    methods = system("awk -F '\\t' -v m=" . map . " 'NR > 1 && $2 == m && !s[$1]++ { print $1 }' " . curves)
    if (strlen(methods) > 0) {
        fill = system("awk -F '\\t' -v m=" . map . "  '$2 == m && !n++ { print $4 }' " . curves)
        do for [direction in "deletion insertion"] {
            number = direction eq "deletion" ? 7 : 8
            set output sprintf("%s/%s-%s.%s", out, map, direction, format)
            set title sprintf("%s of %s maps (%s)", direction, map, fill)
            plot for [m in methods] "< awk -F '\\t' '$1 == \"" . m . "\" && $2 == \"" . map . "\" && $4 == \"" . fill . "\"' " . curves \
                using 5:number with linespoints dashtype 1 + (m[1:7] eq "control") linewidth (m eq "fggb" ? 3 : 1) title m
        }
    }
}
set output sprintf("%s/det.%s", out, format)
set title "detection error trade-off"
set xlabel "FMR"
set ylabel "FNMR"
set logscale xy
set xrange [1e-4:1]
set yrange [1e-4:1]
set key off
plot out . "/det.tsv" using ($2 > 0 ? $2 : 1e-4):($3 > 0 ? $3 : 1e-4) with steps
