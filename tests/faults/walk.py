"""Fault injection: walk.py LIBRARY BIN FOLDER [PROGRAM]... Every program runs on a small input, and each time another call of one kind fails:
the n-th read, write, open, close, fsync, rename, fflush or fclose, allocation, start of a thread. Wanted each time: a documented status that fits
the fault, one line on standard error, no signal, no half output file and nothing beside it, no block of memory that is not freed; and when the
status is 0, the right output. With clocks that jump back and forth: the same output. What reads a stream does it all once more between two pipes, at
a fourth of the places: no more is asked of standard output than that it does not look whole."""
import glob, os, subprocess, sys
from streams import *

library, bin_, work, only = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), sys.argv[3], sys.argv[4:]
top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MOST = int(os.environ.get("XFV_FAULTS", "40"))  # places tried for each kind
KINDS = ["read", "write", "open", "close", "fsync", "rename", "flush", "malloc", "thread"]
os.chdir(work)
os.environ.update(PATH=bin_ + ":" + os.environ["PATH"], XFV_MODEL_PATH=work + ":" + top + "/models", LC_ALL="C")


def prepare():
    open("tiny.xfvm", "wb").write(model())
    open("faces.xfv", "wb").write(
        stream(
            [
                face("d/1.jpg", 1),
                {"_": "x-note", "text": "kept"},
                face("d/2.jpg", 2),
                face("d/3.jpg", 3),
                face("d/4.jpg", 4),
            ]
        )
    )
    open("table.tsv", "w").write("d/1.jpg\td/2.jpg\tyes\nd/3.jpg\td/4.jpg\tno\n")
    for command in (
        [bin_ + "/../unit/tflite", "--write", "small.tflite"],
        ["embed", "-m", "tiny", "-o", "embedded.xfv", "faces.xfv"],
        ["verify", "--pairs", "table.tsv", "-o", "pairs.xfv", "embedded.xfv"],
        ["fggb-grad", "-o", "maps.xfv", "pairs.xfv"],
        ["plant", "--skip", "--kind", "patches", "--donors", "embedded.xfv", "-o", "patches.xfv", "pairs.xfv"],
        ["fggb-grad", "-o", "patched.xfv", "patches.xfv"],
        ["control-map", "-o", "two.xfv", "maps.xfv"],
    ):
        subprocess.run(command, check=True)
    open("groups.tsv", "w").write("".join(f"d/{i}.jpg\t{'xy'[i > 2]}\n" for i in range(1, 5)))
    open("key", "w", opener=lambda path, flags: os.open(path, flags, 0o600)).write("k" * 32)


# Once more with options that lead elsewhere than those of commands.tsv.
MORE = {
    "delins": [["delins", "--tsv", "--replicates", "100", "two.xfv"]],
    "explain-score": [["explain-score", "patched.xfv"]],
    "regions": [["regions", "--groups", "groups.tsv", "--replicates", "100", "maps.xfv"]],
    "verify": [["verify", "--tsv", "--all", "embedded.xfv"]],
    "report": [["report", "--groups", "groups.tsv", "--threshold", "0.99", "maps.xfv"]],
    "xfv-select": [
        ["xfv-select", "--id", "d/[12].jpg", "maps.xfv"],
        ["xfv-select", "--pseudonymise", "key", "maps.xfv"],
    ],
}


def help_of(p):
    return subprocess.run([p, "--help"], capture_output=True, text=True).stdout


def command_of(p):
    """The command line tried, less its -o; None: a program that is not walked."""
    rows = [line.rstrip("\n").split("\t") for line in open(top + "/tests/commands.tsv") if not line.startswith("#")]
    row = next((r for r in rows if r[0] == p), None)
    if row and row[1] == "none":
        return {
            "model-info": [p, "./tiny.xfvm"],
            "model-randomise": [p, "-m", "tiny"],
            "model-import": [p, "small.tflite"],
        }.get(p)
    if row:
        photos = [top + "/tests/photos/anna-1.jpg", top + "/tests/photos/bella.jpg"]
        return [p, *(row[2].split() if len(row) > 2 else []), *(photos if row[1] == "photo" else row[1:2])]
    return [p, "maps.xfv"] if "--max-record" in help_of(p) else None


def threads(p, command):
    return command[:1] + ["-j2"] + command[1:] if "--jobs" in help_of(p) else command


def by_pipes(p, command):
    """The same command between two pipes, or None."""
    source = command[-1]
    if p in ("heatmap", "xfv-cmp") or not source.endswith(".xfv") or "--max-record" not in help_of(p):
        return None
    return ["<" + source, *command[:-1]]


def run(command, kind, n):
    piped = command[0].startswith("<")
    source = open(command[0][1:], "rb").read() if piped else None
    command = command[1:] if piped else command
    name = "out.ppm" if command[0] == "heatmap" else "out"
    env = dict(os.environ, LD_PRELOAD=library, XFV_FAULT=f"{kind}:{n}", XFV_FAULT_COUNT=work + "/count")
    for f in glob.glob("out*"):
        os.remove(f)
    try:
        where = {"input": source} if piped else {"stdin": subprocess.DEVNULL}
        r = subprocess.run(
            command + ([] if piped else ["-o", name]),
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=120,
            **where,
        )
    except subprocess.TimeoutExpired:
        return "hang", b"", None, 0, 0
    out = r.stdout if piped else open(name, "rb").read() if os.path.exists(name) else None
    count, live = map(int, (open("count").read() or "0 0").split())  # a killed program says nothing
    return r.returncode, r.stderr, out, count, live


def places(count, most):
    return range(1, count + 1) if count <= most else sorted({1 + i * (count - 1) // (most - 1) for i in range(most)})


def looks_whole(out):
    return b"\xa3end\xa6errors" in out[-80:] if out[1:12] == good_start else False


good_start = stream([])[1:12]


def judge(kind, good, status, err, out, live, piped):
    """What is wrong with this run, or None."""
    if status == "hang" or status < 0:
        return f"{'hangs' if status == 'hang' else f'signal {-status}'}"
    beside = [f for f in glob.glob("out*") if f not in ("out", "out.ppm")]
    if beside:
        return f"leaves {beside}"
    if live > good[4]:
        return f"leaks {live - good[4]} blocks, status {status}, {err!r}"
    if status in (0, 1) and status == good[0] and out == good[2]:
        return None  # it did not matter
    one = 1 <= err.count(b"\n") <= 1 + good[1].count(b"\n")  # warnings may come before it
    of_one = kind in ("read", "open") or b"not enough memory for this photograph" in err
    if status == 1 and of_one and out is not None and out != good[2]:
        return None if one else f"an err record and {err!r}"  # an image that cannot be read is one among many
    unsure = kind == "fsync" and out == good[2]  # named, and then the folder did not reach the disk
    if status not in (0, 1) and not unsure and (looks_whole(out) and out != good[2] if piped else out is not None):
        return "a half output file"
    if status not in ([4, 5] if kind in ("read", "open") else [4]):  # 5: a model that cannot be read
        return f"status {status}, {err!r}"
    return None if one else f"status {status} with {err!r}"


prepare()
tried = bad = 0
commands = [
    (p, c)
    for p in only or sorted(os.listdir(bin_))
    if not p.endswith((".d", ".o"))
    for c in [command_of(p), *MORE.get(p, [])]
    if c
]
commands += [(p, c) for p, c in [(p, by_pipes(p, c)) for p, c in commands] if c]
for p, command in commands:
    piped = command[0].startswith("<")
    shown, most = " ".join(command), max(2, MOST // 4) if piped else MOST
    command = command[:1] + threads(p, command[1:]) if piped else threads(p, command)
    seen = []
    for kind in KINDS:
        good = run(command, kind, 0)
        if good[0] not in (0, 1):
            print(f"{shown}: without a fault: status {good[0]}, {good[1]!r}")
            bad += 1
            break
        for n in places(good[3], most):
            status, err, out, _, live = run(command, kind, n)
            tried += 1
            wrong = judge(kind, good, status, err, out, live, piped)
            if wrong:
                bad += 1
                print(f"{shown}: {kind} {n} of {good[3]} fails: {wrong}")
        seen.append(f"{kind} {good[3]}")
    with_clock = run(command, "clock", 1)
    tried += 1
    if with_clock[:3] != good[:3]:
        bad += 1
        print(
            f"{shown}: with jumping clocks: status {with_clock[0]}, {with_clock[1]!r}, {'the same' if with_clock[2] == good[2] else 'another'} output"
        )
    seen.append(f"blocks left {good[4]}")
    print(f"# {shown}: {', '.join(seen)}", flush=True)
print(f"{tried} faults, {bad} wrong")
sys.exit(bad > 0)
