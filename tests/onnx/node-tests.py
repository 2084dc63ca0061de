#!/usr/bin/python3
"""ONNX's own node tests (a folder of NAME/model.onnx and NAME/test_data_set_0, as its repository has had them), through the importer and both executors.

usage: node-tests.py FOLDER [WORD ...]     (words: only tests whose name holds one; needs Debian's python3-onnx, $B or build with the unit tests)

A network has one image, so each test becomes several. "all": all inputs of floats are cut out of an image of one row, and whole numbers and truth
values are constants. "alone": only the first one is cut out, and the others are constants, as weights are. "whole": whole numbers and truth values
are cut out of the image, too, and cast. "constant", of tests without any input of floats: all are constants, and the image is joined to the result.
All outputs of floats (without one: all others, cast), flattened and joined, are compared, and the gradient with the oracle's. A test is right when
no form of it is wrong and at least one is right, refused when the importer names why not, wrong otherwise. Numbers that are not finite are left out.
Prints the counts, and with -v each test that is not right. Exit status 1 where a test is wrong.
"""
import collections, os, re, shutil, subprocess, sys, tempfile
import numpy as np
import onnx
from onnx import helper, numpy_helper, TensorProto

FLOATS = {TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE}
WHOLE = {
    TensorProto.BOOL,
    TensorProto.INT8,
    TensorProto.INT16,
    TensorProto.INT32,
    TensorProto.INT64,
    TensorProto.UINT8,
    TensorProto.UINT16,
    TensorProto.UINT32,
    TensorProto.UINT64,
}


def tensors(folder, kind):
    out = []
    while os.path.exists(path := f"{folder}/test_data_set_0/{kind}_{len(out)}.pb"):
        t = TensorProto()
        with open(path, "rb") as f:
            t.ParseFromString(f.read())
        out.append(t)
    return out


FORMS = "all alone whole constant".split()


def constant(info, t):
    t = TensorProto.FromString(t.SerializeToString())
    t.name = info.name
    return t


def wrapped(model, inputs, outputs, form):
    """The model with inputs cut out of an image 1x1x1xK (see above), and its outputs joined; the image; what is wanted."""
    g, image, nodes, at = model.graph, [], [], 0
    new = onnx.GraphProto()
    new.name = g.name
    new.initializer.extend(g.initializer)
    declared = [i for i in g.input if i.name not in {t.name for t in g.initializer}]
    if len(declared) < len(inputs):
        return None
    for info, t in zip(declared, inputs):
        a = numpy_helper.to_array(t)
        real = t.data_type in FLOATS
        if form == "constant" or not (real or form == "whole") or (form == "alone" and image) or a.size == 0:
            new.initializer.append(constant(info, t))
            continue
        a = np.asarray(a, np.float64)
        image.append(a.ravel())
        for k, v in (("b", [at]), ("e", [at + a.size]), ("s", list(a.shape) if a.ndim else [])):
            new.initializer.append(helper.make_tensor(f"{info.name}/{k}", TensorProto.INT64, [len(v)], v))
        last, cast = f"{info.name}/cut", f"{info.name}/real"
        nodes.append(
            helper.make_node("Slice", ["the image", f"{info.name}/b", f"{info.name}/e", "the last axis"], [last])
        )
        nodes.append(helper.make_node("Reshape", [last, f"{info.name}/s"], [info.name if real else cast]))
        if not real:
            nodes.append(helper.make_node("Cast", [cast], [info.name], to=t.data_type))
        at += a.size
    if form == "constant":
        image, at = [np.array([0.25, -1.5])], 2
    if not image:
        return None
    new.initializer.append(helper.make_tensor("the last axis", TensorProto.INT64, [1], [3]))
    want, parts, reals = [], [], any(t.data_type in FLOATS for t in outputs)
    for info, t in zip(g.output, outputs):
        if t.data_type not in FLOATS | WHOLE or (t.data_type not in FLOATS and reals):
            continue
        want.append(np.asarray(numpy_helper.to_array(t), np.float64).ravel())
        parts.append(f"{info.name}/flat")
        new.node.append(helper.make_node("Cast", [info.name], [f"{info.name}/real"], to=TensorProto.FLOAT))
        new.node.append(helper.make_node("Reshape", [f"{info.name}/real", "one axis"], [parts[-1]]))
    if not want or sum(w.size for w in want) == 0:
        return None
    if form == "constant" or not reals:
        want.append(np.concatenate(image))
        parts.append("the image/flat")
        new.node.append(helper.make_node("Reshape", ["the image", "one axis"], [parts[-1]]))
    ends = list(new.node)
    del new.node[:]
    new.node.extend(nodes)
    new.node.extend(g.node)
    new.node.extend(ends)
    new.initializer.append(helper.make_tensor("one axis", TensorProto.INT64, [1], [-1]))
    if len(parts) > 1:
        new.node.append(helper.make_node("Concat", parts, ["joined"], axis=0))
    new.input.append(helper.make_tensor_value_info("the image", TensorProto.FLOAT, [1, 1, 1, at]))
    new.output.append(
        helper.make_tensor_value_info(
            "joined" if len(parts) > 1 else parts[0], TensorProto.FLOAT, [sum(w.size for w in want)]
        )
    )
    m = onnx.ModelProto.FromString(model.SerializeToString())
    m.graph.CopyFrom(new)
    return m, np.concatenate(image), np.concatenate(want)


def forms_of(model, inputs, outputs):
    """The forms of a test: see above."""
    real = any(t.data_type in FLOATS for t in inputs)
    whole = any(t.data_type not in FLOATS for t in inputs)
    names = ("all", "alone") if real else ("constant",)
    made = [(n, wrapped(model, inputs, outputs, n)) for n in names + (("whole",) if whole else ())]
    return [(n, f) for n, f in made if f and all(np.isfinite(a).all() for a in f[1:])]


def main(folder, words):
    work = tempfile.mkdtemp()
    names, half = [], {}
    for name in sorted(os.listdir(folder)):
        path = f"{folder}/{name}"
        if not os.path.exists(f"{path}/model.onnx") or (words and not any(w in name for w in words)):
            continue
        try:
            model, inputs, outputs = onnx.load(f"{path}/model.onnx"), tensors(path, "input"), tensors(path, "output")
            forms = forms_of(model, inputs, outputs)
        except Exception:  # types that this version of the package does not know: sequences, 4 and 8 bits
            continue
        if not forms:
            continue
        names.append(name)
        half[name] = any(t.data_type == TensorProto.FLOAT16 for t in inputs + outputs)
        for k, (m, x, y) in forms:
            place = f"{work}/{'half' if half[name] else 'float'}"
            os.makedirs(place, exist_ok=True)
            with open(f"{place}/{name}.{k}.onnx", "wb") as f:
                f.write(m.SerializeToString())
            with open(f"{place}/{name}.{k}.golden", "wb") as f:
                f.write(x.astype("<f4").tobytes() + y.astype("<f4").tobytes())
    says = collections.defaultdict(list)
    for place in os.listdir(work):
        env = dict(os.environ, XFV_TOLERANCE="3e-3" if place == "half" else "1e-3")
        out = subprocess.run(
            [os.environ.get("B", "build") + "/unit/onnx", f"{work}/{place}"], stdout=subprocess.PIPE, env=env
        ).stdout.decode(errors="replace")
        for line in out.splitlines():
            m = re.match(r"(not )?ok \d+ - (.*?)\.(all|alone|whole|constant)[:,] ?(.*)", line)
            if m:
                said = m.group(4)
                kind = "ok" if not m.group(1) else "refused" if said.startswith("imported ") else "wrong"
                says[m.group(2)].append((kind, f"{m.group(3)}: {said}"))
    count = collections.Counter()
    for name in names:
        kinds = [k for k, _ in says[name]]
        taken = sum("runs" in s for k, s in says[name] if k == "ok")
        verdict = "wrong" if "wrong" in kinds or not kinds else "right" if taken else "refused"
        count[verdict] += 1
        if "-v" in sys.argv and verdict != "right":
            print(f"{verdict} {name}: " + "; ".join(sorted({s[3:300] for k, s in says[name] if k == verdict})))
    shutil.rmtree(work)
    print(
        f"{count['right']} right, {count['refused']} refused by name, {count['wrong']} wrong, of {len(names)} tests of numbers and truth values"
    )
    return 1 if count["wrong"] else 0


if __name__ == "__main__":
    args = [a for a in sys.argv[1:] if a != "-v"]
    sys.exit(main(args[0], args[1:]))
