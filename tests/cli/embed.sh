# embed: the embedding against NumPy, faces alone and in pairs, faces and models that do not fit.
. "$top/tests/tap.sh"
export PYTHONPATH="$top/tests" XFV_MODEL_PATH="$work"
cat >make.py <<'PY'
from streams import *
open("tiny.xfvm", "wb").write(model())
open("turned.xfvm", "wb").write(model("turned", transposed=True))
open("loud.xfvm", "wb").write(model(loud=1e6))
open("cut.xfvm", "wb").write(model()[:-40])
open("flipped.xfvm", "wb").write(model().replace(b"prelu", b"prexu"))
faces = [face(f"d/{i}.jpg", i, extra={"k": [i]}) for i in range(3)]
open("faces.xfv", "wb").write(stream(faces))
open("again.xfv", "wb").write(stream([dict(face("x"), embedding="old", model="old", after=1)]))
open("pair.xfv", "wb").write(stream([{"_": "pair", "id": "a|b", "a": face("a", 1), "b": face("b", 2), "score": 1},
                                     {"_": "pair", "id": "c", "a": face("c"), "b": {"_": "face", "id": "bare"}}, {"_": "pair", "id": "d", "a": face("d")}]))
bad = [face("large", size=20), face("grey", image=tensor(np.zeros((16, 16, 1), np.uint8))), face("float", image=tensor(np.zeros((16, 16, 3), "<f4"))),
       face("short", image={"dtype": "|u1", "shape": [16, 16, 3], "data": b"12"}), face("text", image="x"), face("good")]
open("mobilefacenet.xfvm", "wb").write(model()) # the one that is taken when none is named
other, own = "0123456789abcdef" * 4, __import__("hashlib").sha256(model()).hexdigest()
for name, digest in [("other", other), ("own", own)]:
    open(f"crops-{name}.xfv", "wb").write(stream(faces, provenance=[{"tool": "facecrop", "version": "1", "args": "", "template": digest}, {"tool": "xfv-select", "version": "1"}]))
    open(f"named-{name}.xfv", "wb").write(stream(faces, model={"name": "x", "digest": digest}))
open("bad.xfv", "wb").write(stream(bad))
PY
cat >check.py <<'PY'
import sys
from streams import *
# The network in plain NumPy, double precision.
w = {r["name"]: array(r["tensor"]).astype(np.float64) for r in records(open("tiny.xfvm", "rb").read())}
def embed(image, turned):
    x = (image.astype(np.float64) - 127.5) / 128
    if turned: x = x.transpose(1, 0, 2)
    x = np.pad(x, ((1, 1), (1, 1), (0, 0)))
    a = np.array([[np.tensordot(x[2*i:2*i+3, 2*j:2*j+3], w["w1"], 3) for j in range(8)] for i in range(8)]) + w["b1"]
    b = np.where(a > 0, a, a * w["s1"])
    b = np.pad(b, ((1, 1), (1, 1), (0, 0)))
    c = np.array([[(b[i:i+3, j:j+3] * w["w2"][:, :, 0]).sum((0, 1)) for j in range(8)] for i in range(8)])
    return c.reshape(-1) @ w["w3"] + w["b3"]
worst = 0
for r in records(sys.stdin.buffer.read()):
    want = embed(array(r["image"]), sys.argv[1] == "turned")
    assert r["embedding"]["dtype"] == "<f4" and r["embedding"]["shape"] == [N]
    worst = max(worst, abs(array(r["embedding"]) - want).max() / abs(want).max())
print("right" if worst < 1e-5 else worst)
PY
runs 0 "Python makes faces and models" "$PYTHON" make.py
runs 0 "embed" embed -m tiny faces.xfv
cp out e.xfv
is "$("$PYTHON" check.py tiny <e.xfv)" right "the embeddings are NumPy's, before normalisation"
is "$(embed -m turned faces.xfv | "$PYTHON" check.py turned)" right "also of a network that sees the image turned"
is "$(xfv-json e.xfv | jq -c 'select(._ == "face") | keys_unsorted' | head -n 1)" \
    '["_","id","image","extra","embedding","model"]' "they stand at the end of the face, the model's digest after them"
digest=$(model-info --json tiny.xfvm | jq -r .digest) file=$(sha256sum tiny.xfvm | cut -d' ' -f1)
is "$(xfv-json e.xfv | jq -c 'select(._ == "head") | .model')" \
    '{"name":"tiny","digest":"'"$digest"'","file":"'"$file"'"}' \
    "the head names the model, what it computes and its file"
is "$(xfv-json e.xfv | jq -r 'select(._ == "face") | .model' | sort -u)" "$digest" "so does each face"
embed -m ./tiny.xfvm faces.xfv | cmp -s - e.xfv; ok $? "-m with a path: the same bytes"
is "$(embed -m tiny again.xfv | xfv-json | jq -c 'select(._ == "face") | [keys_unsorted, .model == "old"]')" \
    '[["_","id","image","embedding","model","after"],false]' "an old embedding is replaced in its place"
runs 1 "pairs, of which two are not whole: status 1" embed -m tiny pair.xfv
is "$(xfv-json out | jq -r 'select(._ == "pair") | [.a.embedding.shape[0], .b.embedding.shape[0]] | @csv')" 12,12 \
    "both faces of a pair"
is "$(xfv-json out | jq -r 'select(._ == "err") | .id + " " + .code' | tr '\n' ';')" "c noimage;d noface;" \
    "err records for the others"
runs 1 "images that do not fit: status 1" embed -m tiny bad.xfv
is "$(xfv-json out | jq -r 'select(._ == "err") | .id + " " + .code' | tr '\n' ';')" \
    "large size;grey image;float image;short image;text image;" "err records"
is "$(xfv-json out | jq -r 'select(._ == "face") | .id')" good "and the good one"
like "$(head -n 1 err)" "20 x 20 pixels .*'tiny' takes 16 x 16: run facecrop with --size 16" \
    "a wrong size says what to do"
for of in crops named; do
    runs 0 "$of: another model's faces, and no -m" embed $of-other.xfv
    is "$(wc -l <err)" 1 "one line"
    like "$(cat err)" "digest 0123456789ab\.\.\..*'tiny' now embeds them.*-m" "it warns that the model is another"
    runs 0 "$of: the model's own faces" embed $of-own.xfv
    is "$(cat err)" "" "no warning"
    runs 0 "$of: another model's faces, with -m" embed -m tiny $of-other.xfv
    is "$(cat err)" "" "who names a model is not warned"
done
# Half precision.
embed -m tiny -o full.xfv faces.xfv
runs 0 "embed --half writes a stream" embed -m tiny --half faces.xfv
mv out half.xfv
is "$($PYTHON -c 'from streams import *
full, half = ([array(r["embedding"]) for r in records(open(f, "rb").read()) if r["_"] == "face"] for f in ("full.xfv", "half.xfv"))
print(len(half), all(h.dtype == "<f2" and (h == f.astype("<f2")).all() for f, h in zip(full, half)))')" "3 True" \
    "its embeddings are the whole ones rounded to f16"
runs 0 "xfv-check takes embeddings in half precision" xfv-check half.xfv
for way in "--all" "--all --best 2" "--probe d/0.jpg --best 1"; do
    verify $way --tsv full.xfv | sort >whole.tsv
    runs 0 "verify $way compares embeddings in half precision" verify $way --tsv half.xfv
    sort out | paste whole.tsv - | awk -F '\t' '$1 != $7 || $2 != $8 || ($3 - $9) ^ 2 > 1e-6' >far
    is "$(cat far)" "" "its scores are within .001 of the whole ones' ($way)"
done
verify --all half.xfv | cosine-grad -m tiny -o maps.xfv; ok $? "cosine-grad finds the model's own embeddings in them"
embed -m loud --half faces.xfv >loud.xfv 2>err
is "$?-$(xfv-json loud.xfv | jq -r 'select(._ == "err") | .code' | tr '\n' ' ')" "1-embedding embedding embedding " \
    "an embedding that half precision cannot hold becomes an err record"
like "$(head -1 err)" "out of the range of --half .*run embed without it" "it says what to do"
runs 5 "no such model: status 5" embed -m nothing faces.xfv
runs 5 "a model cut short: status 5" embed -m cut faces.xfv
is "$(wc -l <err)-$(wc -c <out)" 1-0 "one line, and no output"
runs 5 "a damaged model: status 5" embed -m flipped faces.xfv
runs 5 "no model at all: status 5" embed -m ./faces.xfv faces.xfv
[ -e "$top/models/mtcnn-r.xfvm" ]; ok $? "the default models are there"
runs 5 "a detector is no embedding network: status 5" embed -m "$top/models/mtcnn-r.xfvm" faces.xfv
like "$(cat err)" "mtcnn-r" "and it says so"
done_testing
