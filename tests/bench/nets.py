#!/usr/bin/python3
"""Networks that bench.py runs beside ONNX Runtime: ONNX files of published shapes with random weights.
usage: nets.py FOLDER [NAME ...]

Needs Debian's python3-torch and python3-onnx. Names: see NETS."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "onnx"))
import torch
from torch import nn
from make import Flat, Residual, ViT, cbp, ires50, seq, settle


class Block(ViT):
    """A vision transformer whose feed-forward layers are `wide` times its width, as DeiT and InsightFace have them."""

    def __init__(self, size, patch, d, depth, heads, dim, cls, wide=4):
        super().__init__(size, patch, d, depth, heads, dim, cls)
        for b in self.blocks:
            b[3] = seq(nn.Linear(d, wide * d), nn.GELU(), nn.Linear(wide * d, d))


def mbf():
    """InsightFace's MobileFaceNet of buffalo_s: twice as wide as the paper's, (1, 4, 6, 2) blocks."""

    def turn(cin, c, k, stride=1, keep=False):
        body = seq(cbp(cin, k, 1, 1, 0), cbp(k, k, 3, stride, 1, k), nn.Conv2d(k, c, 1, bias=False), nn.BatchNorm2d(c))
        return Residual(body) if keep else body

    m = [cbp(3, 128, 3, 2, 1), cbp(128, 128, 3, 1, 1, 64), turn(128, 128, 128, 2)] + [
        turn(128, 128, 128, 1, True) for _ in range(4)
    ]
    m += (
        [turn(128, 256, 256, 2)]
        + [turn(256, 256, 256, 1, True) for _ in range(6)]
        + [turn(256, 256, 512, 2)]
        + [turn(256, 256, 256, 1, True) for _ in range(2)]
    )
    return seq(
        *m,
        cbp(256, 512, 1, 1, 0),
        nn.Conv2d(512, 512, 7, groups=512, bias=False),
        nn.BatchNorm2d(512),
        Flat(),
        nn.Linear(512, 512, bias=False),
        nn.BatchNorm1d(512),
    )


class Gate(nn.Module):
    """Squeeze and excitation."""

    def __init__(self, c, mid, act):
        super().__init__()
        self.net = seq(nn.AdaptiveAvgPool2d(1), nn.Conv2d(c, mid, 1), act(), nn.Conv2d(mid, c, 1), nn.Sigmoid())

    def forward(self, x):
        return x * self.net(x)


def norm(cin, c, k, stride=1, groups=1, act=True):
    return [nn.Conv2d(cin, c, k, stride, k // 2, groups=groups, bias=False), nn.BatchNorm2d(c)] + (
        [nn.SiLU()] if act else []
    )


def efficientnet_b0(dim=512):
    m, c = norm(3, 32, 3, 2), 32
    for expand, out, n, stride, k in (
        (1, 16, 1, 1, 3),
        (6, 24, 2, 2, 3),
        (6, 40, 2, 2, 5),
        (6, 80, 3, 2, 3),
        (6, 112, 3, 1, 5),
        (6, 192, 4, 2, 5),
        (6, 320, 1, 1, 3),
    ):
        for i in range(n):
            e, s = expand * c, stride if i == 0 else 1
            body = seq(
                *(norm(c, e, 1) if expand > 1 else []),
                *norm(e, e, k, s, e),
                Gate(e, max(1, c // 4), nn.SiLU),
                *norm(e, out, 1, act=False),
            )
            m.append(Residual(body) if s == 1 and c == out else body)
            c = out
    return seq(*m, *norm(c, 1280, 1), nn.AdaptiveAvgPool2d(1), Flat(), nn.Linear(1280, dim))


def regnetz_b16(dim=512):
    """timm's: convolutions in groups of 16 channels between two 1x1 ones, three times as wide as what comes in."""
    m, c = norm(3, 32, 3, 2), 32
    for n, out in ((2, 48), (6, 96), (12, 192), (2, 288)):
        for i in range(n):
            e, s = 3 * c, 2 if i == 0 else 1
            body = seq(
                *norm(c, e, 1), *norm(e, e, 3, s, e // 16), Gate(e, e // 4, nn.ReLU), *norm(e, out, 1, act=False)
            )
            m.append(Residual(body) if s == 1 and c == out else body)
            c = out
    return seq(*m, *norm(c, 1536, 1), nn.AdaptiveAvgPool2d(1), Flat(), nn.Linear(1536, dim))


NETS = {  # name: (maker, side of the image)
    "mbf": (mbf, 112),
    "r50": (ires50, 112),
    "ViT-T": (lambda: Block(112, 9, 256, 12, 8, 512, False), 112),
    "DeiT-Ti": (lambda: Block(224, 16, 192, 12, 3, 512, True), 224),
    "EfficientNet-B0": (efficientnet_b0, 112),
    "RegNetZ-B16": (regnetz_b16, 112),
}

if __name__ == "__main__":
    for name in sys.argv[2:] or NETS:
        torch.manual_seed(1)
        maker, side = NETS[name]
        net = maker()
        settle(net, torch.randn(2, 3, side, side))
        part = f"{sys.argv[1]}/{name}.part"
        torch.onnx.export(net, torch.randn(1, 3, side, side), part, opset_version=17, input_names=["input"])
        os.rename(part, f"{sys.argv[1]}/{name}.onnx")
