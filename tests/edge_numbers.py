"""Numbers at the edge of what a number may be: makes networks, faces, maps and scores. See tests/cli/numbers.sh."""
import sys
from streams import *


def alike(value):
    return tensor(np.full((SIZE, SIZE, 3), value, np.uint8))


def weights(name, change, **more):
    """The small network with other weights."""
    out, data = [], model(name, **more)
    for r in records(data, all=True):
        if r["_"] == "weight":
            w = array(r["tensor"]).copy()
            change(r["name"], w)
            r["tensor"] = tensor(w)
        out.append(r)
    head = {k: v for k, v in out[0].items() if k not in ("_", "magic", "version", "provenance")}
    open(name + ".xfvm", "wb").write(stream(out[1:-1], **head))


def one(layer, value):
    def change(name, w):
        if name == layer:
            w.flat[w.size // 2] = value

    return change


def every(layers, factor):
    def change(name, w):
        if layers == "all" or name in layers:
            w *= np.float32(factor)

    return change


def make():
    plain, two = face("plain", 1), face("two", 2)
    images = {"black": alike(0), "grey": alike(127), "white": alike(255)}
    faces = [plain, two, dict(plain, id="twin 1"), dict(plain, id="twin 2")]
    for k, v in images.items():  # a constant image with itself and with a face
        faces += [
            {"_": "face", "id": k, "image": v},
            {"_": "face", "id": k + " again", "image": v},
            {"_": "face", "id": k + " too", "image": v},
            dict(plain, id="plain for " + k),
        ]
    open("faces.xfv", "wb").write(stream(faces))
    open("tiny.xfvm", "wb").write(model())
    weights("nan", one("w2", np.nan))
    weights("inf", one("b3", -np.inf))
    weights("zero", every("all", 0))
    weights("huge", every(["w3", "b3"], 1e38))  # overflows within the last layer
    weights("large", every(["w3", "b3"], 1e20))  # embeddings whose squares are no floats
    weights("small", every(["w3", "b3"], 1e-25))  # embeddings whose squares are none either
    weights("faint", every(["w3", "b3"], 1e-32))  # embeddings whose products with an input are hardly normal numbers
    weights("subnormal", every(["w3", "b3"], 1e-40))  # weights below it
    weights("dust", every("all", 1e-20))  # products within the network are nothing

    def v(name, x):
        return vector_face(name, x)

    big, tiny = 3e38, 1e-42
    cases = [
        ("same", [1, 2, 2], [1, 2, 2]),
        ("opposite", [1, 2, 2], [-1, -2, -2]),
        ("huge", [big, big, 0], [big, 0, 0]),
        ("denormal", [tiny, tiny, 0], [tiny, 0, 0]),
        ("huge and denormal", [big, big, 0], [tiny, 0, 0]),
        ("zero", [0, 0, 0], [1, 0, 0]),
        ("zeros", [0, 0, 0], [0, 0, 0]),
        ("minus zero", [-0.0, 0, 0], [1, 0, 0]),
        ("nan", [np.nan, 0, 0], [1, 0, 0]),
        ("inf", [np.inf, 0, 0], [1, 0, 0]),
        ("third", [1, 0, 0], [3, 4, 0]),
    ]
    open("vectors.xfv", "wb").write(stream([v(f"{n}-{i}", x) for n, *xs in cases for i, x in enumerate(xs)]))
    maps = {"nan": np.nan, "inf": np.inf, "minus inf": -np.inf, "huge": 3e38, "denormal": 1e-42, "zero": 0}
    rng = np.random.default_rng(1)
    recs = []
    for name, value in maps.items():
        m = rng.uniform(0, 1, (SIZE, SIZE)).astype("<f4")
        m = m * np.float32(value) if name in ("huge", "denormal", "zero") else m
        if name in ("nan", "inf", "minus inf"):
            m[3, 4] = value
        side = {"similarity": tensor(m), "dissimilarity": tensor(m[::-1].copy())}
        sides = {
            s: {k: f[k] for k in ("id", "image")} | {"embedding": tensor(np.ones(N, "<f4"))}
            for s, f in (("a", plain), ("b", two))
        }
        recs.append(
            {
                "_": "pair",
                "id": name,
                **sides,
                "score": 0.5,
                "threshold": 0.5,
                "accept": True,
                "label": True,
                "maps": [{"method": "fggb", "params": {}, "a": side, "b": side}],
            }
        )
    open("maps.xfv", "wb").write(stream(recs))
    scores = {
        "equal": [(0.5, i % 2) for i in range(8)],
        "extreme": [(x, i % 2) for i, x in enumerate([1e6, -1e6, 5e-324, -5e-324, 0.0, -0.0, 1.0, 1.0])],
        "genuine": [(0.1 * i, 1) for i in range(5)],
        "impostor": [(0.1 * i, 0) for i in range(5)],
        "one": [(0.5, 1)],
        "none": [],
        "nan": [(float("nan"), 1), (0.2, 0), (0.9, 1), (0.1, 0)],
        "inf": [(float("inf"), 1), (0.2, 0), (0.9, 1), (0.1, 0)],
    }
    for name, rows in scores.items():
        recs = [
            {
                "_": "pair",
                "id": str(i),
                "a": {"id": f"{i}x_1"},
                "b": {"id": f"{i}y_1"},
                "score": s,
                "threshold": 0.5,
                "accept": s >= 0.5,
                "label": bool(l),
            }
            for i, (s, l) in enumerate(rows)
        ]
        open(f"scores-{name}.xfv", "wb").write(stream(recs))


if __name__ == "__main__":
    make()
