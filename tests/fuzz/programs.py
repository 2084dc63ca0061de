"""Whole programs on mutated streams: programs.py RUNS [PROGRAM]... in a folder that trust.py or tests/cli/lost.sh prepared.
Records are changed by kind, type, number and length and packed again, so that the change is met behind the reader. Wanted each
time: a documented status, no signal, no sanitizer's word, at most 20 s and 1 GiB, a whole stream or none, and every record in
the output, on standard error, or counted. Prints what was not so; a finding stays as finding-PROGRAM-N.xfv."""
import os, random, resource, subprocess, sys

top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, top + "/tests")
import lost
from streams import *

SECONDS, BYTES = 20, 1 << 30
VALUES = [
    None,
    True,
    -1,
    0,
    2**31,
    2**63,
    2**64 - 1,
    -(2**63),
    1e308,
    float("nan"),
    float("-inf"),
    "",
    "x" * 70000,
    b"",
    b"\xff" * 9,
    [],
    {},
    [[[]]],
    {"dtype": "<f4", "shape": [0], "data": b""},
    {"dtype": "|u1", "shape": [2**40, 3, 3], "data": b"12"},
]


def places(r, path=()):
    if isinstance(r, (dict, list)):
        for k in r if isinstance(r, dict) else range(min(len(r), 40)):
            yield (*path, k)
            yield from places(r[k], (*path, k))


def change(rng, r):
    """One value of a record, another one's place in it, or a key, changed; its kind and id stay."""
    where = [p for p in places(r) if p not in (("_",), ("id",))]
    if not where:
        return r
    path = rng.choice(where)

    def at(v, path):
        v = dict(v) if isinstance(v, dict) else list(v)
        k = path[0]
        if len(path) > 1:
            v[k] = at(v[k], path[1:])
        elif rng.random() < 0.15 and isinstance(v, dict):
            del v[k]
        elif isinstance(v[k], bytes) and rng.random() < 0.7:
            data = bytearray(v[k][: rng.choice([len(v[k]), len(v[k]) // 2])])
            for _ in range(3):
                if data:
                    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
            v[k] = bytes(data)
        else:
            v[k] = rng.choice(VALUES)
        return v

    return at(r, path)


def limits():
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))
    if "XFV_SANITIZED" not in os.environ:
        resource.setrlimit(resource.RLIMIT_DATA, (BYTES, BYTES))


def one(rng, p, args, head, base, faces, pairs):
    recs = [dict(rng.choice(base)) for _ in range(rng.randrange(1, 6))]
    if rng.random() < 0.3:
        recs.insert(rng.randrange(len(recs) + 1), dict(rng.choice(faces + pairs)))
    for i, r in enumerate(recs):
        r["id"] = f"zq{i}|zq{i}" if r["_"] == "pair" else f"zq{i}"
        for _ in range(rng.choice([0, 1, 1, 2])):
            r = recs[i] = change(rng, r)
    if rng.random() < 0.2:
        head = change(rng, head)
    try:
        data = stream(recs, **head)
    except Exception:
        return None, None
    open("t.xfv", "wb").write(data)
    command = [p, *args.split(), "-v", "t.xfv"] + (["-o", "t%d.png"] if p == "heatmap" else [])
    try:
        q = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=4 * SECONDS, preexec_fn=limits
        )
    except subprocess.TimeoutExpired:
        return data, "hangs"
    for f in lost.glob.glob("t*.png"):
        os.unlink(f)
    said = q.stderr[-300:]
    if q.returncode not in (0, 1, 2, 3, 5):
        return data, f"status {q.returncode}: {said!r}"
    if b"runtime error" in q.stderr:
        return data, f"sanitizer: {said!r}"
    if q.returncode > 1 or b"\xa5magic\xa3xfv" not in q.stdout[:40] or b"\xa4kind\xa5model" in q.stdout[:200]:
        return data, None
    try:
        whole = records(q.stdout, all=True)[-1]["_"] == "end"
    except Exception:
        whole = False
    if not whole:
        return data, "a broken output"
    text = q.stdout + q.stderr
    gone = [r["id"] for r in recs if r["id"].split("|")[0].encode() not in text]
    return data, None if not gone or b"in no line of" in q.stderr else f"lost: {gone}"


def try_program(p, path, args, runs, seed):
    rng, found, n = random.Random(f"{seed} {p} {args}"), [], 0
    (head, base), faces, pairs = lost.load(path), lost.load("embedded.xfv")[1], lost.load("maps.xfv")[1]
    while n < runs:
        data, bad = one(rng, p, args, head, base, faces, pairs)
        if data is None:
            continue
        n += 1
        if not bad:
            continue
        found.append(f"{p} {args}: {bad}")
        open(f"finding-{p}-{n}.xfv", "wb").write(data)
    return found, n


if __name__ == "__main__":
    runs, sys.argv[1:] = int(sys.argv[1]), sys.argv[2:]
    found, n = [], 0
    for p, path, args in lost.programs():
        more, k = try_program(p, path, args, runs, os.environ.get("SEED", "1"))
        found, n = found + more, n + k
    print("\n".join(found[:20]) or "all stand")
    print(n, "runs", file=sys.stderr)
    sys.exit(bool(found))
