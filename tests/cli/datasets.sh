# examples/datasets.py: lists and images from small files of the data sets' forms.
. "$top/tests/tap.sh"
sets() { "$PYTHON" "$top/examples/datasets.py" "$@"; }
cat >make.py <<'PY'
import os, pickle, sys
import numpy as np
photos = [open(f"{os.environ['top']}/tests/photos/{n}.jpg", "rb").read() for n in ("anna-1", "anna-2", "anna-1", "bella")]
pickle.dump((photos, [True, False]), open("plain.bin", "wb"))
pickle.dump(([np.frombuffer(p, "u1") for p in photos], [np.bool_(True), np.bool_(False)]), open("numpy.bin", "wb"))
pickle.dump((photos[:3], [True, False]), open("odd.bin", "wb"))
class Evil:
    def __reduce__(self): return os.system, ("touch hacked",)
pickle.dump(([Evil()], []), open("evil.bin", "wb"))
PY
"$PYTHON" make.py
for f in plain numpy; do
    runs 0 "bin ($f): runs" sets bin $f.bin $f
    is "$(tr '\t\n' '  ' <$f/pairs.tsv)" "$f/000000.jpg $f/000001.jpg 1 $f/000002.jpg $f/000003.jpg 0 " \
        "bin ($f): the pairs"
    cmp $f/000003.jpg "$top/tests/photos/bella.jpg"; ok $? "bin ($f): the images, byte by byte"
done
is "$(facecrop plain/*.jpg | embed | verify --pairs plain/pairs.tsv --tsv | cut -f 5,6 | tr '\t\n' '  ')" \
    "accept genuine reject impostor " "bin: facecrop and verify take it"
runs 1 "bin: three images for two pairs" sets bin odd.bin odd
runs 1 "bin: a pickle that calls a function" sets bin evil.bin evil; [ ! -e hacked ];
ok $? "bin: ... which is not called"
printf '1.jpg 1 10\n2.jpg 2 11\n' >x_face_tid_mid.txt; printf '1 2 1\n2 1 0\n' >x_template_pair_label.txt
runs 0 "ijb: runs" sets ijb x_ ijb;
is "$(tr '\t\n' '  ' <ijb/pairs.tsv)/$(wc -l <ijb/templates.tsv)" "1 2 1 2 1 0 /2" "ijb: templates and pairs"
printf '1 2\n' >x_template_pair_label.txt; runs 1 "ijb: a line of two words" sets ijb x_ ijb;
like "$(cat err)" "line 1" "ijb: names the line"
printf 'm.01\t1\t2\nm.01\t1\tm.02\t3\n' >African_pairs.txt
runs 0 "rfw: runs" sets rfw African_pairs.txt rfw
is "$(tr '\t\n' '  ' <rfw/pairs.tsv)" \
    "data/African/m.01/m.01_0001.jpg data/African/m.01/m.01_0002.jpg 1 data/African/m.01/m.01_0001.jpg data/African/m.02/m.02_0003.jpg 0 " "rfw: names and labels"
printf '10\t300\nA_B\t1\t2\nA_B\t1\tC_D\t3\n' >xq.txt
runs 0 "xqlfw: runs" sets xqlfw xq.txt xq
is "$(cut -f 1,3 xq/pairs.tsv | tr '\t\n' '  ')" "A_B/A_B_0001.jpg 1 A_B/A_B_0001.jpg 0 " \
    "xqlfw: LFW's form, without its first line"
printf 'A_B one 2\n' >xq.txt; runs 1 "xqlfw: a line that is not understood" sets xqlfw xq.txt xq
done_testing
