"""Every program that reads a stream, a photograph or a network against every attack, as one table: trust.py FOLDER [PROGRAM]... (make trust). Each cell holds
how often it was tried, and after a slash what went wrong. KILL, CUT, BOMB: tests/hardship.py and robust.py; FAULT:
tests/faults/walk.py; NUMBER: extreme.py; LOST: lost.py; FUZZ: fuzz/programs.py; HIJACK: sandbox/hijack.c."""
import os, re, shutil, subprocess, sys

top, B, work = os.environ["top"], os.environ["B"], os.path.abspath(sys.argv[1])
python, env = sys.executable, dict(os.environ, PYTHONPATH=top + "/tests", XFV_MODEL_PATH=work + ":" + top + "/models")
ATTACKS = [
    "write",
    "overwrite",
    "replace",
    "remove",
    "beside",
    "truncate",
    "append",
    "fchmod",
    "fcntl",
    "connect",
    "exec",
    "fork",
    "kill",
    "code",
    "read",
    "list",
    "broker",
    "descriptor",
    "openat2",
    "prlimit",
    "affinity",
]


def run(*command, **more):
    left_open = [9] if "XFV_HIJACK" in more else []
    return subprocess.run(
        command, capture_output=True, text=True, errors="replace", env={**env, **more}, cwd=work, pass_fds=left_open
    )


def counted(r):
    """What tests/*.py PROGRAM say: the runs on standard error, and lines of findings."""
    tried = re.search(r"(\d+) runs", r.stderr)
    bad = 0 if r.stdout.strip() in ("all stand", "nothing is lost") else max(1, len(r.stdout.splitlines()))
    return (int(tried[1]) if tried else 0), bad


def kill(p, source, args):
    r = run(
        python,
        top + "/tests/hardship.py",
        "kill",
        source,
        "kill.ppm" if p == "heatmap" else "kill-" + p,
        p,
        *args.split(),
    )
    return 16, r.stdout.strip() not in ("ok", "nothing was killed")  # it may be quicker than a kill


def robust(check, p, source, args):
    n = ("16",) if check == "cuts" else ()
    r = run(python, top + "/tests/robust.py", check, source, *n, "--", p, *args.split())
    m = re.search(r"(\d+) runs", r.stderr)
    return (int(m[1]) if m else 0), 0 if r.stdout.strip() == "ok" else max(1, len(r.stdout.splitlines()))


def image_bombs(p, args):
    """Small files of large images: each is one err record, in less than 1.2 GB."""
    if not os.path.exists(work + "/bombs"):
        run(python, top + "/tests/formats.py", "bombs")
    files, bad = [*open(work + "/bombs").read().split(), "liar.avif", "liar.j2k"], 0
    for f in files:
        r = run("sh", "-c", f"ulimit -d 1200000; {p} {args} {f} | xfv-json")
        bad += '"code":"limit"' not in r.stdout
    return len(files), bad


def fault(p):
    r = run("sh", top + "/tests/faults/run.sh", p, XFV_FAULTS=os.environ.get("XFV_FAULTS", "8"))
    m = re.search(r"(\d+) faults, (\d+) wrong", r.stdout)
    return (int(m[1]), int(m[2])) if m else (0, 1)


def hijack(p, source, args):
    bad = 0
    for what in ATTACKS:
        shutil.rmtree(work + "/out.d", ignore_errors=True)
        os.mkdir(work + "/out.d")
        for f, text in (("victim", "old\n"), ("bait", "bait\n")):
            open(f"{work}/out.d/{f}", "w").write(text)
        open(work + "/precious", "w").write("old\n")
        out = [] if p == "xfv-check" else ["-o", "out.d/out-%d.png" if p == "heatmap" else "out.d/out"]
        with open(work + "/precious", "a") as f:
            os.dup2(f.fileno(), 9)
        r = run(p, *args.split(), *out, *([source] if source else []), LD_PRELOAD=work + "/hijack.so", XFV_HIJACK=what)
        whole = open(work + "/out.d/victim").read() + open(work + "/precious").read() == "old\nold\n"
        bad += (
            not whole
            or "got in" in r.stderr
            or ("refused" not in r.stderr and "stopped by its sandbox" not in r.stderr)
        )
    return len(ATTACKS), bad


MODELS = {
    "model-import": (top + "/tests/onnx/tiny-odds.onnx", ""),
    "model-info": ("tiny", ""),
    "model-randomise": ("", "-m tiny"),
}


def rows():
    table = dict(line.rstrip("\n").split("\t", 1) for line in open(top + "/tests/commands.tsv") if "\t" in line)
    for p in sys.argv[2:] or sorted(os.listdir(B + "/bin")):
        source, _, args = table.get(p, "maps.xfv").partition("\t")
        if p.endswith((".d", ".o")) or (source == "none" and p not in MODELS):
            continue
        if p in MODELS:
            source, args = MODELS[p]
        elif source == "photo":
            source = "anna.jpg"
        elif "--max-record" not in run(p, "--help").stdout:
            continue
        yield p, source, args


def main():
    names = ["kill", "fault", "cut", "bomb", "number", "lost", "fuzz", "hijack"]
    print("program", *names, sep="\t")
    sums = [[0, 0] for _ in names]
    for p, source, args in rows():
        second = args + " -" if p == "xfv-cmp" else args
        silent = p in ("xfv-check", "xfv-cmp", *MODELS)
        stream = source.endswith(".xfv")
        cells = [
            None if silent else kill(p, source, args),
            fault(p),
            robust("cuts", p, source, second) if stream else None,
            robust("garbage", p, source, second) if stream else image_bombs(p, args) if p == "facecrop" else None,
        ]
        cells += [counted(run(python, f"{top}/tests/{t}.py", p)) if stream else None for t in ("extreme", "lost")]
        cells += [
            counted(run(python, top + "/tests/fuzz/programs.py", "20", p)) if stream else None,
            hijack(p, source, args),
        ]
        for total, c in zip(sums, cells):
            if c:
                total[0], total[1] = total[0] + c[0], total[1] + int(c[1])
        print(p, *("-" if not c else f"{c[0]}/{int(c[1])}" for c in cells), sep="\t", flush=True)
    print("all", *(f"{n}/{bad}" for n, bad in sums), sep="\t")
    return any(bad for _, bad in sums)


if __name__ == "__main__":
    sys.exit(main())
