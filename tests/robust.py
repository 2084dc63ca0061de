"""What every program must do when its world is bad, tried on a command line: robust.py CHECK [ARGUMENT]... -- COMMAND... prints "ok", or what went
wrong. Without arguments each line of standard input is a check: a name, a tab, these words. A line for each is printed: the name, a tab, what came of it.

cuts FILE N    standard input is FILE cut at N positions: status 3, one line, no signal; a program that answers every record with one has
               answered those before the cut
sigpipe FILE   nobody reads standard output: death by SIGPIPE without a word, also when the parent ignored SIGPIPE
full FILE      standard output is a full device: status 4, one line
closed FILE    standard input, then standard output, then both and standard error are closed; standard input is a folder: status 4, one line
garbage FILE   inputs that are no streams, and streams that are wrong: status 3, one line
model FILE M   the model M cut and altered at many positions, given by -m: status 5, one line
"""
import os, random, signal, subprocess, sys, tempfile
from streams import *

LIMIT = int(os.environ.get("XFV_TEST_TIMEOUT", "60"))
CUTS = float(os.environ.get("XFV_TEST_CUTS", "0.5"))  # check-all tries more
problems, tried = [], []


def run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, data=None, **more):
    """status, stdout, stderr; a run that takes too long is a problem."""
    tried.append(command)
    if data is not None:
        stdin = subprocess.PIPE
    p = subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, **more)
    try:
        out, err = p.communicate(data, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        p.kill()
        out, err = p.communicate()
        problems.append(f"hangs, more than {LIMIT} s")
    return p.returncode, out or b"", err


def want(what, got, statuses, lines=1):
    status, _, err = got
    if status in statuses and err.count(b"\n") == lines and (not err or err.endswith(b"\n")):
        return True
    problems.append(f"{what}: status {status}, wanted {' or '.join(map(str, statuses))}; stderr {err[:200]!r}")
    return False


def whole_records(data):
    """Records that are whole in a stream that may be cut."""
    u, n = msgpack.Unpacker(max_buffer_size=0, unicode_errors="surrogateescape"), 0
    u.feed(data)
    try:
        for r in u:
            n += r["_"] not in ("head", "end")
    except Exception:
        pass
    return n


def is_stream(data):
    return b"\xa5magic\xa3xfv" in data[:32]


def positions(size, n):
    n = max(2, int(n * CUTS))
    edges = {0, 1, 2, 7, size - 1, size - 2, size - 20}
    return sorted(i for i in edges | {i * size // n for i in range(n)} if 0 <= i < size)


def cuts(command, path, n):
    data = open(path, "rb").read()
    status, out, err = run(command, data=data)
    if status not in (0, 1):
        problems.append(f"the whole input: status {status}, {err!r}")
    one_to_one = is_stream(out) and whole_records(out) == whole_records(data)
    for at in positions(len(data), int(n)):
        got = run(command, data=data[:at])
        want(f"cut at {at}", got, [3])
        if one_to_one and whole_records(got[1]) != whole_records(data[:at]):
            problems.append(
                f"cut at {at}: {whole_records(data[:at])} records came in, {whole_records(got[1])} went out"
            )
        if is_stream(got[1]) and b"\xa7records" in got[1][-60:]:
            problems.append(f"cut at {at}: the output has an end record")


def sigpipe(command, path):
    for ignored in (False, True):
        r, w = os.pipe()
        os.close(r)
        with open(path, "rb") as f:
            got = run(
                command,
                stdin=f,
                stdout=w,
                restore_signals=False,
                preexec_fn=(lambda: signal.signal(signal.SIGPIPE, signal.SIG_IGN if ignored else signal.SIG_DFL)),
            )
        os.close(w)
        want("SIGPIPE ignored by the parent" if ignored else "SIGPIPE", got, [-signal.SIGPIPE], 0)


def full(command, path):
    with open(path, "rb") as f, open("/dev/full", "wb") as o:
        want("full device", run(command, stdin=f, stdout=o), [4])


def closed(command, path):
    def close(*fds):
        return lambda: [os.close(i) for i in fds]

    unreadable = [1] if command[0] == "facecrop" else [4]  # to facecrop an image that cannot be read is one among many
    want("closed stdin", run(command, preexec_fn=close(0)), unreadable)
    with open(path, "rb") as f:
        want("closed stdout", run(command, stdin=f, stdout=subprocess.DEVNULL, preexec_fn=close(1)), [4])
    with open(path, "rb") as f:
        want(
            "closed stdin, stdout and stderr",
            run(command, stdin=f, stdout=subprocess.DEVNULL, preexec_fn=close(0, 1, 2)),
            [4],
            0,
        )
    folder = os.open("/", os.O_RDONLY)
    want("a folder for stdin", run(command, stdin=folder), unreadable)


def damaged_streams(good):
    """name, bytes: none is a stream."""
    rng = random.Random(7)
    yield "nothing", b""
    yield "a text", b"no stream at all\n"
    yield "a JPEG", b"\xff\xd8\xff\xe0" + bytes(60)
    yield "random bytes", rng.randbytes(5000)
    yield "zeros", bytes(5000)
    head = stream([])[: stream([]).rindex(b"\x84\xa1_")]
    yield "a head alone", head
    yield "no head", pack(face("x"))
    yield "nested too deep", head + b"\x82\xa1_\xa1x\xa1b" + b"\x91" * 100000
    yield "an array of 2^31", head + b"\x82\xa1_\xa1x\xa1b\xdd\x7f\xff\xff\xff"
    yield "a payload of 200 MB that does not come", head + b"\x82\xa1_\xa1x\xa1b\xc6\x0b\xeb\xc2\x00"
    yield "trailing bytes", good + b"\xc0"
    yield "a second stream, cut", good + good[: len(good) // 2]
    yield "version 2", good.replace(b"\xa7version\x92\x01\x00", b"\xa7version\x92\x02\x00", 1)
    for k in range(int(12 * CUTS)):
        i = rng.randrange(20, len(good))
        yield f"one bit of byte {i}", good[:i] + bytes([good[i] ^ 1 << rng.randrange(8)]) + good[i + 1 :]


def garbage(command, path):
    good = open(path, "rb").read()
    for name, data in damaged_streams(good):
        got = run(command, data=data)
        # A wrong value within a record may be told as that record's failure first (the stream's end still refuses the whole), or
        # be seen to disagree with the model.
        lines = got[2].count(b"\n")
        want(name, got, [3, 5] if name.startswith("one bit") else [3], max(1, lines) if lines < 6 else 1)


def model(command, path, model_path):
    good = open(model_path, "rb").read()
    rng = random.Random(5)
    bad = [(f"model cut at {at}", good[:at]) for at in positions(len(good), 8)]
    for k in range(int(12 * CUTS)):
        i = rng.randrange(len(good))
        bad.append((f"model's byte {i} changed", good[:i] + bytes([good[i] ^ 1 << rng.randrange(8)]) + good[i + 1 :]))
    bad.append(("a text for a model", b"hello\n"))
    with tempfile.NamedTemporaryFile(suffix=".xfvm") as f:
        for name, data in bad:
            open(f.name, "wb").write(data)
            with open(path, "rb") as i:
                want(name, run(command + ["-m", f.name], stdin=i), [5])


CHECKS = {"cuts": cuts, "sigpipe": sigpipe, "full": full, "closed": closed, "garbage": garbage, "model": model}


def made(check, *rest):
    split = rest.index("--")
    problems.clear()
    CHECKS[check](list(rest[split + 1 :]), *rest[:split])
    return problems[:8] or ["ok"]


if __name__ == "__main__":
    if sys.argv[1:]:
        print("\n".join(made(*sys.argv[1:])))
    if sys.argv[1:]:
        print(len(tried), "runs", file=sys.stderr)
    for line in [] if sys.argv[1:] else sys.stdin:
        what, words = line.rstrip("\n").split("\t")
        print(what, " / ".join(made(*words.split())), sep="\t", flush=True)
