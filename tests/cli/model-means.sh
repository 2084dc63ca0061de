# model-means: the average of what the network does to each face, the same for every -j, into the model or beside it.
. "$top/tests/tap.sh"
facecrop "$top"/tests/photos/*.jpg >faces.xfv 2>err
like "$(xfv-json faces.xfv | grep -c '"_":"face"')" '^[2-9]' "some faces to average"
runs 0 "the model with means" model-means --data 'test faces' -o a.xfvm faces.xfv
runs 0 "the same with two workers" model-means -j2 --data 'test faces' -o b.xfvm faces.xfv
cmp -s a.xfvm b.xfvm; ok $? "gives the same bytes"
like "$(model-info ./a.xfvm)" 'mean .*: over [0-9]+ faces; test faces' "model-info tells of them"
runs 0 "the means alone" model-means --layer 14x14 --layer auto --records -o means.xfv faces.xfv
is "$(xfv-json means.xfv | jq -c 'select(._ == "mean") | [.faces > 1, .tensor.dtype, .tensor.shape]')" \
    '[true,"<f2",[14,14,128]]' "one record for two names of one layer"
cat >check.py <<'PY'
import msgpack, numpy as np, sys
def means(path):
    r = {}
    for x in msgpack.Unpacker(open(path, "rb"), raw=False, max_bin_len=1 << 28, unicode_errors="surrogateescape"):
        if x["_"] == "mean": r[x["value"]] = np.frombuffer(x["tensor"]["data"], x["tensor"]["dtype"]).astype("f8")
    return r
one, two, both = (means(p) for p in sys.argv[1:])
assert set(one) == set(two) == set(both) and len(one) == 3
for k in one: assert np.abs((one[k] + two[k]) / 2 - both[k]).max() < 1e-5 * np.abs(both[k]).max(), k
print("same")
PY
set -- "$top"/tests/photos/*.jpg
facecrop "$1" >1.xfv 2>err; facecrop "$2" >2.xfv 2>err
for i in 1 2; do model-means -o $i.xfvm $i.xfv; done
cat 1.xfv 2.xfv | model-means -o 12.xfvm
is "$($PYTHON check.py 1.xfvm 2.xfvm 12.xfvm)" same "the mean of two faces lies between them"
# ---- how long embeddings are: of 500 faces and more that this model embedded
facecrop -q "$1" "$2" | embed >e.xfv
for i in $(seq 25); do cat e.xfv; done >50.xfv
for i in $(seq 10); do cat 50.xfv; done >500.xfv
xfv-select -n 499 500.xfv >499.xfv
runs 0 "model-means over 500 embedded faces" model-means --layer 7x7 --records --data 'two people' -o norm.xfv 500.xfv
low=$(xfv-json e.xfv | jq -s 'map(select(._ == "face").quality.norm) | min')
is "$(xfv-json norm.xfv | jq -c 'select(._ == "norm")')" \
    "{\"_\":\"norm\",\"low\":$low,\"faces\":500,\"data\":\"two people\"}" \
        "model-means writes the least length but one in a hundred"
runs 0 "model-means over 499 of them" model-means --layer 7x7 --records -o few.xfv 499.xfv
is "$(xfv-json few.xfv | jq -c 'select(._ == "norm")')" "" "model-means takes fewer faces for chance"
runs 0 "model-means into the model" model-means --layer 7x7 --data 'two people' -o n.xfvm 500.xfv
like "$(model-info n.xfvm)" "norm .*of 500 faces .* shorter than $(printf '%.4g' "$low"); two people" \
    "model-info tells of it"
is "$(model-info --json n.xfvm | jq -c .norm)" "{\"data\":\"two people\",\"low\":$low,\"faces\":500}" \
    "model-info does as JSON"
is "$(model-info --json n.xfvm | jq -r .digest)" "$(model-info --json mobilefacenet | jq -r .digest)" \
    "the model's digest stays"

runs 1 "no face" model-means -o none.xfvm means.xfv
like "$(cat err)" 'no face' "says so"
[ ! -e none.xfvm ]; ok $? "and writes nothing"
runs 2 "a layer that is not there" model-means --layer 13x13 -o none.xfvm faces.xfv
like "$(cat err)" '28x28, 14x14, 7x7' "tells which there are"
runs 5 "a network without embedding" model-means -m mtcnn-r -o none.xfvm faces.xfv
head -c 5000 faces.xfv >cut.xfv
runs 3 "a cut stream" model-means -o none.xfvm cut.xfv
[ ! -e none.xfvm ]; ok $? "no model from half the faces"
runs 2 "bad option" model-means --nonsense
runs 0 "help" model-means --help
done_testing
