# xfv-select --pseudonymise: the same name gets the same pseudonym wherever it stands, and no name is left in any byte.
. "$top/tests/tap.sh"
export PYTHONPATH="$top/tests" XFV_MODEL_PATH="$work"
cat >make.py <<'PY'
from streams import *
names = ["photos/Anna_Bell_0001.jpg", "photos/Anna_Bell_0002.jpg", "photos/Carl_Dorn_0001.jpg", "photos/Carl_Dorn_0002.jpg"]
faces = [face(n, i, source=n, x_owner="Anna Bell", x_list=["Carl Dorn"], size=[1, 2]) if 0 else {**face(n, i), "source": n, "owner": "Anna Bell", "of": "Carl Dorn", "others": ["Carl Dorn"]} for i, n in enumerate(names)]
open("tiny.xfvm", "wb").write(model())
open("faces.xfv", "wb").write(stream(faces + [{"_": "x-note", "text": "Anna Bell said so"}, err("photos/Carl_Dorn_0003.jpg", "cannot open photos/Carl_Dorn_0003.jpg")],
    provenance=[{"tool": "facecrop", "version": "1", "args": ["--face=central"]}, {"tool": "theirs", "version": "1", "args": ["--person=Carl Dorn", "Anna Bell"]}]))
open("pairs.tsv", "w").write("".join(f"{a}\t{b}\tyes\n" for a, b in zip(names, names[1:])))
PY
runs 0 "a stream with names in many places" "$PYTHON" make.py
(umask 077; printf '%s\n' 0123456789abcdef0123456789abcdef >key; printf '%s\n' another-key-of-32-bytes-and-more. >key2)
runs 0 "embed" sh -c 'embed -m tiny faces.xfv | cat >embedded.xfv'
runs 1 "verify" verify --all -t 0 -o pairs.xfv embedded.xfv
runs 0 "plant" sh -c 'plant -q --kind noise pairs.xfv | cat >planted.xfv'
for s in faces pairs planted; do
    runs 1 "xfv-select --pseudonymise: $s (an err record: status 1)" xfv-select --pseudonymise key --pseudonym-table \
        $s.names -o $s-p.xfv $s.xfv
    xfv-check -q $s-p.xfv 2>/dev/null
    is "$(grep -acE 'Anna|Carl|Bell|Dorn|photos' $s-p.xfv)" 0 "$s: no name is left in any byte"
    is "$(xfv-json $s.xfv 2>/dev/null | wc -l)" "$(xfv-json $s-p.xfv 2>/dev/null | wc -l)" "$s: every record is there"
    is "$(stat -c %a $s.names)" 600 "$s: the table is for its owner only"
done
runs 0 "fggb-grad and ablate" sh -c 'fggb-grad -q pairs.xfv | ablate -q -n 3 | cat >tried.xfv'
runs 1 "names of pairs with maps and trials" xfv-select --pseudonymise key -o tried-p.xfv tried.xfv
for s in tried tried-p; do
    xfv-json $s.xfv 2>/dev/null | jq -c 'select(._ == "pair") | .maps[] | [.of, .trial]' >$s.said
    report -o $s.html $s.xfv 2>$s.err
done
is "$(cat tried-p.said)" "$(cat tried.said)" "maps still say of which pictures they are, and what a trial said"
like "$(cat tried.said)" '"words"' "there are such words"
is "$(grep -c 'other pictures' tried-p.err)" 0 "report takes the maps for the pair's own"
name() { awk -F '\t' -v n="$1" '$1 == n {print $2}' faces.names; }
p1=$(name photos/Anna_Bell_0001.jpg) p2=$(name photos/Anna_Bell_0002.jpg) p3=$(name photos/Carl_Dorn_0001.jpg)
like "$p1" '^[a-z2-7]{16}_[0-9]{12}$' "the documented form"
is "${p1%_*}" "${p2%_*}" "photographs of one person begin alike"
[ "$p1" != "$p2" ] && [ "${p1%_*}" != "${p3%_*}" ]; ok $? "photographs differ, and persons do"
want=$("$PYTHON" - photos/Anna_Bell_0001.jpg <<'PY'
import base64, hashlib, hmac, sys
def mac(what, s): return hmac.new(b"0123456789abcdef0123456789abcdef", what + b"\0" + s.encode(), hashlib.sha256).digest()
print(base64.b32encode(mac(b"person", "Anna_Bell")).decode().lower()[:16] + "_%012d" % (int.from_bytes(mac(b"name", sys.argv[1])[:8], "big") % 10**12))
PY
)
is "$p1" "$want" "which Python's hmac gives, too"
is "$(xfv-json pairs-p.xfv 2>/dev/null | jq -r 'select(._ == "pair") | .a.id + "|" + .b.id == .id' | sort -u)" true \
    "a pair's id is made of its faces' ids"
is "$(xfv-json pairs-p.xfv 2>/dev/null | jq -r 'select(._ == "pair") | .a.id' | head -n 1)" "$p1" \
    "the same name in another stream has the same pseudonym"
is "$(xfv-json faces-p.xfv 2>/dev/null | jq -c 'select(._ == "head") | [.provenance[] | .args]' | cut -d, -f1-3)" \
    '[["--face=central"],["--person=...","..."]' "the head: our options stay, theirs lose their values"
is "$(xfv-json faces-p.xfv 2>/dev/null | jq -r 'select(._ == "err") | .code + ": " + .message')" \
    "noface: left out by xfv-select --pseudonymise" "an err record keeps its code only"
xfv-select --pseudonymise key2 faces.xfv >other.xfv 2>/dev/null
is "$(xfv-json other.xfv 2>/dev/null | grep -c "$p1")" 0 "another key, other pseudonyms"
xfv-select --pseudonymise key faces.xfv 2>/dev/null | cmp -s - faces-p.xfv; ok $? "the same key, the same bytes"
awk -F '\t' 'NR == FNR {p[$1] = $2; next} {print p[$1] "\t" p[$2] "\t" $3}' faces.names pairs.tsv >pairs-p.tsv
xfv-select --pseudonymise key embedded.xfv 2>/dev/null | verify -t 0 --pairs pairs-p.tsv --tsv >scores-p.tsv 2>/dev/null
verify -t 0 --pairs pairs.tsv --tsv embedded.xfv 2>/dev/null >scores.tsv
is "$(cut -f 3- scores-p.tsv)" "$(cut -f 3- scores.tsv)" "a list of pairs, by the table: the same scores"
is "$(wc -l <scores-p.tsv)" 3 "three pairs"

# Keys that are none.
cp key open; chmod 644 open
runs 2 "a key that others can read" xfv-select --pseudonymise open faces.xfv
like "$(cat err)" "can be read by others .mode 644.: chmod 600" "is said how to mend"
(umask 077; echo short >short; : >empty; head -c 5000 /dev/zero >long)
for k in short empty long; do runs 2 "a key that is $k" xfv-select --pseudonymise $k faces.xfv;
like "$(cat err)" "32 to 4096 are wanted" "$k: names what is wanted"; done
runs 2 "a key that is a folder" xfv-select --pseudonymise . faces.xfv
runs 4 "a key that is not there" xfv-select --pseudonymise nokey faces.xfv
runs 2 "a table without a key" xfv-select --pseudonym-table t faces.xfv
is "$(ls t nokey* 2>/dev/null)" "" "and no file"
is "$(sed -n 's|^"\([a-z0-9-]*\)",$|\1|p' "$B/gen/programs.h" | sort)" \
    "$(cut -f 1 "$B/gen/programs.tsv" | sort)" "what pseudonyms leave alone: every program of ours"
done_testing
