# xfv-json, on streams that Python writes; and the examples of xfv-stream(5).
. "$top/tests/tap.sh"

cat >make.py <<'PY'
import sys, zlib, msgpack, numpy as np
def tensor(a):
    return {"dtype": a.dtype.str, "shape": list(a.shape), "data": a.tobytes()}
def stream(*records):
    head = {"_": "head", "magic": "xfv", "version": [1, 0], "provenance": [{"tool": "py", "version": "1", "args": []}]}
    data = b"".join(r if isinstance(r, bytes) else msgpack.packb(r, unicode_errors="surrogateescape") for r in (head,) + records)
    errors = sum(not isinstance(r, bytes) and r["_"] == "err" for r in records)
    return data + msgpack.packb({"_": "end", "records": len(records), "errors": errors, "crc32": zlib.crc32(data)})
nan, inf = float("nan"), float("inf")
all = stream(
    {"_": "face", "id": "a.jpg", "box": [1.5, 2, 3e-7, -4], "image": tensor(np.arange(12, dtype=np.uint8).reshape(2, 2, 3)),
     "embedding": tensor(np.array([0.1, -2, 3], "<f4"))},
    {"_": "x-odd", "i8": tensor(np.array([-128, 127], "i1")), "i64": tensor(np.array([-2**62, 2**62 + 1])), "f2": tensor(np.array([0.1, 65504], "<f2")),
     "f8": tensor(np.array([[nan, 1e308], [1e308, -inf]])), "none": tensor(np.zeros((0, 3), "<f4")), "nans": tensor(np.array([nan, nan], "<f4")),
     "scalar": tensor(np.array(0.3)), "bytes": b"abc", "ext": msgpack.ExtType(7, b"1234"), "nan": nan, "inf": -inf, "nil": None, "yes": True,
     "u64": 2**64 - 1, "i": -2**63, "tenth": 0.1, "one": 1.0, "third": 1 / 3, "tiny": 5e-324, "zero": -0.0, "map": {}, "list": [[], [1, [2]]],
     "like": {"dtype": "<f4", "shape": [3], "data": b"short"}},
    b"\x82\xa1_\xa5float\xa1f\xca\x3d\xcc\xcc\xcd",
    {"_": "err", "id": 'q"\\\n\t\x01\x7f\u00e9\u20ac\U0001f600' + b"\xff\xc3".decode("utf-8", "surrogateescape"), "tool": "t", "code": "c", "message": "m"})
open("all.xfv", "wb").write(all)
open("pairs.xfv", "wb").write(stream({"_": "pair", "a": {"id": "a"}, "b": {"id": "b"}, "score": 0.5, "accept": True},
    {"_": "err", "id": "c", "tool": "t", "code": "x", "message": "m"}))
open("one.xfv", "wb").write(stream({"_": "face", "id": "a"}))
cut = lambda s: s[:s.rindex(b"\x84\xa1_\xa3end")]
open("noend.xfv", "wb").write(cut(all))
open("trailing.xfv", "wb").write(all + b"\n")
open("count.xfv", "wb").write(all.replace(b"records\x04", b"records\x05"))
open("bomb.xfv", "wb").write(cut(stream()) + b"\x82\xa1_\xa1x\xa1b\xdd\x7f\xff\xff\xff")
open("bomb2.xfv", "wb").write(cut(stream()) + b"\x82\xa1_\xa1x\xa1b\xc6\x0f\xf0\x00\x00")
PY
runs 0 "Python writes the streams" "$PYTHON" make.py

runs 0 "a stream is printed" xfv-json all.xfv
cp out all.json
is "$(wc -l <out)" 6 "a line for each record, the head and the end too"
runs 0 "jq takes every line" jq -c . all.json
is "$(jq -c '._' all.json | tr '\n' ' ')" '"head" "face" "x-odd" "float" "err" "end" ' "in order"
like "$(sed -n 2p all.json)" \
    '^\{"_":"face","id":"a.jpg","box":\[1\.5,2,3e-07,-4\],"image":\{"dtype":"\|u1","shape":\[2,2,3\],"min":0,"max":11,"mean":5\.5\},"embedding":\{"dtype":"<f4","shape":\[3\],"min":-2\.0,"max":3\.0,"mean":0\.366666[0-9]*\}\}$' \
    "keys in order, tensors summed up"
cat >check.py <<'PY'
import json, sys, math
lines = [json.loads(l) for l in open("all.json")]
odd, err = lines[2], lines[4]
def t(key): return {k: v for k, v in odd[key].items() if k not in ("dtype", "shape")}
want = {
    "i8": {"min": -128, "max": 127, "mean": -0.5},
    "i64": {"min": -2**62, "max": 2**62 + 1, "mean": 0.0},
    "f2": {"min": 0.099975586, "max": 65504.0, "mean": (65504 + 0.0999755859375) / 2},
    "f8": {"min": 1e308, "max": 1e308, "mean": 1e308, "nonfinite": 2},
    "none": {"min": None, "max": None, "mean": None},
    "nans": {"min": None, "max": None, "mean": None, "nonfinite": 2},
    "scalar": {"min": 0.3, "max": 0.3, "mean": 0.3},
}
for k, v in want.items(): assert t(k) == v, (k, t(k), v)
assert odd["none"]["shape"] == [0, 3] and odd["scalar"]["shape"] == []
plain = {"bytes": {"bytes": 3}, "ext": {"ext": 7, "bytes": 4}, "nan": None, "inf": None, "nil": None, "yes": True, "u64": 2**64 - 1, "i": -2**63,
         "tenth": 0.1, "one": 1.0, "third": 1 / 3, "tiny": 5e-324, "map": {}, "list": [[], [1, [2]]],
         "like": {"dtype": "<f4", "shape": [3], "data": {"bytes": 5}}}
for k, v in plain.items(): assert odd[k] == v and type(odd[k]) is type(v), (k, odd[k], v)
assert math.copysign(1, odd["zero"]) == -1 and isinstance(odd["zero"], float)
assert lines[3] == {"_": "float", "f": 0.1}, lines[3]
assert err["id"].encode("utf-8", "surrogateescape") == 'q"\\\n\t\x01\x7f\u00e9\u20ac\U0001f600'.encode() + b"\xff\xc3", err
PY
runs 0 "every value reads back" "$PYTHON" check.py
xfv-json --data all.xfv >data.json
is "$(jq -c 'select(._ == "face") | .image.data, .embedding.data' data.json | tr '\n' ' ')" \
    '[0,1,2,3,4,5,6,7,8,9,10,11] [0.1,-2,3] ' "--data prints the numbers"
is "$(jq -c 'select(._ == "x-odd") | .i8.data, .f8.data, .none.data' data.json | tr '\n' ' ')" \
    '[-128,127] [null,1e+308,1e+308,null] [] ' \
    "NaN and infinities as null"
is "$(xfv-json -d <all.xfv | cmp - data.json && echo same)" same "-d, standard input: the same"
is "$(cat all.xfv | xfv-json - one.xfv | wc -l)" 9 "standard input by name, then a file"
is "$(cat all.xfv all.xfv | xfv-json | cat all.json all.json - | sort | uniq -c | awk '{print $1}' | sort -u)" 4 \
    "joined streams are printed one after the other"
mkfifo fifo
cat all.xfv >fifo &
is "$(xfv-json fifo | cmp - all.json && echo same)" same "a FIFO will do"
wait
runs 0 "-o writes a file" xfv-json -o file.json all.xfv
is "$(cmp file.json all.json && wc -c <out)" 0 "and nothing else"

is "$(xfv-json "$top/models/mtcnn-p.xfvm" | jq -r 'select(._ == "head") | .magic, .name' | tr '\n' ' ')" \
    "xfv mtcnn-p " "a model is a stream, too"

# broken input: all that can be read, one clear line, status 3
broken() { # file lines-printed pattern what
    runs 3 "$4: status 3" xfv-json "$1"
    is "$(wc -l <out)" "$2" "$4: what is whole is printed"
    like "$(cat err)" "$3" "$4: $(cut -c1-100 err)"
    is "$(wc -l <err)" 1 "$4: in one line"
}
broken noend.xfv 5 '^xfv-json: noend.xfv: .*no end record after 4 records' "no end"
broken trailing.xfv 6 'after the end record' "a newline after the end"
broken count.xfv 6 'says 5 records, but 4 came' "a wrong end"
broken bomb.xfv 1 'record 1, byte .* more than 1048576 elements' "an array of 2 Gi elements in 5 bytes"
: >empty
broken empty 0 'empty input' "an empty file"
printf '\377\330\377\340\0\020JFIF\0\001' >photo.jpg
broken photo.jpg 0 'photo.jpg: this is a JPEG image, not an xfv stream' "a photograph"
xfv-json /dev/null >out 2>err
is $? 3 "nothing at all: status 3"
n=0 bad=0 size=$(wc -c <all.xfv)
while [ $n -lt "$size" ]; do
    head -c $n all.xfv | xfv-json >out 2>err
    { [ $? -eq 3 ] && [ "$(wc -l <err)" -eq 1 ] && cmp -s -n "$(wc -c <out)" out all.json; } || bad=$((bad + 1))
    n=$((n + 13))
done
is $bad 0 "cut anywhere: status 3, one line, and the beginning of the right output"
# A build with a sanitizer reserves address space without end: there these checks cannot be made.
small_memory() { (ulimit -v 60000; xfv-json --version) >/dev/null 2>&1; }
if small_memory; then
    runs 3 "255 MiB claimed, 60 MB of address space: status 3, not out of memory" sh -c \
        'ulimit -v 60000; xfv-json bomb2.xfv'
    like "$(cat err)" 'ends [0-9]+ bytes into a record' "and why"
else
    skip "255 MiB claimed" "this build does not start in 60 MB"
fi
runs 3 "--max-record refuses what is larger" xfv-json --max-record 1K bomb2.xfv
like "$(cat err)" 'max-record' "and names itself"

# the system says no
runs 4 "a missing file" xfv-json missing.xfv
like "$(cat err)" 'missing.xfv.*No such file' "is named"
runs 4 "a folder" xfv-json .
runs 4 "a full device" sh -c 'xfv-json all.xfv >/dev/full'
like "$(cat err)" '^xfv-json: .*No space left' "$(cat err)"
runs 2 "an unknown option" xfv-json --no-such
runs 0 "--help" xfv-json --help
runs 0 "--version" xfv-json --version

# a reader that goes away
"$PYTHON" - >many.xfv <<'PY'
import sys; sys.argv = [""]; exec(open("make.py").read().split("nan, inf")[0])
sys.stdout.buffer.write(stream(*({"_": "face", "id": "%05d" % i, "pad": "x" * 200} for i in range(2000))))
PY
is "$({ xfv-json many.xfv; echo $? >status; } 2>err | head -c 1)" '{' "| head -c 1"
is "$(cat status) $(cat err)" "141 " "dies of SIGPIPE, silently"
cat >ignored.py <<'PY'
import signal, subprocess
signal.signal(signal.SIGPIPE, signal.SIG_IGN)
p = subprocess.Popen(["xfv-json", "many.xfv"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, restore_signals=False)
p.stdout.read(1); p.stdout.close()
print(p.stderr.read(), p.wait())
PY
is "$("$PYTHON" ignored.py)" "b'' -13" "also where SIGPIPE was ignored"

# memory does not grow with the stream
cat >long.py <<'PY'
import sys, zlib, msgpack
crc, out = 0, sys.stdout.buffer
def put(b):
    global crc
    crc = zlib.crc32(b, crc); out.write(b)
put(msgpack.packb({"_": "head", "magic": "xfv", "version": [1, 0], "provenance": []}))
face = msgpack.packb({"_": "face", "id": "a", "image": bytes(1000000)})
for i in range(300): put(face)
out.write(msgpack.packb({"_": "end", "records": 300, "errors": 0, "crc32": crc}))
PY
if small_memory; then
    is "$("$PYTHON" long.py | (ulimit -v 60000; xfv-json) | wc -l)" 302 "300 MB of records in 60 MB of address space"
else
    skip "300 MB of records" "this build does not start in 60 MB"
fi

# the examples of the man page
example() {
    awk -v want="$1" \
        '/^\.Bd -literal$/ { n++; next } /^\.Ed/ { on = 0 } /^\.Bd/ { next } n == want && !/^\.Ed/ && !done { print } n == want && /^\.Ed/ { done = 1 }' "$top/man/xfv-stream.5"; }
python_example() { for i in 1 2 3 4 5 6 7 8; do example $i >one; grep -q "$1" one && cat one && break; done; }
python_example msgpack.Unpacker >reader.py
python_example "crc = 0" >writer.py
grep -q Unpacker reader.py && grep -q packb writer.py
ok $? "the page has a reader and a writer"
runs 0 "the writer runs" "$PYTHON" writer.py
cp out grey.xfv
is "$(xfv-json grey.xfv | jq -r 'select(._ == "face") | [.id, .image.mean] | @tsv' | tr '\t\n' '  ')" \
    "grey-0 0 grey-128 128 grey-255 255 " "and we read what it writes"
is "$("$PYTHON" reader.py <grey.xfv | tr '\n' ' ')" "grey-0 0.0 grey-128 128.0 grey-255 255.0 " "the reader reads it"
head -c 40000 grey.xfv | "$PYTHON" reader.py >out 2>err
is "$(tail -n 1 err)" "AssertionError: cut" "and sees a cut"
"$PYTHON" -c 'import sys; b = bytearray(open("grey.xfv", "rb").read()); b[5000] ^= 1; sys.stdout.buffer.write(b)' \
    >bad.xfv
"$PYTHON" reader.py <bad.xfv >out 2>err
is "$(tail -n 1 err)" "AssertionError: damaged" "and damage"
runs 3 "as we do" xfv-json bad.xfv

sed -n 's/^\.Dl //p' "$top/man/xfv-json.1" | sed 's/\\(dq/"/g; s/faces.xfv/all.xfv/' >examples.sh
is "$(sh examples.sh 2>&1 | tr '\t' ' ')" 'a b 0.5 true
{"id":"c","tool":"t","message":"m"}
py 1
[0.1,-2,3]' "the examples of xfv-json(1) do what they say"
for page in xfv-stream.5 xfv-json.1; do is "$(mandoc -T lint -W warning "$top/man/$page" 2>&1)" "" "$page has no fault";
done
done_testing
