"""A soak: soak.py RECORDS [own|tiny]: so many photographs through the whole pipeline, in one stream. While it runs, the memory and the open descriptors of
every process are sampled; in the end every photograph must be accounted for, and neither may have grown. `own` (the default) takes the project's networks and
small photographs, `tiny` a network of 16x16 pixels, which lets 100,000 records pass in some minutes and makes a stage more affordable (delins).
Of each hundred photographs one does not exist and one is damaged: what errors leave behind would be seen, too."""
import os, subprocess, sys, tempfile, threading, time
from PIL import Image
from streams import *

RECORDS = int(sys.argv[1]) // 100 * 100
TINY = sys.argv[2:] == ["tiny"]
SLACK = (
    1024 + RECORDS // 100
)  # kB that memory may grow by from the first third to the last: 10 bytes a record, and an allocator's luck
top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAIRS, ERRORS = (
    RECORDS // 100 * 48,
    RECORDS // 100 * 4,
)  # the two bad ones are an err record each, and so are the two pairs that miss them


def photographs(folder):
    """The list of names, ended by NULs."""
    names = []
    for i, n in enumerate(["anna-1", "anna-2", "bella", "clara"]):
        im = Image.open(f"{top}/tests/photos/{n}.jpg")
        side = 16 if TINY else 96
        im.convert("RGB").resize((side, side), Image.LANCZOS).save(f"{folder}/{n}.jpg", quality=90)
        names.append(f"{n}.jpg")
    open(folder + "/damaged.jpg", "wb").write(open(folder + "/anna-1.jpg", "rb").read()[:300])
    hundred = names * 25
    hundred[10], hundred[51] = "missing.jpg", "damaged.jpg"
    open(folder + "/list", "wb").write("".join(n + "\0" for n in hundred).encode() * (RECORDS // 100))
    open(folder + "/tiny.xfvm", "wb").write(model())


def stages():
    crop, net = (["--aligned", "--size", "16"], ["-m", "tiny"]) if TINY else ([], [])
    yield ["facecrop", "-q", *crop, "-0", "list"]
    yield ["embed", "-q", "-j", "2", *net]
    yield ["verify", "-q"]
    yield ["path-grad", "-q", "-j", "2", *(["--baseline", "blur"] if TINY else [])]
    yield ["fggb-grad", "-q", "--channels", "2"]
    yield ["control-map", "-q"]
    if TINY:
        yield ["delins", "-q", "-n", "2"]
    else:
        yield ["regions", "-q"]
    yield ["xfv-select", "-q"]
    yield [
        "heatmap",
        "-q",
        "--method",
        "path-grad",
        "--layout",
        "maps",
        "-s",
        "1",
        "-b",
        "0",
        "-o",
        "/dev/null",
    ]  # reads what tee gives it
    yield ["xfv-check", "-v"]


def start(folder):
    env = dict(os.environ, LC_ALL="C", XFV_MODEL_PATH=folder + ":" + os.environ.get("XFV_MODEL_PATH", top + "/models"))
    running, last, commands = [], subprocess.DEVNULL, list(stages())

    def run(command, stdin, stdout, **more):
        p = subprocess.Popen(
            command,
            cwd=folder,
            env=env,
            stdin=stdin,
            stdout=stdout,
            stderr=open(f"{folder}/{command[0]}.err", "wb"),
            **more,
        )
        running.append((command[0], p))
        return p.stdout

    for command in commands[:-2]:
        out = run(command, last, subprocess.PIPE)
        if last != subprocess.DEVNULL:
            last.close()
        last = out
    r, w = os.pipe()
    out = run(["tee", f"/dev/fd/{w}"], last, subprocess.PIPE, pass_fds=[w])
    os.close(w)
    last.close()
    run(commands[-2], r, subprocess.DEVNULL)
    os.close(r)
    run(commands[-1], out, subprocess.DEVNULL)
    out.close()
    return running


def sample(pid):
    """Resident kB and open descriptors; None when it is gone."""
    try:
        text = open(f"/proc/{pid}/status").read()
        return int(text.split("VmRSS:")[1].split()[0]), len(os.listdir(f"/proc/{pid}/fd"))
    except (OSError, IndexError):
        return None


def watch(running, every):
    seen = {name: [] for name, _ in running}
    while any(p.poll() is None for _, p in running):
        for name, p in running:
            s = sample(p.pid) if p.poll() is None else None
            if s:
                seen[name].append(s)
        time.sleep(every)
    return seen


def judge(seen, running, folder):
    bad = []
    print(
        f"{'program':12} {'memory, kB: first third':>24} {'last third':>11}  {'descriptors':>12} {'then':>5} {'CPU, s':>8}"
    )
    for name, p in running:
        s = seen[name][1:]
        third = len(s) // 3
        if third < 2:
            bad.append(f"{name}: too few samples ({len(s)}); take more records")
            continue
        (m0, f0), (m1, f1) = (tuple(max(x[k] for x in part) for k in (0, 1)) for part in (s[:third], s[-third:]))
        print(f"{name:12} {m0:24} {m1:11}  {f0:12} {f1:5} {cpu.get(name, 0):8.1f}")
        if m1 > m0 + SLACK:
            bad.append(f"{name}: memory grows from {m0} to {m1} kB")
        if f1 > f0:
            bad.append(f"{name}: descriptors grow from {f0} to {f1}")
        err = open(f"{folder}/{name}.err").read()
        if p.returncode != (0 if name == "tee" else 1):
            bad.append(f"{name}: status {p.returncode}: {err[-300:]}")
    said = open(f"{folder}/xfv-check.err").read().strip().split("\n")[-1]
    if f"0 faces, {PAIRS} pairs, {ERRORS} errors" not in said:
        bad.append(
            f"of {RECORDS} photographs, {PAIRS} pairs and {ERRORS} errors should come of them; xfv-check: {said}"
        )
    return bad


cpu = {}


def reap(running):
    """Wait for each for its CPU time."""

    def one(name, p):
        _, status, use = os.wait4(p.pid, 0)
        p.returncode = os.waitstatus_to_exitcode(status)
        cpu[name] = use.ru_utime + use.ru_stime

    threads = [threading.Thread(target=one, args=r) for r in running]
    for t in threads:
        t.start()
    return threads


with tempfile.TemporaryDirectory() as folder:
    photographs(folder)
    began = time.monotonic()
    running = start(folder)
    for _, p in running:
        p.poll = lambda p=p: p.returncode  # the threads do the waiting
    threads = reap(running)
    seen = watch(running, min(2, 0.05 + RECORDS / 50000))
    for t in threads:
        t.join()
    bad = judge(seen, running, folder)
    print(
        f"{RECORDS} photographs, {PAIRS} pairs, {ERRORS} errors: {sum(cpu.values()):.0f} s of CPU, {time.monotonic() - began:.0f} s; {len(seen['embed'])} samples"
    )
    for b in bad:
        print("WRONG " + b)
print("flat, nothing lost" if not bad else f"{len(bad)} wrong")
sys.exit(bool(bad))
