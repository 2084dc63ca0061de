"""Writes networks in the forms in which known ones are published, small and with random weights: published.py FOLDER.

models/README.md ("Networks of others") has the command for each file; tests/cli/bring.sh runs them."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import numpy as np
from small import data, integer, ints, node, number, tensor, value

FOLDER = sys.argv[1]
rng = np.random.default_rng(7)


class Onnx:
    def __init__(self, image, size):
        self.image, self.last, self.channels, self.size, self.body, self.n = image, image, 3, size, b"", 0

    def weight(self, a):
        self.n += 1
        self.body += data(5, tensor(f"w{self.n}", np.asarray(a, "<f4")))
        return f"w{self.n}"

    def add(self, op, ins, *attributes, out=None):
        self.n += 1
        self.last = out or f"t{self.n}"
        self.body += data(1, node(op, ins, [self.last], *attributes))
        return self.last

    def norm(self, n):
        stats = [rng.uniform(0.5, 1.5, n), rng.normal(0, 0.1, n), rng.normal(0, 0.1, n), rng.uniform(0.5, 1.5, n)]
        return self.add("BatchNormalization", [self.last] + [self.weight(a) for a in stats])

    def conv(self, n, kernel=3, stride=2):
        w = self.weight(
            rng.normal(0, (2 / (kernel * kernel * self.channels)) ** 0.5, (n, self.channels, kernel, kernel))
        )
        pad = kernel // 2
        self.channels, self.size = n, -(-self.size // stride)
        return self.add("Conv", [self.last, w], ints("pads", pad, pad, pad, pad), ints("strides", stride, stride))

    def block(self, n):
        """A step of an iResNet: normalisation, convolution, PReLU, convolution, and a way past them."""
        start = self.last
        self.conv(n, 1)
        past, self.last, self.size, self.channels = self.norm(n), start, self.size * 2, self.channels_before
        self.norm(self.channels)
        self.conv(n, 3, 1)
        self.add("PRelu", [self.last, self.weight(rng.uniform(0.1, 0.4, (n, 1, 1)))])
        self.conv(n)
        self.add("Add", [self.norm(n), past])

    def iresnet(self):
        self.conv(8, 3, 1)
        self.norm(8)
        self.add("PRelu", [self.last, self.weight(rng.uniform(0.1, 0.4, (8, 1, 1)))])
        for n in (8, 16, 16, 24):
            self.channels_before = self.channels
            self.block(n)

    def dense(self, n, out=None):
        self.add("Flatten", [self.last], integer("axis", 1))
        w = self.weight(rng.normal(0, 0.05, (n, self.channels * self.size**2)))
        self.add("Gemm", [self.last, w, self.weight(rng.normal(0, 0.1, n))], integer("transB", 1), out=out)

    def save(self, name, size, *outputs):
        body = self.body + data(2, name) + data(11, value(self.image, "batch", 3, size, size))
        for out, dim in outputs:
            body += data(12, value(out, "batch", dim))
        with open(os.path.join(FOLDER, name), "wb") as f:
            f.write(number(1, 8) + data(7, body) + data(8, number(2, 13)))


def insightface(name, out):
    g = Onnx("input.1", 112)
    g.iresnet()
    g.norm(24)
    g.dense(512)
    g.add("Identity", [g.norm(512)], out=out)
    g.save(name, 112, (out, 512))


def adaface():
    """Two outputs: the unit vector, and the length that it had."""
    g = Onnx("image", 112)
    g.iresnet()
    g.dense(512)
    raw = g.norm(512)
    g.add("ReduceL2", [raw], ints("axes", 1), integer("keepdims", 1), out="norm")
    g.add("Div", [raw, "norm"], out="feature")
    g.save("adaface_ir50.onnx", 112, ("feature", 512), ("norm", 1))


def edgeface():
    """Layers as in ConvNeXt: depthwise convolution, layer normalisation over channels, two products with GELU between."""
    g = Onnx("input", 112)
    g.conv(16, 4, 4)
    g.size = 28
    start = g.last
    w = g.weight(rng.normal(0, 0.3, (16, 1, 7, 7)))
    g.add("Conv", [start, w], ints("pads", 3, 3, 3, 3), integer("group", 16))
    g.add("Transpose", [g.last], ints("perm", 0, 2, 3, 1))
    g.add("LayerNormalization", [g.last, g.weight(np.ones(16)), g.weight(np.zeros(16))], integer("axis", 3))
    g.add("MatMul", [g.last, g.weight(rng.normal(0, 0.25, (16, 64)))])
    half = g.add("Mul", [g.last, g.weight(np.array(0.5))])
    g.add("Div", [half, g.weight(np.array(0.5 * 2**0.5))])
    g.add("Add", [g.add("Erf", [g.last]), g.weight(np.array(1.0))])
    g.add("MatMul", [g.add("Mul", [half, g.last]), g.weight(rng.normal(0, 0.12, (64, 16)))])
    g.add("Add", [g.add("Transpose", [g.last], ints("perm", 0, 3, 1, 2)), start])
    g.add("GlobalAveragePool", [g.last])
    g.size = 1
    g.dense(512, "embedding")
    g.save("edgeface_s.onnx", 112, ("embedding", 512))


def magface():
    g = Onnx("input", 112)
    g.iresnet()
    g.norm(24)
    g.dense(512)
    g.add("Identity", [g.norm(512)], out="features")
    g.save("magface_iresnet100.onnx", 112, ("features", 512))


def facenet_torch():
    """As facenet-pytorch exports it: residuals times a constant, ReLU, and a unit vector at the end."""
    g = Onnx("x", 160)
    for n in (8, 16, 24):
        g.conv(n)
        g.add("Relu", [g.norm(n)])
    start = g.last
    g.conv(24, 3, 1)
    g.add("Relu", [g.add("Add", [g.add("Mul", [g.last, g.weight(np.array(0.17))]), start])])
    g.add("GlobalAveragePool", [g.last])
    g.size = 1
    g.dense(512)
    raw = g.norm(512)
    g.add("Div", [raw, g.add("ReduceL2", [raw], ints("axes", 1), integer("keepdims", 1))], out="y")
    g.save("facenet_vggface2.onnx", 160, ("y", 512))


def facenet_tfjs():
    """Keras' FaceNet as a graph model, in the folder facenet."""
    folder = os.path.join(FOLDER, "facenet")
    os.makedirs(folder, exist_ok=True)
    sys.argv[1:] = [folder]
    import tfjs

    g = tfjs.Graph("model", tfjs.image(160, 160, 3) * 0, quantised="float16", shards=2)
    x, c = "x", 3
    for n in (8, 16, 24):
        w = tfjs.normal(3, 3, c, n) * (2 / (9 * c)) ** 0.5
        stats = [tfjs.positive(n), tfjs.normal(n) * 0.1, tfjs.normal(n) * 0.1, tfjs.positive(n)]
        x = g.op("Conv2D", x, w, strides=[1, 2, 2, 1], dilations=[1, 1, 1, 1], padding="VALID", data_format="NHWC")
        x = g.op("Relu", g.op("FusedBatchNormV3", x, *stats, epsilon=0.001, data_format="NHWC", is_training=False))
        c = n
    w = tfjs.normal(3, 3, 24, 24) * 0.1
    y = g.op("Conv2D", x, w, strides=[1, 1, 1, 1], dilations=[1, 1, 1, 1], padding="SAME", data_format="NHWC")
    x = g.op("Relu", g.op("AddV2", x, g.op("Mul", y, np.array(0.17))))
    x = g.op("MatMul", g.op("Mean", x, np.array([1, 2]), keep_dims=False), tfjs.normal(24, 128) * 0.3)
    x = g.op("AddV2", g.op("Mul", x, tfjs.positive(128)), tfjs.normal(128) * 0.1)
    g.done(x, np.zeros(128))


for name, out in (("w600k_r50.onnx", "683"), ("glintr100.onnx", "1333")):
    insightface(name, out)
adaface()
edgeface()
magface()
facenet_torch()
facenet_tfjs()
