# Workers killed at random moments, one process or all of a part's, again and again: what was finished stays as it was,
# half a part is never there, and the parts joined are, byte by byte, what one run writes: no record lost, none twice.
. "$top/tests/tap.sh"
export PYTHONPATH="$top/tests:$PYTHONPATH" XFV_MODEL_PATH="$work:$top/models"
cat >make.py <<'PY'
import os
import numpy as np
from streams import model
open("tiny.xfvm", "wb").write(model(size=112))
os.mkdir("crops")
rng = np.random.default_rng(4)
for i in range(60):
    open(f"crops/{i:02}.ppm", "wb").write(b"P6 112 112 255\n" + rng.integers(0, 256, (112, 112, 3), np.uint8).tobytes())
open("images", "wb").write(b"".join(f"crops/{i:02}.ppm\0".encode() for i in range(60)))
open("pairs.csv", "w").write("a,b,label\n" + "".join(f"{i:02}.ppm,{(i * 7 + 1) % 60:02}.ppm,{i % 2}\n" for i in range(60)))
PY
cat >kills.py <<'PY'
"""kills.py NAME COMMAND KILLS: COMMAND, a shell pipeline with {i} that writes NAME.{i}.xfv, for parts 1 to 6, killed so often before it may finish."""
import hashlib, os, random, signal, subprocess, sys, time
name, command, kills = sys.argv[1], sys.argv[2], int(sys.argv[3])
rng = random.Random(name)
file = lambda i: f"{name}.{i}.xfv"
digest = lambda i: hashlib.sha256(open(file(i), "rb").read()).hexdigest()
state = lambda i: (os.stat(file(i)).st_ino, os.stat(file(i)).st_mtime_ns)
start = lambda i: subprocess.Popen(["sh", "-c", command.replace("{i}", str(i))], start_new_session=True, stderr=subprocess.DEVNULL)

def members(group):  # the processes of a part, that a signal still reaches
    found = []
    for p in filter(str.isdigit, os.listdir("/proc")):
        try: stat = open(f"/proc/{p}/stat").read().rpartition(")")[2].split()
        except OSError: continue
        if int(stat[2]) == group and stat[0] != "Z": found.append(int(p))
    return found

wanted, took = {}, 9.0
for i in range(1, 7):  # undisturbed, for comparison
    worker, began = start(i), time.monotonic()
    assert worker.wait() == 0, "an undisturbed worker failed"
    took = min(took, time.monotonic() - began)
    wanted[i] = digest(i)
    os.unlink(file(i))
hit = unfinished = 0
for i in range(1, 7):
    for k in range(kills):
        done = {j: state(j) for j in range(1, 7) if os.path.exists(file(j))}
        worker = start(i)
        time.sleep(rng.uniform(0, took))
        alive = members(worker.pid)
        for p in alive if k % 3 == 0 else rng.sample(alive, min(1, len(alive))):
            try: os.kill(p, signal.SIGKILL)
            except ProcessLookupError: pass
        worker.wait()
        while members(worker.pid): time.sleep(0.002)
        hit += bool(alive)
        for j, s in done.items(): assert state(j) == s, f"part {j} was finished, and is another"
        if os.path.exists(file(i)):
            assert digest(i) == wanted[i], f"half of part {i} passes for the whole"
            if k < kills - 1: os.unlink(file(i))  # so that it can be killed again
        else: unfinished += 1
for i in range(1, 7): assert start(i).wait() == 0, "a resumed worker failed"
for i in range(1, 7): assert digest(i) == wanted[i], f"part {i} differs"
print(f"{hit} hit, {unfinished} unfinished", file=sys.stderr)
print("enough" if hit >= 3 * kills and unfinished >= 2 * kills else "too few were killed")
PY
runs 0 "Python makes crops, a list and pairs" "$PYTHON" make.py
facecrop -q --aligned -0 images | embed -q -m tiny -o whole.xfv
verify -q --pairs pairs.csv whole.xfv | path-grad -q --baseline blur -o explained.xfv
ids() { xfv-json "$1" | jq -r 'select(.id) | .id'; }
try() { # NAME COMMAND WHOLE
    runs 0 "$1: killed at random moments" "$PYTHON" kills.py "$1" "$2" 6
    is "$(cat out)" enough "$1: often enough ($(tail -n 1 err))"
    xfv-select --join -q -o joined.xfv "$1".[1-6].xfv
    cmp joined.xfv "$3"; ok $? "$1: joined, the bytes of one run"
    is "$(ids joined.xfv | wc -l) $(ids joined.xfv | sort | uniq -d | wc -l)" "60 0" "$1: 60 records, none twice"
}
try faces 'test -e faces.{i}.xfv || facecrop -q --aligned --shard {i}/6 -0 images | embed -q -m tiny -o faces.{i}.xfv' \
    whole.xfv
try maps 'xfv-check -q maps.{i}.xfv 2>/dev/null || verify -q --pairs pairs.csv --shard {i}/6 whole.xfv | path-grad -q --baseline blur -o maps.{i}.xfv' explained.xfv
done_testing
