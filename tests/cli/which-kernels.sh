# XFV_KERNELS: kernels by name, those that compute by bfloat16 terms, what is refused, what the stream says of them.
. "$top/tests/tap.sh"
facecrop "$top/tests/photos/anna-1.jpg" "$top/tests/photos/bella.jpg" | embed -o faces.xfv &&
    verify faces.xfv -o pair.xfv
cat >maps.py <<'PY'
# The relative L2 difference of all maps of two streams, and the kernels that the last program named.
import sys
import msgpack
import numpy as np
def read(path):
    records = list(msgpack.Unpacker(open(path, "rb"), raw=False))
    found = []
    def walk(v):
        if isinstance(v, dict):
            for x in v.values(): walk(x)
        elif isinstance(v, list):
            for x in v: walk(x)
        elif isinstance(v, bytes) and len(v) == 112 * 112 * 4: found.append(v)
    for r in records:
        for m in r.get("maps", []): walk(m)
    return np.frombuffer(b"".join(found), "<f4").astype(np.float64), records[0]["provenance"][-1]["kernels"]
a, _ = read(sys.argv[1])
b, kernels = read(sys.argv[2])
e = np.linalg.norm(a - b) / np.linalg.norm(a)
assert len(a) >= 4 * 112 * 112, len(a)
print(kernels, "same" if e == 0 else "below" if e < float(sys.argv[3]) else f"off by {e:.1e}")
PY
maps() { XFV_KERNELS=$1 fggb-grad --channels 1 pair.xfv -o "$1.xfv"; }

runs 0 "maps by the kernels of this processor" fggb-grad --channels 1 pair.xfv -o own.xfv
like "$("$PYTHON" maps.py own.xfv own.xfv 1)" "^(avx|neon|generic) same" "the stream names them"
maps plain3;
is "$("$PYTHON" maps.py own.xfv plain3.xfv 2e-4)" "plain3 below" \
    "two bfloat16 terms: maps within 2e-4, and the stream says so"
maps plain6; is "$("$PYTHON" maps.py own.xfv plain6.xfv 3e-5)" "plain6 below" "three terms: within 3e-5"
if [ -n "${XFV_TEST_WRAP:-}${XFV_SANITIZED:-}" ]; then
    skip AMX "what watches the program may hide it"
elif grep -q amx_bf16 /proc/cpuinfo; then
    for n in 3 6; do
        runs 0 "AMX, $n products, in the sandbox" env XFV_KERNELS=amx$n fggb-grad --channels 1 pair.xfv -o amx$n.xfv
        is "$("$PYTHON" maps.py plain$n.xfv amx$n.xfv 1)" "amx$n same" "gives the numbers of plain C"
        XFV_KERNELS=amx$n fggb-grad --channels 1 -j 2 pair.xfv -o two.xfv; cmp -s amx$n.xfv two.xfv; ok $? "whatever -j"
    done
    runs 0 "embeddings by AMX" env XFV_KERNELS=amx3 embed --force faces.xfv -o amx.xfv
    verify amx.xfv --tsv >amx.tsv; verify faces.xfv --tsv >own.tsv
    is "$(cut -f 3 amx.tsv | cut -c 1-6)" "$(cut -f 3 own.tsv | cut -c 1-6)" "score as they do to four digits"
else
    runs 2 "AMX where there is none: status 2" env XFV_KERNELS=amx3 embed faces.xfv -o x.xfv
    like "$(cat err)" "'amx3': (this processor has no AMX|the system does not grant AMX|AMX is used on)" \
        "says what is missing"
fi
runs 2 "kernels of no name: status 2" env XFV_KERNELS=amx4 embed faces.xfv -o x.xfv
like "$(cat err)" "XFV_KERNELS asks for kernels 'amx4': none has this name: generic, avx2, " \
    "the message lists those there are"
[ -e x.xfv ]; is $? 1 "and nothing is written"
runs 0 "an empty name is no name" env XFV_KERNELS= embed faces.xfv -o x.xfv
done_testing
