"""Writes small networks in forms that exporters of different kinds use, with small.py's means: entrance.py FOLDER. Of each NAME.onnx the embedding
is 'y'; NAME.json says what it is for the image in FOLDER/image.ppm, computed here in NumPy."""
import json, os, sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(__file__))
import numpy as np
from small import data, integer, ints, node, number, tensor, value

rng = np.random.default_rng(3)
IMAGE = rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)
TALL = rng.integers(0, 256, (16, 12, 3), dtype=np.uint8)
FOLDER = sys.argv[1] if len(sys.argv) > 1 else "."
A = rng.normal(0, 0.05, (768, 8)).astype("<f4")


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
    g = (
        data(1, node("GlobalAveragePool", ["x"], ["p"]))
        + data(1, node("Mul", ["p", "z"], ["m"]))
        + data(1, node("Add", ["m", "k"], ["y"]))
    )
    g += weight("z", np.zeros((1, 3, 1, 1))) + weight("k", rng.normal(0, 1, (1, 3, 1, 1)))
    model("times-zero", g + data(11, value("x", 1, 3, 16, 16)) + data(12, value("y", 1, 3, 1, 1)))


# ---- what is read: y = relu(x A) of the flattened image, whatever the way there ----
def typed(name, kind, *dims):
    """An input or output of an element type."""
    v = value(name, *dims)
    return (
        v.replace(number(1, 1), number(1, kind), 1)
        if kind == 1
        else data(1, name)
        + data(
            2,
            data(
                1,
                number(1, kind)
                + data(2, b"".join(data(1, data(2, d) if isinstance(d, str) else number(1, d)) for d in dims)),
            ),
        )
    )


def expect(name, x, order="chw", a=A):
    flat = x.transpose(2, 0, 1).reshape(1, -1) if order == "chw" else x.reshape(1, -1)
    y = np.maximum(flat.astype(np.float64) @ a.astype(np.float64), 0)
    with open(os.path.join(FOLDER, name + ".json"), "w") as f:
        json.dump(y.ravel().tolist(), f)


def tail(last, a=A):
    return (
        data(1, node("Flatten", [last], ["flat"], integer("axis", 1)))
        + data(1, node("MatMul", ["flat", "A"], ["m"]))
        + data(1, node("Relu", ["m"], ["y"]))
        + weight("A", a)
        + data(12, value("y", 1, len(a[0])))
    )


SCALED = (IMAGE.astype(np.float64) - 127.5) / 127.5


def nhwc():
    """TensorFlow's layout, as tf2onnx writes it; and where the sizes do not show it."""
    g = data(1, node("Transpose", ["x"], ["t"], ints("perm", 0, 3, 1, 2))) + tail("t")
    model("nhwc", g + data(11, value("x", "batch", 16, 16, 3)))
    expect("nhwc", SCALED)
    model("nhwc-plain", tail("x") + data(11, value("x", "batch", 16, 16, 3)))
    expect("nhwc-plain", SCALED, "hwc")
    model("nhwc-unsaid", tail("x") + data(11, value("x", "batch", "a", "b", "c")))
    expect("nhwc-unsaid", SCALED, "hwc")


def whole_numbers():
    """Bytes, and int64: the network scales them."""
    for name, kind in (("uint8", 2), ("int64", 7), ("int32", 6)):
        g = data(1, node("Transpose", ["x"], ["t"], ints("perm", 0, 3, 1, 2))) + data(
            1, node("Cast", ["t"], ["f"], integer("to", 1))
        )
        g += data(1, node("Sub", ["f", "mean"], ["s"])) + data(1, node("Div", ["s", "std"], ["d"])) + tail("d")
        g += weight("mean", [[[[100]], [[110]], [[120]]]]) + weight("std", [[[[50]], [[60]], [[70]]]])
        model(name, g + data(11, typed("x", kind, 1, 16, 16, 3)))
        expect(name, (IMAGE - np.array([100.0, 110, 120])) / np.array([50.0, 60, 70]))


def unread():
    g = tail("x") + data(11, typed("flag", 9, 1)) + data(11, value("x", 1, 3, 16, 16)) + data(11, value("extra", 1, 4))
    model("unread", g, 23)
    expect("unread", SCALED)


def reference(name, of, kind):
    """An attribute of a function's node that is the function's own attribute `of`."""
    return data(1, name) + data(21, of) + number(20, kind)


def function(name, inputs, outputs, nodes, attributes=(), defaults=()):
    f = (
        data(1, name)
        + b"".join(data(4, i) for i in inputs)
        + b"".join(data(5, o) for o in outputs)
        + b"".join(data(6, a) for a in attributes)
    )
    f += (
        b"".join(data(7, n) for n in nodes)
        + b"".join(data(11, d) for d in defaults)
        + data(9, number(2, 15))
        + data(10, "mine")
    )
    return data(25, f)


def mine(n):
    return n + data(7, "mine")


def functions():
    """A function within a function, its attribute given once and once left to its default; inner names that are those of the graph."""
    inner = function("Flat", ["m"], ["y"], [node("Flatten", ["m"], ["y"], reference("axis", "from", 2))], ["from"])
    default = function(
        "Ramp",
        ["flat"],
        ["out"],
        [node("LeakyRelu", ["flat"], ["y"], reference("alpha", "slope", 1)), node("Identity", ["y"], ["out"])],
        (),
        [data(1, "slope") + b"\x15" + np.float32(0).tobytes() + number(20, 1)],
    )
    outer = function(
        "Body",
        ["x", "A"],
        ["z"],
        [
            mine(node("Flat", ["x"], ["flat"], integer("from", 1))),
            node("MatMul", ["flat", "A"], ["m"]),
            mine(node("Ramp", ["m"], ["z"])),
        ],
    )
    g = data(1, mine(node("Body", ["x", "A"], ["y"]))) + weight("A", A)
    g += data(11, value("x", 1, 3, 16, 16)) + data(12, value("y", 1, 8))
    model("functions", g, 15, inner + default + outer + data(8, data(1, "mine") + number(2, 1)))
    expect("functions", SCALED)


def branch(name, nodes, out, more=b""):
    g = b"".join(data(1, n) for n in nodes) + data(2, name) + data(12, value(out)) + more
    return data(1, name) + data(6, g) + number(20, 5)


def branches():
    """If, whose condition is computed from a shape; both branches have the same inner names, one an operator that nobody knows; one within another."""
    g = (
        data(1, node("Shape", ["x"], ["s"]))
        + data(1, node("Gather", ["s", "one"], ["c"]))
        + data(1, node("Equal", ["c", "three"], ["is"]))
    )
    other = branch("else_branch", [node("Unheard", ["x"], ["inner"])], "inner")
    deep = [
        node("Not", ["is"], ["isnot"]),
        node(
            "If",
            ["isnot"],
            ["inner"],
            branch("then_branch", [node("Unheard", ["x"], ["f"])], "f"),
            branch("else_branch", [node("MatMul", ["flat", "w"], ["f"])], "f", weight("w", A)),
        ),
    ]
    g += data(1, node("Flatten", ["x"], ["flat"], integer("axis", 1))) + data(
        1, node("If", ["is"], ["m"], branch("then_branch", deep, "inner"), other)
    )
    g += (
        data(1, node("Relu", ["m"], ["y"]))
        + data(5, tensor("three", np.array([3], "<i8")))
        + data(5, tensor("one", np.array([1], "<i8")))
    )
    model("branches", g + data(11, value("x", 1, 3, 16, 16)) + data(12, value("y", 1, 8)))
    expect("branches", SCALED)
    g = data(1, node("ReduceMax", ["x"], ["top"], integer("keepdims", 0))) + data(
        1, node("Cast", ["top"], ["is"], integer("to", 9))
    )
    one = [branch(b, [node("Flatten", ["x"], ["f"], integer("axis", 1))], "f") for b in ("then_branch", "else_branch")]
    model(
        "branches-by-image",
        g + data(1, node("If", ["is"], ["y"], *one)) + data(11, value("x", 1, 3, 16, 16)) + data(12, value("y", 1, 8)),
    )


def external(name, a, path, offset):
    entry = lambda k, v: data(13, data(1, k) + data(2, v))
    return data(
        5,
        b"".join(number(1, d) for d in a.shape)
        + number(2, 1)
        + data(8, name)
        + entry("location", path)
        + entry("offset", str(offset))
        + entry("length", str(a.nbytes))
        + number(14, 1),
    )


def external_files():
    """Weights in two files, one in a folder; at an offset."""
    b = rng.normal(0, 1, 8).astype("<f4")
    os.makedirs(os.path.join(FOLDER, "parts"), exist_ok=True)
    with open(os.path.join(FOLDER, "external.bin"), "wb") as f:
        f.write(bytes(64) + A.tobytes())
    with open(os.path.join(FOLDER, "parts", "second.bin"), "wb") as f:
        f.write(b.tobytes())
    g = (
        data(1, node("Flatten", ["x"], ["flat"], integer("axis", 1)))
        + data(1, node("MatMul", ["flat", "A"], ["p"]))
        + data(1, node("Mul", ["p", "b"], ["m"]))
    )
    g += (
        data(1, node("Relu", ["m"], ["y"]))
        + external("A", A, "external.bin", 64)
        + external("b", b, "parts/second.bin", 0)
    )
    model("external", g + data(11, value("x", 1, 3, 16, 16)) + data(12, value("y", 1, 8)))
    expect("external", SCALED, a=A.astype(np.float64) * b)


def bombs():
    """A constant that doubles thirty times, and a weight that eighty products have each for themselves."""
    g = b"".join(data(1, node("Concat", [f"k{i}", f"k{i}"], [f"k{i + 1}"], integer("axis", 0))) for i in range(30))
    g += (
        data(1, node("Gather", ["k30", "zero"], ["q"]))
        + data(1, node("Flatten", ["x"], ["flat"], integer("axis", 1)))
        + data(1, node("Add", ["flat", "q"], ["y"]))
    )
    g += weight("k0", [1]) + data(5, tensor("zero", np.array([0], "<i8")))
    model("bomb-doubles", g + data(11, value("x", 1, 3, 16, 16)) + data(12, value("y", 1, 768)))
    g = data(1, node("Flatten", ["x"], ["v0"], integer("axis", 1))) + data(
        5, tensor("shape", np.array([768, 768], "<i8"))
    )
    g += data(1, node("ConstantOfShape", ["shape"], ["w"])) + b"".join(
        data(1, node("MatMul", [f"v{i}", "w"], [f"v{i + 1}"])) for i in range(400)
    )
    model("bomb-shared", g + data(11, value("x", 1, 3, 16, 16)) + data(12, value("v400", 1, 768)))


def bomb_at_work():
    """An image that doubles twenty times."""
    g = b"".join(
        data(1, node("Concat", [f"v{i}" if i else "x"] * 2, [f"v{i + 1}"], integer("axis", 2))) for i in range(20)
    )
    g += data(1, node("GlobalAveragePool", ["v20"], ["y"]))
    model("bomb-at-work", g + data(11, value("x", 1, 3, 16, 16)) + data(12, value("y", 1, 3, 1, 1)))


def tall():
    """A network that is not square, its sizes left open."""
    a = A[:576]
    model("tall", tail("x", a) + data(11, value("x", "n", 3, "h", "w")))
    expect("tall", (TALL.astype(np.float64) - 127.5) / 127.5, a=a)


if __name__ == "__main__":
    for name, image in (("image", IMAGE), ("tall", TALL)):
        with open(os.path.join(FOLDER, name + ".ppm"), "wb") as f:
            f.write(b"P6 %d %d 255\n" % (image.shape[1], image.shape[0]) + image.tobytes())
    for make in (
        no_dependence,
        times_zero,
        nhwc,
        whole_numbers,
        unread,
        functions,
        branches,
        external_files,
        bombs,
        bomb_at_work,
        tall,
    ):
        make()
