"""Numbers at the ends of what a number may be, in every place of a record that holds one, through every program that reads a stream: extreme.py
[PROGRAM]... No program is ended by a signal, hangs or is caught by a sanitizer; what it writes is a stream. Prints what went wrong, or how many were tried."""
import random, sys
import lost
from streams import *

WHOLE = [0, -1, 2**31 - 1, 2**31, -(2**31), 2**32, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1, -(2**63)]
REAL = [
    1e308,
    -1e308,
    1.7976931348623157e308,
    1e300,
    -1e19,
    9.3e18,
    2147483648.5,
    -2147483649.5,
    5e-324,
    -0.0,
    0.0,
    float("nan"),
    float("inf"),
    float("-inf"),
]
SINGLE = [3.4e38, -3.4e38, 1e-45, float("nan"), float("inf"), float("-inf"), 0.0, 2**31]


def numbers(r, path=()):
    """Where a record holds a number or a tensor."""
    if isinstance(r, dict) and "dtype" in r:
        yield path
    elif isinstance(r, (dict, list)):
        for k in r if isinstance(r, dict) else range(len(r)):
            yield from numbers(r[k], (*path, k))
    elif isinstance(r, (int, float)):
        yield path


def put(r, path, value):
    if not path:
        return value
    r = dict(r) if isinstance(r, dict) else list(r)
    r[path[0]] = put(r[path[0]], path[1:], value)
    return r


def at(r, path):
    for k in path:
        r = r[k]
    return r


def extremes(rng, r):
    """Records with one number, or one tensor's elements, driven to an end; and with all of them."""
    places = sorted(numbers(r), key=str)
    for p in places:
        old = at(r, p)
        if isinstance(old, dict):
            a = array(old).copy()
            if a.dtype.kind == "f":
                a.flat[rng.sample(range(a.size), min(a.size, 3))] = rng.sample(SINGLE, min(a.size, 3))
            yield put(r, p, tensor(a))
            yield put(r, p, {**old, "shape": [rng.choice(WHOLE) for _ in old["shape"]]})
        else:
            yield from (put(r, p, v) for v in rng.sample(WHOLE + REAL, 3))
    for _ in range(3):
        wild = r
        for p in places:
            if not isinstance(at(r, p), dict):
                wild = put(wild, p, rng.choice(REAL))
        yield wild


def streams_of(rng, path):
    """A stream of each extreme: alone, and behind an ordinary record."""
    head, base = lost.load(path)
    calibration = {"data": "", "low": -0.4, "high": 1.0, "impostor": [1, 2], "genuine": [2, 1]}
    face = {
        "box": [1.5, 2.0, 90.0, 100.0],
        "landmarks": [[5.0, 5.0], [10.0, 5.0], [8.0, 8.0], [5.0, 11.0], [10.0, 11.0]],
        "confidence": 0.99,
        "transform": [0.5, 0.0, 1.0, 0.0, 0.5, 2.0],
        "size": [200, 200],
    }
    full = (
        {**base[0], **face}
        if base[0]["_"] == "face"
        else {**base[0], "label": True, **{s: {**base[0][s], **face} for s in "ab"}}
    )
    for r in extremes(rng, full):
        yield stream([r], **head)
        yield stream([base[-1], r, base[0]], **head)
    for c in extremes(rng, {"calibration": calibration}):
        yield stream(base, **head, **c)


def scores_of(path):
    """The scale of a page or a table hangs on the first score."""
    head, base = lost.load(path)
    return [stream([{**base[0], "score": v}, *base], **head) for v in REAL if base[0]["_"] == "pair"]


def try_program(p, path, args, rng):
    command, bad, n = [p, *args.split(), "t.xfv"] + (["-o", "t%d.png"] if p == "heatmap" else []), [], 0
    every = list(streams_of(rng, path))
    for data in scores_of(path) + rng.sample(every, min(len(every), MOST)):
        n += 1
        open("t.xfv", "wb").write(data)
        try:
            status, out, err = lost.run(command)
        except lost.subprocess.TimeoutExpired:
            status, out, err = -999, b"", b"hangs"
        if (
            status in (0, 1, 2, 3, 5)
            and b"runtime error" not in err
            and not (status < 2 and b"\xa5magic\xa3xfv" in out[:40] and not whole(out))
        ):
            continue
        bad.append(f"{' '.join(command)}: status {status}: {err[-200:]!r}")
        open(f"bad-{p}-{n}.xfv", "wb").write(data)
    return bad, n


def whole(out):
    try:
        return records(out, all=True)[-1]["_"] == "end"
    except Exception:
        return False


if __name__ == "__main__":
    MOST = int(lost.os.environ.get("XFV_TEST_EXTREMES", "8"))
    bad, n = [], 0
    for p, path, args in lost.programs():
        more, k = try_program(p, path, args, random.Random(p + args))
        bad, n = bad + more, n + k
    print("\n".join(bad[:20]) or "all stand")
    print(n, "runs", file=sys.stderr)
