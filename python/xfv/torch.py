"""The project's networks as torch modules with the same weights: a research variant starts from exactly the same network.

    net = xfv.torch.module("mobilefacenet.xfvm")
    embedding = net(images)                       # images [N, 112, 112, 3], RGB 0..255; embedding [N, 192], differentiable

Needs torch. The operators are those of xfv-model(5); arithmetic is torch's, so embeddings agree with embed(1) to about 1e-6."""
from __future__ import annotations

import importlib
import math
import os
import shutil
from collections.abc import Callable
from typing import Any, Optional, Union

import numpy as np
import torch
import torch.nn.functional as F

from . import Map, Pair, Stream, read

Tensor = torch.Tensor


def model_path(name: str) -> str:
    """The file of a model as the programs look for it: a path, or a name on XFV_MODEL_PATH or in the folders beside the program embed."""
    if "/" in name or name.endswith(".xfvm"):
        return name
    beside = os.path.dirname(os.path.realpath(shutil.which("embed") or "/usr/bin/embed"))
    folders = list(filter(None, os.environ.get("XFV_MODEL_PATH", "").split(":")))
    folders += [
        os.path.normpath(os.path.join(beside, f)) for f in ("../models", "../../models", "../share/xfv-tools/models")
    ]
    for path in (os.path.join(f, name + ".xfvm") for f in folders):
        if os.path.exists(path):
            return path
    raise FileNotFoundError(f"no model '{name}' in {':'.join(folders)}: name a file, or set XFV_MODEL_PATH")


# ---- operators: values are [N, H, W, C] or [N, ...], as in the file, with the batch in front ----


def _channels_first(x: Tensor) -> Tensor:
    return x.permute(0, 3, 1, 2)


def _channels_last(x: Tensor) -> Tensor:
    return x.permute(0, 2, 3, 1)


def _padded(x: Tensor, pads: list[int], value: float = 0.0) -> Tensor:
    """[N, C, H, W] with top, left, bottom, right more."""
    top, left, bottom, right = pads
    return F.pad(x, (left, right, top, bottom), value=value) if any(pads) else x


def _conv(n: Map, w: Callable[[str], Optional[Tensor]], x: Tensor) -> Tensor:
    weight = w("weight")
    assert weight is not None
    x = _padded(_channels_first(x), n["pads"])
    return _channels_last(
        F.conv2d(x, weight.permute(3, 2, 0, 1), w("bias"), n["stride"], 0, n["dilation"], n["groups"])
    )


def _dense(n: Map, w: Callable[[str], Optional[Tensor]], x: Tensor) -> Tensor:
    weight, bias = w("weight"), w("bias")
    y = x.flatten(1) @ weight
    return y if bias is None else y + bias


def _maxpool(n: Map, w: Any, x: Tensor) -> Tensor:
    x = _padded(_channels_first(x), n["pads"], -float("inf"))
    return _channels_last(F.max_pool2d(x, n["kernel"], n["stride"], 0, n["dilation"]))


def _avgpool(n: Map, w: Any, x: Tensor) -> Tensor:
    if list(n.get("dilation", [1, 1])) != [1, 1]:
        raise NotImplementedError("an average over a dilated window")
    x = _channels_first(x)
    sums = F.avg_pool2d(_padded(x, n["pads"]), n["kernel"], n["stride"])
    if n["count_padding"]:
        return _channels_last(sums)
    seen = F.avg_pool2d(_padded(torch.ones_like(x[:1, :1]), n["pads"]), n["kernel"], n["stride"])
    return _channels_last(sums / seen)


def _act(n: Map, w: Any, x: Tensor) -> Tensor:
    p, q, r = n["parameters"][:3]
    if n["function"] == "elu":
        return torch.where(x > 0, q * x, p * torch.expm1(r * x.clamp_max(0)))
    f = _ACTS.get(n["function"])
    if f is None:
        raise NotImplementedError(f"the function '{n['function']}'")
    return f(x, p, q)


_ACTS: dict[str, Callable[[Tensor, float, float], Tensor]] = {
    "clip": lambda x, p, q: x.clamp(p, q),
    "leaky": lambda x, p, q: F.leaky_relu(x, p),
    "sigmoid": lambda x, p, q: x.sigmoid(),
    "hardsigmoid": lambda x, p, q: (p * x + q).clamp(0, 1),
    "hardswish": lambda x, p, q: x * (x / 6 + 0.5).clamp(0, 1),
    "tanh": lambda x, p, q: x.tanh(),
    "softplus": lambda x, p, q: F.softplus(x),
    "mish": lambda x, p, q: F.mish(x),
    "gelu": lambda x, p, q: F.gelu(x, approximate="tanh" if p > 0 else "none"),
    "silu": lambda x, p, q: F.silu(x),
    "erf": lambda x, p, q: x.erf(),
    "sqrt": lambda x, p, q: x.sqrt(),
    "pow": lambda x, p, q: x**p,
    "exp": lambda x, p, q: x.exp(),
    "neg": lambda x, p, q: -x,
    "abs": lambda x, p, q: x.abs(),
    "log": lambda x, p, q: x.log(),
    "softsign": lambda x, p, q: F.softsign(x),
    "sin": lambda x, p, q: x.sin(),
    "cos": lambda x, p, q: x.cos(),
    "tan": lambda x, p, q: x.tan(),
    "asin": lambda x, p, q: x.asin(),
    "acos": lambda x, p, q: x.acos(),
    "atan": lambda x, p, q: x.atan(),
    "sinh": lambda x, p, q: x.sinh(),
    "cosh": lambda x, p, q: x.cosh(),
    "asinh": lambda x, p, q: x.asinh(),
    "acosh": lambda x, p, q: x.acosh(),
    "atanh": lambda x, p, q: x.atanh(),
    "floor": lambda x, p, q: x.floor(),
    "ceil": lambda x, p, q: x.ceil(),
    "round": lambda x, p, q: x.round(),
    "trunc": lambda x, p, q: x.trunc(),
    "sign": lambda x, p, q: x.sign(),
}


def _reduce(n: Map, w: Any, x: Tensor) -> Tensor:
    axes = [a + 1 for a in n["axes"]]
    how = n["function"]
    if how == "l2":
        return torch.linalg.vector_norm(x, dim=axes, keepdim=True)
    if how == "max":
        return x.amax(axes, keepdim=True)
    if how in ("mean", "sum"):
        return getattr(x, how)(axes, keepdim=True)
    if how == "prod":
        for axis in axes:
            x = x.prod(axis, keepdim=True)
        return x
    raise NotImplementedError(f"the reduction '{how}'")


_RELATIONS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "less": torch.lt,
    "at-most": torch.le,
    "equal": torch.eq,
    "at-least": torch.ge,
    "greater": torch.gt,
}


def _compare(n: Map, w: Any, a: Tensor, b: Tensor) -> Tensor:
    return _RELATIONS[n["relation"]](a, _stretch(a, b)).to(a.dtype)


def _mod(n: Map, w: Any, a: Tensor, b: Tensor) -> Tensor:
    return (torch.fmod if n["sign_of_first"] else torch.remainder)(a, _stretch(a, b))


def _sparse(n: Map, w: Callable[[str], Optional[Tensor]], x: Tensor) -> Tensor:
    to, of, by = w("weight").detach().unbind(1)
    shape = [d for d in n["shape"] if d]
    y = x.new_zeros(x.shape[0], math.prod(shape))
    return y.index_add(1, to.long(), x.flatten(1)[:, of.long()] * by).reshape(-1, *shape)


def _affine(n: Map, w: Callable[[str], Optional[Tensor]], x: Tensor) -> Tensor:
    y, bias = x * w("weight"), w("bias")
    return y if bias is None else y + bias


def _slice(n: Map, w: Any, x: Tensor) -> Tensor:
    return x.narrow(n["axis"] + 1, n["begin"], n["end"] - n["begin"])


def _transpose(n: Map, w: Any, x: Tensor) -> Tensor:
    return x.permute(0, *(a + 1 for a in n["permutation"][: x.ndim - 1]))


def _reshape(n: Map, w: Any, x: Tensor) -> Tensor:
    return x.reshape(x.shape[0], *(d for d in n["shape"] if d))


def _pad(n: Map, w: Any, x: Tensor) -> Tensor:
    return _channels_last(_padded(_channels_first(x), n["pads"]))


def _l2norm(n: Map, w: Any, x: Tensor) -> Tensor:
    norm = torch.linalg.vector_norm(x.flatten(1), dim=1).clamp_min(n["epsilon"])
    return x / norm.reshape(-1, *[1] * (x.ndim - 1))


def _stretch(a: Tensor, b: Tensor) -> Tensor:
    """The second operand broadcasts from the right within a sample: axes of 1 between the batch and its own."""
    return b.reshape(b.shape[0], *[1] * (a.ndim - b.ndim), *b.shape[1:])


_OPS: dict[str, Callable[..., Tensor]] = {
    "conv": _conv,
    "dense": _dense,
    "maxpool": _maxpool,
    "avgpool": _avgpool,
    "act": _act,
    "reduce": _reduce,
    "affine": _affine,
    "slice": _slice,
    "transpose": _transpose,
    "reshape": _reshape,
    "pad": _pad,
    "l2norm": _l2norm,
    "prelu": lambda n, w, x: torch.where(x > 0, x, x * w("weight")),
    "relu": lambda n, w, x: x.relu(),
    "softmax": lambda n, w, x: x.softmax(-1),
    "add": lambda n, w, a, b: a + _stretch(a, b),
    "sub": lambda n, w, a, b: a - _stretch(a, b),
    "mul": lambda n, w, a, b: a * _stretch(a, b),
    "div": lambda n, w, a, b: a / _stretch(a, b),
    "max": lambda n, w, a, b: torch.maximum(a, _stretch(a, b)),
    "min": lambda n, w, a, b: torch.minimum(a, _stretch(a, b)),
    "power": lambda n, w, a, b: a ** _stretch(a, b),
    "mod": _mod,
    "compare": _compare,
    "select": lambda n, w, c, a, b: torch.where(c != 0, a, b),
    "sparse": _sparse,
    "concat": lambda n, w, *x: torch.cat(x, n["axis"] + 1),
    "matmul": lambda n, w, a, b: a @ (b.transpose(-1, -2) if n["transpose_b"] else b),
    "layernorm": lambda n, w, x: F.layer_norm(x, x.shape[-1:], w("weight"), w("bias"), n["epsilon"]),
}


class Network(torch.nn.Module):
    """A model file's network. Its weights are parameters, named as in the file with '.' as '/'."""

    def __init__(self, model: Stream) -> None:
        super().__init__()
        head = model.heads[0]
        self.name: str = head["name"]
        self.graph, self.input, self.output = (
            head["graph"],
            head["input"],
            head.get("embedding", head["graph"]["outputs"][0]),
        )
        self.taps = torch.nn.ModuleDict()
        self.size: tuple[int, ...] = tuple(self.graph["values"][0]["shape"])
        for r in model:
            if r.kind == "weight":
                self.register_parameter(
                    _key(r["name"]), torch.nn.Parameter(torch.from_numpy(np.array(r["tensor"], "f4")))
                )
        unknown = sorted({n["op"] for n in self.graph["nodes"]} - _OPS.keys() - {"const"})
        if unknown:
            raise NotImplementedError(
                f"'{self.name}' has operators that this module does not know: {', '.join(unknown)}"
            )

    def prepare(self, images: Tensor) -> Tensor:
        """Images [N, H, W, 3], RGB 0..255, as the network's input."""
        colour, x = self.input["colour"], images.to(next(self.parameters()).dtype)
        if colour == "bgr":
            x = x.flip(-1)
        elif colour == "grey":
            x = (x * x.new_tensor([0.299, 0.587, 0.114])).sum(-1, keepdim=True)
        x = (x - x.new_tensor(self.input["mean"])) / x.new_tensor(self.input["std"])
        return x.transpose(1, 2) if self.input["transposed"] else x

    def run(self, x: Tensor, last: Optional[str] = None) -> dict[str, Tensor]:
        """All values by name, from the network's input [N, ...] to the value `last` (the embedding)."""
        last = last or self.output
        values: dict[str, Tensor] = {self.graph["values"][0]["name"]: x}
        for n in self.graph["nodes"]:

            def weight(role: str, n: Map = n) -> Optional[Tensor]:
                return self.get_parameter(_key(n[role])) if role in n else None

            if n["op"] == "const":
                w = weight("weight")
                assert w is not None
                values[n["out"]] = w.expand(x.shape[0], *w.shape)
            else:
                values[n["out"]] = _OPS[n["op"]](n, weight, *(values[i] for i in n["in"]))
            if _key(n["out"]) in self.taps:
                values[n["out"]] = _channels_last(self.taps[_key(n["out"])](_channels_first(values[n["out"]])))
            if n["out"] == last:
                break
        return values

    def tap(self, value: str) -> torch.nn.Module:
        """A module through which a feature map flows as [N, C, H, W]: where packages that want a layer (pytorch-grad-cam, Captum) put their hooks."""
        if value not in {n["out"] for n in self.graph["nodes"]}:
            raise KeyError(f"'{self.name}' has no value '{value}'")
        if _key(value) not in self.taps:
            self.taps[_key(value)] = torch.nn.Identity()
        return self.taps[_key(value)]

    def cells(self) -> str:
        """The last feature map of more than one cell: where class activation maps are taken."""
        shapes = {v["name"]: v["shape"] for v in self.graph["values"]}
        return [n["out"] for n in self.graph["nodes"] if len(shapes[n["out"]]) == 3 and shapes[n["out"]][0] > 1][-1]

    def lay(self, cells: Tensor, value: str) -> np.ndarray:
        """Numbers a cell [h, w] of a feature map as a map [H, W] of the image: bilinear between the cells' true centres (from kernels, strides
        and pads), constant beyond the outermost, divided by the pixels of a cell, as gradcam(1) does."""
        makes = {n["out"]: n for n in self.graph["nodes"]}
        chain, at = [], value
        while at in makes:
            chain.append(makes[at])
            at = makes[at]["in"][0]
        axes = []
        for axis in (0, 1):
            origin, step = 0.0, 1.0
            for n in reversed(chain):
                if "kernel" in n:
                    origin += step * ((n["kernel"][axis] - 1) * n["dilation"][axis] / 2 - n["pads"][axis])
                    step *= n["stride"][axis]
                elif n["op"] == "pad":
                    origin -= step * n["pads"][axis]
            axes.append((origin, step))
        v = cells.detach().double().numpy()
        for axis, (origin, step) in enumerate(axes):
            place = np.clip((np.arange(self.size[axis]) - origin) / step, 0, v.shape[axis] - 1)
            low = np.minimum(place.astype(int), max(v.shape[axis] - 2, 0))
            share = (place - low).reshape(-1, *[1] * (1 - axis))
            v = np.take(v, low, axis) * (1 - share) + np.take(v, np.minimum(low + 1, v.shape[axis] - 1), axis) * share
        return (v / (axes[0][1] * axes[1][1])).astype("f4")

    def embed(self, x: Tensor) -> Tensor:
        """The embedding [N, D], not normalised, of the network's input [N, ...]."""
        return self.run(x)[self.output].flatten(1)

    def forward(self, images: Tensor) -> Tensor:
        """The embedding [N, D], not normalised, of images [N, H, W, 3], RGB 0..255."""
        return self.embed(self.prepare(images))


class Own(torch.nn.Module):
    """Any module from images [N, 3, H, W], RGB from -1 to 1, to embeddings [N, D], with the calls that Network has."""

    def __init__(self, inner: torch.nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def prepare(self, images: Tensor) -> Tensor:
        """Images [N, H, W, 3], RGB 0..255, from -1 to 1."""
        return (images - 127.5) / 127.5

    def embed(self, x: Tensor) -> Tensor:
        """The embedding [N, D] of what prepare makes."""
        y: Tensor = self.inner(_channels_first(x))
        return y

    def forward(self, images: Tensor) -> Tensor:
        """The embedding [N, D] of images [N, H, W, 3], RGB 0..255."""
        return self.embed(self.prepare(images))


def _key(name: str) -> str:
    return name.replace(".", "/")


def module(model: Optional[str] = None) -> Network:
    """The network of a model file, or of a model's name, in evaluation mode. None: what XFV_MODEL in the environment names, else mobilefacenet."""
    return Network(read(model_path(model or os.environ.get("XFV_MODEL") or "mobilefacenet"))).eval()


def network(name: Optional[str] = None) -> Union[Network, Own]:
    """MODULE:FUNCTION, where FUNCTION makes a torch.nn.Module as Own wants it; else as module() has it. In evaluation mode."""
    if name is None or ":" not in name:
        return module(name)
    where, function = name.split(":")
    return Own(getattr(importlib.import_module(where), function)()).eval()


def agrees(pair: Pair, *embeddings: Tensor) -> bool:
    """Do the pair's faces hold these embeddings [1, D]? If not, the pair fails: its map would explain another network than the one that decided."""
    for face, found in zip((pair.a, pair.b), embeddings):
        given = torch.from_numpy(np.array(face.embedding, "f4"))[None]
        if given.shape != found.shape or F.cosine_similarity(given, found.detach().float()).item() < 0.999:
            pair.fail("another network made these embeddings: give this stage the network that embed had")
            return False
    return True


def images(pair: Pair, requires_grad: bool = False) -> tuple[Tensor, Tensor]:
    """The pair's two crops as f32 tensors [1, H, W, 3], RGB 0..255."""
    a, b = (torch.from_numpy(np.array(f.image, "f4"))[None].requires_grad_(requires_grad) for f in (pair.a, pair.b))
    return a, b


__all__ = ["Network", "Own", "agrees", "images", "model_path", "module", "network"]
