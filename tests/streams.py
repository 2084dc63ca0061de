"""For tests: streams and a small network, written by Python without the product's own code."""
import hashlib
import numpy as np
from packs import *

SIZE, N = 16, 12


def tensor(a):
    return {"dtype": a.dtype.str, "shape": list(a.shape), "data": a.tobytes()}


def array(t):
    return np.frombuffer(t["data"], t["dtype"]).reshape(t["shape"])


def face(name, seed=0, size=SIZE, **more):
    rng = np.random.default_rng(seed)
    return {"_": "face", "id": name, "image": tensor(rng.integers(0, 256, (size, size, 3), np.uint8)), **more}


def vector_face(name, v, **more):
    return {"_": "face", "id": name, "embedding": tensor(np.asarray(v, "<f4")), **more}


def model(
    name="tiny", seed=1, thresholds=(("default", 0.5), ("eer", 0.25)), score="cosine", transposed=False, size=SIZE, loud=1
):
    """conv 3x3/2, PReLU, depthwise 3x3, dense: RGB of size x size (even) -> 12."""
    rng = np.random.default_rng(seed)
    weights = {
        "w1": rng.normal(0, 0.4, (3, 3, 3, 8)),
        "b1": rng.normal(0, 0.1, 8),
        "s1": rng.uniform(-0.2, 0.5, 8),
        "w2": rng.normal(0, 0.5, (3, 3, 1, 8)),
        "w3": loud * rng.normal(0, 0.1, (2 * size * size, N)),
        "b3": rng.normal(0, 0.1, N),
    }
    conv = {"kernel": [3, 3], "dilation": [1, 1], "pads": [1, 1, 1, 1]}
    nodes = [
        {
            "op": "conv",
            "name": "c1",
            "in": ["x"],
            "out": "a",
            "weight": "w1",
            "bias": "b1",
            "stride": [2, 2],
            "groups": 1,
            **conv,
        },
        {"op": "prelu", "name": "p1", "in": ["a"], "out": "b", "weight": "s1"},
        {"op": "conv", "name": "c2", "in": ["b"], "out": "c", "weight": "w2", "stride": [1, 1], "groups": 8, **conv},
        {"op": "dense", "name": "d", "in": ["c"], "out": "e", "weight": "w3", "bias": "b3"},
    ]
    values = [("x", [size, size, 3]), *((v, [size // 2, size // 2, 8]) for v in "abc"), ("e", [N])]
    rows = [{"name": t, "value": v, "fmr": 0.0, "fnmr": 0.0, "pairs": 0, "data": "none"} for t, v in thresholds]
    return stream(
        [{"_": "weight", "name": k, "tensor": tensor(w.astype("<f4"))} for k, w in weights.items()],
        kind="model",
        name=name,
        network="embedding",
        licence="CC0-1.0",
        origin="random numbers",
        input={"colour": "rgb", "mean": [127.5] * 3, "std": [128.0] * 3, "transposed": transposed},
        embedding="e",
        score=score,
        thresholds=rows,
        graph={"values": [{"name": n, "shape": s} for n, s in values], "nodes": nodes, "outputs": ["e"]},
    )


USE = "input", "template", "embedding", "score", "embedding_normalised", "graph"


def digest(model):
    """What a stream calls the model of these bytes, written by the programs: see xfv-model(5)."""
    head, *rest = msgpack.Unpacker(io.BytesIO(model), max_buffer_size=0)
    return hashlib.sha256(
        pack({k: head[k] for k in USE if k in head}) + b"".join(pack(r) for r in rest if r["_"] == "weight")
    ).hexdigest()
