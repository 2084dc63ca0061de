# embed, verify and fggb-grad as filters: damaged input, output that cannot be written, readers that go away, joined
# streams, workers, memory.
. "$top/tests/tap.sh"
export PYTHONPATH="$top/tests" XFV_MODEL_PATH="$work"
cat >make.py <<'PY'
from streams import *
open("tiny.xfvm", "wb").write(model())
embedded = lambda n, start=0: [face(f"d/{i}.jpg", i) for i in range(start, start + n)]
open("faces.xfv", "wb").write(stream(embedded(4)))
open("more.xfv", "wb").write(stream([face("d/8.jpg", 8), {"_": "x-note", "text": "kept"}, err("d/9.jpg"), face("d/9b.jpg", 9), face("d/10.jpg", 10), face("d/11.jpg", 11)], x_key=[1, {"a": b"b"}]))
open("large.xfv", "wb").write(stream([face("large", size=20)]))
open("many.xfv", "wb").write(stream(embedded(200)))
open("thousands.xfv", "wb").write(stream([face(f"{i}.jpg", i % 50) for i in range(5000)]))
PY
runs 0 "Python makes faces and a model" "$PYTHON" make.py
runs 0 "embed" embed -m tiny -o e.xfv faces.xfv
runs 0 "verify" verify -o p.xfv e.xfv
runs 0 "fggb-grad" fggb-grad -o g.xfv p.xfv
embed -m tiny -o e-many.xfv many.xfv; verify -o p-many.xfv e-many.xfv
embed -q -m tiny -o e-more.xfv more.xfv
is "$?" 1 "an err record in the input: status 1"

# input of each, and the command
in_of() { case $1 in embed) echo "$2faces.xfv" ;; verify) echo e.xfv ;; *) echo p.xfv ;; esac; }
for p in "embed -m tiny" verify fggb-grad; do
    name=${p%% *}
    input=$(in_of "$name" "")
    case $name in embed) big=many.xfv ;; verify) big=e-many.xfv ;; *) big=p-many.xfv ;; esac
    size=$(wc -c <"$input")
    bad=0 n=0
    while [ $n -lt "$size" ]; do
        head -c $n "$input" | $p >cut 2>err
        [ "$?-$(wc -l <err)" = 3-1 ] || { bad=$((bad + 1)); echo "# cut at $n: $(cat err)"; }
        xfv-json cut >/dev/null 2>&1 && bad=$((bad + 1))
        n=$((n + 1 + size / 23))
    done
    is $bad 0 "$name: input cut anywhere: status 3, one line, no end record in the output"
    head -c $((size - 3)) "$input" | $p 2>err | xfv-json 2>/dev/null | grep -c '"_":"\(face\|pair\)"' >count
    want=4; [ $name = embed ] || want=2
    is "$(cat count)" $want "$name: all that was read before the cut is written"
    $p </dev/null >out 2>err
    is "$?-$(wc -l <err)" 3-1 "$name: empty input: status 3, one line"
    echo "no stream at all" | $p >out 2>err
    is "$?-$(wc -l <err)" 3-1 "$name: a text: status 3, one line"
    runs 4 "$name: no such file: status 4" $p nothing.xfv
    like "$(cat err)" "nothing.xfv.*No such file" "$name: and its name"
    $p "$input" >/dev/full 2>err
    is "$?-$(wc -l <err)" 4-1 "$name: full device: status 4, one line"
    like "$(cat err)" "^$name: .*No space left" "$name: which it names"
    $p -o /dev/full "$input" 2>err
    is "$?" 4 "$name: -o /dev/full: status 4"
    [ -c /dev/full ]; ok $? "$name: and the device is still there"
    $p "$input" >&- 2>err
    is "$?-$(wc -l <err)" 4-1 "$name: closed stdout: status 4, one line"
    { $p $big 2>err; echo $? >status; } | head -c 1 >/dev/null
    is "$(cat status)-$(wc -c <err)" 141-0 "$name: the reader goes away: SIGPIPE, silently"
    { (trap '' PIPE; exec $p $big) 2>err; echo $? >status; } | head -c 1 >/dev/null
    is "$(cat status)-$(wc -c <err)" 141-0 "$name: the same with SIGPIPE ignored by the parent"
    # -o
    rm -f whole.xfv
    $p "$input" >plain.xfv
    runs 0 "$name -o" $p -o whole.xfv "$input"
    cmp -s plain.xfv whole.xfv; ok $? "$name -o: the same bytes"
    is "$(stat -c %a whole.xfv)" 600 "$name -o: for its owner only"
    chmod 640 whole.xfv
    head -c $((size / 2)) "$input" | $p -o whole.xfv 2>/dev/null
    cmp -s plain.xfv whole.xfv; ok $? "$name -o: on failure the old file stays"
    is "$(echo whole.xfv*)" whole.xfv "$name -o: and nothing beside it"
    runs 0 "$name -o over a file" $p -o whole.xfv "$input"
    is "$(stat -c %a whole.xfv)" 640 "$name -o: keeps the mode of the file that it replaces"
    cp "$input" same.xfv
    runs 2 "$name -o onto its input: refused" $p -o same.xfv same.xfv
    cmp -s "$input" same.xfv; ok $? "$name -o onto its input: which stays"
    ln -sf whole.xfv link.xfv
    $p -o link.xfv "$input"
    [ -L link.xfv ] && cmp -s plain.xfv whole.xfv; ok $? "$name -o through a symbolic link: the link stays"
    runs 4 "$name -o into no folder" $p -o nowhere/x.xfv "$input"
    mkfifo fifo
    cat fifo >through.xfv & cat_pid=$!
    $p -o fifo "$input"
    wait $cat_pid
    cmp -s plain.xfv through.xfv; ok $? "$name -o FIFO"
    # a signal in the middle
    $p -o killed.xfv <fifo & pid=$!
    exec 3>fifo
    head -c $((size / 2)) "$input" >&3
    for i in 1 2 3 4 5 6 7 8 9 10; do ls -l /proc/$pid/fd | grep -q '(deleted)' && break; sleep 0.1; done
    is "$(echo killed.xfv*)" "killed.xfv*" "$name: without a name while it runs"
    kill -TERM $pid; wait $pid 2>/dev/null
    is "$?" 143 "$name: SIGTERM is passed on"
    exec 3>&-
    is "$(echo killed.xfv*)" "killed.xfv*" "$name: and nothing is left"
    rm fifo
done

# joined streams, operands, -
e1() { embed -q -m tiny "$@"; }
cat faces.xfv more.xfv | e1 >joined.xfv
cat e.xfv e-more.xfv | cmp -s - joined.xfv; ok $? "embed: of joined streams, the joined results"
e1 faces.xfv more.xfv | cmp -s - joined.xfv; ok $? "embed: of two files, too"
e1 faces.xfv - <more.xfv | cmp -s - joined.xfv; ok $? "embed: and of a file and stdin"
verify -q -o p-more.xfv e-more.xfv
fggb-grad -q -o g-more.xfv p-more.xfv
cat p.xfv p-more.xfv | fggb-grad -q >joined.xfv
cat g.xfv g-more.xfv | cmp -s - joined.xfv; ok $? "fggb-grad: of joined streams, the joined results"
is "$(xfv-json e-more.xfv | jq -c 'select(._ == "x-note") | .text')" '"kept"' "records of unknown kinds are passed on"
is "$(xfv-json g-more.xfv | jq -c 'select(._ == "head") | .x_key')" '[1,{"a":{"bytes":1}}]' \
    "and so are keys of the head"
is "$(xfv-json g.xfv | jq -r 'select(._ == "head") | .provenance[].tool' | tr '\n' ' ')" "embed verify fggb-grad " \
    "each program names itself in the head"
embed -m tiny --no-provenance faces.xfv | verify --no-provenance | xfv-json | head -n 1 >out
is "$(jq -c .provenance out)" '[]' "but with --no-provenance"

# workers
for j in 2 5 0; do
    embed -j $j -m tiny many.xfv | cmp -s - e-many.xfv; ok $? "embed -j $j: the same bytes"
    fggb-grad -j $j p.xfv | cmp -s - g.xfv; ok $? "fggb-grad -j $j: the same bytes"
done
runs 2 "-j -1: status 2" embed -j -1 faces.xfv
like "$(cat err)" "jobs" "and it says so"

# what is ready is not held back until there is more
cat >slow.py <<'PY'
import os, select, subprocess, sys, threading, time
from streams import *
data, n = open(sys.argv[1], "rb").read(), 0
p = subprocess.Popen(sys.argv[2:], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
u = msgpack.Unpacker(max_buffer_size=0)
seen = []
parts = [pack(r) for r in records(data, all=True)]
for part in parts[:3]:
    p.stdin.write(part)
    p.stdin.flush()
deadline = time.time() + 10
while sum(k != "head" for k in seen) < 2 and select.select([p.stdout], [], [], deadline - time.time())[0]:
    u.feed(os.read(p.stdout.fileno(), 1 << 16))
    seen += [r["_"] for r in u]
print(*seen)
threading.Thread(target=lambda: (p.stdin.write(b"".join(parts[3:])), p.stdin.close())).start()
p.stdout.read()
print(p.wait())
PY
is "$("$PYTHON" slow.py faces.xfv embed -m tiny -j 4 | tr '\n' ' ')" "head face face 0 " \
    "embed -j 4: a slow input's records come out at once"
is "$("$PYTHON" slow.py p-many.xfv fggb-grad | tr '\n' ' ')" "head pair pair 0 " "fggb-grad, too"
cat >bytewise.py <<'PY'
import subprocess, sys, time
p = subprocess.Popen(sys.argv[2:], stdin=subprocess.PIPE)
for b in open(sys.argv[1], "rb").read():
    p.stdin.write(bytes([b]))
    p.stdin.flush()
p.stdin.close()
sys.exit(p.wait())
PY
"$PYTHON" bytewise.py faces.xfv embed -m tiny -j 2 | cmp -s - e.xfv; ok $? "input byte by byte: the same bytes"

# memory does not grow with the stream
cat >memory.py <<'PY'
import os, sys
def peak(args, path):
    pid = os.fork()
    if pid == 0:
        os.dup2(os.open(path, os.O_RDONLY), 0)
        os.dup2(os.open("/dev/null", os.O_WRONLY), 1)
        os.execvp(args[0], args)
    _, status, usage = os.wait4(pid, 0)
    assert status == 0, status
    return usage.ru_maxrss
short, long = peak(sys.argv[3:], sys.argv[1]), peak(sys.argv[3:], sys.argv[2])
print("flat" if long < short + 3000 else f"{short} kB, then {long} kB")
PY
embed -m tiny -o e-thousands.xfv thousands.xfv; verify -o p-thousands.xfv e-thousands.xfv
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}quarantine_size_mb=1" # a build with it keeps freed memory
if [ -n "${XFV_SANITIZED:-}" ]; then
    for t in embed verify fggb-grad; do skip "$t: flat memory" "the sanitizer keeps what is freed"; done
else
    is "$("$PYTHON" memory.py many.xfv thousands.xfv embed -m tiny -j 2)" flat \
        "embed: 200 or 5,000 faces, the same memory"
    is "$("$PYTHON" memory.py e-many.xfv e-thousands.xfv verify)" flat "verify: the same"
    is "$("$PYTHON" memory.py p-many.xfv p-thousands.xfv fggb-grad --cache 200K)" flat \
        "fggb-grad: 100 or 2,500 pairs, the same"
fi

# limits
runs 3 "a record over --max-record: status 3" embed -m tiny --max-record 1K large.xfv
runs 3 "and in verify" verify --max-record 1K p.xfv
like "$(cat err)" "max-record" "which the message names"

# A stream of xfv-select --mixed names no model in its head: its faces do.
embed -m tiny faces.xfv -o one.xfv; embed -m tiny --no-provenance faces.xfv -o two.xfv
xfv-select --mixed -o mixed.xfv one.xfv two.xfv
runs 0 "verify of joined streams" verify -m tiny -o mixedpairs.xfv mixed.xfv
runs 0 "an explainer of joined streams" fggb-grad -m tiny mixedpairs.xfv

# progress and messages
e1 --progress=always -j 2 faces.xfv 2>err >/dev/null; ok $? "--progress=always"
"$PYTHON" -c 'from streams import *; open("many.xfv", "wb").write(stream([face(f"f{i}", i) for i in range(25)]))'
embed -m tiny many.xfv | verify --all -t 0 -m tiny -o manypairs.xfv
corrrise --size 4 --masks 1000 --progress=always -m tiny manypairs.xfv 2>err >/dev/null
like "$(tr '\r' '\n' <err)" '^corrrise: [0-9]+ records, [0-9.]+/s, [0-9]+:[0-9][0-9] left' \
    "of a file: rate and time left"
corrrise --size 4 --masks 1000 --progress=always -m tiny <manypairs.xfv 2>err >/dev/null
like "$(tr '\r' '\n' <err)" ' left' "also of one on standard input"
cat manypairs.xfv | corrrise --size 4 --masks 1000 --progress=always -m tiny 2>err >/dev/null
is "$(grep -c left err)" 0 "of a pipe: the rate alone"
e1 --progress=never faces.xfv 2>err >/dev/null
is "$(wc -c <err)" 0 "no progress, no output on stderr"
"$PYTHON" -c \
    'from streams import *; import sys; sys.stdout.buffer.write(stream([{"_": "face", "id": "a\x1b[2J\nembed: forged"}, {"_": "face", "id": b"\xff\xc2".decode("utf-8", "surrogateescape")}]))' >odd.xfv
runs 1 "a face without image: status 1" embed -m tiny odd.xfv
is "$(wc -l <err)" 2 "one line each"
runs 1 "named" embed -m tiny odd.xfv
is "$(wc -l <err)" 2 "one line each, whatever the id holds"
like "$(head -n 1 err)" '^embed: a\\x1b\[2J\\nembed: forged: .*run facecrop' "with control characters escaped"
like "$(tail -n 1 err)" '^embed: \\xff\\xc2: ' "and bytes that are no text"
is "$(xfv-json out | jq -r 'select(._ == "err") | .code' | tr '\n' ' ')" "noimage noimage " "and an err record each"
embed -q -m tiny odd.xfv 2>err >out
is "$?-$(wc -c <err)" 1-0 "-q: the status only"
done_testing
