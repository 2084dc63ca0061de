"""finite.py FILE: a line for each record of a stream: its id, and its score, err message, or what in it is not finite. Without NumPy (tests/packs.py)."""
import math, struct, sys
from packs import records


def numbers_in(o, where=""):
    """Every number that is not finite: where it is."""
    if isinstance(o, dict) and "dtype" in o and "data" in o:
        kind = {"<f4": "f", "<f8": "d"}.get(o["dtype"])
        v = [x for x, in struct.iter_unpack("<" + kind, o["data"])] if kind else []
        bad = sum(not math.isfinite(x) for x in v)
        if bad:
            yield f"{where}: {bad} of {len(v)}"
    elif isinstance(o, dict):
        for k, v in o.items():
            yield from numbers_in(v, f"{where}.{k}")
    elif isinstance(o, list):
        for i, v in enumerate(o):
            yield from numbers_in(v, f"{where}[{i}]")
    elif isinstance(o, float) and not math.isfinite(o):
        yield f"{where}: {o}"


def words(r):
    bad = ", ".join(numbers_in(r))
    if r["_"] == "err":
        return r["message"]
    if bad:
        return f"not finite: {bad}"
    return f"{r['score']:.6g} {'accept' if r['accept'] else 'reject'}" if r["_"] == "pair" else "finite"


for r in records(open(sys.argv[1], "rb").read()):
    print(f"{r['_']} {r['id']}: {words(r)}")
