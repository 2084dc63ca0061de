#!/usr/bin/python3
"""The characteristic forms of families of networks that make embeddings, with random weights: what tests/onnx/networks.py tries. Written here from
the papers; widths are those of a small member of the family, depths are fewer."""
import math
import torch
from torch import nn
import torch.nn.functional as F
from make import (
    AdaFace,
    Attention,
    Channels,
    ECA,
    Flat,
    Ghost,
    MFM,
    Next,
    Norm2d,
    Normalised,
    Residual,
    SE,
    Swin,
    SwinBlock,
    ViT,
    cbp,
    edgeface,
    efficientnet,
    ghost_block,
    ghostnet,
    inverted,
    iresnet,
    lightcnn,
    mfn_block,
    mobilefacenet,
    mobilenetv3,
    seq,
    windows,
)

R6, HS = nn.ReLU6, nn.Hardswish


def conv(i, o, k=3, s=1, g=1, act=nn.ReLU, p=None, d=1):
    """Convolution, batch normalisation, activation."""
    pad = (k // 2 * d if p is None else p) if isinstance(k, int) else tuple(v // 2 for v in k)
    return seq(nn.Conv2d(i, o, k, s, pad, d, g, False), nn.BatchNorm2d(o), *([act()] if act else []))


def lively(net):
    """Without normalisations, weights large enough that the image reaches the end."""
    for f in net.modules():
        if isinstance(f, nn.Conv2d):
            nn.init.kaiming_normal_(f.weight)
    return net


def pooled(c, dim=256):
    return [nn.AdaptiveAvgPool2d(1), Flat(), nn.Linear(c, dim)]


class Branches(nn.Module):
    """Branches joined by channels, or added up."""

    def __init__(self, *parts, add=False):
        super().__init__()
        self.parts, self.add = nn.ModuleList(parts), add

    def forward(self, x):
        y = [p(x) for p in self.parts]
        return sum(y[1:], y[0]) if self.add else torch.cat(y, 1)


class Lambda(nn.Module):
    def __init__(self, f):
        super().__init__()
        self.f = f

    def forward(self, x):
        return self.f(x)


class Scaled(nn.Module):
    """x + gamma f(x), gamma a number a channel (the last axis, or `channels`)."""

    def __init__(self, f, d, channels=False):
        super().__init__()
        self.f, self.gamma = f, nn.Parameter(torch.rand(d, 1, 1) if channels else torch.rand(d))

    def forward(self, x):
        return x + self.gamma * self.f(x)


# ---- residual networks ----
def bottleneck(i, c, s=1, groups=1, gate=None, pool=False):
    m, o = c, 4 * c
    body = [conv(i, m, 1), conv(m, m, 3, s, groups), conv(m, o, 1, act=None)] + ([gate(o)] if gate else [])
    short = None
    if s > 1 or i != o:
        short = (
            seq(nn.AvgPool2d(2, 2, ceil_mode=True), conv(i, o, 1, act=None))
            if pool and s > 1
            else conv(i, o, 1, s, act=None)
        )
    return seq(Residual(seq(*body), short), nn.ReLU())


def resnet(depth=(2, 2, 2, 2), width=64, dim=256, block=bottleneck, deep_stem=False, **k):
    stem = [conv(3, 32, 3, 2), conv(32, 32), conv(32, 64)] if deep_stem else [conv(3, 64, 7, 2)]
    m, i = stem + [nn.MaxPool2d(3, 2, 1)], 64
    for stage, n in enumerate(depth):
        for b in range(n):
            m.append(block(i, width << stage, 2 if b == 0 and stage else 1, **k))
            i = 4 * width << stage
    return seq(*m, *pooled(i, dim))


class CBAM(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.f, self.s = seq(nn.Conv2d(c, c // 16, 1), nn.ReLU(), nn.Conv2d(c // 16, c, 1)), nn.Conv2d(
            2, 1, 7, padding=3
        )

    def forward(self, x):
        x = x * torch.sigmoid(self.f(F.adaptive_avg_pool2d(x, 1)) + self.f(F.adaptive_max_pool2d(x, 1)))
        return x * torch.sigmoid(self.s(torch.cat([x.mean(1, keepdim=True), x.max(1, keepdim=True)[0]], 1)))


class SplitAttention(nn.Module):
    """ResNeSt: two splits of channels, weighed by a softmax over the splits."""

    def __init__(self, c):
        super().__init__()
        self.c, self.conv, self.a, self.b = c, conv(c, 2 * c, 3, g=2), conv(c, 32, 1), nn.Conv2d(32, 2 * c, 1)

    def forward(self, x):
        y = self.conv(x)
        b, _, h, w = y.shape
        parts = y.view(b, 2, self.c, h, w)
        gate = self.b(self.a(parts.sum(1).mean((2, 3), keepdim=True))).view(b, 2, self.c, 1, 1).softmax(1)
        return (parts * gate).sum(1)


class SelectiveKernels(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.a, self.b, self.f, self.g = (
            conv(c, c, 3, g=32),
            conv(c, c, 3, g=32, d=2),
            conv(c, 32, 1),
            nn.Conv2d(32, 2 * c, 1),
        )

    def forward(self, x):
        y = torch.stack([self.a(x), self.b(x)], 1)
        gate = self.g(self.f(y.sum(1).mean((2, 3), keepdim=True)))
        return (y * gate.view(gate.shape[0], 2, -1, 1, 1).softmax(1)).sum(1)


class Res2(nn.Module):
    def __init__(self, c, n=4):
        super().__init__()
        self.n, self.f = n, nn.ModuleList(conv(c // n, c // n) for _ in range(n - 1))

    def forward(self, x):
        parts, y = x.chunk(self.n, 1), []
        for i, p in enumerate(parts[:-1]):
            y.append(self.f[i](p if i == 0 else p + y[-1]))
        return torch.cat(y + [parts[-1]], 1)


def middled(middle):
    def block(i, c, s=1):
        o = 4 * c
        short = conv(i, o, 1, s, act=None) if s > 1 or i != o else None
        return seq(
            Residual(
                seq(conv(i, c, 1), *([nn.MaxPool2d(3, 2, 1)] if s > 1 else []), middle(c), conv(c, o, 1, act=None)),
                short,
            ),
            nn.ReLU(),
        )

    return block


def regnet(widths, groups, se=False, depth=(1, 2, 2, 1), inverted_width=0):
    m, i = [conv(3, 32, 3, 2)], 32
    for w, n in zip(widths, depth):
        for b in range(n):
            s, mid = 2 if b == 0 else 1, inverted_width * i if inverted_width else w
            body = [conv(i, mid, 1, act=nn.SiLU if inverted_width else nn.ReLU), conv(mid, mid, 3, s, mid // groups)]
            body += [SE(mid, nn.ReLU(), nn.Sigmoid())] if se else []
            m += [
                Residual(seq(*body, conv(mid, w, 1, act=None)), conv(i, w, 1, s, act=None) if s > 1 or i != w else None)
            ] + ([] if inverted_width else [nn.ReLU()])
            i = w
    return seq(*m, *pooled(i))


def preactivated(n=2):
    def block(i, o, s):
        return Residual(
            seq(
                nn.BatchNorm2d(i),
                nn.ReLU(),
                nn.Conv2d(i, o, 3, s, 1, bias=False),
                nn.BatchNorm2d(o),
                nn.ReLU(),
                nn.Conv2d(o, o, 3, 1, 1, bias=False),
            ),
            nn.Conv2d(i, o, 1, s, bias=False) if s > 1 or i != o else None,
        )

    m = [nn.Conv2d(3, 16, 3, 2, 1)]
    for i, o in ((16, 64), (64, 128), (128, 256)):
        m += [block(i, o, 2)] + [block(o, o, 1) for _ in range(n - 1)]
    return seq(*m, nn.BatchNorm2d(256), nn.ReLU(), *pooled(256))


class WSConv(nn.Conv2d):
    """NFNet: a convolution whose weights are standardised on the way."""

    def forward(self, x):
        w = self.weight
        m, v = w.mean((1, 2, 3), keepdim=True), w.var((1, 2, 3), unbiased=False, keepdim=True)
        return F.conv2d(
            x,
            (w - m) / (v * w[0].numel()).clamp(min=1e-4).sqrt(),
            self.bias,
            self.stride,
            self.padding,
            self.dilation,
            self.groups,
        )


def nfnet():
    def block(i, o, s):
        body = seq(
            nn.GELU(),
            WSConv(i, o // 2, 1),
            nn.GELU(),
            WSConv(o // 2, o // 2, 3, s, 1, groups=4),
            nn.GELU(),
            WSConv(o // 2, o, 1),
            SE(o, nn.ReLU(), nn.Sigmoid()),
        )
        return Residual(
            seq(Lambda(lambda x: x * 1.7), body, Lambda(lambda x: x * 0.2)),
            seq(nn.AvgPool2d(2, 2), WSConv(i, o, 1)) if s > 1 else None if i == o else WSConv(i, o, 1),
        )

    return seq(
        WSConv(3, 64, 3, 2, 1),
        block(64, 128, 2),
        block(128, 128, 1),
        block(128, 256, 2),
        block(256, 256, 1),
        nn.GELU(),
        *pooled(256)
    )


# ---- face networks ----
def iresnet_se(dim=512):
    def block(i, o, s):
        return Residual(
            seq(
                nn.BatchNorm2d(i),
                nn.Conv2d(i, o, 3, 1, 1, bias=False),
                nn.BatchNorm2d(o),
                nn.PReLU(o),
                nn.Conv2d(o, o, 3, s, 1, bias=False),
                nn.BatchNorm2d(o),
                SE(o, nn.PReLU(), nn.Sigmoid()),
            ),
            conv(i, o, 1, s, act=None) if s > 1 or i != o else None,
        )

    return seq(
        conv(3, 64, act=nn.PReLU),
        block(64, 64, 2),
        block(64, 128, 2),
        block(128, 256, 2),
        block(256, 512, 2),
        nn.BatchNorm2d(512),
        Flat(),
        nn.Linear(512 * 49, dim),
        nn.BatchNorm1d(dim),
    )


def sphere(n=(1, 2, 4, 1), dim=512, size=112):
    m, i = [], 3
    for k, c in zip(n, (64, 128, 256, 512)):
        m += [nn.Conv2d(i, c, 3, 2, 1), nn.PReLU(c)] + [
            Residual(seq(nn.Conv2d(c, c, 3, 1, 1), nn.PReLU(c), nn.Conv2d(c, c, 3, 1, 1), nn.PReLU(c)))
            for _ in range(k)
        ]
        i = c
    return seq(*m, Flat(), nn.Linear(512 * (size // 16) ** 2, dim))


class Inception(nn.Module):
    """A block of FaceNet's Inception-ResNet: x + scale up(branches(x))."""

    def __init__(self, c, parts, total, scale, act=True):
        super().__init__()
        self.parts, self.up, self.scale, self.act = Branches(*parts), nn.Conv2d(total, c, 1), scale, act

    def forward(self, x):
        y = x + self.scale * self.up(self.parts(x))
        return y.relu() if self.act else y


def facenet(n=(2, 3, 2), dim=512):
    a = lambda: Inception(
        256,
        [conv(256, 32, 1), seq(conv(256, 32, 1), conv(32, 32)), seq(conv(256, 32, 1), conv(32, 32), conv(32, 32))],
        96,
        0.17,
    )
    b = lambda: Inception(
        896, [conv(896, 128, 1), seq(conv(896, 128, 1), conv(128, 128, (1, 7)), conv(128, 128, (7, 1)))], 256, 0.1
    )
    c = lambda act=True: Inception(
        1792,
        [conv(1792, 192, 1), seq(conv(1792, 192, 1), conv(192, 192, (1, 3)), conv(192, 192, (3, 1)))],
        384,
        0.2,
        act,
    )
    mixed = Branches(
        nn.MaxPool2d(3, 2), conv(256, 384, 3, 2, p=0), seq(conv(256, 192, 1), conv(192, 192), conv(192, 256, 3, 2, p=0))
    )
    more = Branches(
        nn.MaxPool2d(3, 2),
        seq(conv(896, 256, 1), conv(256, 384, 3, 2, p=0)),
        seq(conv(896, 256, 1), conv(256, 256, 3, 2, p=0)),
        seq(conv(896, 256, 1), conv(256, 256), conv(256, 256, 3, 2, p=0)),
    )
    return Normalised(
        seq(
            conv(3, 32, 3, 2, p=0),
            conv(32, 32, p=0),
            conv(32, 64),
            nn.MaxPool2d(3, 2),
            conv(64, 80, 1),
            conv(80, 192, p=0),
            conv(192, 256, 3, 2, p=0),
            *[a() for _ in range(n[0])],
            mixed,
            *[b() for _ in range(n[1])],
            more,
            *[c() for _ in range(n[2])],
            c(False),
            nn.AdaptiveAvgPool2d(1),
            nn.Dropout(0.6),
            Flat(),
            nn.Linear(1792, dim, bias=False),
            nn.BatchNorm1d(dim)
        )
    )


def openface(dim=128):
    """Inception with pooling by norms, and local response normalisation."""
    part = lambda i, *c: Branches(
        seq(conv(i, c[0], 1), conv(c[0], c[1])),
        seq(conv(i, c[2], 1), conv(c[2], c[3], 5)),
        seq(nn.LPPool2d(2, 3, 1), nn.ZeroPad2d(1), conv(i, c[4], 1)),
        conv(i, c[5], 1),
    )
    return Normalised(
        seq(
            conv(3, 64, 7, 2),
            nn.MaxPool2d(3, 2, 1),
            nn.LocalResponseNorm(5),
            conv(64, 64, 1),
            conv(64, 192),
            nn.LocalResponseNorm(5),
            nn.MaxPool2d(3, 2, 1),
            part(192, 96, 128, 16, 32, 32, 64),
            nn.MaxPool2d(3, 2, 1),
            part(256, 96, 192, 32, 64, 64, 128),
            nn.AvgPool2d(6),
            Flat(),
            nn.Linear(448, dim),
        )
    )


def vggface(dim=512, size=112):
    m, i = [], 3
    for c, n in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(n):
            m, i = m + [nn.Conv2d(i, c, 3, 1, 1), nn.ReLU()], c
        m.append(nn.MaxPool2d(2, 2))
    return lively(
        seq(*m, Flat(), nn.Linear(512 * (size // 32) ** 2, 1024), nn.ReLU(), nn.Dropout(), nn.Linear(1024, dim))
    )


class Mix(nn.Module):
    """MixFaceNet: depthwise convolutions of several sizes, each on its share of the channels; then a shuffle."""

    def __init__(self, c, kernels=(3, 5, 7), s=1):
        super().__init__()
        self.split = [c - c // len(kernels) * (len(kernels) - 1)] + [c // len(kernels)] * (len(kernels) - 1)
        self.f = nn.ModuleList(conv(n, n, k, s, n, nn.PReLU) for n, k in zip(self.split, kernels))

    def forward(self, x):
        y = torch.cat([f(p) for f, p in zip(self.f, torch.split(x, self.split, 1))], 1)
        b, c, h, w = y.shape
        return y.view(b, 2, c // 2, h, w).transpose(1, 2).reshape(b, c, h, w)


def mixfacenet(dim=512):
    def block(i, o, s):
        m = 4 * i
        body = seq(conv(i, m, 1, act=nn.PReLU), Mix(m, s=s), SE(m, nn.PReLU(), nn.Sigmoid()), conv(m, o, 1, act=None))
        return Residual(body) if s == 1 and i == o else body

    return seq(
        conv(3, 64, 3, 2, act=nn.PReLU),
        block(64, 64, 2),
        block(64, 64, 1),
        block(64, 128, 2),
        block(128, 128, 1),
        block(128, 128, 2),
        conv(128, 512, 1, act=nn.PReLU),
        conv(512, 512, 7, g=512, act=None, p=0),
        Flat(),
        nn.Linear(512, dim, bias=False),
        nn.BatchNorm1d(dim),
    )


class Cell(nn.Module):
    """PocketNet: a cell as architecture search finds them: separable and pooled edges between inner nodes, joined."""

    def __init__(self, i, c, s=1):
        super().__init__()
        sep = lambda k, s=1: seq(nn.PReLU(c), conv(c, c, k, s, c, None), conv(c, c, 1, act=None))
        self.pre = conv(i, c, 1, act=nn.PReLU)
        self.a, self.b, self.c = (
            Branches(sep(3, s), sep(5, s), add=True),
            Branches(nn.MaxPool2d(3, s, 1), sep(3, s), add=True),
            sep(3),
        )

    def forward(self, x):
        x = self.pre(x)
        a, b = self.a(x), self.b(x)
        return torch.cat([a, b, self.c(a) + b], 1)


def pocketnet(dim=256):
    return seq(
        conv(3, 32, 3, 2, act=nn.PReLU),
        Cell(32, 24, 2),
        Cell(72, 24),
        Cell(72, 48, 2),
        Cell(144, 48),
        Cell(144, 64, 2),
        conv(192, 256, 1, act=nn.PReLU),
        conv(256, 256, 7, g=256, act=None, p=0),
        Flat(),
        nn.Linear(256, dim),
        nn.BatchNorm1d(dim),
    )


class DFC(nn.Module):
    """GhostNetV2: attention by a long horizontal and a long vertical depthwise convolution at half the size."""

    def __init__(self, i, o):
        super().__init__()
        self.ghost, self.f = Ghost(i, o), seq(
            nn.AvgPool2d(2, 2),
            conv(i, o, 1, act=None),
            conv(o, o, (1, 5), g=o, act=None),
            conv(o, o, (5, 1), g=o, act=None),
        )

    def forward(self, x):
        y = self.ghost(x)
        return y * F.interpolate(torch.sigmoid(self.f(x)), size=y.shape[2:], mode="nearest")


def ghostv2(dim=256):
    block = lambda i, m, o: Residual(seq(DFC(i, m), Ghost(m, o, False)), conv(i, o, 1, act=None) if i != o else None)
    return seq(
        conv(3, 16, 3, 2, act=nn.PReLU),
        block(16, 48, 24),
        conv(24, 24, 3, 2, 24),
        block(24, 72, 40),
        conv(40, 40, 3, 2, 40),
        block(40, 120, 80),
        *pooled(80, dim)
    )


def vargface(dim=512):
    block = lambda c, s=1: Residual(
        seq(
            conv(c, 2 * c, 3, s, c // 8, nn.PReLU),
            conv(2 * c, c, 1, act=nn.PReLU),
            conv(c, 2 * c, 3, 1, c // 8, nn.PReLU),
            conv(2 * c, c, 1, act=None),
            SE(c, nn.PReLU(), nn.Sigmoid()),
        ),
        conv(c, c, 3, 2, c // 8, None) if s > 1 else None,
    )
    return seq(
        conv(3, 40, 3, 1, act=nn.PReLU),
        block(40, 2),
        block(40),
        conv(40, 80, 1, act=nn.PReLU),
        block(80, 2),
        block(80),
        conv(80, 160, 1, act=nn.PReLU),
        block(160, 2),
        conv(160, 512, 1, act=nn.PReLU),
        nn.AdaptiveAvgPool2d(7),
        conv(512, 512, 7, g=64, act=None, p=0),
        conv(512, 256, 1, act=nn.PReLU),
        Flat(),
        nn.Linear(256, dim),
    )


def lightcnn29(dim=256):
    def group(i, o):
        return [MFM(i, i, 1), MFM(i, o)]

    block = lambda c: Residual(seq(MFM(c, c), MFM(c, c)))
    both = lambda: Branches(nn.MaxPool2d(2), nn.AvgPool2d(2), add=True)
    return seq(
        MFM(1, 48, 5),
        both(),
        block(48),
        *group(48, 96),
        both(),
        block(96),
        block(96),
        *group(96, 192),
        both(),
        block(192),
        *group(192, 128),
        block(128),
        *group(128, 128),
        both(),
        Flat(),
        nn.Linear(128 * 64, dim)
    )


class TwoHeads(nn.Module):
    """SwinFace: maps of two depths, channel and place attention over both, then a head."""

    def __init__(self, dim=256, d=48):
        super().__init__()
        self.patch, self.a, self.b = nn.Conv2d(3, d, 4, 4), SwinBlock(d, 3, 28, 7, 0), SwinBlock(d, 3, 28, 7, 3)
        self.merge, self.c, self.gate, self.fc = (
            nn.Linear(4 * d, 2 * d),
            SwinBlock(2 * d, 6, 14, 7, 0),
            CBAM(3 * d),
            nn.Linear(3 * d, dim),
        )

    def forward(self, x):
        x = self.b(self.a(self.patch(x).permute(0, 2, 3, 1)))
        y = self.c(self.merge(torch.cat([x[:, ::2, ::2], x[:, 1::2, ::2], x[:, ::2, 1::2], x[:, 1::2, 1::2]], -1)))
        both = torch.cat(
            [
                F.interpolate(x.permute(0, 3, 1, 2), scale_factor=0.5, mode="bilinear", align_corners=False),
                y.permute(0, 3, 1, 2),
            ],
            1,
        )
        return self.fc(self.gate(both).mean((2, 3)))


# ---- small networks ----
def mobilenetv1(dim=256):
    m, i = [conv(3, 32, 3, 2)], 32
    for o, s in ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1)):
        m, i = m + [conv(i, i, 3, s, i), conv(i, o, 1)], o
    return seq(*m, *pooled(i, dim))


def mobilenetv2(dim=256):
    m, i = [conv(3, 32, 3, 2, act=R6)], 32
    for o, s, e in ((16, 1, 1), (24, 2, 6), (24, 1, 6), (32, 2, 6), (32, 1, 6), (64, 2, 6), (96, 1, 6)):
        m, i = m + [inverted(i, o, 3, s, i * e, R6, None)], o
    return seq(*m, conv(i, 640, 1, act=R6), *pooled(640, dim))


class ShuffleUnit(nn.Module):
    def __init__(self, c, s=1):
        super().__init__()
        h = c // 2 if s == 1 else c
        self.s, self.b = s, seq(conv(h, h, 1), conv(h, h, 3, s, h, None), conv(h, h, 1))
        self.a = seq(conv(h, h, 3, 2, h, None), conv(h, h, 1)) if s > 1 else nn.Identity()

    def forward(self, x):
        u, v = x.chunk(2, 1) if self.s == 1 else (x, x)
        y = torch.cat([self.a(u), self.b(v)], 1)
        b, c, h, w = y.shape
        return y.view(b, 2, c // 2, h, w).transpose(1, 2).reshape(b, c, h, w)


def shufflenet(dim=256):
    return seq(
        conv(3, 24, 3, 2),
        ShuffleUnit(24, 2),
        ShuffleUnit(48),
        ShuffleUnit(48, 2),
        ShuffleUnit(96),
        ShuffleUnit(96),
        ShuffleUnit(96, 2),
        conv(192, 512, 1),
        *pooled(512, dim)
    )


def squeezenet(dim=256):
    fire = lambda i, s, e: seq(
        nn.Conv2d(i, s, 1),
        nn.ReLU(),
        Branches(seq(nn.Conv2d(s, e, 1), nn.ReLU()), seq(nn.Conv2d(s, e, 3, padding=1), nn.ReLU())),
    )
    return lively(
        seq(
            nn.Conv2d(3, 64, 3, 2),
            nn.ReLU(),
            nn.MaxPool2d(3, 2, ceil_mode=True),
            fire(64, 16, 64),
            fire(128, 16, 64),
            nn.MaxPool2d(3, 2, ceil_mode=True),
            fire(128, 32, 128),
            fire(256, 32, 128),
            *pooled(256, dim)
        )
    )


class Dense(nn.Module):
    def __init__(self, i, n, k=32):
        super().__init__()
        self.f = nn.ModuleList(
            seq(
                nn.BatchNorm2d(i + j * k),
                nn.ReLU(),
                nn.Conv2d(i + j * k, 4 * k, 1, bias=False),
                nn.BatchNorm2d(4 * k),
                nn.ReLU(),
                nn.Conv2d(4 * k, k, 3, 1, 1, bias=False),
            )
            for j in range(n)
        )

    def forward(self, x):
        for f in self.f:
            x = torch.cat([x, f(x)], 1)
        return x


def densenet(dim=256):
    down = lambda i: seq(nn.BatchNorm2d(i), nn.ReLU(), nn.Conv2d(i, i // 2, 1, bias=False), nn.AvgPool2d(2))
    return seq(
        conv(3, 64, 7, 2),
        nn.MaxPool2d(3, 2, 1),
        Dense(64, 4),
        down(192),
        Dense(96, 4),
        down(224),
        Dense(112, 4),
        nn.BatchNorm2d(240),
        nn.ReLU(),
        *pooled(240, dim)
    )


def googlenet(dim=256):
    part = lambda i, a, b, c, d: Branches(
        conv(i, a, 1),
        seq(conv(i, b[0], 1), conv(*b)),
        seq(conv(i, c[0], 1), conv(*c)),
        seq(nn.MaxPool2d(3, 1, 1), conv(i, d, 1)),
    )
    return seq(
        conv(3, 64, 7, 2),
        nn.MaxPool2d(3, 2, ceil_mode=True),
        conv(64, 64, 1),
        conv(64, 192),
        nn.MaxPool2d(3, 2, ceil_mode=True),
        part(192, 64, (96, 128), (16, 32), 32),
        part(256, 128, (128, 192), (32, 96), 64),
        nn.MaxPool2d(3, 2, ceil_mode=True),
        part(480, 192, (96, 208), (16, 48), 64),
        *pooled(512, dim)
    )


def inceptionv3(dim=256):
    a = lambda i, p: Branches(
        conv(i, 64, 1),
        seq(conv(i, 48, 1), conv(48, 64, 5)),
        seq(conv(i, 64, 1), conv(64, 96), conv(96, 96)),
        seq(nn.AvgPool2d(3, 1, 1), conv(i, p, 1)),
    )
    c = lambda i, m: Branches(
        conv(i, 192, 1),
        seq(conv(i, m, 1), conv(m, m, (1, 7)), conv(m, 192, (7, 1))),
        seq(nn.AvgPool2d(3, 1, 1), conv(i, 192, 1)),
    )
    return seq(
        conv(3, 32, 3, 2, p=0),
        conv(32, 64),
        nn.MaxPool2d(3, 2),
        conv(64, 80, 1),
        conv(80, 192, p=0),
        nn.MaxPool2d(3, 2),
        a(192, 32),
        a(256, 64),
        Branches(conv(288, 384, 3, 2, p=0), nn.MaxPool2d(3, 2)),
        c(672, 128),
        *pooled(576, dim)
    )


def xception(dim=256):
    sep = lambda i, o: seq(
        nn.Conv2d(i, i, 3, 1, 1, groups=i, bias=False), nn.Conv2d(i, o, 1, bias=False), nn.BatchNorm2d(o)
    )
    block = lambda i, o: Residual(
        seq(nn.ReLU(), sep(i, o), nn.ReLU(), sep(o, o), nn.MaxPool2d(3, 2, 1)), conv(i, o, 1, 2, act=None)
    )
    return seq(
        conv(3, 32, 3, 2),
        conv(32, 64),
        block(64, 128),
        block(128, 256),
        block(256, 384),
        nn.ReLU(),
        sep(384, 512),
        nn.ReLU(),
        *pooled(512, dim)
    )


class RepBlock(nn.Module):
    """RepVGG while it is trained: 3x3, 1x1 and the identity, each normalised, added up."""

    def __init__(self, i, o, s=1):
        super().__init__()
        self.a, self.b, self.c = (
            conv(i, o, 3, s, act=None),
            conv(i, o, 1, s, act=None),
            nn.BatchNorm2d(i) if i == o and s == 1 else None,
        )

    def forward(self, x):
        y = self.a(x) + self.b(x)
        return (y if self.c is None else y + self.c(x)).relu()


def repvgg(dim=256):
    return seq(
        RepBlock(3, 48, 2),
        RepBlock(48, 48, 2),
        RepBlock(48, 48),
        RepBlock(48, 96, 2),
        RepBlock(96, 96),
        RepBlock(96, 192, 2),
        RepBlock(192, 192),
        *pooled(192, dim)
    )


def mobileone(dim=256):
    block = lambda i, o, s: seq(
        Branches(*[conv(i, i, 3, s, i, None) for _ in range(3)], conv(i, i, 1, s, i, None), add=True),
        nn.ReLU(),
        Branches(*[conv(i, o, 1, act=None) for _ in range(2)], add=True),
        nn.ReLU(),
    )
    return seq(
        conv(3, 48, 3, 2),
        block(48, 48, 2),
        block(48, 128, 2),
        block(128, 128, 1),
        block(128, 256, 2),
        *pooled(256, dim)
    )


def efficientnetv2(dim=256):
    fused = (
        lambda i, o, s, e: Residual(seq(conv(i, i * e, 3, s, act=nn.SiLU), conv(i * e, o, 1, act=None)))
        if s == 1 and i == o
        else seq(conv(i, i * e, 3, s, act=nn.SiLU), conv(i * e, o, 1, act=None))
    )
    se = lambda c: SE(c, nn.SiLU(), nn.Sigmoid())
    return seq(
        conv(3, 24, 3, 2, act=nn.SiLU),
        fused(24, 24, 1, 1),
        fused(24, 48, 2, 4),
        fused(48, 48, 1, 4),
        fused(48, 64, 2, 4),
        inverted(64, 128, 3, 2, 256, nn.SiLU, se),
        inverted(128, 128, 3, 1, 512, nn.SiLU, se),
        conv(128, 512, 1, act=nn.SiLU),
        *pooled(512, dim)
    )


class HR(nn.Module):
    """HRNet: maps of two sizes side by side, exchanged up and down."""

    def __init__(self, a, b):
        super().__init__()
        self.a, self.b, self.down, self.up = (
            Residual(seq(conv(a, a), conv(a, a, act=None))),
            Residual(seq(conv(b, b), conv(b, b, act=None))),
            conv(a, b, 3, 2, act=None),
            conv(b, a, 1, act=None),
        )

    def forward(self, t):
        x, y = self.a(t[0]).relu(), self.b(t[1]).relu()
        return (x + F.interpolate(self.up(y), size=x.shape[2:], mode="nearest")).relu(), (y + self.down(x)).relu()


class HRNet(nn.Module):
    def __init__(self, dim=256):
        super().__init__()
        self.stem, self.split, self.f, self.end = (
            seq(conv(3, 32, 3, 2), conv(32, 18, 3, 2)),
            conv(18, 36, 3, 2),
            nn.ModuleList(HR(18, 36) for _ in range(3)),
            seq(conv(54, 128, 1), *pooled(128, dim)),
        )

    def forward(self, x):
        x = self.stem(x)
        t = (x, self.split(x))
        for f in self.f:
            t = f(t)
        return self.end(
            torch.cat([t[0], F.interpolate(t[1], size=t[0].shape[2:], mode="bilinear", align_corners=True)], 1)
        )


# ---- transformers ----
class Block(nn.Module):
    """x + attention, x + perceptron, normalised before; gamma: scaled by a number a channel."""

    def __init__(self, d, att, wide=4, act=nn.GELU, gamma=False, norm=nn.LayerNorm, mlp=None):
        super().__init__()
        self.n1, self.n2, self.att = norm(d), norm(d), att
        self.mlp = seq(nn.Linear(d, wide * d), act(), nn.Linear(wide * d, d)) if mlp is None else mlp
        self.g1, self.g2 = (nn.Parameter(torch.rand(d)), nn.Parameter(torch.rand(d))) if gamma else (1.0, 1.0)

    def forward(self, x):
        x = x + self.g1 * self.att(self.n1(x))
        return x + self.g2 * self.mlp(self.n2(x))


class Tokens(nn.Module):
    """Patches as tokens with their places, blocks, a normalised class token (0 of them: the mean)."""

    def __init__(self, block, d=192, depth=3, patch=16, size=112, cls=1, dim=256, pre=False, stem=None):
        super().__init__()
        n = (size // patch) ** 2
        self.stem = nn.Conv2d(3, d, patch, patch) if stem is None else stem
        self.cls, self.pos = nn.Parameter(torch.randn(1, cls, d) * 0.3) if cls else None, nn.Parameter(
            torch.randn(1, n + cls, d) * 0.3
        )
        self.pre, self.blocks, self.norm, self.fc = (
            nn.LayerNorm(d) if pre else nn.Identity(),
            seq(*[block(d) for _ in range(depth)]),
            nn.LayerNorm(d),
            nn.Linear(d, dim),
        )

    def forward(self, x):
        x = self.stem(x).flatten(2).transpose(1, 2)
        if self.cls is not None:
            x = torch.cat([self.cls.expand(x.shape[0], -1, -1), x], 1)
        x = self.norm(self.blocks(self.pre(x + self.pos)))
        return self.fc(x[:, 0] if self.cls is not None else x.mean(1))


class Quick(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(1.702 * x)


class Rope(nn.Module):
    """EVA-02: queries and keys turned by their places; SwiGLU in the perceptron."""

    def __init__(self, d, heads=3, n=49):
        super().__init__()
        self.h, self.qkv, self.proj = heads, nn.Linear(d, 3 * d), nn.Linear(d, d)
        angle = torch.arange(n)[:, None] / 100 ** (torch.arange(d // heads // 2) / (d // heads // 2))
        self.register_buffer("cos", angle.cos().repeat_interleave(2, 1))
        self.register_buffer("sin", angle.sin().repeat_interleave(2, 1))

    def turn(self, x):
        half = torch.stack([-x[..., 1::2], x[..., ::2]], -1).flatten(-2)
        return x * self.cos + half * self.sin

    def forward(self, x):
        b, t, d = x.shape
        q, k, v = self.qkv(x).reshape(b, t, 3, self.h, d // self.h).permute(2, 0, 3, 1, 4).unbind(0)
        a = (self.turn(q) @ self.turn(k).transpose(-2, -1) * (d // self.h) ** -0.5).softmax(-1)
        return self.proj((a @ v).transpose(1, 2).reshape(b, t, d))


class SwiGLU(nn.Module):
    def __init__(self, d, m):
        super().__init__()
        self.a, self.b, self.n, self.c = nn.Linear(d, m), nn.Linear(d, m), nn.LayerNorm(m), nn.Linear(m, d)

    def forward(self, x):
        return self.c(self.n(F.silu(self.a(x)) * self.b(x)))


class Heads(nn.Module):
    """CaiT: attention whose heads are mixed before and after the softmax."""

    def __init__(self, d, heads=4):
        super().__init__()
        self.h, self.qkv, self.l, self.w, self.proj = (
            heads,
            nn.Linear(d, 3 * d),
            nn.Linear(heads, heads),
            nn.Linear(heads, heads),
            nn.Linear(d, d),
        )

    def forward(self, x):
        b, t, d = x.shape
        q, k, v = self.qkv(x).reshape(b, t, 3, self.h, d // self.h).permute(2, 0, 3, 1, 4).unbind(0)
        a = self.l((q @ k.transpose(-2, -1) * (d // self.h) ** -0.5).permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        a = self.w(a.softmax(-1).permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return self.proj((a @ v).transpose(1, 2).reshape(b, t, d))


class Reduced(nn.Module):
    """PVT: keys and values from a smaller map."""

    def __init__(self, d, heads, size, r):
        super().__init__()
        self.h, self.s, self.q, self.kv, self.r, self.n, self.proj = (
            heads,
            size,
            nn.Linear(d, d),
            nn.Linear(d, 2 * d),
            nn.Conv2d(d, d, r, r),
            nn.LayerNorm(d),
            nn.Linear(d, d),
        )

    def forward(self, x):
        b, t, d = x.shape
        q = self.q(x).reshape(b, t, self.h, d // self.h).transpose(1, 2)
        y = self.n(self.r(x.transpose(1, 2).reshape(b, d, self.s, self.s)).reshape(b, d, -1).transpose(1, 2))
        k, v = self.kv(y).reshape(b, -1, 2, self.h, d // self.h).permute(2, 0, 3, 1, 4).unbind(0)
        return self.proj(
            ((q @ k.transpose(-2, -1) * (d // self.h) ** -0.5).softmax(-1) @ v).transpose(1, 2).reshape(b, t, d)
        )


class OnMaps(nn.Module):
    """A module for tokens, on maps."""

    def __init__(self, f):
        super().__init__()
        self.f = f

    def forward(self, x):
        b, c, h, w = x.shape
        return self.f(x.flatten(2).transpose(1, 2)).transpose(1, 2).reshape(b, c, h, w)


def pvt(dim=256):
    return seq(
        nn.Conv2d(3, 64, 4, 4),
        OnMaps(Block(64, Reduced(64, 1, 28, 4))),
        nn.Conv2d(64, 128, 2, 2),
        OnMaps(Block(128, Reduced(128, 2, 14, 2))),
        nn.Conv2d(128, 256, 2, 2),
        OnMaps(Block(256, Attention(256, 4))),
        *pooled(256, dim)
    )


class MobileViT(nn.Module):
    """Patches of 2x2 unfolded: attention among the pixels of equal places."""

    def __init__(self, c, d):
        super().__init__()
        self.a, self.b, self.f, self.n, self.c, self.e = (
            conv(c, c, 3, act=nn.SiLU),
            nn.Conv2d(c, d, 1, bias=False),
            seq(Block(d, Attention(d, 4), 2, nn.SiLU), Block(d, Attention(d, 4), 2, nn.SiLU)),
            nn.LayerNorm(d),
            conv(d, c, 1, act=nn.SiLU),
            conv(2 * c, c, 3, act=nn.SiLU),
        )

    def forward(self, x):
        y = self.b(self.a(x))
        b, d, h, w = y.shape
        y = (
            y.reshape(b * d * h // 2, 2, w // 2, 2)
            .transpose(1, 2)
            .reshape(b, d, h * w // 4, 4)
            .transpose(1, 3)
            .reshape(b * 4, h * w // 4, d)
        )
        y = (
            self.n(self.f(y))
            .contiguous()
            .view(b, 4, h * w // 4, d)
            .transpose(1, 3)
            .reshape(b * d * h // 2, w // 2, 2, 2)
            .transpose(1, 2)
            .reshape(b, d, h, w)
        )
        return self.e(torch.cat([x, self.c(y)], 1))


def mobilevit(dim=256):
    return seq(
        conv(3, 16, 3, 2, act=nn.SiLU),
        inverted(16, 32, 3, 1, 64, nn.SiLU, None),
        inverted(32, 64, 3, 2, 128, nn.SiLU, None),
        inverted(64, 96, 3, 2, 256, nn.SiLU, None),
        MobileViT(96, 144),
        conv(96, 384, 1, act=nn.SiLU),
        *pooled(384, dim)
    )


class Separable(nn.Module):
    """MobileViTv2: one score a pixel, a context vector, gates."""

    def __init__(self, d):
        super().__init__()
        self.d, self.qkv, self.o = d, nn.Conv2d(d, 1 + 2 * d, 1), nn.Conv2d(d, d, 1)

    def forward(self, x):
        q, k, v = self.qkv(x).split([1, self.d, self.d], 1)
        context = (q.softmax(-1) * k).sum(-1, keepdim=True)
        return self.o(v.relu() * context)


class MobileViT2(nn.Module):
    def __init__(self, c, d):
        super().__init__()
        self.a, self.n, self.f, self.m, self.e = (
            seq(conv(c, c, 3, g=c, act=nn.SiLU), nn.Conv2d(c, d, 1, bias=False)),
            nn.GroupNorm(1, d),
            Separable(d),
            seq(nn.GroupNorm(1, d), nn.Conv2d(d, 2 * d, 1), nn.SiLU(), nn.Conv2d(2 * d, d, 1)),
            conv(d, c, 1, act=None),
        )

    def forward(self, x):
        y = self.a(x)
        b, d, h, w = y.shape
        y = y.reshape(b, d, h // 2, 2, w // 2, 2).permute(0, 1, 3, 5, 2, 4).reshape(b, d, 4, h * w // 4)
        y = y + self.f(self.n(y))
        y = y + self.m(y)
        return self.e(y.reshape(b, d, 2, 2, h // 2, w // 2).permute(0, 1, 4, 2, 5, 3).reshape(b, d, h, w))


def mobilevit2(dim=256):
    return seq(
        conv(3, 32, 3, 2, act=nn.SiLU),
        inverted(32, 64, 3, 2, 64, nn.SiLU, None),
        inverted(64, 128, 3, 2, 128, nn.SiLU, None),
        MobileViT2(128, 64),
        MobileViT2(128, 96),
        *pooled(128, dim)
    )


class LevitAttention(nn.Module):
    def __init__(self, d, heads, key, size):
        super().__init__()
        self.h, self.k, self.v = heads, key, 2 * key
        self.qkv, self.nq, self.proj = (
            nn.Linear(d, heads * (2 * key + self.v), bias=False),
            nn.BatchNorm1d(heads * (2 * key + self.v)),
            seq(HS(), nn.Linear(heads * self.v, d)),
        )
        at = torch.stack(torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")).flatten(1)
        rel = (at[:, :, None] - at[:, None]).abs()
        self.bias = nn.Parameter(torch.randn(heads, size * size) * 0.3)
        self.register_buffer("index", rel[0] * size + rel[1])

    def forward(self, x):
        b, t, d = x.shape
        y = self.qkv(x)
        y = self.nq(y.flatten(0, 1)).reshape(b, t, self.h, -1)
        q, k, v = y.split([self.k, self.k, self.v], 3)
        q, k, v = q.permute(0, 2, 1, 3), k.permute(0, 2, 3, 1), v.permute(0, 2, 1, 3)
        a = (q @ k * self.k**-0.5 + self.bias[:, self.index]).softmax(-1)
        return self.proj((a @ v).transpose(1, 2).reshape(b, t, -1))


def rows_of(x):
    """A map as tokens. PyTorch 1.13's batch normalisation has a wrong gradient where its cotangent is transposed: it gets a copy."""
    if x.requires_grad:
        x.register_hook(lambda g: g.contiguous())
    return x.flatten(2).transpose(1, 2)


def levit(dim=256):
    stem = seq(
        conv(3, 16, 3, 2, act=HS), conv(16, 32, 3, 2, act=HS), conv(32, 64, 3, 2, act=HS), conv(64, 128, 3, 2, act=None)
    )
    part = lambda: seq(
        Residual(LevitAttention(128, 4, 16, 7)), Residual(seq(nn.Linear(128, 256), HS(), nn.Linear(256, 128)))
    )
    return seq(
        stem, Lambda(rows_of), part(), part(), Lambda(lambda x: x.mean(1)), nn.BatchNorm1d(128), nn.Linear(128, dim)
    )


def poolmix(d):
    return Scaled(Lambda(lambda x: F.avg_pool2d(x, 3, 1, 1, count_include_pad=False) - x), d, True)


def metaformer(mix, d=(64, 128, 256), norm=True, dim=256):
    m, i = [nn.Conv2d(3, d[0], 7, 4, 3)], d[0]
    for k, c in enumerate(d):
        m += [nn.Conv2d(i, c, 3, 2, 1)] if k else []
        mlp = seq(
            *([nn.GroupNorm(1, c)] if norm else [nn.BatchNorm2d(c)]),
            nn.Conv2d(c, 4 * c, 1),
            nn.GELU(),
            nn.Conv2d(4 * c, c, 1)
        )
        m, i = m + [mix(c), Scaled(mlp, c, True)], c
    return seq(*m, *pooled(i, dim))


def efficientformer(dim=256):
    m = [conv(3, 24, 3, 2), conv(24, 48, 3, 2)]
    for c, n in ((48, 96), (96, 224)):
        m += [
            poolmix(c),
            Scaled(seq(conv(c, 4 * c, 1, act=nn.GELU), conv(4 * c, c, 1, act=None)), c, True),
            conv(c, n, 3, 2, act=None),
        ]
    return seq(*m, OnMaps(Block(224, Attention(224, 7), gamma=True)), *pooled(224, dim))


class GRN(nn.Module):
    """ConvNeXt V2: each channel by its norm over the map, relative to the mean norm."""

    def __init__(self, d):
        super().__init__()
        self.g, self.b = nn.Parameter(torch.randn(d) * 0.3), nn.Parameter(torch.randn(d) * 0.3)

    def forward(self, x):
        n = torch.norm(x, p=2, dim=(1, 2), keepdim=True)
        return self.g * (x * (n / (n.mean(-1, keepdim=True) + 1e-6))) + self.b + x


class NextV2(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.dw, self.f = nn.Conv2d(d, d, 7, padding=3, groups=d), seq(
            nn.LayerNorm(d, eps=1e-6), nn.Linear(d, 4 * d), nn.GELU(), GRN(4 * d), nn.Linear(4 * d, d)
        )

    def forward(self, x):
        return x + self.f(self.dw(x).permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def convnext(block, d=(64, 128, 256), dim=256):
    m, i = [nn.Conv2d(3, d[0], 4, 4), Norm2d(d[0], eps=1e-6)], d[0]
    for k, c in enumerate(d):
        m, i = m + ([Norm2d(i, eps=1e-6), nn.Conv2d(i, c, 2, 2)] if k else []) + [block(c), block(c)], c
    return seq(*m, nn.AdaptiveAvgPool2d(1), Flat(), nn.LayerNorm(i), nn.Linear(i, dim))


class Swin2Block(nn.Module):
    """Swin V2: attention by cosines, scaled by a bounded number, a bias made by a small network; normalised after."""

    def __init__(self, d, heads, w):
        super().__init__()
        self.h, self.w, self.qkv, self.proj, self.n1, self.n2 = (
            heads,
            w,
            nn.Linear(d, 3 * d),
            nn.Linear(d, d),
            nn.LayerNorm(d),
            nn.LayerNorm(d),
        )
        self.scale, self.mlp, self.cpb = (
            nn.Parameter(torch.ones(heads, 1, 1) * math.log(10)),
            seq(nn.Linear(d, 2 * d), nn.GELU(), nn.Linear(2 * d, d)),
            seq(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, heads)),
        )
        at = torch.stack(torch.meshgrid(torch.arange(w), torch.arange(w), indexing="ij")).flatten(1)
        rel = (at[:, :, None] - at[:, None]).permute(1, 2, 0).float() / w * 8
        self.register_buffer("rel", rel.sign() * (rel.abs() + 1).log2() / 3)

    def attend(self, x):
        n, t, d = x.shape
        q, k, v = self.qkv(x).reshape(n, t, 3, self.h, d // self.h).permute(2, 0, 3, 1, 4).unbind(0)
        a = (
            F.normalize(q, dim=-1)
            @ F.normalize(k, dim=-1).transpose(-2, -1)
            * self.scale.clamp(max=math.log(100)).exp()
        )
        a = (a + 16 * torch.sigmoid(self.cpb(self.rel).permute(2, 0, 1))).softmax(-1)
        return self.proj((a @ v).transpose(1, 2).reshape(n, t, d))

    def forward(self, x):
        b, h, wd, c = x.shape
        y = (
            self.attend(windows(x, self.w))
            .view(b, h // self.w, wd // self.w, self.w, self.w, c)
            .permute(0, 1, 3, 2, 4, 5)
            .reshape(b, h, wd, c)
        )
        x = x + self.n1(y)
        return x + self.n2(self.mlp(x))


def swin2(dim=256):
    return seq(
        nn.Conv2d(3, 96, 4, 4),
        Lambda(lambda x: x.permute(0, 2, 3, 1)),
        Swin2Block(96, 3, 7),
        Swin2Block(96, 3, 14),
        nn.LayerNorm(96),
        Lambda(lambda x: x.mean((1, 2))),
        nn.Linear(96, dim),
    )


class Grid(nn.Module):
    """MaxViT: attention in windows (block) or among the pixels of equal places in all windows (grid)."""

    def __init__(self, d, w, grid):
        super().__init__()
        self.w, self.grid, self.f = w, grid, Block(d, Attention(d, 4))

    def forward(self, x):
        b, c, h, wd = x.shape
        w = self.w
        if self.grid:
            y = x.reshape(b, c, w, h // w, w, wd // w).permute(0, 3, 5, 2, 4, 1)
        else:
            y = x.reshape(b, c, h // w, w, wd // w, w).permute(0, 2, 4, 3, 5, 1)
        n = y.shape
        y = self.f(y.reshape(-1, w * w, c)).reshape(n)
        return (y.permute(0, 5, 3, 1, 4, 2) if self.grid else y.permute(0, 5, 1, 3, 2, 4)).reshape(b, c, h, wd)


def maxvit(dim=256):
    se = lambda c: SE(c, nn.SiLU(), nn.Sigmoid())
    return seq(
        conv(3, 64, 3, 2, act=nn.GELU),
        inverted(64, 64, 3, 2, 256, nn.GELU, se),
        Grid(64, 7, False),
        Grid(64, 7, True),
        inverted(64, 128, 3, 2, 256, nn.GELU, se),
        Grid(128, 7, False),
        Grid(128, 7, True),
        *pooled(128, dim)
    )


class Mixer(nn.Module):
    def __init__(self, d, n=49):
        super().__init__()
        self.n1, self.n2, self.t, self.c = (
            nn.LayerNorm(d),
            nn.LayerNorm(d),
            seq(nn.Linear(n, 96), nn.GELU(), nn.Linear(96, n)),
            seq(nn.Linear(d, 4 * d), nn.GELU(), nn.Linear(4 * d, d)),
        )

    def forward(self, x):
        x = x + self.t(self.n1(x).transpose(1, 2)).transpose(1, 2)
        return x + self.c(self.n2(x))


class GMLP(nn.Module):
    def __init__(self, d, n=49):
        super().__init__()
        self.n, self.a, self.g, self.s, self.b = (
            nn.LayerNorm(d),
            nn.Linear(d, 4 * d),
            nn.LayerNorm(2 * d),
            nn.Conv1d(n, n, 1),
            nn.Linear(2 * d, d),
        )

    def forward(self, x):
        u, v = F.gelu(self.a(self.n(x))).chunk(2, -1)
        return x + self.b(u * self.s(self.g(v)))


class ResMLP(nn.Module):
    """Numbers a channel instead of normalisations."""

    def __init__(self, d, n=49):
        super().__init__()
        self.a, self.b, self.t, self.c = (
            nn.Parameter(torch.rand(d)),
            nn.Parameter(torch.randn(d) * 0.1),
            nn.Linear(n, n),
            seq(nn.Linear(d, 4 * d), nn.GELU(), nn.Linear(4 * d, d)),
        )

    def forward(self, x):
        x = x + self.t(torch.addcmul(self.b, self.a, x).transpose(1, 2)).transpose(1, 2)
        return x + self.c(torch.addcmul(self.b, self.a, x))


class LargeKernel(nn.Module):
    """VAN: a gate from a large kernel made of three small ones."""

    def __init__(self, d):
        super().__init__()
        self.n, self.a, self.f, self.b = (
            nn.BatchNorm2d(d),
            nn.Conv2d(d, d, 1),
            seq(
                nn.Conv2d(d, d, 5, padding=2, groups=d),
                nn.Conv2d(d, d, 7, padding=9, groups=d, dilation=3),
                nn.Conv2d(d, d, 1),
            ),
            nn.Conv2d(d, d, 1),
        )

    def forward(self, x):
        y = F.gelu(self.a(self.n(x)))
        return x + self.b(y * self.f(y))


class Focal(nn.Module):
    """FocalNet: contexts of growing reach, gated and added up."""

    def __init__(self, d, levels=2):
        super().__init__()
        self.d, self.l, self.f, self.h, self.o = (
            d,
            levels,
            nn.Conv2d(d, 2 * d + levels + 1, 1),
            nn.Conv2d(d, d, 1),
            nn.Conv2d(d, d, 1),
        )
        self.k = nn.ModuleList(
            seq(nn.Conv2d(d, d, 3 + 2 * i, padding=1 + i, groups=d, bias=False), nn.GELU()) for i in range(levels)
        )

    def forward(self, x):
        q, c, g = self.f(x).split([self.d, self.d, self.l + 1], 1)
        y = 0
        for i, k in enumerate(self.k):
            c = k(c)
            y = y + c * g[:, i : i + 1]
        y = y + F.gelu(c.mean((2, 3), keepdim=True)) * g[:, self.l :]
        return x + self.o(q * self.h(y))


class GnConv(nn.Module):
    """HorNet: recursive gates."""

    def __init__(self, d):
        super().__init__()
        self.dims = [d // 4, d // 2, d]
        self.i, self.dw = nn.Conv2d(d, 2 * d, 1), nn.Conv2d(
            sum(self.dims), sum(self.dims), 7, padding=3, groups=sum(self.dims)
        )
        self.o, self.p = nn.Conv2d(d, d, 1), nn.ModuleList(
            nn.Conv2d(self.dims[k], self.dims[k + 1], 1) for k in range(2)
        )

    def forward(self, x):
        a, b = self.i(x).split([self.dims[0], sum(self.dims)], 1)
        parts = self.dw(b).split(self.dims, 1)
        y = a * parts[0]
        for p, part in zip(self.p, parts[1:]):
            y = p(y) * part
        return x + self.o(y)


class InceptionMix(nn.Module):
    def __init__(self, d):
        super().__init__()
        g = d // 8
        self.s, self.f = [d - 3 * g, g, g, g], nn.ModuleList(
            [
                nn.Identity(),
                nn.Conv2d(g, g, 3, padding=1, groups=g),
                nn.Conv2d(g, g, (1, 11), padding=(0, 5), groups=g),
                nn.Conv2d(g, g, (11, 1), padding=(5, 0), groups=g),
            ]
        )

    def forward(self, x):
        return x + torch.cat([f(p) for f, p in zip(self.f, x.split(self.s, 1))], 1)


class Star(nn.Module):
    """StarNet: two branches multiplied."""

    def __init__(self, d):
        super().__init__()
        self.dw, self.a, self.b, self.g, self.e = (
            conv(d, d, 7, g=d, act=None),
            nn.Conv2d(d, 3 * d, 1),
            nn.Conv2d(d, 3 * d, 1),
            conv(3 * d, d, 1, act=None),
            nn.Conv2d(d, d, 7, padding=3, groups=d),
        )

    def forward(self, x):
        y = self.dw(x)
        return x + self.e(self.g(F.relu6(self.a(y)) * self.b(y)))


def convmixer(d=128, dim=256):
    block = lambda: seq(
        Residual(seq(nn.Conv2d(d, d, 9, padding=4, groups=d), nn.GELU(), nn.BatchNorm2d(d))),
        nn.Conv2d(d, d, 1),
        nn.GELU(),
        nn.BatchNorm2d(d),
    )
    return seq(nn.Conv2d(3, d, 7, 7), nn.GELU(), nn.BatchNorm2d(d), block(), block(), *pooled(d, dim))


def coatnet(dim=256):
    se = lambda c: SE(c, nn.SiLU(), nn.Sigmoid())
    return seq(
        conv(3, 64, 3, 2, act=nn.GELU),
        inverted(64, 96, 3, 2, 256, nn.GELU, se),
        inverted(96, 192, 3, 2, 384, nn.GELU, se),
        OnMaps(Block(192, LevitAttention(192, 6, 16, 14))),
        *pooled(192, dim)
    )


def edgenext(dim=256):
    return seq(
        nn.Conv2d(3, 32, 4, 4),
        Norm2d(32),
        Next(32, 3),
        Norm2d(32),
        nn.Conv2d(32, 64, 2, 2),
        Next(64, 5),
        Next(64, 5, 4),
        Norm2d(64),
        nn.Conv2d(64, 100, 2, 2),
        Next(100, 7),
        Next(100, 7, 4),
        nn.AdaptiveAvgPool2d(1),
        Flat(),
        nn.LayerNorm(100),
        nn.Linear(100, dim),
    )


class T2T(nn.Module):
    """Tokens-to-token: overlapping patches, unfolded."""

    def __init__(self, d=96):
        super().__init__()
        self.a, self.f, self.b = nn.Linear(3 * 49, 64), Block(64, Attention(64, 1), 1), nn.Conv2d(64, d, 3, 2, 1)

    def forward(self, x):
        x = self.f(self.a(F.unfold(x, 7, stride=4, padding=2).transpose(1, 2)))
        n = int(math.sqrt(x.shape[1]))
        return self.b(x.transpose(1, 2).reshape(x.shape[0], -1, n, n))


def tokens(make, **k):
    return lambda: Tokens(make, **k)


a4 = lambda d: Attention(d, 4)
FAMILIES = {  # name: (maker, input size, channels), in the order of the table
    "iResNet-18": (lambda: iresnet((2, 2, 2, 2)), 112, 3),
    "iResNet-34": (lambda: iresnet((3, 4, 6, 3)), 112, 3),
    "iResNet-50 (ArcFace, MagFace)": (lambda: iresnet((3, 4, 14, 3)), 112, 3),
    "iResNet-100": (lambda: iresnet((3, 13, 30, 3)), 112, 3),
    "AdaFace IR-18": (lambda: AdaFace((2, 2, 2, 2)), 112, 3),
    "AdaFace IR-50 (CurricularFace)": (lambda: AdaFace((3, 4, 14, 3)), 112, 3),
    "IR-SE": (iresnet_se, 112, 3),
    "SphereFace-20": (sphere, 112, 3),
    "FaceNet (Inception-ResNet)": (facenet, 160, 3),
    "OpenFace": (openface, 96, 3),
    "VGG-Face": (vggface, 112, 3),
    "MobileFaceNet": (mobilefacenet, 112, 3),
    "MobileFaceNet, wide": (lambda: mobilefacenet(128), 112, 3),
    "MixFaceNet": (mixfacenet, 112, 3),
    "PocketNet": (pocketnet, 112, 3),
    "VarGFaceNet": (vargface, 112, 3),
    "GhostFaceNet": (ghostnet, 112, 3),
    "GhostNetV2": (ghostv2, 112, 3),
    "EdgeFace": (edgeface, 112, 3),
    "LightCNN-9": (lightcnn, 128, 1),
    "LightCNN-29": (lightcnn29, 128, 1),
    "SwinFace": (TwoHeads, 112, 3),
    "ResNet-50": (lambda: resnet((3, 4, 6, 3)), 112, 3),
    "SE-ResNet (VGGFace2)": (lambda: resnet(gate=lambda c: SE(c, nn.ReLU(), nn.Sigmoid())), 112, 3),
    "ResNeXt": (lambda: resnet(groups=32), 112, 3),
    "ResNet-D": (lambda: resnet(deep_stem=True, pool=True), 112, 3),
    "CBAM-ResNet": (lambda: resnet(gate=CBAM), 112, 3),
    "ECA-ResNet": (lambda: resnet(gate=lambda c: ECA()), 112, 3),
    "ResNeSt": (lambda: resnet(block=middled(SplitAttention)), 112, 3),
    "SKNet": (lambda: resnet(block=middled(SelectiveKernels)), 112, 3),
    "Res2Net": (lambda: resnet(block=middled(Res2)), 112, 3),
    "pre-activation ResNet": (preactivated, 112, 3),
    "RegNetX": (lambda: regnet((64, 128, 256, 512), 32), 112, 3),
    "RegNetY": (lambda: regnet((48, 96, 192, 384), 24, True), 112, 3),
    "RegNetZ": (lambda: regnet((48, 96, 192, 256), 16, True, inverted_width=4), 112, 3),
    "NFNet": (nfnet, 112, 3),
    "HRNet": (HRNet, 112, 3),
    "DenseNet": (densenet, 112, 3),
    "GoogLeNet": (googlenet, 112, 3),
    "Inception-v3": (inceptionv3, 112, 3),
    "Xception": (xception, 112, 3),
    "SqueezeNet": (squeezenet, 112, 3),
    "MobileNetV1": (mobilenetv1, 112, 3),
    "MobileNetV2": (mobilenetv2, 112, 3),
    "MobileNetV3": (mobilenetv3, 112, 3),
    "ShuffleNetV2": (shufflenet, 112, 3),
    "EfficientNet": (efficientnet, 112, 3),
    "EfficientNetV2": (efficientnetv2, 112, 3),
    "RepVGG, as trained": (repvgg, 112, 3),
    "MobileOne, as trained": (mobileone, 112, 3),
    "ViT": (tokens(lambda d: Block(d, a4(d))), 112, 3),
    "ViT-face, patches of 8": (lambda: ViT(112, 8, 192, 4, 4, 256, False), 112, 3),
    "DeiT, two tokens": (tokens(lambda d: Block(d, a4(d)), cls=2), 112, 3),
    "CLIP": (tokens(lambda d: Block(d, a4(d), act=Quick), pre=True, patch=28), 112, 3),
    "DINOv2": (tokens(lambda d: Block(d, a4(d), gamma=True), patch=14, cls=5), 112, 3),
    "EVA-02": (tokens(lambda d: Block(d, Rope(d), mlp=SwiGLU(d, 2 * d)), cls=0), 112, 3),
    "CaiT": (tokens(lambda d: Block(d, Heads(d), gamma=True), cls=0), 112, 3),
    "XCiT": (tokens(lambda d: Block(d, Channels(d, 4)), cls=0), 112, 3),
    "T2T-ViT": (tokens(lambda d: Block(d, a4(d)), d=96, patch=8, stem=T2T()), 112, 3),
    "Swin": (Swin, 112, 3),
    "Swin V2": (swin2, 112, 3),
    "PVT": (pvt, 112, 3),
    "MaxViT": (maxvit, 112, 3),
    "CoAtNet": (coatnet, 112, 3),
    "LeViT": (levit, 112, 3),
    "MobileViT": (mobilevit, 112, 3),
    "MobileViTv2": (mobilevit2, 112, 3),
    "EfficientFormer": (efficientformer, 112, 3),
    "PoolFormer": (lambda: metaformer(poolmix), 112, 3),
    "MLP-Mixer": (tokens(Mixer, cls=0), 112, 3),
    "gMLP": (tokens(GMLP, cls=0), 112, 3),
    "ResMLP": (tokens(ResMLP, cls=0), 112, 3),
    "ConvMixer": (convmixer, 112, 3),
    "ConvNeXt": (lambda: convnext(lambda c: Next(c, 7)), 112, 3),
    "ConvNeXt V2": (lambda: convnext(NextV2), 112, 3),
    "EdgeNeXt": (edgenext, 112, 3),
    "InceptionNeXt": (lambda: metaformer(InceptionMix, norm=False), 112, 3),
    "VAN": (lambda: metaformer(LargeKernel, norm=False), 112, 3),
    "FocalNet": (lambda: metaformer(Focal), 112, 3),
    "HorNet": (lambda: metaformer(GnConv), 112, 3),
    "StarNet": (lambda: metaformer(Star, norm=False), 112, 3),
}
