# docs/tutorial.md: every command runs as it stands, in order, in one shell, and prints what the page shows (numbers to
# two places).
. "$top/tests/tap.sh"
mkdir clone && cp -R "$top/tests" clone/tests && cd clone || exit 1
cat >blocks.py <<'PY'
"""blocks.py PAGE: script.sh of the page's sh blocks, each between marks on stdout and stderr; want.N of the text blocks after the N-th."""
import re, sys
script, n = ["set -e", "export LC_ALL=C"], 0
for kind, body in re.findall(r"^```(\w*)\n(.*?)^```$", open(sys.argv[1]).read(), re.M | re.S):
    if kind == "sh":
        n += 1
        script += [f"echo '@@ {n}'", body.rstrip()]
    elif kind == "text": open(f"want.{n}", "w").write(body)
open("script.sh", "w").write("\n".join(script) + "\n")
print(n)
PY
cat >compare.py <<'PY'
"""compare.py: are the lines of each want.N in what block N printed, in order, numbers within 0.0051 (or a hundredth part)?"""
import glob, re
printed = re.split(r"^@@ (\d+)\n", open("out").read(), flags=re.M)
printed = dict(zip(map(int, printed[1::2]), printed[2::2]))
number = re.compile(r"-?\d+\.?\d*(?:e-?\d+)?$")

def same(a, b):
    a, b = a.split("\t"), b.split("\t")
    return len(a) == len(b) and all(x == y or number.match(x) and number.match(y) and abs(float(x) - float(y)) <= max(0.0051 * ("." in x or y == "0" or x == "0"), 0.02 * abs(float(x)))
                                    for x, y in zip(a, b))

for f in sorted(glob.glob("want.*")):
    lines = iter(printed[int(f[5:])].splitlines())
    for want in open(f).read().splitlines():
        if not any(same(want, got) for got in lines): print(f, want)
print(len(printed), "blocks")
PY
n=$("$PYTHON" blocks.py "$top/docs/tutorial.md")
[ "$n" -ge 8 ]; ok $? "the page has $n blocks of commands"
sed -i "s,^/usr/bin/python3,$PYTHON," script.sh
PATH="$B/bin:$PATH" sh script.sh >out 2>&1; is $? 0 "they all run" || tail -n 5 out | sed 's/^/# /'
is "$("$PYTHON" compare.py)" "$n blocks" "and print what the page shows"
is "$(ls try/pair-*.png | wc -l | tr -d ' ') $(grep -c '<html' try/report.html) $(head -c 4 try/why.png | tail -c 3)" \
    "3 1 PNG" "pictures and a page"
is "$(sed -n '/^```console/,/^```/p' "$top/docs/tutorial.md" | head -n 2 | tail -n 1)" "make demo" \
    "the installation is make demo"
for link in $(grep -oE '\]\([a-zA-Z.][^)]*\)' "$top"/docs/*.md | sed 's/^[^:]*:\]//' | tr -d '()' | sort -u); do
    case $link in http*) continue ;; esac
    [ -e "$top/docs/$link" ]; ok $? "docs/ names $link, which is there"
done
done_testing
