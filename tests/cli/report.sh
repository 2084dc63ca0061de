# report: one HTML page that stands alone, whatever the stream holds. (tests/browser drives the page itself.)
. "$top/tests/tap.sh"
pairs() { "$PYTHON" "$top/tests/gen/pairs.py" "$@"; }
cat >check.py <<'PY'
"""check.py PAGE: well-formed? prints what it holds. Every tag closed in order, ids unique, every reference there, nothing from outside."""
import base64, hashlib, re, sys
from html.parser import HTMLParser

VOID = {"meta", "img", "input", "br", "hr", "link", "option", "wbr"}  # an option's end tag may be left out
text = open(sys.argv[1], encoding="utf-8").read()  # strict: must be UTF-8


class Page(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.ids, self.links, self.count, self.alts, self.bad, self.csp, self.raw = [], [], [], {}, [], [], "", {}

    def handle_starttag(self, tag, attrs):
        a = dict(attrs)
        self.count[tag] = self.count.get(tag, 0) + 1
        if len(a) != len(attrs): self.bad.append("attribute twice in " + tag)
        if "id" in a: self.ids.append(a["id"])
        for k, v in attrs:
            if k.startswith("on") or k == "style": self.bad.append(tag + " " + k)
            if k == "href" and tag == "image":
                if not base64.b64decode(v.split(",", 1)[1], validate=True).startswith(b"\xff\xd8\xff"): self.bad.append("a picture")
            elif k == "href": self.links.append(v)
            if k == "src" and not v.startswith("data:image/png;base64,"): self.bad.append("src " + v[:40])
        if tag == "img":
            self.alts.append(a["alt"])
            if not base64.b64decode(a["src"].split(",", 1)[1], validate=True).startswith(b"\x89PNG"): self.bad.append("an image")
        if tag == "meta" and a.get("http-equiv") == "Content-Security-Policy": self.csp = a["content"]
        if tag not in VOID: self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID: self.open.pop()

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag: self.bad.append("/" + tag)

    def handle_data(self, data):
        if self.open and self.open[-1] in ("script", "style"): self.raw[self.open[-1]] = self.raw.get(self.open[-1], "") + data


p = Page()
p.feed(text)
p.close()
p.bad += p.open
p.bad += [i for i in set(p.ids) if p.ids.count(i) > 1]
p.bad += [l for l in p.links if not (l.startswith("#") and l[1:] in p.ids)]
for kind in ("script", "style"):
    digest = base64.b64encode(hashlib.sha256(p.raw[kind].encode()).digest()).decode()
    if f"{kind}-src 'sha256-{digest}'" not in p.csp: p.bad.append("hash of " + kind)
if not p.csp.startswith("default-src 'none'; img-src data:;"): p.bad.append("policy")
p.bad += re.findall(r"(?:https?:)?//[a-z0-9]+\.[a-z]+|url\(|@import|<link|<iframe", re.sub(r"base64,[A-Za-z0-9+/=]*", "", text))
print("bad:", *p.bad or ["none"])
print("articles:", p.count.get("article", 0))
print("scripts:", p.count.get("script", 0))
print("images:", p.count.get("img", 0))
for alt in p.alts: print("alt:", alt)
PY
check() { "$PYTHON" check.py "$1" >checked 2>checked.err || cat checked.err >>checked; }
said() { sed -n "s/^$1: *//p" checked | sed 's/\xc2\xa0/ /g'; }

pairs pair two signed nomaps label:true label:unsure >in.xfv
runs 0 "a page" report -o page.html in.xfv
check page.html
is "$(said bad)" none "it is well-formed, and loads nothing"
is "$(said articles)" 6 "a card for each pair"
is "$(said images)" $((4 + 8 + 4 + 2 + 0 + 4 + 4)) "the maps of each"
is "$(grep -c '<image id=' page.html)-$(grep -c 'class="photo"' page.html)" 2-12 \
    "each face once, however often it is shown"
is "$(said scripts)" 1 "one script"
like "$(said alt | head -3)" \
    '^S\+, similarity, of face A by fggb: (mostly|densest) (on the [a-z]+|outside the face) \([0-9]+ % of the map on [0-9]+ % of the picture\).*of the evidence on this face$' "texts that say what a map shows"
like "$(cat page.html)" \
    '<b>Accepted</b> as the same person: the score 0\.750 is above the threshold 0\.400 by 0\.350\.' \
    "the decision in words"
like "$(cat page.html)" 'The list says they are the same person: right' "against the label"
like "$(cat page.html)" 'Label: unsure' "another label"
like "$(cat page.html)" 'Model <b>mobilefacenet</b>, digest <code>0123456789abcdef' "where it comes from"
report - <in.xfv >stdin.html; cmp -s stdin.html page.html; ok $? "standard input, standard output: the same bytes"
runs 0 "a title" report --title 'A & B <i>' -o title.html in.xfv
check title.html
is "$(said bad)" none "is text"
like "$(cat title.html)" '<h1>A &amp; B &lt;i&gt;</h1>' "escaped"
report --method fggb -o one.html in.xfv 2>/dev/null; check one.html
runs 1 "--method of none: status 1" report --method nosuch -o none.html in.xfv
like "$(cat err none.html)" "the pair has no maps of the method .*nosuch" "told, and on the page"
is "$(grep -c 'an explainer (fggb-grad) makes them' none.html)" 0 "which does not say that an explainer is missing"
is "$(grep -c 'name="method"' one.html)-$(grep -o 'name="method"' one.html | wc -l | tr -d ' ')" 1-1 \
    "--method leaves one"
report --blur 0 -r each -o raw.html in.xfv; cmp -s raw.html page.html; is $? 1 "--blur and --rescale change the maps"

# whatever the stream holds
pairs hostile accent huge nan bare noimage tiny odd small err x-note >odd.xfv
runs 1 "odd records" report -o odd.html odd.xfv
check odd.html
is "$(said bad)" none "make a sound page"
like "$(sed -n '/id="errors"/,/<\/section>/p' odd.html)" '<li>.*: no face found <span class="tool">\(facecrop\)' \
    "which lists what could not be made"
like "$(cat odd.html)" 'José Müller/Øre 名前' "UTF-8"
pairs flood pair >flood.xfv
runs 1 "a pair with too many methods" report -o flood.html flood.xfv
check flood.html
is "$(said bad)-$(said articles)" "none-1" "the other is drawn"
cat >evil.py <<'PY'
import os, sys
sys.path.insert(0, os.path.join(os.environ["top"], "tests"))
import numpy as np
from streams import err, stream, tensor
bad = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&lt;\u202egpj.exe\x1b]0;x\x07]]><!--"
raw = "</title></style></script>" + bad
m = {"similarity": tensor(np.ones((8, 8), "<f4")), "dissimilarity": tensor(np.zeros((8, 8), "<f4")), bad: tensor(np.ones((8, 8), "<f4"))}
p = {"_": "pair", "id": raw, "a": {"id": bad}, "b": {"id": raw}, "score": .5, "threshold": .4, "accept": True, "label": bad,
     "maps": [{"method": bad, "params": {bad: bad}, "a": m, "b": m}]}
sys.stdout.buffer.write(stream([p, err(bad, bad)], provenance=[{"tool": bad, "version": bad, "args": [bad, 5, None], "model": bad}], model={"name": bad, "digest": bad}))
PY
"$PYTHON" evil.py >evil.xfv
runs 1 "texts that are markup" report -o evil.html evil.xfv
check evil.html
is "$(said bad)-$(said scripts)" "none-1" "stay text"
is "$(LC_ALL=C tr -d '\n\t\40-\176\200-\377' <evil.html | wc -c | tr -d ' ')" 0 "no control character"
is "$(grep -c "$(printf '\342\200\256')" evil.html)" 0 "nothing that turns text around"
runs 1 "an empty stream" sh -c 'pairs() { "$PYTHON" "$top/tests/gen/pairs.py" "$@"; }; pairs | report -o none.html'
check none.html
is "$(said bad)-$(said articles)" "none-0" "is a page without cards"
pairs pair cut >cut.xfv
printf "<!DOCTYPE html>old" >keep.html
runs 3 "a cut stream" report -o keep.html cut.xfv
is "$(cat keep.html)" "<!DOCTYPE html>old" "makes no page"
report in.xfv >/dev/full 2>err; is "$?-$(wc -l <err | tr -d ' ')" 4-1 "a full disk"
cat in.xfv odd.xfv >both.xfv
report -o both.html both.xfv 2>/dev/null; check both.html
is "$(said bad)-$(said articles)-$(grep -c 'class="origin-of"' both.html)" "none-15-2" \
    "joined streams: numbers go on, each has its origin"

# size and memory
pairs pair >p.xfv
"$PYTHON" "$top/tests/gen/repeat.py" p.xfv 10 >10.xfv
"$PYTHON" "$top/tests/gen/repeat.py" p.xfv 200 >200.xfv
memory() {
    ASAN_OPTIONS=quarantine_size_mb=1:${ASAN_OPTIONS:-} "$PYTHON" -c \
        'import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True); print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)' report -o "$2" "$1"; }
few=$(memory 10.xfv 10.html) many=$(memory 200.xfv 200.html)
if [ -n "${XFV_SANITIZED:-}" ]; then
    skip "memory is flat" "the sanitizer keeps what is freed"
else
    ok "$([ "$many" -lt $((few + 2000)) ]; echo $?)" "memory is flat: $few KB for 10 pairs, $many KB for 200"
fi
ok "$([ "$(wc -c <200.html)" -lt 25000000 ]; echo $?)" "200 pairs take $(wc -c <200.html | tr -d ' ') bytes"
# path-grad notes each pair's score among its parameters: that makes no method of its own.
cat >scored.py <<'PY'
import sys, zlib
import msgpack
crc = 0
for r in msgpack.Unpacker(open(sys.argv[1], "rb"), max_buffer_size=0, unicode_errors="surrogateescape"):
    if r["_"] == "pair": r["maps"][0]["params"]["score"] = crc / 2**32
    if r["_"] == "end": r["crc32"] = crc
    b = msgpack.packb(r, unicode_errors="surrogateescape")
    crc = zlib.crc32(b, crc)
    sys.stdout.buffer.write(b)
PY
pairs pair pair pair >three.xfv
"$PYTHON" scored.py three.xfv >scored.xfv
report -q -o scored.html scored.xfv
is "$(grep -o 'id="m[0-9]*"' scored.html | wc -l)" 1 \
    "one method of three pairs, each with its own score among the parameters"

# The distribution of the calibration's scores, from the stream's head.
cat >calibrated.py <<'PY'
import sys, zlib
import msgpack
u = msgpack.Unpacker(open(sys.argv[1], "rb"), max_buffer_size=0, unicode_errors="surrogateescape")
out, crc = sys.stdout.buffer, 0
for r in u:
    if r["_"] == "head": r["calibration"] = {"data": "<b>visitors</b>", "low": -1.0, "high": 1.0, "impostor": [0] * 49 + [7, 9] + [0] * 49, "genuine": [0] * 80 + [5] + [0] * 19}
    if r["_"] == "end": r["crc32"] = crc
    b = msgpack.packb(r, unicode_errors="surrogateescape")
    crc = zlib.crc32(b, crc)
    out.write(b)
PY
pairs pair pair >one.xfv
"$PYTHON" calibrated.py one.xfv >calibrated.xfv
report -o calibrated.html calibrated.xfv 2>err
check calibrated.html
is "$(said bad)" "none" "a page with the calibration's distribution is sound"
is "$(grep -c 'class="outline ' calibrated.html)-$(grep -o 'class="outline [a-z]*"' calibrated.html | sort -u |
    wc -l)" "1-2" "an outline of each kind"
like "$(cat calibrated.html)" 'calibration: .*5 genuine and .*16 impostor pairs of &lt;b&gt;visitors' \
    "and a legend that says whose"
report one.xfv 2>/dev/null | grep -q 'class="outline' && r=1 || r=0
is $r 0 "without one, none"
# ---- an audit ----
cat >audit.py <<'PY'
"""audit.py [KIND] >stream: 40 genuine and 60 impostor pairs of 20 people; known ones are decided wrongly. Writes
groups.tsv."""
import os, sys

sys.path.insert(0, os.path.join(os.environ["top"], "tests"))
import numpy as np
from streams import stream, tensor

kind = sys.argv[1] if len(sys.argv) > 1 else ""
rng, pairs = np.random.default_rng(5), []


def face(person, k):
    return {
        "id": f"p{person}_{k}.jpg",
        "confidence": 0.9,
        "quality": {"eye-distance": 40 + k, "sharpness": 0.2, "yaw": -30.0},
        "image": tensor(np.full((112, 112, 3), 10 * person + k, "u1")),
    }


def trial(stands):
    return {
        "state": "tried",
        "p": 0.04 if stands else 0.5,
        "rank": 1 if stands else 11,
        "places": 20,
        "base": 0.7,
        "threshold": 0.4,
        "share": 10.0,
        "score": 0.4,
        "elsewhere": 0.6,
        "fill": "mean",
        "changed": "either",
    }


for i in range(100):
    genuine = i < 40
    a, b = (i % 20, i % 20) if genuine else (i % 20, (i % 20 + 2 * (1 + i % 3)) % 20)
    score = float(0.5 + 0.4 * rng.random() if genuine else 0.3 - 0.4 * rng.random())
    if i in (4, 5, 6):
        score = 0.3 - 0.01 * i  # rejected
    if i in (50, 51):
        score = 0.45 + 0.01 * (i - 50)  # accepted
    m = {"similarity": tensor(np.eye(112, dtype="<f4"))}
    p = {
        "_": "pair",
        "id": f"pair {i}" if i else "pair 1",
        "a": face(a, 1),
        "b": face(b, 2),
        "score": score,
        "threshold": 0.4,
        "accept": score >= 0.4,
        "label": genuine,
        "maps": [{"method": "fggb", "a": m, "b": m, "trial": {"similarity": trial(i % 4 == 0)}}],
        "delins": [{"method": "fggb", "deletion_area": 0.25, "insertion_area": 0.75}],
    }
    if kind == "plain":
        p.pop("label"), p["maps"][0].pop("trial"), p.pop("delins")
    if kind == "extreme":
        p["score"] = [1e300, -1e300, float("nan"), float("inf"), 5e-324, 0.5][i % 6]
        p["threshold"] = [0.4, 1e300, float("nan"), -float("inf")][i // 6 % 4]
    if kind == "extreme":
        p["a"]["quality"] = {"eye-distance": 1e300, "yaw": float("nan"), "sharpness": float("inf")}
        p["maps"][0]["trial"]["similarity"]["score"] = -1e300
    if kind == "undecided":
        p.pop("accept")
    if kind == "same":
        p["label"] = True
    if kind == "several":
        p["threshold"] = 0.4 + i % 2 / 100
    pairs.append(p)
sys.stdout.buffer.write(stream(pairs))
with open("groups.tsv", "w") as f:
    for k in range(20):
        for n in (1, 2):
            f.write(f"p{k}_{n}.jpg\t{'even <&>' if k % 2 == 0 else 'odd'}\n")
PY
"$PYTHON" audit.py >audit.xfv
runs 0 "an audit" report --groups groups.tsv -o audit.html audit.xfv
check audit.html
is "$(said bad)" none "is a sound page, with a pair's name twice"
section() {
    sed -n "/<section [^>]*id=\"$1\"/,/<\/section>/p" "$2" | sed 's/<br>/ /g; s/<[^>]*>/ /g; s/&nbsp;/ /g; s/  */ /g'; }
like "$(section rates audit.html)" \
    'At the threshold in use, 0\.400, 2 of 60 pairs of different people were accepted and 3 of 40 pairs of one person rejected' \
    "the operating point in a sentence"
wanted=$(roc audit.xfv 2>/dev/null |
    awk -F'\t' '$1 == "fmr" || $1 == "fnmr" {printf " %.1f %% (%.2g to %.1f %%) %s", 100 * $2, 100 * $3, 100 * $4, $1 == "fmr" ? "2 of 60" : "3 of 40"}')
is "$(section rates audit.html | grep -cF "in use$wanted")" 1 "the rates and intervals of roc:$wanted"
like "$(section rates audit.html)" \
    'not known for an FMR of 0\.1 % needs 1000 pairs of different people or more; there are 60' \
    "too few pairs for a rate: not known"
is "$(grep -c 'class="det"' audit.html)" 1 "a DET curve"
like "$(section groups audit.html)" 'even &lt;&amp;&gt;' "groups, whatever their names"
wanted=$(regions --groups groups.tsv --tsv audit.xfv 2>/dev/null |
    awk -F'\t' '$1 == "fmr" && $4 == "odd" {printf " %.1f %% (%.2g to %.1f %%)", 100 * $7, 100 * $8, 100 * $9}')
is "$(section groups audit.html | grep -cF "odd$wanted")" 1 "with the rates and intervals of regions --groups:$wanted"
like "$(section wrong audit.html | tr -d '\n')" \
    'False matches, different people accepted: 2 .*Pair 52 : score 0\.460, 0\.060 above the threshold.*Pair 51 .*False non-matches, one person rejected: 3 .*Pair 7 .*Pair 6 .*Pair 5 ' \
    "wrong decisions, false matches first, the furthest from the threshold before others"
like "$(section wrong audit.html)" \
    "detector's confidence 0\.90, eyes 41 pixels apart, sharpness 0\.20, turned aside 30" \
    "each with its quality"
like "$(section methods audit.html | tr -d '\n')" \
    'fggb one person 40 pairs 25\.0 % \(12\.7 to 41\.2 %\) 10 of 40 .*\+0\.200 0 0 0\.250 0\.750 ' \
    "methods by what ablate and delins recorded"
is "$(grep -o 'id="pair=pair%201[^"0-9][^"]*"\|id="pair=pair%201"' audit.html | tr '\n' ' ')" \
    'id="pair=pair%201" id="pair=pair%201&amp;card=2" ' \
    "a link of its own for each pair"
is "$(grep -c 'data-group="0"' audit.html)-$(grep -c 'data-group="1"' audit.html)" "50-50" "each pair's group"
report -t 0.2 --fmr 0.5 --fmr 0.05 -o moved.html audit.xfv
like "$(section rates moved.html)" 'At the threshold in use, 0\.200, ([3-9]|[0-9]{2}) of 60 .* 0 of 40' \
    "--threshold decides anew"
is "$(grep -c 'It was tried at the threshold 0\.400' moved.html)-$(grep -c 'It was tried at' audit.html)" 100-0 \
    "and says where a trial was made at another"
is "$(section rates moved.html | grep -o 'for an FMR of [0-9.]* %' | tr '\n' ' ')" \
    "for an FMR of 50 % for an FMR of 5 % " \
    "--fmr chooses"
runs 2 "--fmr above 1" report --fmr 2 -o no.html audit.xfv
"$PYTHON" audit.py plain >plain.xfv
printf 'nobody.jpg\tx\n' >none.tsv
runs 0 "without labels and trials" report --groups none.tsv -o plain.html plain.xfv
check plain.html
is "$(said bad)" none "a sound page"
like "$(section rates plain.html)" 'No pair has a label' "says that there is no rate to measure"
like "$(section wrong plain.html)" 'none can be called wrong' "and no error to list"
like "$(section methods plain.html)" 'No map was tried' "and no trial"
like "$(section groups plain.html; cat err)" 'no pair has both faces in one group' \
    "and no group, on the page and on standard error"
report --groups groups.tsv -o plain.html plain.xfv 2>/dev/null
like "$(section groups plain.html)" 'Accepted ' "groups without labels: how many are accepted"
for kind in undecided same several; do
    "$PYTHON" audit.py $kind >kind.xfv
    report --groups groups.tsv -o kind.html kind.xfv 2>/dev/null; check kind.html
    is "$(said bad)" none "$kind: a sound page"
    section rates kind.html >$kind.txt
done
like "$(cat undecided.txt)" 'have no decision' "undecided pairs: said"
like "$(cat same.txt)" 'A DET curve needs at least 10 pairs of one person and 10 of different people' \
    "pairs of one kind: said"
like "$(cat several.txt)" 'pairs have several' "several thresholds: said"
"$PYTHON" audit.py extreme >extreme.xfv
report --groups groups.tsv -o extreme.html extreme.xfv 2>/dev/null
check extreme.html
is "$(said bad)" none "extreme numbers: a sound page"
is "$(sed -E 's/base64,[A-Za-z0-9+/=]*//g' extreme.html | grep -cE '[0-9]{40}|[ ":](nan|inf|NaN)[ ",%]|[-(]nan')" 0 \
    "without endless numbers or numbers that are none"
done_testing
