#!/usr/bin/python3
"""Operators in the forms that random graphs do not draw, and what PyTorch says of them in double precision: forms.py FOLDER.

Writes FOLDER/tiny-form-NAME.onnx and .golden as make.py does; tests/onnx keeps them. Every graph ends in a dense layer of five numbers."""
import math
import sys
import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import helper, numpy_helper

FORMS = {}


def form(shape, opset):
    """A function of a graph and the image, as a tensor, that adds nodes and gives the last one's name and tensor."""

    def keep(f):
        FORMS[f.__name__.replace("_", "-")] = (f, shape, opset)
        return f

    return keep


class Graph:
    def __init__(self, seed):
        self.rng, self.nodes, self.inits = np.random.default_rng(seed), [], []

    def const(self, a, kind="<f4"):
        name = f"k{len(self.inits)}"
        a = np.asarray(a, kind)
        self.inits.append(numpy_helper.from_array(a, name))
        return name, torch.tensor(a.astype(np.float64)) if kind == "<f4" else torch.tensor(a)

    def whole(self, *v):
        return self.const(v, "<i8")[0]

    def weight(self, *shape):
        return self.const(self.rng.normal(0, 1 / np.sqrt(shape[0]), shape))

    def node(self, op, *ins, outs=1, **attributes):
        made = [f"v{len(self.nodes)}/{k}" if k else f"v{len(self.nodes)}" for k in range(outs)]
        self.nodes.append(helper.make_node(op, list(ins), made, **attributes))
        return made if outs > 1 else made[0]

    def tokens(self, x, n, d, k=3):
        """k products of the image's pixels, as tokens: names and tensors [1, n, d]."""
        t, v = self.node("Reshape", "x", self.whole(1, n, -1)), x.reshape(1, n, -1)
        w = [self.weight(v.shape[2], d) for _ in range(k)]
        return [self.node("MatMul", t, name) for name, _ in w], [v @ u for _, u in w]


def heads(t, h):
    return t.reshape(t.shape[0], t.shape[1], h, -1).transpose(1, 2)


def attend(q, k, v, bias=0.0, scale=None, cap=0.0):
    s = q @ k.transpose(-1, -2) * (1 / math.sqrt(q.shape[-1]) if scale is None else scale)
    s = cap * torch.tanh(s / cap) if cap else s
    return (s + bias).softmax(-1) @ v


def joined(y):
    return y.transpose(1, 2).reshape(y.shape[0], y.shape[2], -1)


@form((2, 4, 6), 24)
def attention_causal(g, x):
    (q, k, v), (a, b, c) = g.tokens(x, 6, 8)
    bias = torch.full((6, 6), -math.inf, dtype=torch.float64).triu(1)
    return g.node("Attention", q, k, v, q_num_heads=2, kv_num_heads=2, is_causal=1, softcap=2.0), joined(
        attend(heads(a, 2), heads(b, 2), heads(c, 2), bias, cap=2)
    )


@form((2, 4, 6), 24)
def attention_past(g, x):
    """Keys and values that were there before; fewer heads of keys; the scores are read, too."""
    (q, k, v), (a, b, c) = g.tokens(x, 6, 8)
    (pk, pkt), (pv, pvt) = (g.const(g.rng.normal(0, 1, (1, 1, 3, 4))) for _ in range(2))
    w, wt = g.weight(8, 4)
    k, v, b, c = g.node("MatMul", k, w), g.node("MatMul", v, w), b @ wt, c @ wt
    y, present, _, p = g.node(
        "Attention",
        q,
        k,
        v,
        "",
        pk,
        pv,
        outs=4,
        q_num_heads=2,
        kv_num_heads=1,
        is_causal=1,
        scale=0.4,
        qk_matmul_output_mode=3,
    )
    kk, vv = torch.cat([pkt, heads(b, 1)], 2), torch.cat([pvt, heads(c, 1)], 2)
    bias = torch.full((6, 9), -math.inf, dtype=torch.float64).triu(4)
    s = (heads(a, 2) @ kk.transpose(-1, -2) * 0.4 + bias).softmax(-1)
    flat = [g.node("Reshape", n, g.whole(1, -1)) for n in (y, present, p)]
    return g.node("Concat", *flat, axis=1), torch.cat(
        [joined(s @ vv).reshape(1, -1), kk.reshape(1, -1), s.reshape(1, -1)], 1
    )


@form((2, 4, 6), 24)
def attention_blind(g, x):
    """A mask of truth values in which one query sees nothing: it gets nothing."""
    (q, k, v), (a, b, c) = g.tokens(x, 6, 8)
    see = g.rng.integers(0, 2, (6, 6)).astype(bool)
    see[:, 2], see[3] = True, False
    m = g.const(see, "?")[0]
    bias = torch.tensor(np.where(see, 0.0, -1e30))
    y = attend(heads(a, 4), heads(b, 4), heads(c, 4), bias) * torch.tensor(see.any(1).astype(np.float64))[:, None]
    return g.node("Attention", q, k, v, m, q_num_heads=4, kv_num_heads=4), joined(y)


@form((2, 4, 6), 24)
def attention_window(g, x):
    """Lengths of what is there, a window, and a mask that is computed."""
    (q, k, v), (a, b, c) = g.tokens(x, 6, 8)
    m, t = g.node("Slice", k, g.whole(0), g.whole(6), g.whole(2)), b[..., :6]
    n, d = torch.arange(6)[:, None], torch.arange(6)[None]
    bias = torch.where((d >= 5) | (n - d - 1 > 2), -1e30, 0.0) + t
    return g.node(
        "Attention", q, k, v, m, "", "", g.whole(5), q_num_heads=2, kv_num_heads=2, left_window_size=2
    ), joined(attend(heads(a, 2), heads(b, 2), heads(c, 2), bias))


@form((2, 4, 6), 13)
def attention_microsoft(g, x):
    """As ONNX Runtime's optimiser writes it: one product for all three, a bias, an added table."""
    t, v = g.node("Reshape", "x", g.whole(1, 6, 8)), x.reshape(1, 6, 8)
    (w, wt), (b, bt), (m, mt) = g.weight(8, 24), g.weight(24), g.const(g.rng.normal(0, 1, (1, 2, 6, 6)))
    q, k, u = (v @ wt + bt).chunk(3, 2)
    y = g.node("Attention", t, w, b, "", "", m, num_heads=2, domain="com.microsoft")
    return y, joined(attend(heads(q, 2), heads(k, 2), heads(u, 2), mt))


@form((2, 4, 6), 13)
def multi_head_microsoft(g, x):
    (q, k, v), (a, b, c) = g.tokens(x, 6, 8)
    bias, t = g.weight(24)
    a, b, c = (u + s for u, s in zip((a, b, c), t.chunk(3)))
    mask = torch.full((6, 6), -1e30, dtype=torch.float64).triu(1)
    y = g.node("MultiHeadAttention", q, k, v, bias, num_heads=2, unidirectional=1, domain="com.microsoft")
    return y, joined(attend(heads(a, 2), heads(b, 2), heads(c, 2), mask))


@form((2, 4, 6), 23)
def rotary(g, x):
    """Half of each head is turned, in neighbouring pairs, by the angles of its places."""
    (q,), (a,) = g.tokens(x, 6, 16, 1)
    at, places = g.rng.normal(0, 1, (9, 2)), [3, 1, 4, 1, 5, 8]
    (c, ct), (s, st) = g.const(np.cos(at)), g.const(np.sin(at))
    y = g.node(
        "RotaryEmbedding", q, c, s, g.const([places], "<i8")[0], num_heads=2, rotary_embedding_dim=4, interleaved=1
    )
    h, ct, st = a.reshape(1, 6, 2, 8), ct[places][None, :, None], st[places][None, :, None]
    u, v = h[..., 0:4:2], h[..., 1:4:2]
    return y, torch.cat([torch.stack([u * ct - v * st, u * st + v * ct], -1).flatten(-2), h[..., 4:]], -1).reshape(
        1, 6, 16
    )


@form((3, 6, 8), 17)
def norm_with_statistics(g, x):
    (s, st), (b, bt) = g.weight(6, 8), g.weight(6, 8)
    y, m, r = g.node("LayerNormalization", "x", s, b, outs=3, axis=2)
    mean, var = x.mean((2, 3), keepdim=True), x.var((2, 3), unbiased=False, keepdim=True)
    return g.node("Concat", *[g.node("Reshape", n, g.whole(1, -1)) for n in (y, m, r)], axis=1), torch.cat(
        [F.layer_norm(x, (6, 8), st, bt).reshape(1, -1), mean.reshape(1, -1), (var + 1e-5).pow(-0.5).reshape(1, -1)], 1
    )


@form((2, 4, 6), 23)
def norm_scales_that_stretch(g, x):
    """Scales and shifts that stretch along rows, or that hold one number for each row, as many as columns."""
    (s, st), (b, bt), (r, rt), (u, ut) = (g.weight(*shape) for shape in ((2, 4, 1), (1,), (4, 1), (4, 1)))
    y = g.node("LayerNormalization", "x", s, b, axis=1, epsilon=1e-3)
    square = g.node("Slice", "x", g.whole(0), g.whole(4), g.whole(3))
    z, w = g.node("LayerNormalization", square, r, u), x[..., :4]
    v = g.node("RMSNormalization", square, r)
    a = g.node("LayerNormalization", square, g.node("ReduceMean", square, g.whole(3)), axis=3)
    parts = [
        F.layer_norm(x, (2, 4, 6), None, None, 1e-3) * st + bt,
        F.layer_norm(w, (4,)) * rt + ut,
        w / (w.pow(2).mean(3, keepdim=True) + 1e-5).sqrt() * rt,
        F.layer_norm(w, (4,)) * w.mean(3, keepdim=True),
    ]
    return g.node("Concat", *[g.node("Reshape", n, g.whole(1, -1)) for n in (y, z, v, a)], axis=1), torch.cat(
        [p.reshape(1, -1) for p in parts], 1
    )


@form((2, 4, 5), 13)
def norms_of_zeros(g, x):
    """Vectors of zeros stay so and have no gradient, where no ReLU hides it."""
    v, w = g.node("Sub", "x", g.node("Relu", "x")), x - x.relu()
    sizes = [w.abs().sum(1, keepdim=True), (w * w).sum(1, keepdim=True)]
    assert (sizes[0] == 0).any()
    one, two = (torch.where(s == 0, torch.ones_like(s), s) for s in sizes)
    y = [g.node("LpNormalization", v, axis=1, p=p) for p in (1, 2)]
    return g.node("Concat", *y, "x", axis=1), torch.cat([w / one, w / two.sqrt(), x], 1)


@form((3, 6, 6), 13)
def weights_through_small_floats(g, x):
    """Constants that are cast to half precision and bfloat16, and back, were rounded."""
    parts = []
    for kind, small in ((10, torch.float16), (16, torch.bfloat16)):
        k, t = g.weight(2, 3, 6, 6)
        k = g.node("Cast", g.node("Cast", k, to=kind), to=1)
        parts.append((g.node("Conv", "x", k), F.conv2d(x, t.to(torch.float32).to(small).to(torch.float64))))
    return g.node("Concat", *[n for n, _ in parts], axis=1), torch.cat([p for _, p in parts], 1)


@form((2, 3, 4), 11)
def softmax_of_many_axes(g, x):
    """Before opset 13 all axes from the named one on are one row."""
    return g.node("Softmax", g.node("Softmax", "x", axis=2)), x.flatten(2).softmax(2).flatten(1).softmax(1)


@form((1, 5, 7), 13)
def resize_part_by_scale(g, x):
    """A part of the image, to a size that its scale names before it is rounded down."""
    roi = g.const([0, 0, 0.1, -0.2, 1, 1, 0.9, 1.1])[0]
    y = g.node(
        "Resize",
        "x",
        roi,
        g.const([1, 1, 1.5, 0.7])[0],
        mode="linear",
        coordinate_transformation_mode="tf_crop_and_resize",
    )

    def matrix(size, scale, start, end):
        scale, start, end = (float(np.float32(v)) for v in (scale, start, end))
        m = np.zeros((int(scale * size), size))
        for i in range(len(m)):
            at = start * (size - 1) + i * (end - start) * (size - 1) / (scale * size - 1)
            if 0 <= at <= size - 1:
                m[i] = np.maximum(1 - np.abs(np.arange(size) - at), 0)
        return torch.tensor(m)

    return y, matrix(5, 1.5, 0.1, 0.9) @ x @ matrix(7, 0.7, -0.2, 1.1).T


@form((4, 6, 6), 19)
def pools_of_five_axes(g, x):
    """Averages over channels as local response normalisation is exported; largest, and norms, of several samples."""
    v = g.node("Reshape", "x", g.whole(1, 1, 4, 6, 6))
    a = g.node(
        "AveragePool", v, kernel_shape=[3, 1, 1], pads=[1, 0, 0, 1, 0, 0], strides=[1, 1, 1], count_include_pad=1
    )
    b = g.node("MaxPool", v, kernel_shape=[2, 3, 2], strides=[1, 2, 2], pads=[0, 1, 0, 1, 1, 0])
    c = g.node(
        "AveragePool",
        g.node("Reshape", "x", g.whole(4, 1, 6, 6)),
        kernel_shape=[3, 3],
        strides=[2, 2],
        pads=[1, 1, 1, 1],
        ceil_mode=1,
        count_include_pad=1,
    )
    u = x.reshape(1, 1, 4, 6, 6)
    parts = [
        F.avg_pool3d(u, (3, 1, 1), 1, (1, 0, 0)),
        F.max_pool3d(F.pad(u, (0, 0, 1, 1, 0, 1), value=-math.inf), (2, 3, 2), (1, 2, 2)),
        F.avg_pool2d(x.reshape(4, 1, 6, 6), 3, 2, 1, True, True),
    ]
    return g.node("Concat", *[g.node("Reshape", n, g.whole(1, -1)) for n in (a, b, c)], axis=1), torch.cat(
        [p.reshape(1, -1) for p in parts], 1
    )


@form((3, 9, 11), 19)
def resize_smooth(g, x):
    """Shrinking with antialias, linear and cubic; PyTorch leaves out what lies outside."""
    y = [
        g.node("Resize", "x", "", "", g.whole(1, 3, 4, 5), mode=m, antialias=1, exclude_outside=1, cubic_coeff_a=-0.5)
        for m in ("linear", "cubic")
    ]
    parts = [F.interpolate(x, (4, 5), mode=m, antialias=True) for m in ("bilinear", "bicubic")]
    return g.node("Concat", *y, axis=1), torch.cat(parts, 1)


@form((2, 5, 6), 13)
def mean_variance(g, x):
    """MeanVarianceNormalization of each channel, and over axes from the end."""
    a, b = g.node("MeanVarianceNormalization", "x"), g.node("MeanVarianceNormalization", "x", axes=[1, -1])

    def normal(dims):
        d = x - x.mean(dims, keepdim=True)
        return d / (d.pow(2).mean(dims, keepdim=True).sqrt() + 1e-9)

    return g.node("Concat", a, b, axis=1), torch.cat([normal((0, 2, 3)), normal((1, 3))], 1)


@form((2, 5, 6), 18)
def places(g, x):
    """Elements and slices by constant indices, sequences turned round, what a list keeps, the middle."""
    a = g.node("GatherND", "x", g.const([[[0, 1, 2], [0, 0, 4]]], "<i8")[0])
    ix, (u, ut) = [[0, 0, 3], [0, 1, 1], [0, 0, 3]], g.const(g.rng.normal(0, 1, (3, 6)))
    b = g.node("ScatterND", "x", g.const(ix, "<i8")[0], u, reduction="add")
    c = g.node("ReverseSequence", g.node("Reshape", "x", g.whole(2, 30)), g.whole(7, 30), batch_axis=0, time_axis=1)
    d = g.node("Compress", "x", g.const([True, False, True, True], "?")[0], axis=2)
    e = g.node("CenterCropPad", "x", g.whole(3, 9), axes=[2, 3])
    parts = [
        torch.stack([x[0, 1, 2], x[0, 0, 4]]),
        x.index_put(tuple(torch.tensor(ix).T), ut, accumulate=True),
        torch.stack([torch.cat([v[:n].flip(0), v[n:]]) for v, n in zip(x.reshape(2, 30), (7, 30))]),
        x[:, :, [0, 2, 3]],
        F.pad(x[:, :, 1:4], (1, 2)),
    ]
    return g.node("Concat", *[g.node("Reshape", n, g.whole(1, -1)) for n in (a, b, c, d, e)], axis=1), torch.cat(
        [p.reshape(1, -1) for p in parts], 1
    )


@form((8, 2, 6), 18)
def blocks(g, x):
    """Columns added up into an image."""
    y = g.node("Col2Im", g.node("Reshape", "x", g.whole(1, 8, 12)), g.whole(4, 5), g.whole(2, 2))
    return y, F.fold(x.reshape(1, 8, 12), (4, 5), 2)


@form((2, 3, 4), 26)
def running_products(g, x):
    y = [
        g.node("CumProd", "x", g.const(3, "<i8")[0]),
        g.node("CumProd", "x", g.const(2, "<i8")[0], reverse=1, exclusive=1),
    ]
    last = torch.stack([x[:, :, 1] * x[:, :, 2], x[:, :, 2], torch.ones_like(x[:, :, 0])], 2)
    return g.node("Concat", *y, axis=1), torch.cat([x.cumprod(3), last], 1)


@form((1, 1, 6), 20)
def grid_of_angles(g, x):
    """The places of an image under a computed affine map."""
    y = g.node("AffineGrid", g.node("Reshape", "x", g.whole(1, 2, 3)), g.whole(1, 1, 3, 4), align_corners=1)
    return y, F.affine_grid(x.reshape(1, 2, 3), (1, 1, 3, 4), align_corners=True)


@form((1, 3, 8), 18)
def vectors(g, x):
    """Products of vectors, and a choice that is endless where it is not taken."""
    v, w = g.node("Reshape", "x", g.whole(24)), x.reshape(24)
    k, t = g.weight(24, 24)
    p = g.node("MatMul", g.node("MatMul", v, k), v)
    hidden = g.node("Where", g.node("Less", v, g.const(0.2)[0]), g.const(-np.inf)[0], v)
    s = g.node("Softmax", hidden, axis=0)
    return g.node(
        "Concat", g.node("Reshape", p, g.whole(1, 1)), g.node("Reshape", s, g.whole(1, 24)), axis=1
    ), torch.cat([(w @ t @ w).reshape(1, 1), torch.where(w < 0.2, -math.inf, w).softmax(0)[None]], 1)


def write(folder, name):
    f, shape, opset = FORMS[name]
    g = Graph(sum(map(ord, name)))
    image = g.rng.normal(0, 1, (1, *shape)).astype("<f4")
    x = torch.tensor(image.astype(np.float64), requires_grad=True)
    out, y = f(g, x)
    w, t = g.weight(y.numel(), 5)
    out, y = g.node("MatMul", g.node("Reshape", out, g.whole(1, -1)), w), y.reshape(1, -1) @ t
    cot = g.rng.normal(0, 1, y.shape).astype("<f4")
    (y * torch.tensor(cot.astype(np.float64))).sum().backward()
    assert torch.isfinite(y).all() and torch.isfinite(x.grad).all(), name
    kinds = [helper.make_opsetid("", opset), helper.make_opsetid("com.microsoft", 1)]
    graph = helper.make_graph(
        g.nodes,
        name,
        [helper.make_tensor_value_info("x", 1, [1, *shape])],
        [helper.make_tensor_value_info(out, 1, [1, 5])],
        g.inits,
    )
    hwc = lambda a: np.ascontiguousarray(a[0].transpose(1, 2, 0)).astype("<f4").tobytes()
    with open(f"{folder}/tiny-form-{name}.onnx", "wb") as h:
        h.write(helper.make_model(graph, opset_imports=kinds).SerializeToString())
    with open(f"{folder}/tiny-form-{name}.golden", "wb") as h:
        h.write(hwc(image) + y.detach().numpy().astype("<f4").tobytes() + cot.tobytes() + hwc(x.grad.numpy()))


if __name__ == "__main__":
    for n in FORMS:
        write(sys.argv[1], n)
    print(f"{len(FORMS)} forms in {sys.argv[1]}")
