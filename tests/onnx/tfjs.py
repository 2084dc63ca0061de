"""Writes tiny TensorFlow.js models with random weights, and what NumPy makes of them in double precision.

tfjs.py FOLDER: of each NAME.json there (graph models and layers models, their shards beside them) NAME.golden holds an
input and the output, as <f4."""

import base64, json, os, sys

import numpy as np

FOLDER = sys.argv[1] if len(sys.argv) > 1 else "."
rng = np.random.default_rng(5)


def b64(s):
    return base64.b64encode(s.encode()).decode()


def attr(v):
    """A value of Python as protocol buffers write it in JSON."""
    if isinstance(v, bool):
        return {"b": v}
    if isinstance(v, str):
        return {"type": v} if v.startswith("DT_") else {"s": b64(v)}
    if isinstance(v, int):
        return {"i": str(v)}
    if isinstance(v, float):
        return {"f": v}
    return {"list": {"s": [b64(s) for s in v]} if v and isinstance(v[0], str) else {"i": [str(i) for i in v]}}


def stored(a, quantised):
    """The bytes of an array, its entry in the manifest, and what is read back of them."""
    a = np.asarray(a)
    entry = {"shape": list(a.shape), "dtype": "int32" if a.dtype.kind == "i" else "float32"}
    if a.dtype.kind == "i":
        return a.astype("<i4").tobytes(), entry, a
    if quantised == "float16":
        entry["quantization"] = {"dtype": "float16", "original_dtype": "float32"}
        return a.astype("<f2").tobytes(), entry, a.astype("<f2").astype(float)
    if quantised:
        kind = {"uint8": "u1", "uint16": "<u2"}[quantised]
        scale, low = float(np.ptp(a) / np.iinfo(kind).max) or 1.0, float(a.min())
        q = np.rint((a - low) / scale).astype(kind)
        entry["quantization"] = {"dtype": quantised, "scale": scale, "min": low, "original_dtype": "float32"}
        return q.tobytes(), entry, (q * scale + low).astype("<f4").astype(float)
    return a.astype("<f4").tobytes(), entry, a.astype("<f4").astype(float)


def manifest(name, weights, quantised=None, shards=1):
    """Writes the shards, cut anywhere; the manifest and the weights as they will be read."""
    data, entries, read = b"", [], {}
    for k, a in weights.items():
        bytes_, entry, read[k] = stored(a, quantised)
        data, entries = data + bytes_, entries + [{"name": k, **entry}]
    paths = [f"{name}-shard{i + 1}of{shards}.bin" for i in range(shards)]
    for i, p in enumerate(paths):
        with open(os.path.join(FOLDER, p), "wb") as f:
            f.write(data[len(data) * i // shards : len(data) * (i + 1) // shards])
    return [{"paths": paths, "weights": entries}], read


def golden(name, x, y):
    with open(os.path.join(FOLDER, name + ".golden"), "wb") as f:
        f.write(x.astype("<f4").tobytes() + np.asarray(y).astype("<f4").tobytes())


def save(name, model):
    with open(os.path.join(FOLDER, name + ".json"), "w") as f:
        json.dump(model, f)


def image(h=9, w=7, c=3):
    return rng.normal(0, 1, (1, h, w, c)).astype("<f4").astype(float)


class Graph:
    """A graph model as it grows; `shuffled`: nodes in no order, `signed`: with a signature."""

    def __init__(self, name, x=None, quantised=None, shards=1, shuffled=False, signed=True):
        self.name, self.x = name, image() if x is None else x
        self.quantised, self.shards, self.shuffled, self.signed = quantised, shards, shuffled, signed
        dims = [{"size": "-1"}] + [{"size": str(d)} for d in self.x.shape[1:]]
        self.nodes = [
            {"name": "x", "op": "Placeholder", "attr": {"dtype": attr("DT_FLOAT"), "shape": {"shape": {"dim": dims}}}}
        ]
        self.weights = {}

    def const(self, a):
        k = f"k/{len(self.weights)}"
        a = np.asarray(a)
        self.weights[k] = a
        self.nodes.append(
            {"name": k, "op": "Const", "attr": {"dtype": attr("DT_INT32" if a.dtype.kind == "i" else "DT_FLOAT")}}
        )
        return k

    def op(self, op, *ins, **attrs):
        name = f"n{len(self.nodes)}/{op}"
        ins = [i if isinstance(i, str) else self.const(i) for i in ins]
        self.nodes.append({"name": name, "op": op, "input": ins, "attr": {k: attr(v) for k, v in attrs.items()}})
        return name

    def done(self, y, expected):
        """expected: of the weights as they are read, by name"""
        weights, read = manifest(self.name, self.weights, self.quantised, self.shards)
        nodes = [self.nodes[i] for i in rng.permutation(len(self.nodes))] if self.shuffled else self.nodes
        model = {"format": "graph-model", "modelTopology": {"node": nodes, "versions": {}}, "weightsManifest": weights}
        if self.signed:
            model["signature"] = {
                "inputs": {"x:0": {"name": "x:0"}},
                "outputs": {"y": {"name": y if ":" in y else y + ":0"}},
            }
        save(self.name, model)
        golden(self.name, self.x, expected(read) if callable(expected) else expected)


# ---- what the operators mean, in NumPy ----
def pads_of(h, k, s, d, mode):
    if mode == "VALID":
        return 0, 0
    total = max(0, (-(-h // s) - 1) * s + (k - 1) * d + 1 - h)
    return total // 2, total - total // 2


def windows(x, k, s, d, pads, fill):
    """[H',W',kh,kw,C] of x [1,H,W,C]"""
    x = np.pad(x[0], (pads[0], pads[1], (0, 0)), constant_values=fill)
    out = [(x.shape[a] - (k[a] - 1) * d[a] - 1) // s[a] + 1 for a in range(2)]
    return np.array(
        [
            [
                x[
                    i * s[0] : i * s[0] + (k[0] - 1) * d[0] + 1 : d[0],
                    j * s[1] : j * s[1] + (k[1] - 1) * d[1] + 1 : d[1],
                ]
                for j in range(out[1])
            ]
            for i in range(out[0])
        ]
    )


def conv(x, w, s=(1, 1), d=(1, 1), mode="SAME", depthwise=False):
    k = w.shape[:2]
    pads = mode if isinstance(mode, tuple) else tuple(pads_of(x.shape[a + 1], k[a], s[a], d[a], mode) for a in range(2))
    v = windows(x, k, s, d, pads, 0)
    y = (
        np.einsum("ijklc,klcm->ijcm", v, w).reshape(v.shape[:2] + (-1,))
        if depthwise
        else np.einsum("ijklc,klco->ijo", v, w)
    )
    return y[None]


def pool(x, k, s, mode, what):
    pads = tuple(pads_of(x.shape[a + 1], k[a], s[a], 1, mode) for a in range(2))
    f = np.nanmax if what == "Max" else np.nanmean
    return f(windows(x, k, s, (1, 1), pads, np.nan), axis=(2, 3))[None]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def elu(x, a=1.0):
    return np.where(x > 0, x, a * np.expm1(np.minimum(x, 0)))


def leaky(x, a):
    return np.where(x > 0, x, a * x)


def normal(*shape):
    return rng.normal(0, 1, shape)


def positive(*shape):
    return rng.uniform(0.5, 1.5, shape)


SELU = 1.0507009873554805, 1.6732632423543772
ERF = np.vectorize(__import__("math").erf)
ACTIVATIONS = {
    "Relu": lambda x: np.maximum(x, 0),
    "Relu6": lambda x: np.clip(x, 0, 6),
    "Elu": elu,
    "Sigmoid": sigmoid,
    "Tanh": np.tanh,
}
UNARY = dict(
    ACTIVATIONS,
    Abs=np.abs,
    Exp=np.exp,
    Neg=np.negative,
    Softplus=lambda x: np.log1p(np.exp(x)),
    Square=np.square,
    Sin=np.sin,
    Cos=np.cos,
    Softsign=lambda x: x / (1 + np.abs(x)),
    Selu=lambda x: SELU[0] * elu(x, SELU[1]),
    Erf=ERF,
    Identity=lambda x: x,
)
POSITIVE = {"Sqrt": np.sqrt, "Rsqrt": lambda x: 1 / np.sqrt(x), "Reciprocal": lambda x: 1 / x, "Log": np.log}
BINARY = {
    "Add": np.add,
    "AddV2": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "RealDiv": np.divide,
    "Maximum": np.maximum,
    "Minimum": np.minimum,
    "SquaredDifference": lambda a, b: (a - b) ** 2,
}


# ---- graph models ----
def convolutions():
    for depthwise in (False, True):
        op = "DepthwiseConv2dNative" if depthwise else "Conv2D"
        for i, (k, s, d, mode) in enumerate(
            [
                ((3, 3), 1, 1, "SAME"),
                ((3, 2), 2, 1, "SAME"),
                ((3, 3), 1, 2, "SAME"),
                ((2, 3), 2, 1, "VALID"),
                ((3, 3), 1, 2, "VALID"),
                ((1, 1), 1, 1, "VALID"),
                ((3, 3), 2, 1, "EXPLICIT"),
            ]
        ):
            g = Graph(f"conv-{'depthwise' if depthwise else 'full'}-{i}")
            w = g.const(normal(*k, 3, 2 if depthwise else 4))
            more = {"explicit_paddings": [0, 0, 2, 1, 0, 3, 0, 0]} if mode == "EXPLICIT" else {}
            y = g.op(op, "x", w, strides=[1, s, s, 1], dilations=[1, d, d, 1], padding=mode, data_format="NHWC", **more)
            m = ((2, 1), (0, 3)) if more else mode
            g.done(y, lambda r: conv(g.x, r[w], (s, s), (d, d), m, depthwise))
    g = Graph("conv-nchw", rng.normal(0, 1, (1, 3, 9, 7)))
    w, b = g.const(normal(3, 3, 3, 4)), g.const(normal(4))
    y = g.op(
        "BiasAdd",
        g.op("Conv2D", "x", w, strides=[1, 1, 2, 1], dilations=[1, 1, 1, 1], padding="SAME", data_format="NCHW"),
        b,
        data_format="NCHW",
    )
    # the graph keeps an image as height, width, channels, and so does the golden file
    x = g.x.transpose(0, 2, 3, 1)
    g.x = x
    g.done(y, lambda r: conv(x, r[w], (2, 1)) + r[b])


def fusions():
    for depthwise in (False, True):
        for act in [None, "LeakyRelu", "Prelu", *ACTIVATIONS]:
            g = Graph(f"fused-{'depthwise' if depthwise else 'full'}-{act}")
            w, b, p = g.const(normal(3, 3, 3, 1 if depthwise else 3)), g.const(normal(3)), g.const(normal(3))
            ins = ["x", w, b] + ([p] if act == "Prelu" else [])
            y = g.op(
                "FusedDepthwiseConv2dNative" if depthwise else "_FusedConv2D",
                *ins,
                strides=[1, 1, 1, 1],
                padding="SAME",
                data_format="NHWC",
                num_args=len(ins) - 2,
                fused_ops=["BiasAdd"] + ([act] if act else []),
                **({"leakyrelu_alpha": 0.3} if act == "LeakyRelu" else {}),
            )
            f = {
                None: lambda x, r: x,
                "LeakyRelu": lambda x, r: leaky(x, 0.3),
                "Prelu": lambda x, r: leaky(x, r[p]),
            }.get(act, lambda x, r: ACTIVATIONS[act](x))
            g.done(y, lambda r: f(conv(g.x, r[w], depthwise=depthwise) + r[b], r))
    g = Graph("fused-norm")
    w, n = g.const(normal(3, 3, 3, 5)), [g.const(positive(5)) for _ in range(4)]
    y = g.op(
        "_FusedConv2D",
        "x",
        w,
        *n,
        strides=[1, 2, 2, 1],
        padding="VALID",
        data_format="NHWC",
        epsilon=0.01,
        fused_ops=["FusedBatchNorm", "Relu"],
    )
    g.done(
        y,
        lambda r: np.maximum(
            (conv(g.x, r[w], (2, 2), mode="VALID") - r[n[2]]) / np.sqrt(r[n[3]] + 0.01) * r[n[0]] + r[n[1]], 0
        ),
    )
    g = Graph("norm")
    n = [g.const(positive(3)) for _ in range(4)]
    y = g.op("FusedBatchNormV3", "x", *n, epsilon=0.001, data_format="NHWC", is_training=False)
    g.done(y, lambda r: (g.x - r[n[2]]) / np.sqrt(r[n[3]] + 0.001) * r[n[0]] + r[n[1]])


def pools():
    for op in ("MaxPool", "AvgPool"):
        for mode in ("SAME", "VALID"):
            for s in (1, 2):
                g = Graph(f"{op}-{mode}-{s}")
                y = g.op(op, "x", ksize=[1, 3, 2, 1], strides=[1, s, s, 1], padding=mode, data_format="NHWC")
                g.done(y, pool(g.x, (3, 2), (s, s), mode, op[:3]))


def arithmetic():
    for op, f in {**UNARY, **POSITIVE}.items():
        g = Graph(f"unary-{op}", np.abs(image()) + 0.5 if op in POSITIVE else None)
        g.done(g.op(op, "x"), f(g.x))
    for op, f in BINARY.items():
        for first in (False, True):
            g = Graph(f"binary-{op}-{first}")
            k = g.const(positive(3))
            y = g.op(op, k, "x") if first else g.op(op, "x", k)
            if op == "RealDiv" and first:
                g.x = np.abs(g.x) + 0.5
            g.done(y, lambda r: f(r[k], g.x) if first else f(g.x, r[k]))
    g = Graph("prelu-square", image(7, 3, 3))  # as many columns as channels
    p = g.const(normal(3))
    g.done(g.op("Prelu", "x", p), lambda r: leaky(g.x, r[p]))
    g = Graph("leaky")
    g.done(g.op("LeakyRelu", "x", alpha=0.4), leaky(g.x, 0.4))
    g = Graph("addn")
    g.done(g.op("AddN", "x", g.op("Neg", "x"), g.op("Square", "x")), g.x**2)
    g = Graph("swish")
    g.done(g.op("Mul", "x", g.op("Sigmoid", "x")), g.x * sigmoid(g.x))
    g = Graph("pow")
    g.done(g.op("Pow", g.op("Abs", "x"), np.array(1.5)), np.abs(g.x) ** 1.5)
    g = Graph("softmax")
    e = np.exp(g.x)
    g.done(g.op("Softmax", "x"), e / e.sum(-1, keepdims=True))
    g = Graph("lrn", image(4, 4, 7))
    around = np.array([[abs(i - j) <= 2 for j in range(7)] for i in range(7)], float)
    g.done(
        g.op("LRN", "x", depth_radius=2, bias=1.0, alpha=0.5, beta=0.75), g.x / (1 + 0.5 * (g.x**2 @ around)) ** 0.75
    )
    for op, f in {"Mean": np.mean, "Sum": np.sum, "Max": np.max, "Min": np.min}.items():
        for axes, keep in (([1, 2], False), ([1, 2], True), ([-1], True), ([], False)):
            g = Graph(f"reduce-{op}-{len(axes)}-{axes[:1]}-{keep}".replace("[", "").replace("]", ""))
            y = g.op(op, "x", np.array(axes, int), keep_dims=keep)
            g.done(y, f(g.x, axis=tuple(axes), keepdims=keep) if axes else g.x)


def products():
    for ta, tb in ((False, False), (False, True), (True, False)):
        g = Graph(f"matmul-{ta}-{tb}")
        flat = g.op("Reshape", "x", np.array([189, 1] if ta else [1, -1]))
        w = g.const(normal(5, 189) if tb else normal(189, 5))
        g.done(
            g.op("MatMul", flat, w, transpose_a=ta, transpose_b=tb),
            lambda r: g.x.reshape(1, -1) @ (r[w].T if tb else r[w]),
        )
    for act in [None, "Relu", "Elu"]:
        g = Graph(f"fused-matmul-{act}")
        flat, w, b = g.op("Reshape", "x", np.array([1, -1])), g.const(normal(189, 6)), g.const(normal(6))
        y = g.op(
            "_FusedMatMul",
            flat,
            w,
            b,
            transpose_a=False,
            transpose_b=False,
            num_args=1,
            fused_ops=["BiasAdd"] + ([act] if act else []),
        )
        g.done(y, lambda r: ACTIVATIONS.get(act, lambda v: v)(g.x.reshape(1, -1) @ r[w] + r[b]))
    g = Graph("l2-normalised")
    flat = g.op("Reshape", "x", np.array([-1, 189]))
    m = g.op("MatMul", flat, g.const(normal(189, 8)))
    total = g.op("Sum", g.op("Square", m), np.array([1]), keep_dims=True)
    y = g.op("Mul", m, g.op("Rsqrt", g.op("Maximum", total, np.array(1e-12))))

    def unit(r):
        v = g.x.reshape(1, -1) @ [a for a in r.values() if a.shape == (189, 8)][0]
        return v / np.linalg.norm(v)

    g.done(y, unit)


def moves():
    x = image(6, 5, 4)

    def case(name, make, expected):
        g = Graph("move-" + name, x)
        g.done(g.op("Reshape", make(g), np.array([1, -1])), expected)  # in this order, whatever the graph's own

    case(
        "pad",
        lambda g: g.op("Pad", "x", np.array([[0, 0], [1, 2], [3, 0], [0, 0]])),
        np.pad(x, ((0, 0), (1, 2), (3, 0), (0, 0))),
    )
    case(
        "pad-channels",
        lambda g: g.op("Pad", "x", np.array([[0, 0], [0, 0], [0, 0], [1, 2]])),
        np.pad(x, ((0, 0), (0, 0), (0, 0), (1, 2))),
    )
    case(
        "padv2",
        lambda g: g.op("PadV2", "x", np.array([[0, 0], [1, 1], [0, 2], [0, 0]]), np.array(0.5)),
        np.pad(x, ((0, 0), (1, 1), (0, 2), (0, 0)), constant_values=0.5),
    )
    for mode in ("REFLECT", "SYMMETRIC"):
        p = ((0, 0), (1, 1), (0, 1), (0, 0))
        case(
            "mirror-" + mode, lambda g: g.op("MirrorPad", "x", np.array(p), mode=mode), np.pad(x, p, mode=mode.lower())
        )
    case("transpose", lambda g: g.op("Transpose", "x", np.array([0, 2, 3, 1])), x.transpose(0, 2, 3, 1))
    case("concat", lambda g: g.op("ConcatV2", "x", g.op("Neg", "x"), np.array(-1)), np.concatenate([x, -x], -1))
    case("concat-rows", lambda g: g.op("ConcatV2", "x", g.op("Neg", "x"), np.array(1)), np.concatenate([x, -x], 1))
    case(
        "split",
        lambda g: g.op("ConcatV2", g.op("Split", np.array(3), "x", num_split=2) + ":1", "x", np.array(3)),
        np.concatenate([x[..., 2:], x], -1),
    )
    case("splitv", lambda g: g.op("SplitV", "x", np.array([1, 3, 2]), np.array(1)) + ":2", x[:, 4:])
    case("unpack", lambda g: g.op("Unpack", "x", num=5, axis=2) + ":3", x[:, :, 3])
    case("pack", lambda g: g.op("Pack", "x", g.op("Neg", "x"), axis=3, N=2), np.stack([x, -x], 3))
    case("slice", lambda g: g.op("Slice", "x", np.array([0, 1, 2, 0]), np.array([-1, 3, -1, 2])), x[:, 1:4, 2:, :2])
    case("gather", lambda g: g.op("GatherV2", "x", np.array([3, 0, 1]), np.array(3)), x[..., [3, 0, 1]])
    case(
        "squeeze",
        lambda g: g.op("Squeeze", g.op("Slice", "x", np.array([0, 2, 0, 0]), np.array([1, 1, 5, 4])), squeeze_dims=[1]),
        x[:, 2],
    )
    case("expand", lambda g: g.op("Squeeze", g.op("ExpandDims", "x", np.array(-1)), squeeze_dims=[4]), x)
    case(
        "strided",
        lambda g: g.op(
            "StridedSlice",
            "x",
            np.array([0, 4, 1, 0]),
            np.array([0, 0, -1, 0]),
            np.array([1, -2, 1, 1]),
            begin_mask=9,
            end_mask=9,
        ),
        x[:, 4:0:-2, 1:-1],
    )
    case(
        "strided-dots",
        lambda g: g.op(
            "StridedSlice", "x", np.array([0, 0, 1]), np.array([1, 0, 3]), np.array([1, 1, 1]), ellipsis_mask=2
        ),
        x[..., 1:3],
    )
    case(
        "strided-new",
        lambda g: g.op(
            "StridedSlice",
            g.op(
                "StridedSlice",
                "x",
                np.array([0, 0, 2]),
                np.array([0, 0, 3]),
                np.array([1, 1, 1]),
                begin_mask=1,
                end_mask=1,
                new_axis_mask=2,
            ),
            np.array([0, 0, -1]),
            np.array([0, 0, 0]),
            np.array([1, 1, 1]),
            begin_mask=3,
            end_mask=3,
            shrink_axis_mask=4,
        ),
        x[:, None, 2:3][:, :, -1],
    )

    def shaped(g):
        batch = g.op(
            "StridedSlice",
            g.op("Shape", "x", out_type="DT_INT32"),
            np.array([0]),
            np.array([1]),
            np.array([1]),
            shrink_axis_mask=1,
        )
        return g.op("Reshape", "x", g.op("Pack", batch, np.array(-1), np.array(10), axis=0, N=3))

    case("shape", shaped, x.reshape(1, -1, 10))
    case(
        "depth-to-space",
        lambda g: g.op("DepthToSpace", "x", block_size=2, data_format="NHWC"),
        x.reshape(1, 6, 5, 2, 2, 1).transpose(0, 1, 3, 2, 4, 5).reshape(1, 12, 10, 1),
    )


def resized(x, to, axis, corners, half, nearest):
    n = x.shape[axis]
    scale = (n - 1) / (to - 1) if corners else n / to
    r = np.arange(to)
    if nearest:
        at = np.floor((r + 0.5 * half) * scale + 0.5 * corners).astype(int)
        return x.take(np.clip(at, 0, n - 1), axis)
    at = np.maximum((r + 0.5) * scale - 0.5 if half else r * scale, 0)
    low = np.minimum(at.astype(int), n - 1)
    f = (at - low).reshape([-1 if a == axis else 1 for a in range(4)])
    return x.take(low, axis) * (1 - f) + x.take(np.minimum(low + 1, n - 1), axis) * f


def resizes():
    for op in ("ResizeBilinear", "ResizeNearestNeighbor"):
        for corners, half in ((False, False), (True, False), (False, True)):
            g = Graph(f"{op}-{corners}-{half}", image(5, 4, 2))
            y = g.op(op, "x", np.array([9, 6]), align_corners=corners, half_pixel_centers=half)
            f = lambda v, a: resized(v, (9, 6)[a - 1], a, corners, half, op[6] == "N")
            g.done(y, f(f(g.x, 1), 2))


def storage():
    for quantised in ("uint8", "uint16", "float16"):
        g = Graph("stored-" + quantised, quantised=quantised, shards=3)
        w, b = g.const(normal(3, 3, 3, 8)), g.const(normal(8))
        y = g.op("BiasAdd", g.op("Conv2D", "x", w, strides=[1, 1, 1, 1], dilations=[1, 1, 1, 1], padding="SAME"), b)
        g.done(y, lambda r: conv(g.x, r[w]) + r[b])
    for name, more in (("shuffled", {"shuffled": True}), ("unsigned", {"signed": False}), ("sharded", {"shards": 7})):
        g = Graph(name, **more)
        w = g.const(normal(3, 3, 3, 8))
        y = g.op(
            "Relu",
            g.op("Conv2D", "x", g.op("Identity", w), strides=[1, 1, 1, 1], dilations=[1, 1, 1, 1], padding="SAME"),
        )
        g.done(y, lambda r: np.maximum(conv(g.x, r[w]), 0))


# ---- layers models: each layer with what NumPy makes of it ----
W = {}


def weights_of(name, **arrays):
    for k, a in arrays.items():
        W[f"{name}/{k}"] = a.astype("<f4").astype(float)
    return [W[f"{name}/{k}"] for k in arrays]


def keras_act(name):
    return {
        "linear": lambda x: x,
        "relu": ACTIVATIONS["Relu"],
        "relu6": ACTIVATIONS["Relu6"],
        "elu": elu,
        "selu": UNARY["Selu"],
        "sigmoid": sigmoid,
        "tanh": np.tanh,
        "softplus": UNARY["Softplus"],
        "softsign": UNARY["Softsign"],
        "hard_sigmoid": lambda x: np.clip(0.2 * x + 0.5, 0, 1),
        "exponential": np.exp,
        "swish": lambda x: x * sigmoid(x),
        "gelu": lambda x: x * (1 + ERF(x / 2**0.5)) / 2,
        "mish": lambda x: x * np.tanh(np.log1p(np.exp(x))),
        "softmax": lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True),
    }[name]


def layer(kind, name, x, **c):
    """Its config, and what it makes of x (a list where it takes several)."""
    act = keras_act(c.get("activation", "linear"))
    mode = c.get("padding", "valid").upper() if isinstance(c.get("padding"), str) else "VALID"
    config = {"name": name, "trainable": True, **c}
    bias = c.get("use_bias", True)
    s, d, k = c.get("strides", (1, 1)), c.get("dilation_rate", (1, 1)), c.get("kernel_size", (3, 3))
    if kind in ("Conv2D", "Dense"):
        shape = (*k, x.shape[3], c.get("filters")) if kind == "Conv2D" else (x.shape[-1], c["units"])
        (w,) = weights_of(name, kernel=normal(*shape) * 0.3)
        y = conv(x, w, s, d, mode) if kind == "Conv2D" else x @ w
    elif kind == "DepthwiseConv2D":
        (w,) = weights_of(name, depthwise_kernel=normal(*k, x.shape[3], c.get("depth_multiplier", 1)))
        y = conv(x, w, s, d, mode, True)
    elif kind == "SeparableConv2D":
        w, p = weights_of(
            name,
            depthwise_kernel=normal(*k, x.shape[3], c.get("depth_multiplier", 1)),
            pointwise_kernel=normal(1, 1, x.shape[3] * c.get("depth_multiplier", 1), c["filters"]),
        )
        y = conv(conv(x, w, s, d, mode, True), p)
    elif kind == "BatchNormalization":
        names = (
            (["gamma"] if c.get("scale", True) else [])
            + (["beta"] if c.get("center", True) else [])
            + ["moving_mean", "moving_variance"]
        )
        p = dict(zip(names, weights_of(name, **{n: positive(x.shape[-1]) for n in names})))
        y = (x - p["moving_mean"]) / np.sqrt(p["moving_variance"] + c.get("epsilon", 1e-3)) * p.get("gamma", 1) + p.get(
            "beta", 0
        )
    elif kind == "LayerNormalization":
        gamma, beta = weights_of(name, gamma=positive(x.shape[-1]), beta=normal(x.shape[-1]))
        y = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + c.get("epsilon", 1e-3)) * gamma + beta
    elif kind == "PReLU":
        shape = tuple(1 if a + 1 in (c.get("shared_axes") or []) else n for a, n in enumerate(x.shape[1:]))
        (alpha,) = weights_of(name, alpha=normal(*shape))
        y = leaky(x, alpha)
    elif kind == "ReLU":
        y = np.minimum(leaky(x, c.get("negative_slope", 0)), np.inf if c.get("max_value") is None else c["max_value"])
    else:
        mean = lambda v: sum(v) / len(v)
        y = {
            "Activation": lambda: act(x),
            "LeakyReLU": lambda: leaky(x, c["alpha"]),
            "ELU": lambda: elu(x, c["alpha"]),
            "Softmax": lambda: keras_act("softmax")(x),
            "Add": lambda: sum(x),
            "Subtract": lambda: x[0] - x[1],
            "Multiply": lambda: np.prod(x, 0) if x[0].shape == x[-1].shape else x[0] * x[1],
            "Average": lambda: mean(x),
            "Maximum": lambda: np.max(x, 0),
            "Minimum": lambda: np.min(x, 0),
            "Concatenate": lambda: np.concatenate(x, c.get("axis", -1)),
            "MaxPooling2D": lambda: pool(x, c["pool_size"], c.get("strides") or c["pool_size"], mode, "Max"),
            "AveragePooling2D": lambda: pool(x, c["pool_size"], c.get("strides") or c["pool_size"], mode, "Avg"),
            "GlobalAveragePooling2D": lambda: x.mean((1, 2), keepdims=c.get("keepdims", False)),
            "GlobalMaxPooling2D": lambda: x.max((1, 2)),
            "Flatten": lambda: x.reshape(1, -1),
            "Reshape": lambda: x.reshape(1, *c["target_shape"]),
            "Permute": lambda: x.transpose(0, *c["dims"]),
            "Dropout": lambda: x,
            "ZeroPadding2D": lambda: np.pad(x, ((0, 0), *map(tuple, c["padding"]), (0, 0))),
            "Cropping2D": lambda: x[
                :,
                c["cropping"][0][0] : x.shape[1] - c["cropping"][0][1],
                c["cropping"][1][0] : x.shape[2] - c["cropping"][1][1],
            ],
            "UpSampling2D": lambda: x.repeat(c["size"][0], 1).repeat(c["size"][1], 2),
            "Rescaling": lambda: x * c["scale"] + c["offset"],
            "UnitNormalization": lambda: x / np.linalg.norm(x, axis=-1, keepdims=True),
        }[kind]()
    if kind in ("Conv2D", "DepthwiseConv2D", "SeparableConv2D", "Dense"):
        y = act(y + weights_of(name, bias=normal(y.shape[-1]))[0] if bias else y)
    return {"class_name": kind, "config": config}, y


def keras(name, topology, x, y, version="2.15.0", rename=lambda k: k, **more):
    global W
    weights, _ = manifest(name, {rename(k): a for k, a in W.items()}, **more)
    W = {}
    save(
        name,
        {
            "format": "layers-model",
            "modelTopology": {"keras_version": version, "model_config": topology},
            "weightsManifest": weights,
        },
    )
    golden(name, x, y)


def sequential(name, specs, x=None, **more):
    x = y = image() if x is None else x
    layers = []
    for i, (kind, c) in enumerate(specs):
        spec, y = layer(kind, f"{kind.lower()}_{i}", y, **c)
        if not i:
            spec["config"]["batch_input_shape"] = [None, *x.shape[1:]]
        layers.append(spec)
    keras(name, {"class_name": "Sequential", "config": {"name": name, "layers": layers}}, x, y, **more)


def layers():
    acts = [
        "relu",
        "relu6",
        "elu",
        "selu",
        "sigmoid",
        "tanh",
        "softplus",
        "softsign",
        "hard_sigmoid",
        "exponential",
        "swish",
        "gelu",
        "mish",
        "softmax",
        "linear",
    ]
    for a in acts:
        sequential("keras-act-" + a, [("Activation", {"activation": a})])
    sequential(
        "keras-conv-act",
        [
            ("Conv2D", {"filters": 4, "kernel_size": (3, 3), "activation": "relu"}),
            ("Dense", {"units": 5, "activation": "tanh"}),
        ],
    )
    one = {
        "conv-same": ("Conv2D", {"filters": 4, "kernel_size": (3, 2), "strides": (2, 2), "padding": "same"}),
        "conv-bare": ("Conv2D", {"filters": 4, "kernel_size": (3, 3), "dilation_rate": (2, 2), "use_bias": False}),
        "depthwise": (
            "DepthwiseConv2D",
            {"kernel_size": (3, 3), "strides": (2, 2), "padding": "same", "depth_multiplier": 2},
        ),
        "separable": (
            "SeparableConv2D",
            {"kernel_size": (3, 3), "filters": 5, "padding": "same", "depth_multiplier": 2, "activation": "relu"},
        ),
        "norm": ("BatchNormalization", {"axis": [3], "epsilon": 0.01}),
        "norm-last": ("BatchNormalization", {"axis": -1}),
        "norm-bare": ("BatchNormalization", {"axis": [3], "scale": False}),
        "norm-uncentred": ("BatchNormalization", {"axis": -1, "center": False}),
        "layernorm": ("LayerNormalization", {"axis": [3]}),
        "relu": ("ReLU", {"max_value": None}),
        "relu-max": ("ReLU", {"max_value": 1.5}),
        "relu-all": ("ReLU", {"max_value": 1.0, "negative_slope": 0.2, "threshold": 0}),
        "leaky": ("LeakyReLU", {"alpha": 0.25}),
        "elu": ("ELU", {"alpha": 0.7}),
        "prelu": ("PReLU", {"shared_axes": [1, 2]}),
        "prelu-all": ("PReLU", {}),
        "softmax": ("Softmax", {"axis": -1}),
        "max": ("MaxPooling2D", {"pool_size": (3, 2), "strides": (2, 2), "padding": "same"}),
        "average": ("AveragePooling2D", {"pool_size": (2, 2), "padding": "same"}),
        "global": ("GlobalAveragePooling2D", {}),
        "global-kept": ("GlobalAveragePooling2D", {"keepdims": True}),
        "global-max": ("GlobalMaxPooling2D", {}),
        "flatten": ("Flatten", {}),
        "reshape": ("Reshape", {"target_shape": [7, -1, 3]}),
        "dropout": ("Dropout", {"rate": 0.5}),
        "pad": ("ZeroPadding2D", {"padding": [[1, 2], [0, 3]]}),
        "crop": ("Cropping2D", {"cropping": [[1, 2], [0, 3]]}),
        "up": ("UpSampling2D", {"size": [2, 3], "interpolation": "nearest"}),
        "rescaling": ("Rescaling", {"scale": 0.5, "offset": -1.0}),
        "unit": ("UnitNormalization", {"axis": -1}),
    }
    for k, (kind, c) in one.items():
        sequential("keras-" + k, [(kind, c)])
    sequential("keras-permute", [("Permute", {"dims": [3, 1, 2]}), ("Flatten", {})])
    for kind in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"):
        functional("keras-" + kind.lower(), kind)
    sequential(
        "keras-stored", [("Conv2D", {"filters": 4, "kernel_size": (3, 3)})], shards=2, rename=lambda k: "outer/" + k
    )


def functional(name, kind, keras3=False):
    """Two branches, one of them a model of its own, whose outcomes are joined."""
    x = image()
    stem, a = layer("Conv2D", "stem", x, filters=4, kernel_size=(3, 3), padding="same")
    inner, b = layer("Conv2D", "conv", a, filters=4, kernel_size=(3, 3), padding="same", activation="relu")
    if keras3:
        W.update({"branch/" + k: W.pop(k) for k in [k for k in W if k.startswith("conv/")]})
    join, y = layer(kind, "join", [a, b] if kind == "Subtract" else [a, b, a])
    pool_, y = layer("GlobalAveragePooling2D", "pool", y)

    def ref(n, k=0):
        return {"class_name": "__keras_tensor__", "config": {"keras_history": [n, k, 0]}} if keras3 else [n, k, 0, {}]

    def call(*refs):
        return (
            ([{"args": [list(refs)] if len(refs) > 1 else list(refs), "kwargs": {}}] if keras3 else [list(refs)])
            if refs
            else []
        )

    def entry(spec, *refs):
        return {**spec, "name": spec["config"]["name"], "inbound_nodes": call(*refs)}

    start = {
        "class_name": "InputLayer",
        "config": {
            "name": "image",
            "batch_shape" if keras3 else "batch_input_shape": [None, *x.shape[1:]],
            "dtype": "float32",
        },
    }
    within = {
        "class_name": "InputLayer",
        "config": {"name": "in", "batch_shape" if keras3 else "batch_input_shape": [None, *a.shape[1:]]},
    }
    branch = {
        "class_name": "Functional",
        "config": {
            "name": "branch",
            "layers": [entry(within), entry(inner, ref("in"))],
            "input_layers": [["in", 0, 0]],
            "output_layers": [["conv", 0, 0]],
        },
    }
    parts = [ref("stem"), ref("branch", 0 if keras3 else 1)] + ([] if kind == "Subtract" else [ref("stem")])
    layers_ = [
        entry(start),
        entry(pool_, ref("join")),
        entry(stem, ref("image")),
        entry(branch, ref("stem")),
        entry(join, *parts),
    ]
    keras(
        name,
        {
            "class_name": "Functional",
            "config": {
                "name": name,
                "layers": layers_,
                "input_layers": [["image", 0, 0]],
                "output_layers": [["pool", 0, 0]],
            },
        },
        x,
        y,
        version="3.4.1" if keras3 else "2.15.0",
    )


if __name__ == "__main__":
    for group in (convolutions, fusions, pools, arithmetic, products, moves, resizes, storage, layers):
        group()
    functional("keras-3", "Add", True)
