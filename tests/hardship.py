"""Bad times for one program that reads a stream: hardship.py CHECK INPUT OUTPUT COMMAND...; it writes OUTPUT by -o. Prints "ok", or what went wrong.

kill     killed (SIGKILL) at many moments: OUTPUT is what it was before, or whole
disk     OUTPUT on a full file system of 20 KiB: status 4, one line, OUTPUT as it was, nothing beside it
pipes    its input byte by byte, its output to a reader that takes its time in a pipe of one page: the same bytes
memory   less and less address space: status 0 or 1 with the right output, or 4 with one line (127: the dynamic linker's); nothing hangs
files    fewer and fewer descriptors: the same, or status 5
"""
import fcntl, os, random, resource, signal, subprocess, sys, threading, time

check, source, target, command = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
problems = []


def run(where=None, **more):
    with open(source, "rb") as f:
        return subprocess.run(
            command + ["-o", where or target],
            stdin=f,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=60,
            **more,
        )


def content(path=None):
    try:
        return open(path or target, "rb").read()
    except FileNotFoundError:
        return None


good_run = run()
good = content()
if good_run.returncode not in (0, 1) or not good:
    problems.append(f"without hardship: status {good_run.returncode}, {good_run.stderr!r}")


def kill():
    began = time.monotonic()
    run()
    whole, killed = time.monotonic() - began, 0
    rng = random.Random(11)
    before = good + b"before"  # of the same kind: another file is not replaced
    for i in range(16):
        open(target, "wb").write(before)
        with open(source, "rb") as f:
            p = subprocess.Popen(command + ["-o", target], stdin=f, stderr=subprocess.DEVNULL)
        time.sleep(rng.uniform(0, 1.1 * whole))
        p.send_signal(signal.SIGKILL)
        killed += p.wait() == -signal.SIGKILL
        if content() not in (before, good):
            problems.append(f"killed: {target} is neither what it was nor whole")
    for f in os.listdir("."):
        if f.startswith(target + ".tmp."):
            os.remove(f)
    if not killed:
        problems.append("nothing was killed")
    if run().returncode != good_run.returncode or content() != good:
        problems.append("after the kills: another output")


def disk():
    """In a file system that only this process sees, when the kernel lets it have one; otherwise says so."""
    os.makedirs("small", exist_ok=True)
    r = subprocess.run(
        [
            "unshare",
            "-rm",
            "sh",
            "-c",
            'mount -t tmpfs -o size=20k xfv small 2>/dev/null || exit 99; : >small/out; in=$1; shift; "$@" -o small/out <"$in" >/dev/null; '
            "status=$?; ls small >&2; cat small/out >&2; exit $status",
            "sh",
            source,
            *command,
        ],
        stderr=subprocess.PIPE,
        text=True,
    )
    if r.returncode == 99 or "unshare" in r.stderr:
        print("skip")
        sys.exit()
    lines = r.stderr.splitlines()
    if r.returncode != 4 or lines[1:] != ["out"]:
        problems.append(f"full disk: status {r.returncode}, {lines}")


def pipes():
    r, w = os.pipe()
    out_r, out_w = os.pipe()
    for fd in (r, out_w):
        fcntl.fcntl(fd, 1031, 4096)  # F_SETPIPE_SZ
    p = subprocess.Popen(command, stdin=r, stdout=out_w, stderr=subprocess.DEVNULL)
    os.close(r), os.close(out_w)
    data, got = open(source, "rb").read(), []

    def feed():
        for i in range(0, min(len(data), 6000)):
            os.write(w, data[i : i + 1])
        for i in range(6000, len(data), 777):
            os.write(w, data[i : i + 777])
        os.close(w)

    def take():
        while piece := os.read(out_r, 1 if len(got) < 3000 else 1021):
            got.append(piece)

    threads = [threading.Thread(target=t) for t in (feed, take)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(60)
    p.wait(60)
    if p.returncode != good_run.returncode or b"".join(got) != good:
        problems.append(f"pipes: status {p.returncode}, {len(b''.join(got))} bytes, wanted {len(good)}")


def limited(what, values, statuses):
    for v in values:
        if os.path.exists(target):
            os.remove(target)
        try:
            r = run(preexec_fn=lambda: resource.setrlimit(what, (v, v)))
        except subprocess.TimeoutExpired:
            problems.append(f"limit {v}: hangs")
            continue
        if r.returncode == good_run.returncode and content() == good:
            continue
        if (
            r.returncode not in statuses
            or content() is not None
            or (
                r.stderr.count(b"\n") != 1 + good_run.stderr.count(b"\n")
                and r.returncode != 127
                and r.stderr.count(b"\n") != 1
            )
        ):
            problems.append(f"limit {v}: status {r.returncode}, {r.stderr[:200]!r}")


if not problems:
    if check == "memory":
        limited(resource.RLIMIT_AS, [k << 20 for k in (16, 24, 40, 64, 100, 160, 250, 400, 700)], (4, 127))
    elif check == "files":
        limited(resource.RLIMIT_NOFILE, range(3, 10), (4, 5, 127))
    else:
        {"kill": kill, "disk": disk, "pipes": pipes}[check]()
print("\n".join(problems[:5]) or "ok")
