# ablate: every score against NumPy on a small network; what a map of no place, of NaN or of nothing gets; planted
# truth.
. "$top/tests/tap.sh"
export PYTHONPATH="$top/tests" XFV_MODEL_PATH="$work"
cat >make.py <<'PY'
from streams import *
import numpy as np
open("tiny.xfvm", "wb").write(model())
open("far.xfvm", "wb").write(model("far", score="euclidean"))
rng = np.random.default_rng(9)
people = rng.integers(0, 256, (8, 16, 16, 3))
faces = []
for p in range(8):
    for k in range(1, 5):
        im = np.clip(people[p] + rng.normal(0, 60, people[p].shape), 0, 255).astype(np.uint8)
        faces.append({"_": "face", "id": f"d/P_{p}_{k:04d}.jpg", "image": tensor(im)})
open("faces.xfv", "wb").write(stream(faces))
with open("pairs.txt", "w") as f:
    for p in range(4):
        f.write(f"d/P_{p}_0001.jpg\td/P_{p}_0002.jpg\tgenuine\nd/P_{p}_0003.jpg\td/P_{(p + 5) % 8}_0004.jpg\timpostor\n")
PY
runs 0 "faces, models and a list" "$PYTHON" make.py
embed -m tiny faces.xfv | verify --pairs pairs.txt -t 0.4 -o pairs.xfv
xssab-grad pairs.xfv | control-map --seed 2 -o maps.xfv
cat >check.py <<'PY'
import re, sys
from oracle import *
from streams import records
name, fill, signs, places = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
far, loose = "far" in sys.argv, 50 if "bytes" in sys.argv else 30 if "far" in sys.argv else 1
SHARES, SIZE = [1, 2, 5, 10, 20, 30], 16
score = (lambda a, b: -np.linalg.norm(a - b)) if far else (lambda a, b: unit(a) @ unit(b))
blur = lambda m, sigma: reflect_blur(m, sigma, max(1, int(2.5 * sigma)))
y, x = np.mgrid[:SIZE, :SIZE] * 7.0 + 3
oval = ((x - 56) / 45) ** 2 + ((y - 64) / 52) ** 2 <= 1

def mean_face():
    text = open(sys.argv[0].replace("check.py", "mean_face.c")).read()
    cells = np.array([int(v) for v in re.search(r"cells\[.*?\{(.*?)\}", text, re.S)[1].split(",") if v.strip()], float).reshape(28, 28, 3)
    p = (np.arange(112) + 0.5) / 4 - 0.5
    i, t, m = np.floor(p).astype(int), p - np.floor(p), np.zeros((112, 28))
    for k, w in enumerate([-t / 2 + t**2 - t**3 / 2, 1 - 2.5 * t**2 + 1.5 * t**3, t / 2 + 2 * t**2 - 1.5 * t**3, (t**3 - t**2) / 2]):
        np.add.at(m, (np.arange(112), np.clip(i + k - 1, 0, 27)), w)
    big = np.einsum("ij,jkc,lk->ilc", m, cells, m)
    at = np.arange(SIZE) * 7 + 3  # centres fall on pixels
    return big[np.ix_(at, at)]

def trial(r, entry, key, threshold):
    rgb, g = [i.astype(float) for i in images(r)], SplitMix(0, r["id"].encode())
    m = {s: maps_of(r, entry)[s][key == "dissimilarity"].astype(float) for s in "ab"}
    order = []
    for s in "ab":
        b = blur(m[s], 5 * SIZE / 112).astype(np.float32)
        inside = [int(i) for i in np.flatnonzero(oval)]
        tie = list(range(len(inside)))
        g.shuffle(tie)
        order.append([i for v, t, i in sorted((-b.flat[i], tie[k], i) for k, i in enumerate(inside) if b.flat[i] > 0)])
    size = lambda s, share: min(len(order[s]), int(oval.sum() * share / 100 + 0.5))
    at = lambda i: np.array([i % SIZE, i // SIZE], float)
    marked = [order[s][:size(s, 10)] for s in range(2)]
    centre = np.mean([at(i) for s in range(2) for i in marked[s]], 0)
    moves, spots = [], [np.array([at(i) - centre for i in marked[s]]) for s in range(2)]
    for _ in range(places):
        best, kept = -1, None
        for _ in range(100):
            a, mirror = 2 * np.pi * g.unit(), -1 if g.unit() < 0.5 else 1
            R, to = np.array([[mirror * np.cos(a), -np.sin(a)], [mirror * np.sin(a), np.cos(a)]]), at(np.flatnonzero(oval)[g.below(int(oval.sum()))])
            share = []
            for s in range(2):
                q = np.floor(spots[s] @ R.T + to + 0.5).astype(int)
                q = q[((q >= 0) & (q < SIZE)).all(1)]
                share.append(oval[q[:, 1], q[:, 0]].sum() / len(marked[s]))
            if min(share) > best: best, kept = min(share), (R, to)
            if best >= 0.9: break
        moves.append(kept)
    def mask(s, share):
        v = np.zeros(SIZE * SIZE); v[order[s][:size(s, share)]] = 1
        return blur(v.reshape(SIZE, SIZE), 1.5 * SIZE / 112)
    def moved(s, R, to):
        v, mark = np.zeros((SIZE, SIZE)), np.zeros(SIZE * SIZE); mark[marked[s]] = 1
        j, i = np.mgrid[:SIZE, :SIZE]
        p = np.floor((np.stack([i, j], 2) - to) @ R + centre + 0.5).astype(int)
        inside = ((p >= 0) & (p < SIZE)).all(2)
        v[inside] = mark[p[inside] @ [1, SIZE]]
        return blur(v, 1.5 * SIZE / 112)
    def fill_of(s):
        if key == "dissimilarity" or fill == "partner": return rgb[1 - s]
        if fill == "black": return np.zeros_like(rgb[s])
        if fill == "mean": return mean_face()
        sigma = 8 * SIZE / 112
        return np.stack([blur(rgb[s][..., c], sigma) for c in range(3)], 2)
    E = lambda s, marks: masked(rgb[s], 1 - np.array(marks), fill_of(s))
    whole = [embed(network_input(i[None]))[0] for i in rgb]
    f = [E(s, [mask(s, v) for v in SHARES] + [1 - mask(s, 10)] + [moved(s, *v) for v in moves]) for s in range(2)]
    base = score(*whole)
    views = {"a": [score(v, whole[1]) for v in f[0]], "b": [score(whole[0], v) for v in f[1]], "both": [score(v, w) for v, w in zip(*f)]}
    turned = lambda v: (v >= threshold) != (base >= threshold)
    turns, which = min([(next((SHARES[i] for i in range(6) if turned(views[k][i])), 1e9), k) for k in "ab"])
    if turns < 1e9:
        low, s = max([0] + [v for v in SHARES if v < turns]), "ab".index(which)
        for _ in range(3):
            half = (low + turns) / 2
            e = E(s, [mask(s, half)])[0]
            if turned(score(e, whole[1]) if s == 0 else score(whole[0], e)): turns = half
            else: low = half
    mean = [(p + q) / 2 for p, q in zip(views["a"], views["b"])]
    sign = 1 if key == "dissimilarity" else -1
    rank = 1 + sum(sign * v >= sign * mean[3] for v in mean[7:])
    return base, views, (turns, which) if turns < 1e9 else (None, None), mean[3], np.mean(mean[7:]), rank

n = 0
for r in records(open(name, "rb").read()):
    for e, entry in enumerate(r["maps"]):
        wanted = {"auto": ["similarity" if r["accept"] else "dissimilarity"], "both": ["similarity", "dissimilarity"]}[signs]
        assert list(entry["trial"]) == wanted, list(entry["trial"])
        for key in wanted:
            t = entry["trial"][key]
            base, views, turns, s, elsewhere, rank = trial(r, e, key, t["threshold"])
            for k, v in views.items():
                got = t[k]["scores"] + [t[k]["alone"]] + t[k]["elsewhere"]
                assert np.abs(np.array(got) - v).max() < 2e-5 * loose, (r["id"], key, k, np.array(got) - v)
            assert abs(t["base"] - base) < 1e-4 and abs(t["score"] - s) < 1e-4 and abs(t["elsewhere"] - elsewhere) < 1e-4
            assert t["rank"] == rank and abs(t["p"] - rank / (places + 1)) < 1e-12 and t["stands"] == (t["p"] <= 0.05), (t["rank"], rank)
            assert (t.get("turns"), t.get("turned")) == turns, (t, turns)
            assert t["passes"] == 2 * (7 + places) + 3 * (turns[0] is not None)
            n += 1
print("good", n)
PY
cp "$top/libcommon/face/mean_face.c" .
one() { # FILL SIGN PLACES
    runs 0 "ablate --fill $1 --sign $2 -n $3" ablate --no-provenance --fill "$1" --sign "$2" -n "$3" -o out.xfv maps.xfv
    is "$("$PYTHON" check.py out.xfv "$1" "$2" "$3" 2>&1 | tail -n 1)" "good $4" "is what NumPy works out"
}
one mean auto 20 16
cp out.xfv mean.xfv
one black both 5 32
one blur auto 3 16
one partner auto 19 16
ablate --no-provenance -j 3 -o j3.xfv maps.xfv
cmp -s j3.xfv mean.xfv; ok $? "the same bytes with three workers"
embed -m far faces.xfv | verify -m far --pairs pairs.txt -t -0.9 | xssab-grad | ablate --fill black -n 2 -o far.xfv
is "$("$PYTHON" check.py far.xfv black auto 2 far 2>&1 | tail -n 1)" "good 8" "a network compared by distance"
ablate --exec "embed -q -m tiny" --fill black -n 2 -o exec.xfv maps.xfv 2>err
is "$?$(cat err)$("$PYTHON" check.py exec.xfv black auto 2 bytes 2>&1 | tail -n 1)" "0good 16" \
    "the network asked by --exec"
is "$(ablate --method control-random maps.xfv | xfv-json |
    jq -c 'select(._ == "pair") | .maps | map([.method, has("trial")])' | sort -u)" \
    '[["xssab",false],["control-random",true]]' "--method"

# maps that mark nothing
cat >odd.py <<'PY'
from streams import *
import numpy as np
pairs = [r for r in records(open("maps.xfv", "rb").read()) if r["accept"]][:1]
head = records(open("maps.xfv", "rb").read(), all=True)[0]
T = lambda v: {"similarity": tensor(np.full((16, 16), v, "<f4")), "dissimilarity": tensor(np.zeros((16, 16), "<f4"))}
ramp = np.arange(256, dtype="<f4").reshape(16, 16)
signed = {"signed": tensor(ramp - 100)}
broken = {"similarity": tensor(np.where(ramp == 5, np.nan, ramp).astype("<f4"))}
few = {"similarity": tensor(np.where((ramp == 119) | (ramp == 120), 1, 0).astype("<f4"))}
half = {"similarity": tensor(ramp.astype("<f8"))}
entries = [("zero", T(0), T(0)), ("flat", T(0.5), T(0.5)), ("nan", broken, broken), ("signed", signed, signed), ("few", few, few), ("one", half, None), ("text", {"similarity": "x"}, {})]
pairs[0]["maps"] = [{"method": n, "params": {}, "a": a, **({"b": b} if b else {})} for n, a, b in entries]
open("odd.xfv", "wb").write(stream(pairs, model=head["model"]))
PY
"$PYTHON" odd.py
runs 0 "odd maps" ablate -o odd2.xfv odd.xfv
is "$(xfv-json odd2.xfv |
    jq -r 'select(._ == "pair") | .maps[] | [.method, (.trial.similarity | .state, (.share // 0 | floor), .changed)] | join(" ")')" \
    "zero empty 0 
flat constant 0 
nan broken 0 
signed tried 10 either
few tried 8 either
one tried 10 a
text broken 0 " "are told apart"
like "$(xfv-json odd2.xfv | jq -r 'select(._ == "pair") | .maps[1].trial.similarity.words')" \
    '^The S\+ map of flat is the same everywhere' "in words"
runs 1 "pairs without maps" ablate -o none.xfv pairs.xfv
like "$(xfv-json none.xfv | jq -r 'select(._ == "err") | .message' | head -n 1)" 'no maps: run an explainer' \
    "say what to do"
for bad in "--fill grey" "--sign signed" "-n 0" "-n 1000" "--blur -1"; do runs 2 "$bad is refused" ablate $bad maps.xfv;
done

# the same photograph twice: what is no larger than its noise is drawn empty, and said to be
XFV_MODEL_PATH="$top/models"
# the other places are drawn by the pair's id: not by the folder of the checkout
mkdir photos && cp "$top"/tests/photos/*.jpg photos && photos=photos
facecrop -q "$photos/anna-1.jpg" "$photos/anna-1.jpg" | embed | verify | gradcam | path-grad --combine pair |
    ablate --sign both -o same.xfv
is "$(xfv-json same.xfv |
    jq -c 'select(._ == "pair") | .maps[] | [.method, .trial.similarity.state, .trial.dissimilarity.state]' |
    sed 's/"empty"/"noise"/' | tr '\n' ' ')" \
    '["gradcam","noise","noise"] ["path-grad","tried","tried"] ' \
    "ablate tells rounding noise from evidence (whether it cancels to nothing is the kernels' affair)"
like "$(xfv-json same.xfv | jq -r 'select(._ == "pair") | .maps[0].trial.dissimilarity.words')" \
    '^The S- map of gradcam (is no larger than the noise of its own arithmetic: it |)marks nothing' "in words"
heatmap --layout overlay -s 1 --method gradcam same.xfv >noise.ppm
is "$(pnmcolormap 256 noise.ppm 2>/dev/null | pnmnoraw | tail -n +4 | tr -s ' ' '\n' | grep . | paste - - - |
    awk '$1 != $2 || $2 != $3' | wc -l)" \
    0 "and drawn without any colour"
cat >other.py <<'PY'
import sys
from streams import *
r = next(r for r in records(open("same.xfv", "rb").read()) if r["_"] == "pair")
r["b"]["image"] = tensor(array(r["b"]["image"])[::-1])
sys.stdout.buffer.write(stream([r]))
PY
"$PYTHON" other.py >other.xfv
runs 1 "maps of another pair" heatmap -o other.png other.xfv
like "$(cat err)" "the maps of 'gradcam' are of two other pictures than this pair's" "are told"

# A photograph with part of a stranger's face: a map of that part stands, the same map half a face away does not. (Of
# ten such cases, five regions of two strangers, these four stand at p <= .05; the moved map stands in none.)
cat >swap.py <<'PY'
import sys
from streams import *
import numpy as np
r = next(r for r in records(sys.stdin.buffer.read()) if r["_"] == "pair")
head = {"name": "mobilefacenet"}
truth = array(r["truth"]["mask"]).astype("<f4")
wrong = np.roll(truth, 56 if np.flatnonzero(truth.any(1)).mean() < 56 else -56, 0)
put = lambda m: {"similarity": tensor(m * 0), "dissimilarity": tensor(m)}
r["maps"] = [{"method": n, "params": {}, "a": put(m), "b": put(m)} for n, m in (("right", truth), ("wrong", wrong))]
sys.stdout.buffer.write(stream([r]))
PY
printf '%s\t%s\tgenuine\n' "$photos/anna-1.jpg" "$photos/anna-2.jpg" >anna.txt
facecrop -q "$photos/anna-1.jpg" "$photos/anna-2.jpg" | embed | verify --pairs anna.txt -o anna.xfv
planted() { # DONOR REGION
    facecrop -q "$photos/$1.jpg" -o donor.xfv
    plant --region "$2" --donors donor.xfv anna.xfv | embed | verify | "$PYTHON" swap.py |
        ablate --sign dissimilarity -n 39 | xfv-json >planted.json
    is "$(jq -c 'select(._ == "pair") | [.maps[].trial.dissimilarity.stands]' planted.json)" '[true,false]' \
        "the $2 of $1: the map of it stands, the map moved away does not"
}
planted clara nose
planted bella nose
planted clara left-eye
planted bella left-eye
like "$(jq -r 'select(._ == "pair") | .maps[0].trial.dissimilarity.words' planted.json)" \
    "^With the other photograph's pixels in the [0-9.]+ % of either face that right marks, the score rises to" \
        "in words"
like "$(jq -r 'select(._ == "pair") | .maps[1].trial.dissimilarity.words' planted.json)" \
    'matters no more than other places: do not read it.$' "and in words"
done_testing
