"""Writes a small face network with random weights as ONNX, without any package but NumPy: small.py FILE HEIGHT WIDTH CHANNELS [DIM].
Convolutions of stride 2 with batch normalisation and PReLU, a dense layer on the flattened image, an L2 normalisation spelled out."""
import sys
import numpy as np


def varint(v):
    out = b""
    while v > 127:
        out, v = out + bytes([v & 127 | 128]), v >> 7
    return out + bytes([v])


def number(field, v):
    return varint(field << 3) + varint(v)


def data(field, b):
    b = b.encode() if isinstance(b, str) else b
    return varint(field << 3 | 2) + varint(len(b)) + b


def ints(name, *v):
    return data(1, name) + b"".join(number(8, i) for i in v) + number(20, 7)


def integer(name, v):
    return data(1, name) + number(3, v) + number(20, 2)


def node(op, ins, outs, *attributes):
    return (
        b"".join(data(1, i) for i in ins)
        + b"".join(data(2, o) for o in outs)
        + data(4, op)
        + b"".join(data(5, a) for a in attributes)
    )


def tensor(name, a):
    a = np.ascontiguousarray(a)
    kind = {"float32": 1, "int64": 7}[a.dtype.name]
    return b"".join(number(1, d) for d in a.shape) + number(2, kind) + data(8, name) + data(9, a.tobytes())


def value(name, *dims):
    shape = b"".join(data(1, data(2, d) if isinstance(d, str) else number(1, d)) for d in dims)
    return data(1, name) + data(2, data(1, number(1, 1) + data(2, shape)))


def network(height, width, channels, dim=32, seed=1):
    rng = np.random.default_rng(seed)
    g, last, c = b"", "image", channels
    weights = b""

    def weight(name, *shape, scale=1.0, low=None):
        nonlocal weights
        a = rng.uniform(low, 1.5, shape) if low is not None else rng.normal(0, scale, shape)
        weights += data(5, tensor(name, a.astype("<f4")))
        return name

    for i, n in enumerate((8, 16, 16, 24)):
        w = weight(f"w{i}", n, c, 3, 3, scale=(2 / (9 * c)) ** 0.5)
        g += data(
            1,
            node(
                "Conv",
                [last, w],
                [f"c{i}"],
                ints("pads", 1, 1, 1, 1),
                ints("strides", 2, 2),
                ints("kernel_shape", 3, 3),
            ),
        )
        bn = [
            weight(f"g{i}", n, low=0.5),
            weight(f"b{i}", n, scale=0.1),
            weight(f"m{i}", n, scale=0.1),
            weight(f"v{i}", n, low=0.5),
        ]
        g += data(1, node("BatchNormalization", [f"c{i}"] + bn, [f"n{i}"]))
        g += data(1, node("PRelu", [f"n{i}", weight(f"s{i}", n, 1, 1, scale=0.2)], [f"a{i}"]))
        last, c, height, width = f"a{i}", n, (height + 1) // 2, (width + 1) // 2
    g += data(1, node("Flatten", [last], ["flat"], integer("axis", 1)))
    size = c * height * width
    g += data(
        1,
        node(
            "Gemm",
            ["flat", weight("fc", dim, size, scale=size**-0.5), weight("fb", dim, scale=0.1)],
            ["raw"],
            integer("transB", 1),
        ),
    )
    g += data(1, node("ReduceL2", ["raw"], ["norm"], ints("axes", 1), integer("keepdims", 1))) + data(
        1, node("Div", ["raw", "norm"], ["embedding"])
    )
    return g + weights


def main(path, height, width, channels, dim=32):
    height, width, channels, dim = int(height), int(width), int(channels), int(dim)
    g = (
        network(height, width, channels, dim)
        + data(2, "face")
        + data(11, value("image", "batch", channels, height, width))
        + data(12, value("embedding", "batch", dim))
    )
    with open(path, "wb") as f:
        f.write(number(1, 8) + data(7, g) + data(8, number(2, 13)))


if __name__ == "__main__":
    main(*sys.argv[1:])
