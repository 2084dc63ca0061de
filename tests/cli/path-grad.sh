# path-grad: cells that sum to the score's change, maps that lie on the faces, options, and what the filters have in
# common.
. "$top/tests/tap.sh"
p=$top/tests/photos
facecrop "$p/anna-1.jpg" "$p/anna-2.jpg" "$p/anna-1.jpg" "$p/bella.jpg" | embed | verify -o pairs.xfv
cat >check.py <<'PY'
import msgpack, numpy as np, sys
def T(t): return np.frombuffer(t["data"], t["dtype"]).reshape(t["shape"]).astype("f8")
def pairs(path):
    return [r for r in msgpack.Unpacker(open(path, "rb"), raw=False, max_bin_len=1 << 28, unicode_errors="surrogateescape") if r["_"] == "pair"]
def entry(r, i=-1): return r["maps"][i]
what, path = sys.argv[1:3]
limit = float(sys.argv[3]) if len(sys.argv) > 3 else 0
for r in pairs(path):
    m = entry(r); q = m["params"]; c = q["cells"]
    for i, s in enumerate("ab"):
        cells = T(c[s]); side = m[s]
        sim, dis, sig = T(side["similarity"]), T(side["dissimilarity"]), T(side["signed"])
        assert sim.shape == dis.shape == sig.shape == (112, 112) and sim.min() >= 0 and dis.min() >= 0
        assert np.array_equal(sim, np.maximum(sig, 0))
        change = q["score"] - q["from"][i]
        assert abs(q["score"] - r["score"]) < 1e-6
        assert abs(cells.sum() - change - q["gap"][i]) < 1e-5, (cells.sum(), change, q["gap"])
        if what == "gap": assert abs(q["gap"][i]) <= limit, q["gap"]
        if what == "partner": assert abs(q["from"][i] - 1) < 1e-6
        if what == "own":  # the map at a cell's centre is the cell
            for y, x in (0, 0), (3, 5), (13, 13):
                got = sig[int(c["origin"][0] + c["step"][0] * y), int(c["origin"][1] + c["step"][1] * x)]
                assert abs(got * c["step"][0] * c["step"][1] - cells[y, x]) < 1e-6
            assert np.array_equal(dis, np.maximum(-sig, 0))
        if what == "joint":
            a, b = T(c["a"]), T(c["b"]); par = q["partner"]; pa, pb = T(par["a"]), T(par["b"]); agree = [T(v) for v in q["agreement"].values()]
            z = lambda v: v / np.sqrt((v ** 2).mean())
            size = np.sqrt((((a + b) / 2) ** 2).mean())
            assert [v.shape for v in agree] == [(14, 14), (28, 28)] and all(abs(v).max() <= 1 + 1e-6 for v in agree)
            assert abs(T(par[s]).sum() - (q["score"] - 1) - par["gap"][i]) < 1e-5
            assert m["a"] == m["b"]
            want = z(np.minimum(a, b)) + z((pa + pb) / 2) + z(agree[0])
            like = z((a + b) / 2) + z(agree[0])
            for y, x in (2, 2), (5, 9), (12, 6):
                at = int(c["origin"][0] + c["step"][0] * y), int(c["origin"][1] + c["step"][1] * x)
                assert abs(dis[at] * 64 - max(-want[y, x] * size / 3, 0)) < 1e-6
                f = z(agree[1]); fine = f[2 * y:2 * y + 3, 2 * x:2 * x + 3]  # fine cell i at pixel 4i+3: this centre is cell 2y+1's
                assert abs(sig[at] * 64 - (like[y, x] + fine[1, 1]) * size / 3) < 1e-6
        if what == "pair":
            a, b = T(c["a"]), T(c["b"])
            for y, x in (2, 2), (5, 9), (12, 6):
                at = int(c["origin"][0] + c["step"][0] * y), int(c["origin"][1] + c["step"][1] * x)
                assert abs(sig[at] * 64 - (a[y, x] + b[y, x]) / 2) < 1e-6 and abs(dis[at] * 64 - max(-min(a[y, x], b[y, x]), 0)) < 1e-6
print("good")
PY
check() { $PYTHON check.py "$@" 2>&1 | tail -1; }
runs 0 "joint" path-grad --combine joint -o joint.xfv pairs.xfv
is "$(check joint joint.xfv)" good \
    "every witness at the same size; those of dissimilarity at the cells' centres, the sums of the ways from the partner"
runs 0 "pair" path-grad --combine pair -o d.xfv pairs.xfv
is "$(check pair d.xfv)" good \
    "similarity from the mean of the two paths' cells, dissimilarity from the lesser; the sums are told"
is "$(xfv-json d.xfv |
    jq -c 'select(._ == "pair") | .maps[0] | [.method, .params.kind, .params.layer, .params.baseline, .params.combine, .params.cells.a.shape]' | sort -u)" \
   '["path-grad","path","14x14x128","mean","pair",[14,14]]' "what was done is in the record"
runs 0 "16 steps" path-grad -n 16 -o n16.xfv pairs.xfv
is "$(check gap n16.xfv 1.5e-2)" good "complete to 1.5e-2"
runs 0 "256 steps" path-grad -n 256 -o n256.xfv pairs.xfv
is "$(check gap n256.xfv 1e-3)" good "complete to 1e-3"
runs 0 "cells" path-grad -k cells -o c.xfv pairs.xfv
is "$(check gap c.xfv 1e-5)" good "exact to 1e-5"
runs 0 "from the partner" path-grad --baseline partner -n 64 -o p.xfv pairs.xfv
is "$(check partner p.xfv)" good "begins at a score of 1"
is "$(check gap p.xfv 1e-2)" good "and sums to score - 1"
runs 0 "own" path-grad --combine own -o own.xfv pairs.xfv
is "$(check own own.xfv)" good "a cell's value lies at its centre"
cat >contrast.py <<'PY'
# Every map of contrast from its witnesses: smoothed, scaled to a root mean square of their weight, laid on the image between the cells' centres.
import numpy as np, sys
from streams import *
from oracle import reflect_blur
path, wanted, smooth, coarse = sys.argv[1], sys.argv[2].split(), float(sys.argv[3]), float(sys.argv[4])
def along(n, origin, step, pixels=112):
    at = np.clip((np.arange(pixels) - origin) / step, 0, n - 1); i = at.astype(int)
    m = np.zeros((pixels, n)); m[np.arange(pixels), i] += 1 - (at - i); m[np.arange(pixels), np.minimum(i + 1, n - 1)] += at - i
    return m
def N(name, w, which):
    c, s, weights = array(w[which]).astype("f8"), coarse if name == "auto" else smooth, {"auto": [1.5, 1], "fine": [2, 2], "cells": [0.5, 0.5]}[name]
    weight = weights[which == "dissimilarity"]
    assert (w["weights"], w["smooth"]) == (weights, s)
    if s: c = reflect_blur(c, s, max(1, int(2.5 * s)))
    return along(c.shape[0], w["origin"][0], w["step"][0]) @ (c * weight / np.sqrt((c ** 2).mean())) @ along(c.shape[1], w["origin"][1], w["step"][1]).T
for r in records(open(path, "rb").read()):
    m = r["maps"][-1]; w = m["params"]["witnesses"]
    assert list(w) == wanted and m["params"]["combine"] == "contrast" and m["params"]["smooth"] == smooth and m["a"] == m["b"]
    S, D = (sum(N(k, w[k], which) for k in w) for which in ("similarity", "dissimilarity"))
    for got, want in ((m["a"]["signed"], S), (m["a"]["similarity"], np.maximum(S, 0)), (m["a"]["dissimilarity"], np.maximum(-D, 0))):
        assert np.abs(array(got) - want).max() < 2e-5 < 1 < np.abs(want).max()
print("good")
PY
contrast() { PYTHONPATH="$top/tests" $PYTHON contrast.py "$@" 2>&1 | tail -1; }
runs 0 "contrast" path-grad --combine contrast -o k.xfv pairs.xfv
is "$(contrast k.xfv "auto fine cells" 0 1.5)" good "is the sum of three witnesses"
is "$(xfv-json k.xfv | jq -c 'select(._ == "pair") | .maps[0].params.witnesses | map(.similarity.shape)' | sort -u)" \
    '[[14,14],[28,28],[7,7]]' "of three grids"
runs 0 "contrast, smoothed" path-grad --combine contrast --smooth 0.5 -o o.xfv pairs.xfv
is "$(contrast o.xfv "auto fine cells" 0.5 1.5)" good "smooths each in its own cells"
runs 0 "contrast, fast" path-grad --combine contrast --fast -o o.xfv pairs.xfv
is "$(contrast o.xfv "auto cells" 0 0)" good "leaves the fine cells out"
is "$(xfv-json o.xfv | jq -c 'select(._ == "pair") | .maps[0].params.left_out' | sort -u)" '{"fine":"--fast"}' \
    "and says so"
path-grad --combine contrast -j2 --cache 0 -o j2.xfv pairs.xfv; cmp -s k.xfv j2.xfv;
ok $? "two workers, nothing kept: the same bytes"
path-grad --no-provenance -o o.xfv pairs.xfv; path-grad --combine contrast --no-provenance pairs.xfv | cmp -s - o.xfv;
ok $? "it is the default"
path-grad -n 4 --no-provenance -o o.xfv pairs.xfv; path-grad --combine pair --no-provenance pairs.xfv | cmp -s - o.xfv
ok $? "but not with an option of the paths"
runs 2 "contrast from a blurred face" path-grad --combine contrast --baseline blur pairs.xfv
runs 2 "contrast at a layer of one's own" path-grad --combine contrast -l fine pairs.xfv
runs 2 "--fast without contrast" path-grad --combine pair --fast pairs.xfv
runs 2 "contrast of steps" path-grad --fast -n 4 pairs.xfv
for o in "--baseline blur" "--baseline blur --sigma 3" "--combine other" "--combine own+other" "--combine min" \
    "-l fine" "-l 28x28" "-k cells --combine dot" "-k cells --combine cosine" "-l cells"; do
    runs 0 "$o" path-grad $o -o o.xfv pairs.xfv
    is "$(check any o.xfv)" good "its identities"
done
path-grad --combine pair -j2 -o j2.xfv pairs.xfv; cmp -s d.xfv j2.xfv; ok $? "two workers, the same bytes"
path-grad --combine pair --cache 0 -o c0.xfv pairs.xfv; cmp -s d.xfv c0.xfv; ok $? "without a cache, the same bytes"
like "$(xfv-json d.xfv | jq -c 'select(._ == "pair") | [.score, .maps[0].params.from[0]]' | head -1)" '^\[0\.7' \
    "the genuine pair's score"
is "$(xfv-select -k pair --head 1 pairs.xfv | path-grad | fggb-grad | xfv-json |
    jq -c 'select(._ == "pair") | [.maps[].method]')" \
    '["path-grad","fggb"]' "methods follow each other"
runs 2 "a layer that is not there" path-grad -l 5x5 pairs.xfv
like "$(cat err)" '56x56, 28x28, 14x14, 7x7' "tells the grids"
runs 2 "dot without cells" path-grad --combine dot pairs.xfv
runs 2 "cells of a layer that is not linear" path-grad -k cells -l 14x14 pairs.xfv
runs 5 "a layer without a mean" path-grad -l 56x56 pairs.xfv
like "$(cat err)" 'model-means' "tells what makes one"
runs 0 "which another baseline does not need" path-grad -l 56x56 --baseline partner -o o.xfv pairs.xfv
runs 2 "no steps" path-grad -n 0 pairs.xfv
head -c 50000 pairs.xfv >cut.xfv
runs 3 "a cut stream" path-grad cut.xfv
runs 0 "help" path-grad --help
done_testing
