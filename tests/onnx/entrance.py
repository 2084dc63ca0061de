"""Writes small networks in forms that exporters of different kinds use, with small.py's means: entrance.py FOLDER. Of each NAME.onnx the embedding
is 'y'; NAME.json says what it is for the image in FOLDER/image.ppm, computed here in NumPy."""
import os, sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(__file__))
import numpy as np
from small import data, integer, ints, node, number, tensor, value

rng = np.random.default_rng(3)
IMAGE = rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)
FOLDER = sys.argv[1] if len(sys.argv) > 1 else "."


def weight(name, a):
    return data(5, tensor(name, np.asarray(a, "<f4")))


def model(name, graph, opset=13, more=b""):
    with open(os.path.join(FOLDER, name + ".onnx"), "wb") as f:
        f.write(number(1, 8) + data(7, graph + data(2, name)) + data(8, number(2, opset)) + more)


def no_dependence():
    """The image is read, but only a constant comes out."""
    g = data(1, node("Conv", ["x", "w"], ["c"])) + data(1, node("Identity", ["k"], ["y"]))
    g += weight("w", rng.normal(0, 1, (4, 3, 1, 1))) + weight("k", rng.normal(0, 1, (1, 8)))
    model("no-dependence", g + data(11, value("x", 1, 3, 16, 16)) + data(12, value("y", 1, 8)))


def times_zero():
    """The image is read, and multiplied with nothing."""
    g = data(1, node("GlobalAveragePool", ["x"], ["p"])) + data(1, node("Mul", ["p", "z"], ["m"])) + data(1, node("Add", ["m", "k"], ["y"]))
    g += weight("z", np.zeros((1, 3, 1, 1))) + weight("k", rng.normal(0, 1, (1, 3, 1, 1)))
    model("times-zero", g + data(11, value("x", 1, 3, 16, 16)) + data(12, value("y", 1, 3, 1, 1)))


if __name__ == "__main__":
    with open(os.path.join(FOLDER, "image.ppm"), "wb") as f:
        f.write(b"P6 16 16 255\n" + IMAGE.tobytes())
    no_dependence()
    times_zero()
