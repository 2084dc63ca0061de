# The explainers beside FGGB, each against its recipe worked out again in NumPy on a small network (tests/oracle.py).
. "$top/tests/tap.sh"
export PYTHONPATH="$top/tests" XFV_MODEL_PATH="$work"
cat >make.py <<'PY'
from streams import *
open("tiny.xfvm", "wb").write(model())
open("far.xfvm", "wb").write(model("far", score="euclidean"))
open("faces.xfv", "wb").write(stream([face(f"d/{i}.jpg", i) for i in range(6)]))
def patches(seed):  # for superpixels: noise alone has none
    rng = np.random.default_rng(seed)
    return tensor((np.kron(rng.integers(0, 240, (4, 3, 3)), np.ones((4, 6, 1)))[:, :16] + rng.integers(0, 16, (16, 16, 3))).astype("u1"))
open("patches.xfv", "wb").write(stream([face(f"d/{i}.jpg", image=patches(i)) for i in range(6)]))
PY
runs 0 "faces and a model" "$PYTHON" make.py
embed -m tiny faces.xfv | verify -t 0.3 -o pairs.xfv
embed -m tiny patches.xfv | verify -t 0.3 -o patches-pairs.xfv
embed -m far faces.xfv | verify -m far -t -3 -o far-pairs.xfv
pairs=pairs.xfv
cat >check.py <<'PY'
import sys
from oracle import *
from streams import records
THRESHOLD = 0.3
out = records(open(sys.argv[2], "rb").read())
assert len(out) == 3

def each(fn, limit=1e-4, unit=unit):
    """fn(rgb of the face, input, unit embedding of the other, side, record) -> similarity, dissimilarity"""
    for r in out:
        rgb = images(r)
        for i, s in enumerate("ab"):
            other = unit(embed(network_input(rgb[1 - i])[None]))[0]
            wanted = fn(rgb[i], network_input(rgb[i]), other, s, r)
            for got, w in zip(maps_of(r)[s], wanted): close(got, w, limit)

def xssab(rgb, x, other, s, r):
    f = unit(embed(x[None]))[0]
    for_it = f * other >= THRESHOLD / N
    assert 0 < for_it.sum() < N
    return [np.abs(gradient(lambda b: unit(embed(b)) @ (other * w), x)).mean(2) for w in (for_it, ~for_it)]

def xssab_distance(rgb, x, other, s, r):  # other: raw here
    d = embed(x[None])[0] - other
    for_it = -d ** 2 >= -3.0 ** 2 / N
    assert 0 < for_it.sum() < N
    return [np.abs(gradient(lambda b: -((embed(b) - other) ** 2 * w).sum(1), x)).mean(2) for w in (for_it, ~for_it)]

cosine = lambda other: lambda b: unit(embed(b)) @ other
def grad(rgb, x, other, s, r): return [np.abs(gradient(cosine(other), x)).mean(2)] * 2
def times_input(rgb, x, other, s, r): return sides(((x + 127.5 / 128) * gradient(cosine(other), x)).sum(2))
def integrated(rgb, x, other, s, r):
    black = np.full_like(x, -127.5 / 128)
    mean = sum(gradient(cosine(other), black + (i + 0.5) / 3 * (x - black)) for i in range(3)) / 3
    return sides(((x - black) * mean).sum(2))
streams_of = {}
def smoothgrad(rgb, x, other, s, r):
    g = streams_of.setdefault(r["id"], SplitMix(7, r["id"].encode()))  # a, then b
    total = 0
    for _ in range(2):
        noise = np.array([g.normal() for _ in range(x.size)]).reshape(x.shape) * 0.15 * 255 / 128
        total = total + np.abs(gradient(cosine(other), x + noise)).mean(2)
    return [total / 2] * 2

def cam(kind, fixed=False):
    def fn(rgb, x, other, s, r):
        h = features(x[None])[0]
        f = h.reshape(-1) @ W["w3"] + W["b3"]
        n = np.linalg.norm(f)
        g = (W["w3"] @ (other / n if fixed else (other - (other @ f / n) * f / n) / n)).reshape(8, 8, 8)
        if kind == "gradcam": got = sides(h @ g.mean((0, 1)))
        elif kind == "hires": got = sides((g * h).sum(2))
        else: got = [m.sum(2) for m in sides(g * h)]
        return got
    for r in out:  # the cells' centres lie on every second pixel; a cell is 4 pixels
        rgb = images(r)
        for i, s in enumerate("ab"):
            other = unit(embed(network_input(rgb[1 - i])[None]))[0]
            for got, w in zip(maps_of(r)[s], fn(rgb[i], network_input(rgb[i]), other, s, r)): close(got[::2, ::2] * 4, w)

def corrrise(uniform, spearman):
    g = SplitMix(3)
    masks = np.ones((40, 16, 16))
    for m in masks:
        for _ in range(3):
            y, x = g.below(12), g.below(12)
            for i in range(y, y + 5):
                for j in range(x, x + 5): m[i, j] = np.float32(g.unit()) if uniform else 0
    def fn(rgb, x, other, s, r):
        score = unit(masked(rgb, masks)) @ other
        if spearman: score = np.argsort(np.argsort(score)).astype(float)
        z, m = score - score.mean(), masks - masks.mean(0)
        c = (z[:, None, None] * m).sum(0) / (np.linalg.norm(z) * np.maximum(np.sqrt((m * m).sum(0)), 1e-12))
        return sides(c)
    each(fn, 1e-3)

def xface(distance):
    for r in out:
        rgb, whole = images(r), [unit(embed(network_input(i)[None]))[0] for i in images(r)]
        total = np.zeros((2, 16, 16))
        for size in (3, 5):
            places = [(y, x) for y in range(0, 16 - size, 2) for x in range(0, 16 - size, 2)]
            masks = np.ones((len(places), 16, 16))
            for m, (y, x) in zip(masks, places): m[y:y + size + 1, x:x + size + 1] = 0
            f = [unit(masked(i, masks)) for i in rgb]
            for i in range(2):
                if distance == 1: d = (1 - f[i] @ f[1 - i].T).mean(1)
                if distance == 2: d = 1 - f[i] @ whole[1 - i]
                if distance == 3: d = 1 - (f[i] * f[1 - i]).sum(1)
                d = (d - (1 - whole[0] @ whole[1])) / size ** 2
                total[i] += reflect_blur(((1 - masks) * d[:, None, None]).mean(0), 5, 2) / 2
        for i, s in enumerate("ab"):
            for got, w in zip(maps_of(r)[s], sides(total[i])): close(got, w, 1e-3)

def minplus(stop, iterations):
    g = SplitMix(2)
    noise = np.array([10 * g.unit() for _ in range(16 * 16 * 3)]).reshape(16, 16, 3)
    y, x = np.mgrid[:16, :16]
    windows = []
    for cy in range(2, 16, 4):
        for cx in range(2, 16, 4):
            dy, dx = y - cy, x - cx
            windows.append(np.exp(-(dy ** 2 + dx ** 2) / 2 / (8 / 8.5) ** 2) * (abs(dy) <= 4) * (abs(dx) <= 4))
    windows = np.array(windows)
    taken = []
    def fn(rgb, x, other, s, r):
        whole = (unit(embed(x[None])) @ other)[0]
        h = np.zeros(16)
        for sign in (-1, 1):
            hidden = np.ones((16, 16))
            look = lambda m: unit(masked(rgb, m if sign < 0 else 1 - m, 0 if sign < 0 else noise)) @ other
            now = look(hidden[None])[0]
            h += sign * (look(hidden * (1 - windows)) - now)
            for t in range(iterations):
                if now <= stop if sign < 0 else now >= whole - stop: break
                change = sign * (look(hidden * (1 - windows)) - now)
                best = change.argmax()
                if change[best] <= 0: break
                h[best] += change[best]
                now += sign * change[best]
                hidden = hidden * (1 - windows[best])
                taken.append(t)
        m = (h[:, None, None] * windows).sum(0)
        m = m - m.min()
        return m / m.max(), m * 0
    each(fn, 1e-3)
    assert max(taken) > 1 and (stop < 0.1 or max(taken) < iterations - 1), taken

def lime(segments, fill, ridge, samples):
    streams = {}
    def fn(rgb, x, other, s, r):
        g = streams.setdefault(r["id"], SplitMix(4, r["id"].encode()))  # a, then b
        label = slic(rgb, segments, 10)
        k = label.max() + 1
        assert k > 2 and len(np.unique(label)) == k
        z = np.array([[1] * k] + [[g.below(2) for _ in range(k)] for _ in range(samples - 1)], float)
        off = np.zeros((16, 16, 3)) + (rgb.reshape(-1, 3).mean(0) if fill == "mean" else 0)
        if fill == "segment":
            for i in range(k): off[label == i] = rgb[label == i].mean(0)
        score = unit(masked(rgb, z[:, label], off)) @ other
        w = np.sqrt(np.exp(-((1 - np.sqrt(z.mean(1))) / 0.25) ** 2))  # least squares over [1 z], the ridge as k more rows
        design = np.vstack([np.c_[np.ones(samples), z] * w[:, None], np.c_[np.zeros(k), np.eye(k) * np.sqrt(ridge)]])
        b = np.linalg.lstsq(design, np.r_[score * w, np.zeros(k)], rcond=None)[0][1:]
        return sides(b[label])
    each(fn, 1e-3)

def fame(rgb, x, other, s, r):
    got = []
    for sign in (1, -1):
        y = x.copy()
        for _ in range(2):
            v = (unit(embed(y[None])) @ other)[0]
            if (v if sign > 0 else 1 - v) < 0.01: break
            g = gradient(cosine(other), y)
            y = y - sign * 4 / 128 * g / np.abs(g).max()
        d = np.abs((y - x) @ (np.array([0.2989, 0.587, 0.114]) * 128 / 255))
        d = reflect_blur(d / d.max() if d.max() else d, 2, 6)
        got.append((d - d.min()) / (d.max() - d.min()) if d.max() > d.min() else d * 0)
    return got

def control(kind):
    for r in out:
        g, rgb = SplitMix(5, r["id"].encode()), images(r)
        for i, s in enumerate("ab"):
            y, x = np.mgrid[:16, :16]
            if kind == "random": w = np.array([g.unit() for _ in range(256)]).reshape(16, 16)
            if kind == "centre": w = np.exp(-0.5 * ((y - 7.5) ** 2 + (x - 7.5) ** 2) / (24 * 16 / 112) ** 2)
            if kind == "edges":
                p = np.pad(rgb[i].astype(float) @ [0.299, 0.587, 0.114], 1, mode="edge")
                at = lambda dy, dx: p[1 + dy:17 + dy, 1 + dx:17 + dx]
                gx = sum(k * (at(d, 1) - at(d, -1)) for d, k in ((-1, 1), (0, 2), (1, 1)))
                gy = sum(k * (at(1, d) - at(-1, d)) for d, k in ((-1, 1), (0, 2), (1, 1)))
                sigma = 5 * 16 / 112
                w = reflect_blur(np.hypot(gx, gy), sigma, max(1, int(2.5 * sigma)))
            for got in maps_of(r)[s]: close(got, w)

def mean():  # of the maps before
    for j in range(2):
        w = sum(maps_of(r, -2)[s][j].astype(float) for r in out for s in "ab") / 6
        for r in out:
            for s in "ab": close(maps_of(r)[s][j], w)

tests = {"xssab": lambda: each(xssab), "xssab-distance": lambda: each(xssab_distance, unit=lambda f: f), "gradient": lambda: each(grad), "input": lambda: each(times_input), "integrated": lambda: each(integrated, 1e-3),
         "smoothgrad": lambda: each(smoothgrad, 1e-3), "gradcam": lambda: cam("gradcam"), "gradcam-fixed": lambda: cam("gradcam", True), "hires": lambda: cam("hires"), "elementwise": lambda: cam("elementwise"),
         "corrrise": lambda: corrrise(0, 0), "corrrise-uniform": lambda: corrrise(1, 0), "corrrise-spearman": lambda: corrrise(0, 1),
         "xface1": lambda: xface(1), "xface2": lambda: xface(2), "xface3": lambda: xface(3),
         "minplus": lambda: minplus(0.01, 3), "minplus-stop": lambda: minplus(0.2, 20),
         "lime": lambda: lime(9, "segment", 1, 60), "lime-black": lambda: lime(16, "black", 0.1, 200), "lime-mean": lambda: lime(5, "mean", 0, 90),
         "fame": lambda: each(fame, 1e-3), "random": lambda: control("random"), "centre": lambda: control("centre"), "edges": lambda: control("edges"), "mean": mean}
tests[sys.argv[1]]()
print("good")
PY
# one NAME METHOD COMMAND...: right, the same for every -j, and named
one() {
    name=$1 method=$2; shift 2
    "$@" -o "$name.xfv" "$pairs" 2>err; rc=$?
    is "$rc$(cat err)" 0 "$*"
    is "$("$PYTHON" check.py "$name" "$name.xfv" 2>&1 | tail -n 1)" good "$*: as worked out by NumPy"
    "$@" -j 3 -o j3.xfv "$pairs"
    cmp -s "$name.xfv" j3.xfv; ok $? "$*: the same bytes with three workers"
    is "$(xfv-json "$name.xfv" | jq -r 'select(._ == "pair") | .maps[-1].method' | sort -u)" "$method" \
        "$*: its method is $method"
}
one xssab xssab xssab-grad
pairs=far-pairs.xfv
one xssab-distance xssab xssab-grad
pairs=pairs.xfv
one gradient cosine-gradient cosine-grad
one input cosine-input cosine-grad --kind input
one integrated cosine-integrated cosine-grad --kind integrated -n 3
one smoothgrad cosine-smoothgrad cosine-grad --kind smoothgrad -n 2 --seed 7
one gradcam gradcam gradcam
one gradcam-fixed gradcam gradcam --target fixed-norm
one hires gradcam-hires gradcam --kind hires
one elementwise gradcam-elementwise gradcam --kind elementwise
one corrrise corrrise corrrise -n 40 --patches 3 --size 5 --seed 3
one corrrise-uniform corrrise corrrise -n 40 --patches 3 --size 5 --seed 3 --value uniform
one corrrise-spearman corrrise corrrise -n 40 --patches 3 --size 5 --seed 3 --correlation spearman
for d in 1 2 3; do one xface$d xface xface --sizes 3,5 --stride 2 --distance $d; done
one minplus minplus minplus -n 3 --window 8 --stride 4 --noise 10 --seed 2
one minplus-stop minplus minplus --stop 0.2 --window 8 --stride 4 --noise 10 --seed 2
pairs=patches-pairs.xfv
one lime lime lime --segments 9 -n 60 --seed 4
one lime-black lime lime --segments 16 -n 200 --fill black --ridge 0.1 --seed 4
one lime-mean lime lime --segments 5 -n 90 --fill mean --ridge 0 --seed 4
pairs=pairs.xfv
one fame fame fame -n 2 --step 4 --blur 2
one random control-random control-map --seed 5
one centre control-centre control-map -k centre
one edges control-edges control-map -k edges
xssab-grad -o with.xfv pairs.xfv
runs 0 "the mean of another method's maps" control-map -k mean-fggb --method xssab --from with.xfv -o mean.xfv with.xfv
is "$("$PYTHON" check.py mean mean.xfv 2>&1 | tail -n 1)" good "is their mean"
runs 2 "mean without a file" control-map -k mean with.xfv
runs 2 "a mean of maps that are not there" control-map -k mean --from with.xfv with.xfv
like "$(cat err)" "no pair with maps of method 'fggb'" "which it says"
corrrise -n 10 --patches 1 --size 5 --seed 1 -o s1.xfv pairs.xfv;
corrrise -n 10 --patches 1 --size 5 --seed 2 -o s2.xfv pairs.xfv
cmp -s s1.xfv s2.xfv; [ $? -eq 1 ]; ok $? "another seed, other masks"
# another program as the network
corrrise -n 40 --patches 3 --size 5 --seed 3 --exec "embed -q -m tiny" -j 2 -o exec.xfv pairs.xfv 2>err
is "$?$(cat err)" 0 "the network asked by --exec"
is "$("$PYTHON" check.py corrrise exec.xfv 2>&1 | tail -n 1)" good "gives the same maps"
cat >three.py <<'PY'
# a network of one's own: mean red, green and blue
from packs import *
import struct, sys
faces = records(sys.stdin.buffer.read())
for r in faces:
    rgb = r["image"]["data"]
    r["embedding"] = {"dtype": "<f4", "shape": [3], "data": struct.pack("<3f", *(sum(rgb[c::3]) / (len(rgb) // 3) for c in range(3)))}
sys.stdout.buffer.write(stream(faces))
PY
runs 0 "a network of three numbers, in Python" xface --sizes 3 --stride 4 --distance 2 --exec "$PYTHON three.py" -o \
    three.xfv pairs.xfv
like "$(xfv-json three.xfv | jq -c 'select(._ == "pair") | .maps[0].a.similarity.max > 0' | sort -u)" true "has maps"
for bad in "exit 3" "cat" "true" "echo no" "kill -9 \$\$" "no-such-command-here"; do
    corrrise -n 4 --patches 1 --size 5 --exec "$bad" pairs.xfv >out 2>err; rc=$?
    is "$(grep -c "^corrrise: .*--exec '" err)" 1 "--exec '$bad': says so, once"
    [ $rc -ge 3 ] && [ $rc -le 4 ]; ok $? "--exec '$bad': status 3 or 4"
done
runs 2 "a patch larger than the image" corrrise --size 17 pairs.xfv
minplus -n 1 -o default.xfv pairs.xfv; minplus --fast --stop 0 -o fast.xfv pairs.xfv
is "$(xfv-json default.xfv fast.xfv |
    jq -c 'select(._ == "pair") | .maps[0].params | [.window, .stride, .iterations, .stop]' | sort -u | tr '\n' ' ')" \
    "[10,1,1,0.01] [14,3,1,0] " "minplus: windows as large as the image asks for, and --fast"
runs 2 "a stride that leaves no window" minplus --stride 40 pairs.xfv
runs 1 "as many samples as superpixels need, and no fewer" lime -n 2 --ridge 0 -o few.xfv patches-pairs.xfv
like "$(cat err)" "do not tell all superpixels apart" "which it says"
runs 2 "sizes that are none" xface --sizes 7,x pairs.xfv
done_testing
