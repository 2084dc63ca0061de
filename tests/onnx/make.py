#!/usr/bin/python3
"""Make ONNX files of face networks with random weights, and what PyTorch says about them.

usage: make.py FOLDER [NAME ...]      (no NAME: all;  "tiny": the small ones that are kept in tests/onnx)

For every network NAME of the list below: FOLDER/NAME.onnx, and FOLDER/NAME.golden: little-endian floats, one image x [H][W][C], the embedding
y [N], a cotangent c [N], and dx = c^T dy/dx [H][W][C], computed in double precision. A gradient jumps where the input of a PReLU or ReLU crosses
zero, and among the millions of them in a deep network some always lie within rounding of it: which side they are on is then no measure of anybody's
arithmetic. So the batch normalisations in front are nudged until none is nearer than 3e-5 of the layer's size, which is far more than single
precision rounds. (Other kinks: an image at which PyTorch's own gradient moves by more than 1e-4 from double to single precision is replaced.) The
definitions are written here from the papers; weights come from a fixed seed, and batch normalisations have statistics as if trained, so that
folding them is seen.
"""
import sys, warnings
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F

warnings.filterwarnings("ignore")
torch.set_num_threads(2)


def seq(*a):
    return nn.Sequential(*a)


class Flat(nn.Module):
    def forward(self, x):
        return torch.flatten(x, 1)


class Residual(nn.Module):
    def __init__(self, body, shortcut=None):
        super().__init__()
        self.body, self.shortcut = body, shortcut

    def forward(self, x):
        return self.body(x) + (x if self.shortcut is None else self.shortcut(x))


# ---- ArcFace iResNet: BN, conv, BN, PReLU, conv, BN; the embedding is BN(fc(flatten(BN(x)))) ----
def ires_block(cin, c, stride):
    body = seq(
        nn.BatchNorm2d(cin),
        nn.Conv2d(cin, c, 3, 1, 1, bias=False),
        nn.BatchNorm2d(c),
        nn.PReLU(c),
        nn.Conv2d(c, c, 3, stride, 1, bias=False),
        nn.BatchNorm2d(c),
    )
    short = seq(nn.Conv2d(cin, c, 1, stride, bias=False), nn.BatchNorm2d(c)) if stride != 1 or cin != c else None
    return Residual(body, short)


def iresnet(layers, width=64, dim=512, size=112, inc=3):
    m, c = [nn.Conv2d(inc, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.PReLU(width)], width
    for i, n in enumerate(layers):
        for k in range(n):
            m.append(ires_block(c, width << i, 2 if k == 0 else 1))
            c = width << i
    s = size
    for _ in layers:
        s = (s + 1) // 2
    return seq(*m, nn.BatchNorm2d(c), nn.Dropout(0.4), Flat(), nn.Linear(c * s * s, dim), nn.BatchNorm1d(dim))


# ---- AdaFace's IR network: max-pool shortcuts, a normalised output and its norm ----
class MaxShort(nn.Module):
    def __init__(self, stride):
        super().__init__()
        self.pool = nn.MaxPool2d(1, stride)

    def forward(self, x):
        return self.pool(x)


def ir_block(cin, c, stride):
    short = MaxShort(stride) if cin == c else seq(nn.Conv2d(cin, c, 1, stride, bias=False), nn.BatchNorm2d(c))
    return Residual(
        seq(
            nn.BatchNorm2d(cin),
            nn.Conv2d(cin, c, 3, 1, 1, bias=False),
            nn.BatchNorm2d(c),
            nn.PReLU(c),
            nn.Conv2d(c, c, 3, stride, 1, bias=False),
            nn.BatchNorm2d(c),
        ),
        short,
    )


class AdaFace(nn.Module):
    def __init__(self, layers, width=64, dim=512, size=112):
        super().__init__()
        m, c = [nn.Conv2d(3, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.PReLU(width)], width
        for i, n in enumerate(layers):
            for k in range(n):
                m.append(ir_block(c, width << i, 2 if k == 0 else 1))
                c = width << i
        self.body = seq(*m)
        self.head = seq(
            nn.BatchNorm2d(c),
            nn.Dropout(0.4),
            Flat(),
            nn.Linear(c * (size // 16) ** 2, dim),
            nn.BatchNorm1d(dim, affine=False),
        )

    def forward(self, x):
        y = self.head(self.body(x))
        norm = torch.norm(y, 2, 1, True)
        return torch.div(y, norm), norm


# ---- MobileFaceNet ----
def cbp(cin, c, k, s, p, g=1):
    return seq(nn.Conv2d(cin, c, k, s, p, groups=g, bias=False), nn.BatchNorm2d(c), nn.PReLU(c))


def mfn_block(cin, c, s, expand, residual):
    body = seq(
        cbp(cin, expand, 1, 1, 0),
        cbp(expand, expand, 3, s, 1, expand),
        nn.Conv2d(expand, c, 1, bias=False),
        nn.BatchNorm2d(c),
    )
    return Residual(body) if residual else body


def mobilefacenet(width=64, dim=512, size=112, n=(4, 6, 2)):
    w = width
    m = [cbp(3, w, 3, 2, 1), cbp(w, w, 3, 1, 1, w), mfn_block(w, w, 2, 2 * w, False)] + [
        mfn_block(w, w, 1, 2 * w, True) for _ in range(n[0])
    ]
    m += [mfn_block(w, 2 * w, 2, 4 * w, False)] + [mfn_block(2 * w, 2 * w, 1, 4 * w, True) for _ in range(n[1])]
    m += [mfn_block(2 * w, 2 * w, 2, 8 * w, False)] + [mfn_block(2 * w, 2 * w, 1, 4 * w, True) for _ in range(n[2])]
    k = size // 16
    return seq(
        *m,
        cbp(2 * w, 8 * w, 1, 1, 0),
        nn.Conv2d(8 * w, 8 * w, k, groups=8 * w, bias=False),
        nn.BatchNorm2d(8 * w),
        Flat(),
        nn.Linear(8 * w, dim, bias=False),
        nn.BatchNorm1d(dim),
    )


# ---- squeeze and excitation; MobileNetV3, EfficientNet, GhostNet in small ----
class SE(nn.Module):
    def __init__(self, c, act, gate, linear=False):
        super().__init__()
        self.linear = linear
        a, b = (
            (nn.Linear(c, c // 4), nn.Linear(c // 4, c))
            if linear
            else (nn.Conv2d(c, c // 4, 1), nn.Conv2d(c // 4, c, 1))
        )
        self.net = seq(a, act, b, gate)

    def forward(self, x):
        if self.linear:
            b, c = x.shape[:2]
            return x * self.net(F.adaptive_avg_pool2d(x, 1).view(b, c)).view(b, c, 1, 1)
        return x * self.net(F.adaptive_avg_pool2d(x, 1))


def inverted(cin, c, k, s, expand, act, se):
    m = [
        nn.Conv2d(cin, expand, 1, bias=False),
        nn.BatchNorm2d(expand),
        act(),
        nn.Conv2d(expand, expand, k, s, k // 2, groups=expand, bias=False),
        nn.BatchNorm2d(expand),
    ]
    m += ([se(expand)] if se else []) + [act(), nn.Conv2d(expand, c, 1, bias=False), nn.BatchNorm2d(c)]
    return Residual(seq(*m)) if s == 1 and cin == c else seq(*m)


def mobilenetv3(w=16, dim=128):
    hs, se = nn.Hardswish, lambda c: SE(c, nn.ReLU(), nn.Hardsigmoid())
    return seq(
        nn.Conv2d(3, w, 3, 2, 1, bias=False),
        nn.BatchNorm2d(w),
        hs(),
        inverted(w, w, 3, 2, w, nn.ReLU, se),
        inverted(w, 24, 3, 2, 72, nn.ReLU, None),
        inverted(24, 24, 3, 1, 88, nn.ReLU, None),
        inverted(24, 40, 5, 2, 96, hs, se),
        inverted(40, 40, 5, 1, 240, hs, se),
        nn.Conv2d(40, 96, 1, bias=False),
        nn.BatchNorm2d(96),
        hs(),
        nn.AdaptiveAvgPool2d(1),
        Flat(),
        nn.Linear(96, 160),
        hs(),
        nn.Dropout(0.2),
        nn.Linear(160, dim),
    )


def efficientnet(w=32, dim=128):
    sw, se = nn.SiLU, lambda c: SE(c, nn.SiLU(), nn.Sigmoid())
    return seq(
        nn.Conv2d(3, w, 3, 2, 1, bias=False),
        nn.BatchNorm2d(w),
        sw(),
        inverted(w, 16, 3, 1, w, sw, se),
        inverted(16, 24, 3, 2, 96, sw, se),
        inverted(24, 24, 3, 1, 144, sw, se),
        inverted(24, 40, 5, 2, 144, sw, se),
        inverted(40, 80, 3, 2, 240, sw, se),
        nn.Conv2d(80, 320, 1, bias=False),
        nn.BatchNorm2d(320),
        sw(),
        nn.AdaptiveAvgPool2d(1),
        Flat(),
        nn.Linear(320, dim),
    )


class Ghost(nn.Module):
    def __init__(self, cin, c, act=True):
        super().__init__()
        h = (c + 1) // 2
        a = [nn.ReLU()] if act else []
        self.c = c
        self.primary = seq(nn.Conv2d(cin, h, 1, bias=False), nn.BatchNorm2d(h), *a)
        self.cheap = seq(nn.Conv2d(h, h, 3, 1, 1, groups=h, bias=False), nn.BatchNorm2d(h), *a)

    def forward(self, x):
        y = self.primary(x)
        return torch.cat([y, self.cheap(y)], 1)[:, : self.c]


def ghost_block(cin, mid, c, s, se):
    m = [Ghost(cin, mid)]
    if s == 2:
        m += [nn.Conv2d(mid, mid, 3, 2, 1, groups=mid, bias=False), nn.BatchNorm2d(mid)]
    if se:
        m += [SE(mid, nn.ReLU(), nn.Hardsigmoid(), linear=True)]
    m += [Ghost(mid, c, False)]
    short = None
    if s == 2 or cin != c:
        short = seq(
            nn.Conv2d(cin, cin, 3, s, 1, groups=cin, bias=False),
            nn.BatchNorm2d(cin),
            nn.Conv2d(cin, c, 1, bias=False),
            nn.BatchNorm2d(c),
        )
    return Residual(seq(*m), short)


def ghostnet(dim=128, size=112):
    k = size // 16
    return seq(
        nn.Conv2d(3, 16, 3, 2, 1, bias=False),
        nn.BatchNorm2d(16),
        nn.PReLU(),
        ghost_block(16, 48, 24, 2, False),
        ghost_block(24, 73, 24, 1, True),
        ghost_block(24, 72, 40, 2, True),
        ghost_block(40, 120, 40, 1, False),
        ghost_block(40, 240, 80, 2, True),
        nn.Conv2d(80, 160, 1, bias=False),
        nn.BatchNorm2d(160),
        nn.PReLU(160),
        nn.Conv2d(160, 160, k, groups=160, bias=False),
        nn.BatchNorm2d(160),
        nn.Conv2d(160, dim, 1),
        Flat(),
    )


# ---- ViT ----
class Attention(nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.h, self.qkv, self.proj = heads, nn.Linear(d, 3 * d, bias=False), nn.Linear(d, d)

    def forward(self, x):
        b, t, d = x.shape
        q, k, v = self.qkv(x).reshape(b, t, 3, self.h, d // self.h).permute(2, 0, 3, 1, 4).unbind(0)
        a = ((q @ k.transpose(-2, -1)) * (d // self.h) ** -0.5).softmax(-1)
        return self.proj((a @ v).transpose(1, 2).reshape(b, t, d))


class ViT(nn.Module):
    def __init__(self, size=112, patch=8, d=128, depth=4, heads=4, dim=128, cls=True, chunk=False):
        super().__init__()
        t = (size // patch) ** 2
        self.patch, self.use_cls = nn.Conv2d(3, d, patch, patch), cls
        self.cls, self.pos = nn.Parameter(torch.randn(1, 1, d) * 0.3), nn.Parameter(torch.randn(1, t + cls, d) * 0.3)
        self.blocks = nn.ModuleList(
            nn.ModuleList(
                [
                    nn.LayerNorm(d),
                    Attention(d, heads),
                    nn.LayerNorm(d),
                    seq(nn.Linear(d, 2 * d), nn.GELU(), nn.Linear(2 * d, d)),
                ]
            )
            for _ in range(depth)
        )
        self.norm = nn.LayerNorm(d)
        self.head = nn.Linear(d if cls else d * t, dim)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        if self.use_cls:
            x = torch.cat([self.cls.expand(x.shape[0], -1, -1), x], 1)
        x = x + self.pos
        for n1, att, n2, mlp in self.blocks:
            x = x + att(n1(x))
            x = x + mlp(n2(x))
        x = self.norm(x)
        return self.head(x[:, 0] if self.use_cls else x.flatten(1))


class Normalised(nn.Module):
    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        return F.normalize(self.net(x))


class Shuffle(nn.Module):
    """Odds and ends: channel shuffle, asymmetric padding, dilation, focus slices, Mish, pooling that rounds up, channel padding, a spelled-out norm."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(12, 16, 3, dilation=2), nn.Conv2d(16, 16, 3, 1, 1, groups=4)
        self.pool, self.avg, self.act, self.fc = (
            nn.MaxPool2d(3, 2, ceil_mode=True),
            nn.AvgPool2d(3, 2, 1, count_include_pad=False),
            nn.Mish(),
            nn.Linear(24 * 16, 16),
        )

    def forward(self, x):
        x = torch.cat([x[:, :, ::2, ::2], x[:, :, 1::2, ::2], x[:, :, ::2, 1::2], x[:, :, 1::2, 1::2]], 1)
        x = self.act(self.a(F.pad(x, (1, 2, 2, 1))))
        b, c, h, w = x.shape
        x = x.view(b, 2, c // 2, h, w).transpose(1, 2).reshape(b, c, h, w)
        x = self.pool(F.leaky_relu(self.b(x), 0.1))
        x = F.pad(self.avg(torch.tanh(x) * F.softplus(x)), (0, 0, 0, 0, 3, 5))
        u, v = x.chunk(2, 1)
        x = torch.cat([u - v.clamp(-0.2, 0.3), v * torch.sigmoid(u.mean((2, 3), keepdim=True))], 1)
        y = self.fc(x.permute(0, 2, 3, 1).reshape(b, -1))
        return y / (y.pow(2).sum(1, keepdim=True) + 1e-6).sqrt()


class Resizes(nn.Module):
    """Every way to resize and to pad, and a product that stretches over heads (multi-query attention)."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Conv2d(3, 8, 3, 2, 1), nn.Conv2d(8, 8, 3, 2), nn.Conv2d(16, 12, 1)
        self.q, self.kv, self.fc = nn.Linear(12, 12), nn.Linear(12, 8), nn.Linear(12 * 30, 16)

    def forward(self, x):
        x = torch.tanh(self.a(F.pad(x, (1, 2, 2, 1), mode="reflect")))
        y = F.interpolate(
            self.b(F.pad(x, (2, 0, 1, 2), mode="replicate")), size=x.shape[2:], mode="bilinear", align_corners=False
        )
        y = y + F.interpolate(
            F.interpolate(x, scale_factor=0.5, mode="bilinear", align_corners=True), size=x.shape[2:], mode="nearest"
        )
        x = self.c(
            torch.cat(
                [
                    F.interpolate(x, (9, 13), mode="bicubic", align_corners=False),
                    F.interpolate(y, (9, 13), mode="bilinear", align_corners=True),
                ],
                1,
            )
        )
        x = F.interpolate(x, (5, 6), mode="bicubic", align_corners=True).flatten(2).transpose(1, 2)
        b, t, d = x.shape
        q, k, v = self.q(x).reshape(b, t, 3, 4).transpose(1, 2), *self.kv(x).reshape(b, 1, t, 8).chunk(2, 3)
        x = (q @ k.transpose(-2, -1) / 2).softmax(-1) @ v
        return self.fc(x.transpose(1, 2).reshape(b, -1))


# ---- Swin: windows, shifted by half of one in every other block, with a mask and a bias by relative place ----
def windows(x, w):
    b, h, wd, c = x.shape
    return x.view(b, h // w, w, wd // w, w, c).permute(0, 1, 3, 2, 4, 5).reshape(-1, w * w, c)


class SwinBlock(nn.Module):
    def __init__(self, d, heads, size, w, shift):
        super().__init__()
        self.h, self.w, self.shift, self.size = heads, w, shift, size
        self.n1, self.n2, self.qkv, self.proj = nn.LayerNorm(d), nn.LayerNorm(d), nn.Linear(d, 3 * d), nn.Linear(d, d)
        self.mlp = seq(nn.Linear(d, 2 * d), nn.GELU(), nn.Linear(2 * d, d))
        self.table = nn.Parameter(torch.randn((2 * w - 1) ** 2, heads) * 0.3)
        at = torch.stack(torch.meshgrid(torch.arange(w), torch.arange(w), indexing="ij")).flatten(1)
        rel = (at[:, :, None] - at[:, None]).permute(1, 2, 0) + w - 1
        self.register_buffer("index", rel[..., 0] * (2 * w - 1) + rel[..., 1])
        zones = torch.zeros(1, size, size, 1)
        for i, a in enumerate((slice(0, -w), slice(-w, -shift or None), slice(-shift, None) if shift else slice(0, 0))):
            for j, b in enumerate(
                (slice(0, -w), slice(-w, -shift or None), slice(-shift, None) if shift else slice(0, 0))
            ):
                zones[:, a, b] = 3 * i + j
        m = windows(zones, w).squeeze(-1)
        self.register_buffer("mask", (m[:, None] != m[:, :, None]).float() * -100.0)

    def attend(self, x):
        n, t, d = x.shape
        q, k, v = self.qkv(x).reshape(n, t, 3, self.h, d // self.h).permute(2, 0, 3, 1, 4).unbind(0)
        a = (q * (d // self.h) ** -0.5) @ k.transpose(-2, -1) + self.table[self.index.view(-1)].view(
            t, t, self.h
        ).permute(2, 0, 1)[None]
        if self.shift:
            a = (a.view(-1, len(self.mask), self.h, t, t) + self.mask[None, :, None]).view(-1, self.h, t, t)
        return self.proj((a.softmax(-1) @ v).transpose(1, 2).reshape(n, t, d))

    def forward(self, x):
        b, h, wd, c = x.shape
        y = self.n1(x)
        y = torch.roll(y, (-self.shift, -self.shift), (1, 2)) if self.shift else y
        y = (
            self.attend(windows(y, self.w))
            .view(b, h // self.w, wd // self.w, self.w, self.w, c)
            .permute(0, 1, 3, 2, 4, 5)
            .reshape(b, h, wd, c)
        )
        x = x + (torch.roll(y, (self.shift, self.shift), (1, 2)) if self.shift else y)
        return x + self.mlp(self.n2(x))


class Swin(nn.Module):
    def __init__(self, size=112, d=48, dim=128, w=7):
        super().__init__()
        s = size // 4
        self.patch, self.a, self.b = nn.Conv2d(3, d, 4, 4), SwinBlock(d, 3, s, w, 0), SwinBlock(d, 3, s, w, w // 2)
        self.norm, self.merge, self.c, self.end, self.fc = (
            nn.LayerNorm(4 * d),
            nn.Linear(4 * d, 2 * d, bias=False),
            SwinBlock(2 * d, 6, s // 2, w, 0),
            nn.LayerNorm(2 * d),
            nn.Linear(2 * d, dim),
        )

    def forward(self, x):
        x = self.b(self.a(self.patch(x).permute(0, 2, 3, 1)))
        x = torch.cat([x[:, ::2, ::2], x[:, 1::2, ::2], x[:, ::2, 1::2], x[:, 1::2, 1::2]], -1)
        return self.fc(self.end(self.c(self.merge(self.norm(x)))).mean((1, 2)))


# ---- LightCNN: max-feature-maps, the larger of two halves ----
class MFM(nn.Module):
    def __init__(self, cin, c, k=3, s=1):
        super().__init__()
        self.f = nn.Linear(cin, 2 * c) if k == 0 else nn.Conv2d(cin, 2 * c, k, s, k // 2)

    def forward(self, x):
        a, b = self.f(x).chunk(2, 1)
        return torch.max(a, b)


def lightcnn(dim=256):
    return seq(
        MFM(1, 24, 5),
        nn.MaxPool2d(2, ceil_mode=True),
        MFM(24, 24, 1),
        MFM(24, 48),
        nn.MaxPool2d(2, ceil_mode=True),
        Residual(seq(MFM(48, 48), MFM(48, 48))),
        MFM(48, 96),
        nn.MaxPool2d(2, ceil_mode=True),
        MFM(96, 64, 1),
        MFM(64, 64),
        nn.MaxPool2d(2, ceil_mode=True),
        Flat(),
        MFM(64 * 64, dim, 0),
    )


# ---- EdgeFace's kind: ConvNeXt blocks, attention across channels, a layer in two thin ones ----
class Channels(nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.h, self.qkv, self.proj, self.t = (
            heads,
            nn.Linear(d, 3 * d),
            nn.Linear(d, d),
            nn.Parameter(torch.rand(heads, 1, 1) + 0.5),
        )

    def forward(self, x):
        b, n, d = x.shape
        q, k, v = self.qkv(x).reshape(b, n, 3, self.h, d // self.h).permute(2, 0, 3, 4, 1).unbind(0)
        a = ((F.normalize(q, dim=-1) @ F.normalize(k, dim=-1).transpose(-2, -1)) * self.t).softmax(-1)
        return self.proj((a @ v).permute(0, 3, 1, 2).reshape(b, n, d))


class Next(nn.Module):
    def __init__(self, d, k, heads=0):
        super().__init__()
        self.dw, self.n, self.mlp, self.gamma = (
            nn.Conv2d(d, d, k, padding=k // 2, groups=d),
            nn.LayerNorm(d, eps=1e-6),
            seq(nn.Linear(d, 4 * d), nn.GELU(), nn.Linear(4 * d, d)),
            nn.Parameter(torch.rand(d)),
        )
        self.x, self.xn = (Channels(d, heads), nn.LayerNorm(d)) if heads else (None, None)

    def forward(self, x):
        y = self.dw(x)
        if self.x is not None:
            b, c, h, w = y.shape
            t = y.reshape(b, c, h * w).permute(0, 2, 1)
            y = (t + self.x(self.xn(t))).permute(0, 2, 1).reshape(b, c, h, w)
        return x + (self.gamma * self.mlp(self.n(y.permute(0, 2, 3, 1)))).permute(0, 3, 1, 2)


class Norm2d(nn.LayerNorm):
    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def edgeface(dim=128):
    return seq(
        nn.Conv2d(3, 24, 4, 4),
        Norm2d(24),
        Next(24, 3),
        Norm2d(24),
        nn.Conv2d(24, 48, 2, 2),
        Next(48, 5),
        Next(48, 5, 4),
        Norm2d(48),
        nn.Conv2d(48, 88, 2, 2),
        Next(88, 7, 4),
        nn.AdaptiveAvgPool2d(1),
        Flat(),
        nn.LayerNorm(88),
        nn.Linear(88, 20, bias=False),
        nn.Linear(20, dim),
    )


# ---- what other families bring: group and instance norms, gates by a convolution over channels, pixel shuffles, other activations, a transposed convolution ----
class ECA(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Conv1d(1, 1, 3, padding=1, bias=False)

    def forward(self, x):
        g = self.f(x.mean((2, 3)).unsqueeze(1)).squeeze(1)
        return x * g.sigmoid()[:, :, None, None]


def others(dim=64):
    return seq(
        nn.Conv2d(3, 16, 3, 2, 1),
        nn.GroupNorm(4, 16),
        nn.ELU(),
        ECA(),
        nn.Conv2d(16, 32, 3, 2, 1),
        nn.InstanceNorm2d(32, affine=True),
        nn.SELU(),
        nn.PixelUnshuffle(2),
        nn.Conv2d(128, 32, 1),
        nn.CELU(0.7),
        nn.ConvTranspose2d(32, 16, 3, 2, 1, output_padding=1, groups=2),
        nn.Softsign(),
        nn.PixelShuffle(2),
        nn.AvgPool2d(3, 2),
        Flat(),
        nn.Linear(4 * 27 * 27, dim),
        nn.LogSoftmax(1),
    )


def ires50(**k):
    return iresnet((3, 4, 14, 3), **k)


NETS = {  # name: (maker, input size, channels, opset, constant folding, training-mode export of batch norms)
    "iresnet18": (lambda: iresnet((2, 2, 2, 2)), 112, 3, 11, True, False),
    "iresnet50": (ires50, 112, 3, 11, True, False),
    "iresnet100": (lambda: iresnet((3, 13, 30, 3)), 112, 3, 12, True, False),
    "iresnet18-unfolded": (lambda: iresnet((2, 2, 2, 2)), 112, 3, 9, False, True),
    "iresnet18-224": (lambda: iresnet((2, 2, 2, 2), size=224), 224, 3, 13, True, False),
    "iresnet18-grey-160": (lambda: iresnet((1, 1, 1, 1), size=160, inc=1), 160, 1, 14, True, False),
    "adaface101": (lambda: AdaFace((3, 13, 30, 3)), 112, 3, 13, False, True),
    "mobilefacenet": (mobilefacenet, 112, 3, 11, False, True),
    "mobilefacenet-folded": (mobilefacenet, 112, 3, 16, True, False),
    "mobilenetv3": (mobilenetv3, 112, 3, 9, False, True),
    "mobilenetv3-14": (mobilenetv3, 112, 3, 14, True, False),
    "efficientnet": (efficientnet, 112, 3, 13, True, True),
    "ghostnet": (ghostnet, 112, 3, 10, False, True),
    "ghostnet-17": (ghostnet, 112, 3, 17, True, False),
    "vit": (ViT, 112, 3, 13, True, False),
    "vit-17": (lambda: ViT(cls=False), 112, 3, 17, True, False),
    "vit-unfolded": (lambda: ViT(depth=2), 112, 3, 11, False, False),
    "swin": (Swin, 112, 3, 13, True, False),
    "swin-17": (Swin, 112, 3, 17, False, False),
    "lightcnn": (lightcnn, 128, 1, 11, True, False),
    "edgeface": (edgeface, 112, 3, 14, True, False),
    "edgeface-17": (edgeface, 112, 3, 17, False, False),
    "others": (others, 112, 3, 13, True, False),
    "others-17": (others, 112, 3, 17, False, False),
    "tiny-odds": (Shuffle, 32, 3, 11, True, False),
    "tiny-odds-17": (Shuffle, 32, 3, 17, False, False),
    "tiny-resize": (Resizes, 24, 3, 11, True, False),
    "tiny-resize-17": (Resizes, 24, 3, 17, False, False),
    "tiny-mobilefacenet": (lambda: Normalised(mobilefacenet(8, 32, 32, (1, 1, 0))), 32, 3, 11, False, True),
    "tiny-vit": (lambda: ViT(16, 8, 16, 1, 2, 16), 16, 3, 13, True, False),
}


def settle(net, x):
    """Statistics and scales as after training: not zero, not one, and activations that neither vanish nor explode."""
    for m in net.modules():
        if isinstance(m, (nn.BatchNorm2d, nn.BatchNorm1d)):
            m.momentum = None
            if m.affine:
                nn.init.uniform_(m.weight, 0.5, 1.5)
                nn.init.normal_(m.bias, 0, 0.2)
        if isinstance(m, nn.PReLU):
            nn.init.uniform_(m.weight, -0.1, 0.4)
        if isinstance(m, nn.Dropout):
            m.p = 0.0
    net.train()
    with torch.no_grad():
        net(x)
    net.eval()
    for m in net.modules():
        if isinstance(m, nn.BatchNorm1d):  # two images say little about variances
            m.running_var.uniform_(0.5, 2)


def away(bn, margin):
    """A hook before an activation: shift the channels of bn in which an input lies nearer to zero than margin times the layer's size."""

    def hook(act, inputs):
        v = inputs[0]
        m = float(margin * v.pow(2).mean().sqrt())
        for c in (v.abs().amin((0, 2, 3)) < m).nonzero().flatten().tolist():
            old, k, new = float(bn.bias[c]), 1, 0.0
            while k < 1000:
                new = float(np.float32(old + (k + 1) // 2 * 2.5 * m * (-1) ** k))
                if float((v[:, c] + (new - old)).abs().min()) >= m:
                    break
                k += 1
            bn.bias.data[c] = new
            v[:, c] += new - old
        return (v,)

    return hook


def nudge(net, x, margin=3e-5):
    """In double precision; the parameters stay numbers of single precision."""
    hooks = [
        act.register_forward_pre_hook(away(bn, margin))
        for m in net.modules()
        if isinstance(m, nn.Sequential)
        for bn, act in zip(m, list(m)[1:])
        if isinstance(bn, nn.BatchNorm2d) and isinstance(act, (nn.PReLU, nn.ReLU))
    ]
    with torch.no_grad():
        net(x)
    for h in hooks:
        h.remove()


def gradient(net, x, c=None):
    x = x.clone().requires_grad_(True)
    y = net(x)
    y = y[0] if isinstance(y, tuple) else y
    c = torch.randn_like(y).float() if c is None else c
    (y * c).sum().backward()
    return y.detach(), c, x.grad.double()


def make(folder, name, seed=20240611):
    maker, size, channels, opset, fold, keep_bn = NETS[name]
    torch.manual_seed(seed)
    net = maker()
    settle(net, torch.randn(4, channels, size, size))
    for attempt in range(10):
        x = torch.randn(1, channels, size, size)
        net.double()
        nudge(net, x.double())
        y, c, g = gradient(net, x.double())
        net.float()
        y1, _, g1 = gradient(net, x, c)
        off, moved = float((y1 - y).norm() / y.norm()), float((g1 - g).norm() / g.norm())
        if moved < 1e-4:
            break
    mode = torch.onnx.TrainingMode.PRESERVE if keep_bn else torch.onnx.TrainingMode.EVAL
    torch.onnx.export(
        net,
        x,
        f"{folder}/{name}.onnx",
        opset_version=opset,
        do_constant_folding=fold,
        training=mode,
        input_names=["input"],
        dynamic_axes={"input": {0: "batch"}} if opset % 2 else None,
    )
    hwc = lambda t: t.numpy()[0].transpose(1, 2, 0).astype("<f4").tobytes()
    with open(f"{folder}/{name}.golden", "wb") as f:
        f.write(hwc(x) + y.numpy().astype("<f4").tobytes() + c.numpy().astype("<f4").tobytes() + hwc(g))
    return attempt, off, moved


if __name__ == "__main__":
    names = sys.argv[2:] or list(NETS)
    if names == ["tiny"]:
        names = [n for n in NETS if n.startswith("tiny")]
    for n in names:
        attempt, off, moved = make(sys.argv[1], n)
        print(
            f"{n}: opset {NETS[n][3]}, {'folded' if NETS[n][4] else 'unfolded'}; image {attempt + 1}; PyTorch in single precision is off by {off:.1e} (embedding) "
            f"and {moved:.1e} (gradient)",
            flush=True,
        )
