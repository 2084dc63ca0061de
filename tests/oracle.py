"""For tests: the small network of streams.model() in NumPy, double precision, and derivatives by central differences. None of the product's code."""
import numpy as np
from streams import N, array

rng = np.random.default_rng(1)  # as streams.model(seed=1) draws them, rounded to float32 as the file holds them
W = {
    "w1": rng.normal(0, 0.4, (3, 3, 3, 8)),
    "b1": rng.normal(0, 0.1, 8),
    "s1": rng.uniform(-0.2, 0.5, 8),
    "w2": rng.normal(0, 0.5, (3, 3, 1, 8)),
    "w3": rng.normal(0, 0.1, (512, N)),
    "b3": rng.normal(0, 0.1, N),
}
W = {k: v.astype("<f4").astype(float) for k, v in W.items()}


def network_input(rgb):
    return (np.asarray(rgb, float) - 127.5) / 128


def features(x):
    """x [batch][16][16][3] -> the last feature map [batch][8][8][8]"""
    p = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    a = sum(p[:, i : i + 16 : 2, j : j + 16 : 2] @ W["w1"][i, j] for i in range(3) for j in range(3)) + W["b1"]
    b = np.where(a > 0, a, W["s1"] * a)
    p = np.pad(b, ((0, 0), (1, 1), (1, 1), (0, 0)))
    return sum(p[:, i : i + 8, j : j + 8] * W["w2"][i, j, 0] for i in range(3) for j in range(3))


def embed(x):
    return features(x).reshape(len(x), 512) @ W["w3"] + W["b3"]


def unit(f):
    return f / np.linalg.norm(f, axis=-1, keepdims=True)


def gradient(score, x, h=1e-6):
    """d score / dx by central differences; score takes a batch [n][16][16][3] and gives [n]."""
    e = np.eye(x.size).reshape(-1, *x.shape) * h
    some = [e[i : i + 48] for i in range(0, x.size, 48)]  # as much as a cache holds
    return np.concatenate([(score(x + e) - score(x - e)) / (2 * h) for e in some]).reshape(x.shape)


def masked(rgb, masks, fill=0.0):
    """embeddings of m rgb + (1 - m) fill, masks [n][16][16]"""
    m = np.asarray(masks, float)[..., None]
    return embed(network_input(m * np.asarray(rgb, float) + (1 - m) * fill))


M64 = (1 << 64) - 1


class SplitMix:
    """SplitMix64 as random.h describes it"""

    @staticmethod
    def mix(z):
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & M64
        z = (z ^ z >> 27) * 0x94D049BB133111EB & M64
        return z ^ z >> 31

    def __init__(self, seed, name=b""):
        h = 14695981039346656037
        for c in name:
            h = (h ^ c) * 1099511628211 & M64
        self.state = self.mix(seed + 0x9E3779B97F4A7C15 & M64) ^ (h if name else 0)

    def next(self):
        self.state = self.state + 0x9E3779B97F4A7C15 & M64
        return self.mix(self.state)

    def unit(self):
        return (self.next() >> 11) * 2.0**-53

    def below(self, n):
        while True:
            v = self.next() >> 32
            if v < (1 << 32) - (1 << 32) % n:
                return v % n

    def normal(self):
        u, v = 1 - self.unit(), self.unit()
        return np.sqrt(-2 * np.log(u)) * np.cos(2 * np.pi * v)

    def shuffle(self, v):
        for i in range(len(v), 1, -1):
            j = self.below(i)
            v[i - 1], v[j] = v[j], v[i - 1]


def close(got, wanted, limit=1e-4):
    """relative to the largest value"""
    got, wanted = np.asarray(got, float), np.asarray(wanted, float)
    assert got.shape == wanted.shape, (got.shape, wanted.shape)
    error = np.abs(got - wanted).max() / max(np.abs(wanted).max(), 1e-30)
    assert error <= limit, f"differs by {error:.2e} of the largest value"


def sides(s):
    return np.maximum(s, 0), np.maximum(-s, 0)


def maps_of(record, i=-1):
    m = record["maps"][i]
    return {s: (array(m[s]["similarity"]), array(m[s]["dissimilarity"])) for s in "ab"}


def images(record):
    return [array(record[s]["image"]) for s in "ab"]


def reflect_blur(m, sigma, radius):
    """separable Gaussian, mirrored at the edge pixels' centres"""
    k = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    k /= k.sum()
    period = lambda i, n: np.where(i % (2 * n - 2) < n, i % (2 * n - 2), 2 * n - 2 - i % (2 * n - 2))
    for axis in (1, 0):
        n = m.shape[axis]
        m = sum(w * np.take(m, period(np.arange(n) + o, n), axis) for w, o in zip(k, range(-radius, radius + 1)))
    return m


def lab(rgb):
    """sRGB bytes to CIELAB, D65"""
    c = np.asarray(rgb, float) / 255
    c = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    xyz = (
        c
        @ np.array(
            [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
        ).T
        / [0.95047, 1, 1.08883]
    )
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], -1)


def slic(rgb, segments, compactness):
    """superpixels as image/slic.h describes them"""
    h, w = rgb.shape[:2]
    step = np.sqrt(h * w / segments)
    y, x = np.mgrid[:h, :w]
    p = np.concatenate([lab(rgb), np.stack([y, x], -1) * compactness / step], -1)
    rows, columns = (int(n / step + 0.5) for n in (h, w))
    grid = [((i + 0.5) * h / rows, (j + 0.5) * w / columns) for i in range(rows) for j in range(columns)]
    centres = np.array(
        [[*p[int(a), int(b), :3], (a - 0.5) * compactness / step, (b - 0.5) * compactness / step] for a, b in grid]
    )
    for _ in range(10):
        of = ((p[:, :, None] - centres) ** 2).sum(-1).argmin(-1)
        for c in range(len(centres)):
            if (of == c).any():
                centres[c] = p[of == c].mean(0)
    label, count = np.full((h, w), -1), 0
    for i in range(h):
        for j in range(w):
            if label[i, j] >= 0:
                continue
            piece, todo = {(i, j)}, [(i, j)]
            while todo:
                a, b = todo.pop()
                for n in ((a, b - 1), (a, b + 1), (a - 1, b), (a + 1, b)):
                    if 0 <= n[0] < h and 0 <= n[1] < w and n not in piece and of[n] == of[i, j] and label[n] < 0:
                        piece.add(n)
                        todo.append(n)
            beside = label[i, j - 1] if j else label[i - 1, j] if i else -1
            small = len(piece) < int(step * step / 4) and beside >= 0
            for n in piece:
                label[n] = beside if small else count
            count += not small
    return label
