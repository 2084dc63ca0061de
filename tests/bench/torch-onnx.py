"""Is a published ONNX network what PyTorch says it is? torch-onnx.py NETWORK.onnx MODEL.xfvm FACES.xfv [COUNT]

Runs the file's own graph (Conv, PRelu, Relu, Add, Reshape or Flatten, Gemm, BatchNormalization) in PyTorch, in double precision, on the first COUNT (5) faces, and
prints how far the programs on PATH are from it: of the embedding, and of cosine-grad's map (both of the pair of a face and the next one). Needs
Debian's python3-torch and python3-onnx.
"""
import io, subprocess, sys

import msgpack, numpy as np, onnx, torch
from onnx import numpy_helper

path, model, faces, count = sys.argv[1:4] + [int(sys.argv[4]) if len(sys.argv) > 4 else 5]
graph = onnx.load(path).graph
weights = {t.name: torch.tensor(numpy_helper.to_array(t).copy()) for t in graph.initializer}
weights = {k: v.double() if v.is_floating_point() else v for k, v in weights.items()}


def run(x):
    v = dict(weights)
    v[next(i.name for i in graph.input if i.name not in weights)] = x
    for n in graph.node:
        a = {p.name: onnx.helper.get_attribute_value(p) for p in n.attribute}
        i = [v[k] for k in n.input if k]
        if n.op_type == "Conv":
            top, left, bottom, right = a.get("pads", [0] * 4)
            i[0] = torch.nn.functional.pad(i[0], (left, right, top, bottom))
            y = torch.nn.functional.conv2d(
                *i, stride=a.get("strides", 1), dilation=a.get("dilations", 1), groups=a.get("group", 1)
            )
        elif n.op_type == "BatchNormalization":
            y = torch.nn.functional.batch_norm(i[0], i[3], i[4], i[1], i[2], eps=a.get("epsilon", 1e-5))
        elif n.op_type == "PRelu":
            y = torch.where(i[0] > 0, i[0], i[0] * i[1])
        elif n.op_type == "Constant":
            y = torch.tensor(numpy_helper.to_array(a["value"]).copy())
        else:
            y = {
                "Add": lambda: i[0] + i[1],
                "Relu": lambda: i[0].relu(),
                "Flatten": lambda: i[0].flatten(1),
                "Reshape": lambda: i[0].reshape(tuple(i[1].tolist())),
                "Gemm": lambda: i[0] @ (i[1].T if a.get("transB") else i[1]) + i[2],
            }[n.op_type]()
        v[n.output[0]] = y
    return v[graph.output[0].name].flatten()


def unpack(data):
    return list(msgpack.Unpacker(io.BytesIO(data), raw=False, max_bin_len=1 << 30))


def array(t):
    return np.frombuffer(t["data"], t["dtype"]).reshape(t["shape"]).astype(np.float64)


def program(*args):
    return subprocess.run(args, stdout=subprocess.PIPE, check=True).stdout


info = program("model-info", model).decode()
words = next(l for l in info.splitlines() if l.startswith("input")).replace("(", " ").replace(")", " ").split()
mean, std = float(words[words.index("-") + 1]), float(words[words.index("/") + 1])
records = [
    r
    for r in unpack(
        subprocess.run(["xfv-select", "--head", str(count), faces], stdout=subprocess.PIPE, check=True).stdout
    )
    if r["_"] == "face"
]
images = [torch.tensor((array(r["image"]) - mean) / std).permute(2, 0, 1)[None].requires_grad_() for r in records]
exact = [run(x) for x in images]
first = program("sh", "-c", "xfv-select --head %d '%s' | embed -m '%s'" % (count, faces, model))
for r, f in zip([r for r in unpack(first) if r["_"] == "face"], exact):
    f = f.detach().numpy()
    print(
        "embedding of %d numbers: relative error %.1e"
        % (len(f), np.linalg.norm(array(r["embedding"]) - f) / np.linalg.norm(f))
    )
pairs = program(
    "sh",
    "-c",
    "xfv-select --head %d '%s' | embed -m '%s' | verify -m '%s' -t 0 --all | cosine-grad -m '%s'"
    % (2, faces, model, model, model),
)
pair = next(r for r in unpack(pairs) if r["_"] == "pair")
torch.cosine_similarity(exact[0], exact[1].detach(), dim=0).backward()
want = images[0].grad[0].abs().mean(0).numpy()
got = array(pair["maps"][0]["a"]["similarity"])
print(
    "gradient's magnitude: relative error %.1e, up to scale %.1e"
    % (
        np.linalg.norm(got - want) / np.linalg.norm(want),
        np.linalg.norm(got / np.linalg.norm(got) - want / np.linalg.norm(want)),
    )
)
