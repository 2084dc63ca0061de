# fggb-grad's kept gradients and its dial, on real photographs.
. "$top/tests/tap.sh"
facecrop "$top"/tests/photos/anna-1.jpg "$top"/tests/photos/bella.jpg | embed -o two.xfv
verify two.xfv -o pair.xfv

runs 0 "exact maps" fggb-grad -o exact.xfv pair.xfv
runs 0 "two workers" fggb-grad -j 2 -o exact2.xfv pair.xfv
cmp -s exact.xfv exact2.xfv
ok $? "the same bytes for one worker and two"

runs 0 "keep the gradients of face records" fggb-grad --keep-gradients -o kept.xfv two.xfv
is "$(xfv-json kept.xfv | jq -c 'select(._=="face").gradients.maps|[.dtype,.shape]' | sort -u)" \
    '["<f2",[192,112,112]]' "each face holds 192 maps in half precision"
runs 0 "explain from kept gradients" sh -c 'verify kept.xfv | fggb-grad -v -o reused.xfv'
like "$(cat err)" ' 0 forward and about 0 backward passes' "nothing is differentiated again"
is "$(xfv-json reused.xfv | jq -c 'select(._=="pair")|[.a.gradients,.b.gradients]')" '[null,null]' \
    "what was used goes no further"
runs 0 "other options: kept gradients do not fit" sh -c \
    'verify kept.xfv | fggb-grad --embedding raw --channels 4 -v -o /dev/null'
like "$(cat err)" ' 2 forward' "so the faces are differentiated anew"

runs 0 "--channels" fggb-grad --channels 60 -o m60.xfv pair.xfv
runs 0 "--tolerance" fggb-grad --tolerance 0.05 -o t05.xfv pair.xfv
runs 0 "--tolerance 0 is exact" fggb-grad --tolerance 0 -o t0.xfv pair.xfv
runs 2 "--tolerance without unit norms" fggb-grad --tolerance 0.1 --norm max pair.xfv
runs 2 "no channels" fggb-grad --channels 0 pair.xfv
cat >compare.py <<'PY'
import sys, msgpack, numpy as np
def maps(p):
    for r in msgpack.Unpacker(open(p, "rb"), raw=False, max_buffer_size=1 << 31):
        if r["_"] == "pair":
            m = r["maps"][0]
            for s in "ab":
                yield m["params"], *(np.frombuffer(m[s][k]["data"], "<f4").astype(float) for k in ("similarity", "dissimilarity"))
for (_, p, d), (q, p2, d2) in zip(maps("exact.xfv"), maps(sys.argv[1])):
    e, n = np.linalg.norm((p - d) - (p2 - d2)), np.linalg.norm(p - d)
    print("within" if e <= min(q.get("error_bound", 1e9) + 1e-6, float(sys.argv[2]) * n) else f"off by {e} of {n}, bound {q}")
PY
is "$("$PYTHON" compare.py reused.xfv 1e-3)" "within
within" "kept gradients give the exact maps within 1e-3"
is "$("$PYTHON" compare.py m60.xfv 1)" "within
within" "60 channels: the error is within the recorded bound"
is "$("$PYTHON" compare.py t05.xfv 0.2)" "within
within" "--tolerance: the error is within the recorded bound"
done_testing
