"""No record is lost without a word: lost.py [PROGRAM]... For every program that reads a stream, a record of each kind, whole or lacking something, at each place
of a stream. A filter writes it, writes an err record of its id, or names it; a program that writes no stream lets the run be told from one without the record; a whole run may be refused.
Prints what was lost, or how many runs were tried."""
import glob, os, subprocess, sys
from streams import *

LIMIT = int(os.environ.get("XFV_TEST_TIMEOUT", "60"))
MODES = {
    "verify": ["", "--all", "--pairs table.tsv", "--probe d/2.jpg", "--tsv", "--tsv --all"],
    "delins": ["", "--tsv"],
    "regions": ["", "--tsv"],
}


def load(path):
    head, *rest = records(open(path, "rb").read(), all=True)
    return {k: v for k, v in head.items() if k not in ("_", "magic", "version", "provenance")}, rest[:-1]


def less(r, *keys):
    return {k: v for k, v in r.items() if k not in keys}


def kinds(face, pair):
    bare = {s: less(pair[s], "image", "embedding") for s in "ab"}
    return [
        face,
        less(face, "embedding"),
        less(face, "image"),
        less(face, "image", "embedding"),
        err("", "it failed"),
        {"_": "x-note"},
        pair,
        less(pair, "score"),
        less(pair, "label"),
        less(pair, "maps"),
        less(pair, "a", "b"),
        {**pair, **bare},
        {**pair, "a": None},
    ]


def run(command):
    p = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT)
    pictures = glob.glob("t*.png")
    for f in pictures:
        os.unlink(f)
    return p.returncode, p.stdout, p.stderr + b"%d pictures" % len(pictures)


def ids(data):
    """Of the records, and of the faces of pairs."""
    for r in records(data):
        yield from (f.get("id", "") for f in (r, r.get("a"), r.get("b")) if isinstance(f, dict))


def accounted(name, got, without):
    status, out, err = got
    if status in (2, 3) or name.encode() in err or b"are in no line of" in err:
        return True
    if b"\xa5magic\xa3xfv" in out[:40] and b"\xa4kind\xa5model" not in out[:200]:
        return any(name in i.split("|") for i in ids(out)) or name in out.decode("utf-8", "replace")
    return (status, out, err) != without


def try_program(p, path, args):
    head, base = load(path)
    faces, pairs = load("embedded.xfv")[1], load("maps.xfv")[1]
    command = [p, *args.split(), "-v", "t.xfv"] + (["-o", "t%d.png"] if p == "heatmap" else [])
    lost, n = [], 0
    for alone in (False, True):
        rest = [] if alone else base
        open("t.xfv", "wb").write(stream(rest, **head))
        without = run(command)
        for k, r in enumerate(kinds(faces[0], pairs[0])):
            for at in sorted({0, len(rest)}):
                name = f"zq{n}"
                n += 1
                odd = {**r, "id": f"{name}|{name}" if r["_"] == "pair" else name}
                open("t.xfv", "wb").write(stream(rest[:at] + [odd] + rest[at:], **head))
                got = run(command)
                if got[0] not in (0, 1, 2, 3):
                    lost.append(
                        f"{' '.join(command)}: kind {k} at {at} of {len(rest)}: status {got[0]}: {got[2][-200:]!r}"
                    )
                elif not accounted(name, got, without):
                    lost.append(f"{' '.join(command)}: kind {k} at {at} of {len(rest)} is lost")
    return lost, n


def programs():
    table = dict(
        line.rstrip("\n").split("\t", 1) for line in open(os.environ["top"] + "/tests/commands.tsv") if "\t" in line
    )
    for p in sys.argv[1:] or sorted(os.listdir(os.environ["B"] + "/bin")):
        path, _, args = table.get(p, "maps.xfv").partition("\t")
        if p.endswith((".d", ".o")) or path in ("none", "photo"):
            continue
        if b"--max-record" not in subprocess.run([p, "--help"], capture_output=True).stdout:
            continue
        for mode in MODES.get(p) or [args.replace("-q", "")]:
            yield p, path, mode


if __name__ == "__main__":
    lost, n = [], 0
    for case in programs():
        bad, k = try_program(*case)
        lost, n = lost + bad, n + k
    print("\n".join(lost[:20]) if lost else "nothing is lost")
    print(n, "runs", file=sys.stderr)
