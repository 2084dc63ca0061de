#!/usr/bin/python3
"""Random small networks in ONNX, and what PyTorch says of them in double precision: random-graphs.py FOLDER [COUNT [SEED]].

Writes FOLDER/random-N.onnx and .golden (as make.py does): operators of every kind drawn at random, the first ones on the raw image of 1 to 6 channels,
in opset 13, 17 or 18; then everything is flattened into a dense layer. build/unit/onnx FOLDER compares. Graphs whose gradient is not smooth at the image
(a kink within 1e-3) or not finite are drawn again. `random-graphs.py FOLDER short` writes the few that are kept in tests/onnx."""
import sys
import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import helper, numpy_helper


# Spelled out: PyTorch 1.13's own have a wrong gradient where the width is 1 and the cotangent is transposed.
def batch_norm(x, mean, var, w, b):
    k = w / (var + 1e-5).sqrt()
    return x * k.view(1, -1, 1, 1) + (b - mean * k).view(1, -1, 1, 1)


def instance_norm(x, w, b):
    m = x.mean((2, 3), keepdim=True)
    return (x - m) / ((x - m).pow(2).mean((2, 3), keepdim=True) + 1e-5).sqrt() * w.view(1, -1, 1, 1) + b.view(
        1, -1, 1, 1
    )


class Net:
    """Nodes and the function that they are, made side by side."""

    def __init__(self, rng, opset):
        self.rng, self.opset, self.nodes, self.inits, self.n, self.kinks = rng, opset, [], [], 0, []

    def const(self, a, whole=False):
        name = f"k{len(self.inits)}"
        a = np.asarray(a, "<i8" if whole else "<f4")
        self.inits.append(numpy_helper.from_array(a, name))
        return name, torch.tensor(a) if whole else torch.tensor(a.astype(np.float64))

    def weight(self, *shape, scale=None):
        return self.const(self.rng.normal(0, scale or 1 / np.sqrt(max(1, np.prod(shape[1:]))), shape))

    def node(self, op, ins, **attributes):
        self.n += 1
        out = f"v{self.n}"
        self.nodes.append(helper.make_node(op, ins, [out], **attributes))
        return out

    def ints(self, op, x, name, values, key, **attributes):
        """A node whose list is an attribute in older opsets and an input in newer ones."""
        if self.opset >= key:
            return self.node(op, [x, self.const(values, True)[0]], **attributes)
        return self.node(op, [x], **{name: values}, **attributes)

    def near(self, t):
        """How near a kink (t = 0) is."""
        if t.numel():
            self.kinks.append(float((t.abs().min() / (t.abs().max() + 1e-9)).detach()))


def draw(net, name, x):
    """One operator on value `name` with tensor x [1, C, H, W] or of fewer or more axes: the new name and tensor, or None where it does not fit."""
    r, c = net.rng, x.shape[1] if x.ndim > 1 else 0
    image, kind = x.ndim == 4 and x.shape[0] == 1, r.integers(0, 60)
    if kind < 9 and image:
        h, w = x.shape[2:]
        if kind in (0, 1):  # depthwise
            k = int(r.integers(1, 6))
            p = [int(v) for v in r.integers(0, k + 1, 4)]
            s = [int(v) for v in r.integers(1, 4, 2)]
            mult = 1 if kind == 0 else 2
            if h + p[0] + p[2] < k or w + p[1] + p[3] < k:
                return None
            wt, wv = net.weight(c * mult, 1, k, k)
            return net.node("Conv", [name, wt], group=c, pads=p, strides=s, kernel_shape=[k, k]), F.conv2d(
                F.pad(x, (p[1], p[3], p[0], p[2])), wv, stride=s, groups=c
            )
        if kind in (2, 3):
            k, o = (1, 4) if kind == 2 else (3, int(r.integers(2, 20)))
            if h < k or w < k:
                return None
            wt, wv = net.weight(o, c, k, k)
            b, bv = net.weight(o)
            return net.node("Conv", [name, wt, b], kernel_shape=[k, k]), F.conv2d(x, wv, bv)
        if kind == 4:
            if h < 2 or w < 2:
                return None
            return net.node("AveragePool", [name], kernel_shape=[2, 2], strides=[1, 2]), F.avg_pool2d(x, 2, (1, 2))
        if kind == 5:
            if h < 2 or w < 2:
                return None
            cols = F.unfold(x, 2).reshape(c, 4, -1)
            top = cols.topk(2, 1).values
            net.near(top[:, 0] - top[:, 1])
            return net.node("MaxPool", [name], kernel_shape=[2, 2]), F.max_pool2d(x, 2, 1)
        if kind == 6:
            s, b = net.weight(c, scale=1.0), net.weight(c, scale=1.0)
            m, v = net.weight(c, scale=0.3), net.const(r.uniform(0.5, 2, c))
            return net.node("BatchNormalization", [name, s[0], b[0], m[0], v[0]]), batch_norm(x, m[1], v[1], s[1], b[1])
        if kind == 7:
            s, b = net.weight(c, scale=1.0), net.weight(c, scale=1.0)
            if h * w < 3:
                return None
            return net.node("InstanceNormalization", [name, s[0], b[0]]), instance_norm(x, s[1], b[1])
        return net.node("GlobalAveragePool", [name]), x.mean((2, 3), keepdim=True)
    if kind < 18:
        unary = [
            ("Relu", lambda t: t.relu()),
            ("Sigmoid", torch.sigmoid),
            ("Tanh", torch.tanh),
            ("Softplus", F.softplus),
            ("Elu", F.elu),
            ("Selu", F.selu),
            ("Softsign", F.softsign),
            ("Sin", torch.sin),
            ("Cos", torch.cos),
            ("Erf", torch.erf),
            ("Neg", lambda t: -t),
            ("HardSwish", F.hardswish),
            ("Celu", F.celu),
        ]
        op, f = unary[r.integers(0, len(unary))]
        if op == "HardSwish" and net.opset < 14:
            return None
        if op in ("Sin", "Cos") and float(x.abs().max()) > 100:
            return None
        if op in ("Relu", "Selu"):
            net.near(x)
        if op == "HardSwish":
            net.near(x.abs() - 3)
        return net.node(op, [name]), f(x)
    if kind == 18:
        lo, hi = net.const(-0.4), net.const(0.5)
        net.near(x - lo[1]), net.near(x - hi[1])
        return net.node("Clip", [name, lo[0], hi[0]]), x.clamp(lo[1], hi[1])
    if kind in (19, 20, 21, 22):
        op, f = [
            ("Add", torch.add),
            ("Sub", torch.sub),
            ("Mul", torch.mul),
            ("Max", torch.maximum),
            ("Min", torch.minimum),
        ][r.integers(0, 5)]
        shape = [1 if r.integers(0, 2) else d for d in x.shape][int(r.integers(0, x.ndim)) :] if x.ndim else []
        k, kv = net.weight(*shape, scale=1.0)
        if op in ("Max", "Min"):
            net.near(x - kv)
        flip = r.integers(0, 2)
        return net.node(op, [k, name] if flip else [name, k]), f(
            kv.expand_as(x) if op == "Sub" and flip else kv + 0 * x if flip else x, x if flip else kv
        )
    if kind == 23:
        y = net.node("Tanh", [name])
        op, f = [("Mul", torch.mul), ("Max", torch.maximum), ("Add", torch.add)][r.integers(0, 3)]
        if op == "Max":
            net.near(x - x.tanh())
        return net.node(op, [name, y]), f(x, x.tanh())
    if kind in (24, 25) and x.ndim > 1:
        p = [int(v) for v in r.permutation(x.ndim)]
        return net.node("Transpose", [name], perm=p), x.permute(p)
    if kind in (26, 27):
        dims = []
        for d in x.shape:  # split some axes, join others
            f = [k for k in range(2, d) if d % k == 0]
            dims += [int(f[0]), d // f[0]] if f and r.integers(0, 2) and len(dims) < 7 else [d]
        if r.integers(0, 2) and len(dims) > 2:
            i = int(r.integers(0, len(dims) - 1))
            dims[i : i + 2] = [dims[i] * dims[i + 1]]
        if len(dims) > 8:
            return None
        return net.node("Reshape", [name, net.const(dims, True)[0]]), x.reshape(dims)
    if kind == 28 and x.ndim:
        a = int(r.integers(0, x.ndim))
        if x.shape[a] < 2:
            return None
        step = int(r.choice([1, 1, 2, 3, -1, -2]))
        index = list(range(x.shape[a]))[::step] if step < 0 else list(range(1, x.shape[a]))[::step]
        b, e = (x.shape[a] - 1, -x.shape[a] - 1) if step < 0 else (1, x.shape[a])
        k = [net.const([v], True)[0] for v in (b, e, a, step)]
        return net.node("Slice", [name] + k), x.index_select(a, torch.tensor(index))
    if kind == 29 and x.ndim:
        a, n = int(r.integers(0, x.ndim)), int(r.integers(1, 4))
        ix = [int(v) for v in r.integers(0, x.shape[a], n)]
        return net.node("Gather", [name, net.const(ix, True)[0]], axis=a), x.index_select(a, torch.tensor(ix))
    if kind == 30 and x.ndim > 1:
        a = int(r.integers(0, x.ndim))
        y = net.node("Neg", [name])
        return net.node("Concat", [name, y], axis=a), torch.cat([x, -x], a)
    if kind in (31, 32) and x.ndim > 1:
        axes = sorted(int(v) for v in r.choice(x.ndim, int(r.integers(1, x.ndim)), replace=False))
        keep = int(r.integers(0, 2))
        op, f, key = [
            ("ReduceMean", lambda t: t.mean(axes, keepdim=bool(keep)), 18),
            ("ReduceSum", lambda t: t.sum(axes, keepdim=bool(keep)), 13),
            ("ReduceL2", lambda t: (t * t).sum(axes, keepdim=bool(keep)).sqrt(), 18),
            ("ReduceSumSquare", lambda t: (t * t).sum(axes, keepdim=bool(keep)), 18),
            ("ReduceLogSumExp", lambda t: t.logsumexp(axes, keepdim=bool(keep)), 18),
        ][r.integers(0, 5)]
        if op == "ReduceL2" and float(f(x).abs().min()) < 1e-2:
            return None
        return net.ints(op, name, "axes", axes, key, keepdims=keep), f(x)
    if kind in (33, 34) and x.ndim:
        a = int(r.integers(0, x.ndim))
        op, f = [("Softmax", F.softmax), ("LogSoftmax", F.log_softmax)][kind - 33]
        return net.node(op, [name], axis=a), f(x, a)
    if kind == 35 and x.ndim > 1 and x.shape[-1] > 2 and net.opset >= 17:
        s, b = net.weight(x.shape[-1], scale=1.0), net.weight(x.shape[-1], scale=1.0)
        return net.node("LayerNormalization", [name, s[0], b[0]], axis=-1), F.layer_norm(x, x.shape[-1:], s[1], b[1])
    if kind in (36, 37) and x.ndim > 1:
        w, v = net.weight(x.shape[-1], int(r.integers(2, 6)))
        return net.node("MatMul", [name, w]), x @ v
    if kind == 38 and x.ndim > 2:
        p = list(range(x.ndim - 2)) + [x.ndim - 1, x.ndim - 2]
        y = net.node("Transpose", [name], perm=p)
        return net.node("MatMul", [name, y]), x @ x.transpose(-1, -2) / 1.0
    if kind == 39 and image and x.shape[1] == x.shape[3]:
        s, v = net.weight(x.shape[1], scale=0.3)  # ONNX's rule: columns
        net.near(x)
        return net.node("PRelu", [name, s]), torch.where(x > 0, x, x * v)
    if kind == 40 and image:
        s, v = net.weight(c, 1, 1, scale=0.3)
        net.near(x)
        return net.node("PRelu", [name, s]), torch.where(x > 0, x, x * v)
    return choose(net, name, x, int(kind)) if kind > 40 and x.ndim else None


def choose(net, name, x, kind):
    """Operators that jump, choose, or take elements by a table."""
    r = net.rng
    some = [1 if r.integers(0, 2) else d for d in x.shape]
    a = int(r.integers(0, x.ndim))
    if kind in (41, 42):  # what jumps, beside what does not: its own gradient is zero
        op, f, edge = [
            ("Floor", torch.floor, x - x.round()),
            ("Ceil", torch.ceil, x - x.round()),
            ("Round", torch.round, x - x.floor() - 0.5),
            ("Sign", torch.sign, x),
        ][r.integers(0, 4)]
        net.near(edge)
        return net.node("Mul", [name, net.node(op, [name])]), x * f(x)
    if kind in (43, 44, 45):  # a comparison, logic, a choice
        k, v = net.weight(*some, scale=1.0)
        op, f = [("Less", torch.lt), ("Greater", torch.gt), ("LessOrEqual", torch.le), ("GreaterOrEqual", torch.ge)][
            r.integers(0, 4)
        ]
        if op.endswith("Equal") and net.opset < 16:
            return None
        net.near(x - v)
        flip = r.integers(0, 2)
        c, truth = net.node(op, [k, name] if flip else [name, k]), f(v.expand_as(x), x) if flip else f(x, v)
        if kind == 44:
            net.near(x - 0.3)
            logic, g = [("And", torch.logical_and), ("Or", torch.logical_or), ("Xor", torch.logical_xor)][
                r.integers(0, 3)
            ]
            c, truth = net.node(logic, [c, net.node("Less", [name, net.const(0.3)[0]])]), g(truth, x < 0.3)
        if kind == 45:
            real = net.node("Cast", [net.node("Not", [c])], to=1)
            return net.node("Mul", [name, real]), x * (~truth)
        m, u = net.weight(*[1 if r.integers(0, 2) else d for d in x.shape], scale=1.0)
        y = net.node("Tanh", [name])
        return (
            (net.node("Where", [c, y, m]), torch.where(truth, x.tanh(), u))
            if r.integers(0, 2)
            else (net.node("Where", [c, m, y]), torch.where(truth, u, x.tanh()))
        )
    if kind == 46:
        k, v = net.const(r.uniform(0.5, 2, some))
        f = int(r.integers(0, 2))
        net.near(x / v - (x / v).round())
        return net.node("Mod", [name, k], fmod=1), torch.fmod(x, v)
    if kind == 47:  # a power, both computed, or one of them
        if float(F.softplus(x).min()) < 1e-4:
            return None
        base, y = net.node("Softplus", [name]), net.node("Tanh", [name])
        k, v = net.const(r.uniform(0.3, 2, some))
        return [
            lambda: (net.node("Pow", [base, y]), F.softplus(x) ** x.tanh()),
            lambda: (net.node("Pow", [base, k]), F.softplus(x) ** v),
            lambda: (net.node("Pow", [k, y]), v ** x.tanh()),
        ][r.integers(0, 3)]()
    if kind == 48:
        y = net.node("Tanh", [name])
        op, f = [
            ("Atan", torch.atan),
            ("Sinh", torch.sinh),
            ("Cosh", torch.cosh),
            ("Asinh", torch.asinh),
            ("Tan", torch.tan),
        ][r.integers(0, 5)]
        return net.node(op, [y]), f(x.tanh())
    if kind == 49:
        y = net.node("Mul", [net.node("Tanh", [name]), net.const(0.9)[0]])
        op, f = [("Asin", torch.asin), ("Acos", torch.acos), ("Atanh", torch.atanh)][r.integers(0, 3)]
        return net.node(op, [y]), f(x.tanh() * torch.tensor(np.float32(0.9), dtype=torch.float64))
    if kind == 50:
        keep = int(r.integers(0, 2))
        if x.shape[a] > 12:
            return None
        return net.ints("ReduceProd", name, "axes", [a], 18, keepdims=keep), x.prod(a, keepdim=bool(keep))
    if kind == 51:
        largest, op = int(r.integers(0, 2)), ["ArgMin", "ArgMax"]
        if x.shape[a] < 2:
            return None
        top = x.topk(2, a, bool(largest)).values
        net.near(top.select(a, 0) - top.select(a, 1))
        place = net.node("Cast", [net.node(op[largest], [name], axis=a, keepdims=1)], to=1)
        return net.node("Mul", [name, place]), x * (x.argmax(a, True) if largest else x.argmin(a, True))
    if kind == 52:
        if x.shape[a] < 2 or float(x.abs().max()) > 100:  # a sine of thousands is a matter of rounding
            return None
        top = x.topk(2, a).values
        net.near(top.select(a, 0) - top.select(a, 1))
        return net.node("Mul", [net.node("Hardmax", [name], axis=a), net.node("Sin", [name])]), x.sin() * F.one_hot(
            x.argmax(a), x.shape[a]
        ).movedim(-1, a)
    if kind == 53:
        ix = r.integers(
            0,
            x.shape[a],
            [int(r.integers(1, 4)) if k == a else int(r.integers(1, d + 1)) for k, d in enumerate(x.shape)],
        )
        return net.node("GatherElements", [name, net.const(ix, True)[0]], axis=a), x.gather(a, torch.tensor(ix))
    if kind == 54:
        n = int(r.integers(1, x.shape[a] + 1))
        shape = [n if k == a else d for k, d in enumerate(x.shape)]
        ix = np.broadcast_to(r.permutation(x.shape[a])[:n].reshape([-1 if k == a else 1 for k in range(x.ndim)]), shape)
        k, v = net.weight(*shape, scale=1.0)
        add = {"reduction": "add"} if net.opset >= 16 and r.integers(0, 2) else {}
        t = torch.tensor(np.ascontiguousarray(ix))
        return net.node("ScatterElements", [name, net.const(ix, True)[0], k], axis=a, **add), x.scatter_add(
            a, t, v
        ) if add else x.scatter(a, t, v)
    if kind == 55 and x.ndim > 1:
        up, k = int(r.integers(0, 2)), int(r.integers(-2, 3))
        if net.opset < 14:
            return None
        return net.node("Trilu", [name, net.const(k, True)[0]], upper=up), x.triu(k) if up else x.tril(k)
    if kind == 56:
        by = [int(v) for v in r.integers(1, 3, x.ndim)]
        return net.node("Tile", [name, net.const(by, True)[0]]), x.repeat(by)
    if kind == 57:
        shrink = r.integers(0, 2)
        net.near(x.abs() - 0.5 if shrink else x - 0.5)
        return (
            (
                net.node("Shrink", [name], lambd=0.5, bias=0.25),
                torch.where(x > 0.5, x - 0.25, torch.where(x < -0.5, x + 0.25, 0 * x)),
            )
            if shrink
            else (net.node("ThresholdedRelu", [name], alpha=0.5), torch.where(x > 0.5, x, 0 * x))
        )
    if kind == 58 and x.ndim == 4 and net.opset >= 16:
        g, v = net.const(r.uniform(-1.2, 1.2, (x.shape[0], 3, 4, 2)))
        mode, pad, corners = (
            ["bilinear", "nearest", "bicubic"][r.integers(0, 3)],
            ["zeros", "border", "reflection"][r.integers(0, 3)],
            int(r.integers(0, 2)),
        )
        place = (
            (v + 1) / 2 * (torch.tensor([x.shape[3], x.shape[2]]) - 1)
            if corners
            else ((v + 1) * torch.tensor([x.shape[3], x.shape[2]]) - 1) / 2
        )
        if mode == "nearest":
            net.near(place - place.floor() - 0.5)
        return net.node("GridSample", [name, g], mode=mode, padding_mode=pad, align_corners=corners), F.grid_sample(
            x, v, mode, pad, bool(corners)
        )
    if kind == 59 and x.shape[a] < 12:
        back, without = int(r.integers(0, 2)), int(r.integers(0, 2))
        y = x.flip(a) if back else x
        y = y.cumsum(a) - (y if without else 0)
        return (
            net.node("CumSum", [name, net.const(a, True)[0]], reverse=back, exclusive=without),
            y.flip(a) if back else y,
        )
    return None


def graph(rng):
    c, h, w = (int(v) for v in (rng.integers(1, 7), rng.integers(4, 11), rng.integers(4, 11)))
    net = Net(rng, int(rng.choice([13, 17, 18])))
    image = rng.normal(0, 1, (1, c, h, w)).astype("<f4")
    x = torch.tensor(image.astype(np.float64), requires_grad=True)
    ends = []
    for _ in range(int(rng.integers(1, 4))):  # several read the raw image
        name, t = "x", x
        for _ in range(int(rng.integers(1, 8))):
            made = draw(net, name, t)
            if made and made[1].numel() <= 3000 and made[1].ndim <= 8 and made[1].ndim > 0:
                name, t = made
        flat = net.node("Reshape", [name, net.const([1, -1], True)[0]])
        k, v = net.weight(t.numel(), 5)
        ends.append((net.node("MatMul", [flat, k]), t.reshape(1, -1) @ v))
    name, t = ends[0]
    for other, u in ends[1:]:
        name, t = net.node("Add", [name, other]), t + u
    cot = rng.normal(0, 1, t.shape).astype("<f4")
    (t * torch.tensor(cot.astype(np.float64))).sum().backward()
    y, g = t.detach().numpy(), x.grad.numpy()
    if (
        not np.isfinite(y).all()
        or not np.isfinite(g).all()
        or min(net.kinks, default=1) < 1e-4
        or not 1e-4 < np.abs(y).max() < 1e4
        or not 1e-3 < np.abs(g).max() < 1e4
    ):
        return None
    g0 = helper.make_graph(
        net.nodes,
        "random",
        [helper.make_tensor_value_info("x", 1, ["n", c, h, w])],
        [helper.make_tensor_value_info(name, 1, ["n", 5])],
        net.inits,
    )
    model = helper.make_model(g0, opset_imports=[helper.make_opsetid("", net.opset)])
    hwc = lambda a: np.ascontiguousarray(a[0].transpose(1, 2, 0)).astype("<f4").tobytes()
    return model.SerializeToString(), hwc(image) + y.astype("<f4").tobytes() + cot.tobytes() + hwc(g)


if __name__ == "__main__":
    folder, short = sys.argv[1], sys.argv[2:3] == ["short"]
    count, seed = (
        20 if short else int(sys.argv[2]) if len(sys.argv) > 2 else 300,
        int(sys.argv[3]) if len(sys.argv) > 3 else 1,
    )
    rng, made = np.random.default_rng(seed), 0
    while made < count:
        one = graph(rng)
        if one is None or (short and len(one[0]) > 6000):
            continue
        stem = f"{folder}/{'tiny-' if short else ''}random-{made}"
        with open(stem + ".onnx", "wb") as f, open(stem + ".golden", "wb") as k:
            f.write(one[0]), k.write(one[1])
        made += 1
    print(f"{made} random graphs in {folder}")
