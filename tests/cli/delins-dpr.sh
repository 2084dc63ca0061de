# delins --protocol dpr: giving patched pixels back undoes decisions, sooner by a map that knows where the patches are.
. "$top/tests/tap.sh"
p=$top/tests/photos
mkdir photos
cp "$p/anna-1.jpg" photos/anna_1.jpg; cp "$p/anna-2.jpg" photos/anna_2.jpg; cp "$p/bella.jpg" photos/bella_1.jpg;
cp "$p/clara.jpg" photos/clara_1.jpg
facecrop photos/*.jpg | embed -o faces.xfv
printf '%s\t%s\t%s\n' anna_1.jpg anna_2.jpg genuine anna_2.jpg anna_1.jpg genuine bella_1.jpg anna_1.jpg impostor \
    clara_1.jpg anna_2.jpg impostor >pairs.txt
verify --pairs pairs.txt faces.xfv -o pairs.xfv
runs 0 "patches" sh -c 'plant -k patches --donors faces.xfv pairs.xfv | embed | verify -t 0.6 -o patched.xfv'
# A map that is told: -1 on the patches of genuine pairs, +1 on those of impostors; and its opposite.
cat >oracle.py <<'PY'
import msgpack, numpy as np, sys, zlib
text = dict(unicode_errors="surrogateescape")
def T(a): return {"dtype": "<f4", "shape": list(a.shape), "data": a.astype("<f4").tobytes()}
for r in msgpack.Unpacker(sys.stdin.buffer, max_bin_len=1 << 28, **text):
    same = msgpack.packb(r, **text)
    if r["_"] == "head": read = written = 0
    if r["_"] == "pair":
        m = r["truth"]["mask"]; m = np.frombuffer(m["data"], "u1").reshape(m["shape"]).astype("f4")
        for name, s, d in ("told", m, 0 * m), ("fooled", 0 * m, m):
            if r["label"]: s, d = d, s
            r.setdefault("maps", []).append({"method": name, "params": {}, **{k: {"similarity": T(s), "dissimilarity": T(d)} for k in "ab"}})
    if r["_"] == "end": r["crc32"] = written
    out = msgpack.packb(r, **text)
    if r["_"] != "end": read, written = zlib.crc32(same, read), zlib.crc32(out, written)
    sys.stdout.buffer.write(out)
PY
$PYTHON oracle.py <patched.xfv >told.xfv
runs 0 "a table" delins --protocol dpr --tsv -b 0 -o t.tsv told.xfv
value() { awk -F '\t' -v m="$1" -v t="$2" '$1 == m && $2 == t { print $4 }' "${3:-t.tsv}"; }
is "$(value told 'fnmr at 0 %')-$(value told 'fmr at 0 %')" \
    "$(value fooled 'fnmr at 0 %')-$(value fooled 'fmr at 0 %')" "before anything is given back all methods are alike"
wrong=$(xfv-json patched.xfv |
    jq -s '[.[] | select(._ == "pair" and .label)] | (map(select(.score < .threshold)) | length) / length')
ok "$(awk -v a="$(value told 'fnmr at 0 %')" -v b="$wrong" 'BEGIN { print !(a - b < 1e-4 && b - a < 1e-4) }')" \
    "and it is the patched pairs' own rate ($wrong)"
ok "$(awk -v a="$wrong" 'BEGIN { print !(a > 0) }')" "the patches do harm"
is "$(value told 'fnmr at 75 %')" 0.0000 "the truth given back, all genuine pairs are accepted again"
ok "$(awk -v a="$(value told 'fnmr, mean')" -v b="$(value fooled 'fnmr, mean')" 'BEGIN { print !(a < b) }')" \
    "sooner than by the opposite"
is "$(awk -F '\t' 'NR > 1 { print $2 }' t.tsv | sort -u | wc -l | tr -d ' ')" 42 \
    "20 shares and their mean, of two rates"
delins --protocol dpr --tsv -b 0 -j 2 -o j2.tsv told.xfv; cmp -s t.tsv j2.tsv; ok $? "two workers, the same bytes"
delins --protocol dpr --tsv -b 0 -t -1 -o all.tsv told.xfv
is "$(value told 'fnmr, mean' all.tsv) $(value told 'fmr, mean' all.tsv)" "0.0000 1.0000" \
    "a threshold that accepts everything"
like "$(control-map patched.xfv | delins --protocol dpr --markdown | head -1)" 'method . fnmr at 0 %' "Markdown"
is "$(control-map -k random patched.xfv | delins --protocol dpr --json | jq -c .method | sort -u)" '"control-random"' \
    "JSON Lines"
runs 1 "pairs without patches" sh -c 'control-map pairs.xfv | delins --protocol dpr --tsv'
like "$(cat err)" 'plant --kind patches' "say what to do"
runs 1 "pairs without maps" delins --protocol dpr --tsv patched.xfv
like "$(cat err)" 'explainer' "say what to do"
delins --protocol dpr -b 0 -o measured.xfv told.xfv
is "$(xfv-json measured.xfv | jq -c 'select(._ == "pair") | [.dpr[] | [.method, (.scores | length)]]' | sort -u)" \
    '[["told",20],["fooled",20]]' "without a table: the scores in each pair"
delins --protocol dpr --tsv -b 0 measured.xfv | cmp -s - t.tsv; ok $? "and the table from those, without asking again"
runs 2 "an option of the other protocols" delins --protocol dpr --fill grey told.xfv
done_testing
