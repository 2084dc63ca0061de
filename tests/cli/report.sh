# report: one HTML page that stands alone, whatever the stream holds. (tests/browser drives the page itself.)
. "$top/tests/tap.sh"
pairs() { "$PYTHON" "$top/tests/gen/pairs.py" "$@"; }
cat >check.py <<'PY'
"""check.py PAGE: well-formed? prints what it holds. Every tag closed in order, ids unique, every reference there, nothing from outside."""
import base64, hashlib, re, sys
from html.parser import HTMLParser

VOID = {"meta", "img", "input", "br", "hr", "link", "option"}  # an option's end tag may be left out
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
            if k == "href": self.links.append(v)
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
said() { sed -n "s/^$1: *//p" checked; }

pairs pair two signed nomaps label:true label:unsure >in.xfv
runs 0 "a page" report -o page.html in.xfv
check page.html
is "$(said bad)" none "it is well-formed, and loads nothing"
is "$(said articles)" 6 "a card for each pair"
is "$(said images)" $((12 + 4 + 8 + 4 + 2 + 0 + 4 + 4)) "two photographs and the maps of each"
is "$(said scripts)" 1 "one script"
like "$(said alt | head -3)" '^S\+, similarity, of face A by fggb: (mostly|dense) on [a-z ]+ \([0-9]+ % on [0-9]+ % of the picture\).*of the evidence on this face$' "texts that say what a map shows"
like "$(cat page.html)" '<b>Accepted</b> as the same person: the score 0\.750 is above the threshold 0\.400 by 0\.350\.' "the decision in words"
like "$(cat page.html)" 'The list says they are the same person: right' "against the label"
like "$(cat page.html)" 'Label: unsure' "another label"
like "$(cat page.html)" 'Model <b>mobilefacenet</b>, SHA-256 <code>0123456789abcdef' "where it comes from"
report - <in.xfv >stdin.html; cmp -s stdin.html page.html; ok $? "standard input, standard output: the same bytes"
runs 0 "a title" report --title 'A & B <i>' -o title.html in.xfv
check title.html
is "$(said bad)" none "is text"
like "$(cat title.html)" '<h1>A &amp; B &lt;i&gt;</h1>' "escaped"
report --method fggb -o one.html in.xfv 2>/dev/null; check one.html
runs 1 "--method of none: status 1" report --method nosuch -o none.html in.xfv
like "$(cat err none.html)" "the pair has no maps of the method .*nosuch" "told, and on the page"
is "$(grep -c 'an explainer (fggb-grad) makes them' none.html)" 0 "which does not say that an explainer is missing"
is "$(grep -c 'name="method"' one.html)-$(grep -o 'name="method"' one.html | wc -l | tr -d ' ')" 1-1 "--method leaves one"
report --blur 0 -r each -o raw.html in.xfv; cmp -s raw.html page.html; is $? 1 "--blur and --rescale change the maps"

# whatever the stream holds
pairs hostile accent huge nan bare noimage tiny odd small err x-note >odd.xfv
runs 1 "odd records" report -o odd.html odd.xfv
check odd.html
is "$(said bad)" none "make a sound page"
like "$(sed -n '/id="errors"/,/<\/section>/p' odd.html)" '<li>.*: no face found <span class="tool">\(facecrop\)' "which lists what could not be made"
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
is "$(said bad)-$(said articles)-$(grep -c 'class="origin-of"' both.html)" "none-15-2" "joined streams: numbers go on, each has its origin"

# size and memory
pairs pair >p.xfv
"$PYTHON" "$top/tests/gen/repeat.py" p.xfv 10 >10.xfv
"$PYTHON" "$top/tests/gen/repeat.py" p.xfv 200 >200.xfv
memory() { ASAN_OPTIONS=quarantine_size_mb=1:${ASAN_OPTIONS:-} "$PYTHON" -c 'import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True); print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)' report -o "$2" "$1"; }
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
is "$(grep -o 'id="m[0-9]*"' scored.html | wc -l)" 1 "one method of three pairs, each with its own score among the parameters"

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
is "$(grep -c 'class="outline ' calibrated.html)-$(grep -o 'class="outline [a-z]*"' calibrated.html | sort -u | wc -l)" "1-2" "an outline of each kind"
like "$(cat calibrated.html)" 'calibration: .*5 genuine and .*16 impostor pairs of &lt;b&gt;visitors' "and a legend that says whose"
report one.xfv 2>/dev/null | grep -q 'class="outline' && r=1 || r=0
is $r 0 "without one, none"
done_testing
