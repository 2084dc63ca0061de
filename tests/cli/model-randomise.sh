# model-randomise: which weights change, that they are the same numbers, that an explanation notices.
. "$top/tests/tap.sh"
cat >check.py <<'PY'
import msgpack, numpy as np, sys, os
def read(path):
    w, means = {}, set()
    for r in msgpack.Unpacker(open(path, "rb"), raw=False, max_bin_len=1 << 28, unicode_errors="surrogateescape"):
        if r["_"] == "weight": w[r["name"]] = np.frombuffer(r["tensor"]["data"], r["tensor"]["dtype"])
        if r["_"] == "mean": means.add(r["value"])
    return w, means
a, am = read(sys.argv[1]); b, bm = read(sys.argv[2])
changed = [k for k in a if not np.array_equal(a[k], b[k])]
assert all(np.array_equal(np.sort(a[k]), np.sort(b[k])) for k in a), "other numbers"
print(len(changed), len(am - bm))
PY
m=$top/models/mobilefacenet.xfvm
runs 0 "one layer" model-randomise -v --last 1 -o one.xfvm
like "$(cat err)" '1 layers shuffled, from .*Linear' "the last one"
is "$($PYTHON check.py "$m" one.xfvm)" "2 0" "its weight and its bias change places, nothing else, and the means stay"
runs 0 "three layers" model-randomise --last 3 -o three.xfvm
is "$($PYTHON check.py "$m" three.xfvm)" "6 1" "the mean behind the first of them goes"
runs 0 "all" model-randomise -o all.xfvm
is "$($PYTHON check.py "$m" all.xfvm | cut -d' ' -f2)" "3" "no mean stays"
model-randomise --last 1 | cmp -s - one.xfvm; ok $? "again, the same bytes"
model-randomise --last 1 --seed 1 | cmp -s - one.xfvm; [ $? -eq 1 ]; ok $? "another seed, another network"
p=$top/tests/photos
facecrop "$p/anna-1.jpg" "$p/anna-2.jpg" "$p/anna-1.jpg" "$p/bella.jpg" | embed | verify -o pairs.xfv
path-grad -o maps.xfv pairs.xfv
embed -m ./three.xfvm pairs.xfv | verify -t 0.4 -m ./three.xfvm | path-grad -m ./three.xfvm -o broken.xfv
runs 0 "compared" explain-score --against maps.xfv --name trained broken.xfv
like "$(awk -F'\t' '$2 == "like trained" {print $4}' out)" '^(-|0\.[0-6])' "the map is another one"
facecrop "$p/anna-1.jpg" "$p/anna-2.jpg" "$p/bella.jpg" | embed -o faces.xfv
printf '%s\t%s\t%s\n' "$p/anna-1.jpg" "$p/anna-2.jpg" yes "$p/anna-1.jpg" "$p/bella.jpg" no |
    verify --pairs /dev/stdin faces.xfv | calibrate -q -o calibrated.xfvm
is "$(model-info --json ./calibrated.xfvm | jq -c '[has("calibration"), (.thresholds | length > 0)]')" '[true,true]' \
    "a calibrated model"
model-randomise -m ./calibrated.xfvm --last 1 -o forgets.xfvm
is "$(model-info --json ./forgets.xfvm | jq -c '[has("calibration"), (.thresholds | length > 0)]')" '[false,false]' \
    "has neither its scores nor its thresholds any more"
runs 2 "no layers" model-randomise --last 0
runs 2 "an operand" model-randomise x
done_testing
