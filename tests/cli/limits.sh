# What an input may not pass: each limit has its test here, with the sentence that names it. See LIMITS in xfv(7).
. "$top/tests/tap.sh"
export PYTHONPATH="$top/tests" XFV_MODEL_PATH="$work:$top/models"
anna="$top/tests/photos/anna-1.jpg"
cat >make.py <<'PY'
import struct, zlib
from streams import *
def write(name, data): open(name, "wb").write(data)
write("tiny.xfvm", model())
write("faces.xfv", stream([face("d/%d.jpg" % i, i) for i in range(5)]))
deep = 1
for _ in range(20): deep = [deep]
write("deep.xfv", stream([{"_": "x-deep", "v": deep}]))
write("many.xfv", stream([{"_": "x-many", "v": [0] * (1 << 20)}]))
write("dims.xfv", stream([{"_": "face", "id": "dims", "image": {"dtype": "|u1", "shape": [1] * 9, "data": b"\0"}}]))
def chunk(kind, data): return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
write("large.xfv", stream([face("large", size=32)]))
write("bomb.png", b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(bytes(100000))) + chunk(b"IEND", b""))
def jpeg(scans):
    """8 x 8 grey pixels, progressive: the average, then every coefficient bit by bit, all of them 0: as many scans as wanted, up to 883."""
    def part(marker, body): return b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body
    def scan(first, last, high, low): return part(0xda, bytes([1, 1, 0, first, last, high << 4 | low])) + b"\x7f"
    table = bytes([1] + [0] * 15 + [0]) # one code of one bit: nothing follows
    bits = [scan(k, k, 0 if low == 13 else low + 1, low) for k in range(1, 64) for low in range(13, -1, -1)]
    return b"".join([b"\xff\xd8", part(0xdb, b"\0" + b"\1" * 64), part(0xc2, struct.pack(">BHHBBBB", 8, 8, 8, 1, 1, 0x11, 0)), part(0xc4, b"\0" + table),
                     part(0xc4, b"\x10" + table), scan(0, 0, 0, 0), *bits[:scans - 1], b"\xff\xd9"])
write("scans-500.jpg", jpeg(500)); write("scans-501.jpg", jpeg(501)); write("scans-883.jpg", jpeg(883))
def large(scans):
    """8000 x 8000 grey pixels, progressive, by an arithmetic coder, which leaves out zeros: no scan takes a byte."""
    def part(marker, body): return b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body
    first = b"\xff\xd8" + part(0xdb, b"\0" + b"\1" * 64) + part(0xca, struct.pack(">BHHBBBB", 8, 8000, 8000, 1, 1, 0x11, 0)) + part(0xda, b"\1\1\0\0\0\0") + b"\0"
    return first + (part(0xda, b"\1\1\0\1\x3f\0") + b"\0") * (scans - 1) + b"\xff\xd9" + bytes(200000)
write("long.jpg", jpeg(1)); write("scans-large.jpg", large(80))
nodes = [{"op": "add", "name": "n", "in": ["x", "x"], "out": "y"}] * 65537
head = dict(kind="model", name="big", network="embedding", licence="CC0-1.0", origin="none", input={"colour": "rgb", "mean": [0] * 3, "std": [1] * 3, "transposed": False},
            embedding="y", score="cosine", thresholds=[], graph={"values": [{"name": "x", "shape": [16, 16, 3]}], "nodes": nodes, "outputs": ["y"]})
write("nodes.xfvm", stream([], **head))
head["graph"] = {"values": [{"name": "x", "shape": [65536, 65536, 3]}], "nodes": [], "outputs": ["x"]}
write("elements.xfvm", stream([], **head))
PY
runs 0 "Python makes inputs that ask for too much" "$PYTHON" make.py
# limit STATUS SENTENCE COMMAND...
limit() {
    status=$1 sentence=$2; shift 2
    runs "$status" "$*: status $status" "$@"
    is "$(wc -l <err)" 1 "$*: one line"
    like "$(cat err)" "$sentence" "$*: which names the limit"
}
limit 3 'record larger than 1024 bytes; --max-record raises' xfv-check --max-record 1K large.xfv
limit 3 'more than 4 records; --max-records raises' xfv-check --max-records 4 faces.xfv
runs 0 "as many records as --max-records allows" xfv-check --max-records 5 faces.xfv
limit 3 'nested deeper than 16' xfv-check deep.xfv
limit 3 'more than 1048576 elements' xfv-check many.xfv
limit 1 '0 to 8 dimensions|at most 8 dimensions|dimensions' embed -m tiny dims.xfv
limit 1 '60000 x 60000 pixels, more than the limit of 268435456 .--max-pixels' facecrop --aligned bomb.png
limit 1 'more than the limit of 1000 .--max-pixels' facecrop --aligned --max-pixels 1000 "$anna"
runs 0 "500 scans" facecrop --aligned scans-500.jpg
limit 1 ': 501 scans, more than a photograph of its size has' facecrop --aligned scans-501.jpg
limit 1 ': 501 scans, more' facecrop scans-883.jpg
limit 1 ': 65 scans, more' facecrop --aligned scans-large.jpg
truncate -s 1073741825 long.jpg # a hole: nothing is on the disk
limit 1 'an image file of more than 1024 MiB' facecrop --aligned long.jpg
printf 'a b\n' >long.txt && truncate -s 1073741825 long.txt
limit 3 "'long.txt' is larger than 1073741824 bytes: no list of pairs" verify --pairs long.txt -m tiny faces.xfv
limit 5 '65536' model-info ./nodes.xfvm
limit 5 'elements|too large|impossible|shape' model-info ./elements.xfvm
runs 0 "enough memory" embed --max-memory 200M -m tiny faces.xfv
for bad in 0 x 1P -1 7M; do runs 2 "--max-memory $bad: usage" embed --max-memory=$bad faces.xfv; done
for bad in 0 -1 x nan; do runs 2 "--timeout $bad: usage" embed --timeout=$bad faces.xfv; done

# Time: a network gives up by itself, and the record becomes an err record.
runs 0 "a pair" sh -c "facecrop --aligned '$anna' '$top/tests/photos/bella.jpg' | embed | verify -o pair.xfv"
limit 1 'given up after 0.01 s .--timeout' fggb-grad --timeout 0.01 pair.xfv
cp out late.xfv
is "$(xfv-json late.xfv | jq -r 'select(._ == "err") | .code + " " + .tool')" "timeout fggb-grad" \
    "the err record's code is timeout"
limit 1 'given up after 0.01 s .--timeout' lime -j 2 --timeout 0.01 pair.xfv
runs 0 "time enough" fggb-grad --channels 2 --timeout 100 pair.xfv
# A decoder that does not come back cannot be stopped: the program ends, what came before is out.
if [ "${XFV_SANITIZED:-0}" = 1 ]; then
    skip "out of memory" "AddressSanitizer needs memory of its own, and ends the program when it has none"
    skip "a decoder that hangs" "not preloaded into a build with sanitizers"
else
    limit 4 'out of memory.*--max-memory allows no more than 8388608 bytes' fggb-grad --max-memory 8M pair.xfv
    # A photograph that needs more than its share is an err record, and the next one is read.
    ppmmake blue 3000 3000 | pnmtojpeg >large.jpg
    limit 1 'may take 26 MiB to decode, more than the 20 MiB for one photograph.*--max-memory' facecrop --max-memory \
        40M large.jpg "$anna"
    is "$(xfv-json out | jq -r 'select(._ == "err" or ._ == "face") | .code // "face"' | tr '\n' ' ')" "limit face " \
        "one err record"
    # The system's limit of data: OpenBLAS, libheif and Pango wait for ever or abort when they get no memory.
    few() { (ulimit -d $1; shift; export OPENBLAS_NUM_THREADS=1; exec timeout 60 "$@"); }
    ppmmake blue 3000 3000 | pnmtopng >large.png 2>/dev/null
    if heif-enc -q 20 large.png -o large.heic >/dev/null 2>&1; then
        runs 1 "a photograph that needs more than ulimit -d" few 160000 facecrop --aligned large.heic "$anna"
        is "$(xfv-json out | jq -r 'select(._ == "err" or ._ == "face") | .code // "face"' | tr '\n' ' ')" \
            "limit face " "one err record"
    else
        skip "a large HEIC" "heif-enc is missing, or has no encoder"
    fi
    limit 4 'the limit of data .ulimit -d. is 97 MiB, and OpenBLAS' few 100000 embed faces.xfv
    is "$(few 160000 embed -q -j 4 -m tiny faces.xfv | cksum)" "$(embed -q -m tiny faces.xfv | cksum)" \
        "fewer workers, the same bytes"
    "$PYTHON" -c 'import sys
from streams import *
pair = records(open("pair.xfv", "rb").read())[-1]
pair["a"]["id"] = "\u674e\u660e"
sys.stdout.buffer.write(stream([pair]))' >names.xfv
    fggb-grad -q -o names-maps.xfv names.xfv
    runs 0 "a picture with names in Chinese and no memory for Pango" few 20000 heatmap -q -s 1 -b 0 -o names.png \
        names-maps.xfv
    # What --exec's command reads waits in memory, and the limit counts it.
    cat >three.py <<'PY'
import sys
from streams import *
faces = [r for r in records(sys.stdin.buffer.read()) if r["_"] == "face"]
sys.stdout.buffer.write(stream([{"_": "face", "id": r["id"], "embedding": tensor(np.float32([1, 2, 3]))} for r in faces]))
PY
    limit 4 "out of memory for the faces: --max-memory" corrrise -n 1024 --size 8 --max-memory 100M --exec \
        "$PYTHON three.py" pair.xfv
    # The page waits in memory, and the limit counts it.
    "$PYTHON" -c 'import sys
from streams import *
pair, rng = records(open("pair.xfv", "rb").read())[-1], np.random.default_rng(1)
def other(i): return {**pair, "id": str(i), **{s: {**pair[s], "id": s + str(i), "image": tensor(rng.integers(0, 256, (112, 112, 3), np.uint8))} for s in "ab"}}
sys.stdout.buffer.write(stream([other(i) for i in range(256)]))' >many.xfv
    report --max-memory 16M many.xfv 2>err | wc -c >size
    like "$(cat size) $(cat err)" "^0 report: .*--max-memory allows no more than 16777216 bytes" \
        "a page larger than --max-memory"
    # A line that memory does not suffice for is not the end of its file.
    head -c 40000000 /dev/zero | tr '\0' x >line
    { printf 'd/1.jpg\tx\nd/2.jpg\ty\n'; cat line; } >groups.tsv
    limit 4 "out of memory for a line of 'groups.tsv'" regions --max-memory 16M --groups groups.tsv faces.xfv
    { printf 'a\tb\t.9\t.5\taccept\tgenuine\na\tc\t.1\t.5\treject\timpostor\n'; cat line; } >scores.tsv
    limit 4 "out of memory for a line of 'scores.tsv'" roc --max-memory 16M --scores scores.tsv
    { printf 'a.ppm 1 1 2 1 1 2 1 3 2 3\n'; cat line; } >marks.txt
    limit 4 "out of memory for a line of 'marks.txt'" facecrop --max-memory 16M --landmarks marks.txt a.ppm
    { printf 'a.ppm\0'; cat line; } >list
    limit 4 "out of memory for a line of 'list'" facecrop --aligned --max-memory 16M -0 list
    rm line groups.tsv scores.tsv marks.txt list
    ${CC:-cc} -std=c11 -shared -fPIC -o hijack.so "$top/tests/sandbox/hijack.c" -ldl -pthread
    netpbm=$(printf 'P6\n2 2\n255\n123456789012')
    printf '%s' "$netpbm" >first.ppm
    cp "$anna" "second person.jpg"
    env LD_PRELOAD="$work/hijack.so" XFV_HIJACK=hang facecrop --private --aligned --timeout 0.2 first.ppm first.ppm \
        "second person.jpg" >out 2>err
    is "$? $(tail -n 1 err)" \
        "4 facecrop: record 3 takes much longer than the 0.2 s of --timeout and cannot be stopped: the run ends" \
        "facecrop: a decoder that hangs"
    is "$(xfv-json out 2>/dev/null | jq -r 'select(._ == "face") | .id' | tr '\n' ' ')" "first.ppm first.ppm " \
        "what came before it is out"
    env LD_PRELOAD="$work/hijack.so" XFV_HIJACK=hang facecrop -j 2 --aligned --timeout 0.2 -o faces-2.xfv first.ppm \
        "second person.jpg" >out 2>err
    like "$(cat err)" 'record 2 .second person.jpg. takes' "it is named"
    is "$(ls faces-2* 2>/dev/null)" "" "no half file"
fi
done_testing
