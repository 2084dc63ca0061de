# --tsv, --csv, --markdown, --latex and --json: every program that makes a table takes all five, and they hold the same
# cells.
. "$top/tests/tap.sh"
export PYTHONPATH="$top/tests" XFV_MODEL_PATH="$work"
cat >make.py <<'PY'
from streams import *
import numpy as np
open("tiny.xfvm", "wb").write(model())
rng = np.random.default_rng(9)
people = rng.integers(0, 256, (6, 16, 16, 3))
faces = [{"_": "face", "id": f"d/P|{p}_{k}.jpg", "image": tensor(np.clip(people[p] + rng.normal(0, 60, people[p].shape), 0, 255).astype(np.uint8))}
         for p in range(6) for k in (1, 2)]
faces.append({"_": "face", "id": "12", "image": tensor(people[0].astype(np.uint8))})
open("faces.xfv", "wb").write(stream(faces))
with open("list", "w") as f:
    for p in range(6): f.write(f"d/P|{p}_1.jpg\td/P|{p}_2.jpg\tgenuine\nd/P|{p}_1.jpg\td/P|{(p + 1) % 6}_2.jpg\timpostor\n")
    f.write("12\td/P|0_1.jpg\tgenuine\n")
with open("groups", "w") as f:
    for p in range(6):
        for k in (1, 2): f.write(f"d/P|{p}_{k}.jpg\t{'odd' if p % 2 else 'even'}\n")
    f.write("12\teven\n")
PY
runs 0 "faces, a model and a list" "$PYTHON" make.py
embed -m tiny faces.xfv | verify --pairs list -t 0.4 | xssab-grad | control-map -o maps.xfv
cat >same.py <<'PY'
# TSV, Markdown and JSON Lines: the same cells. A cell that JSON holds as null or number is told by its TSV text.
import csv, json, re, sys
tsv = [l.rstrip("\n").split("\t") for l in open("t.tsv", encoding="utf-8", newline="\n")]
rows = [json.loads(l) for l in open("t.json", encoding="utf-8")]
assert len(rows) == len(tsv) - 1 > 0, (len(rows), len(tsv))
for row, cells in zip(rows, tsv[1:]):
    assert list(row) == tsv[0], (list(row), tsv[0])
    for v, c in zip(row.values(), cells):
        assert v == c if isinstance(v, str) else c in ("", "-", "NA", "nan", "inf", "-inf") if v is None else abs(float(c) - v) <= ("wide" in sys.argv) * 1e-3, (v, c)
if "wide" not in sys.argv:
    md = [l.strip().strip("|").split("|") for l in open("t.md", encoding="utf-8") if l.startswith("|")]
    del md[1]
    assert [[c.strip() for c in r] for r in md] == [[c.replace("|", "_").strip() for c in r] for r in tsv], md[:3]
names = {r"\textbackslash{}": "\\", r"\textasciitilde{}": "~", r"\textasciicircum{}": "^", r"\textless{}": "<", r"\textgreater{}": ">", r"\textbar{}": "|", r"\textquotedbl{}": '"', "{[}": "[", "{*}": "*"}
def plain(cell):
    "What LaTeX prints, back as text."
    if re.fullmatch(r"\$.*\$", cell): return re.sub(r" \\times 10\^\{(-?\d+)\}", r"e\1", cell[1:-1])
    return "-" if cell == "--" else re.sub(r"\\text\w+\{\}|\{.\}|\\[&%$#_{}]", lambda m: names.get(m[0], m[0][1:]), cell)
def alike(a, b):
    try: return float(a) == float(b)
    except ValueError: return a == b
rows = list(csv.reader(open("t.csv", encoding="utf-8", newline="")))
assert [[c[1:] if c[:1] == "'" else c for c in r] for r in rows] == tsv, rows[:3]
tex = open("t.latex", encoding="utf-8").read().splitlines()
spec = re.fullmatch(r"\\begin\{tabular\}\{([lr]+)\}", tex[0])[1]
assert tex[1] == r"\toprule" and tex[3] == r"\midrule" and tex[-2:] == [r"\bottomrule", r"\end{tabular}"], tex[:4]
cells = [[plain(c) for c in re.split(r" & ", re.fullmatch(r"(.*) \\\\", l)[1])] for l in [tex[2]] + tex[4:-2]]
assert all(len(r) == len(spec) for r in cells)
if "wide" not in sys.argv: assert all(alike(a, b) for r, t in zip(cells, tsv) for a, b in zip(r, t)) and len(cells) == len(tsv), (cells[:2], tsv[:2])
print("same")
PY
alike() { # description, how to compare, command
    what=$1 how=$2
    shift 2
    for form in tsv csv markdown latex json; do
        runs 0 "$what --$form" "$@" --$form && cp out "t.$(echo $form | sed 's/markdown/md/')"; done
    is "$("$PYTHON" same.py $how 2>&1 | tail -1)" same "$what: the five forms hold the same"
}
alike "verify" "" verify -t 0.4 --header maps.xfv
is "$(jq -r .id_a t.json | tail -1)" 12 "an id that looks like a number stays a text"
alike "roc" "" roc --replicates 50 maps.xfv
alike "regions" "" regions maps.xfv
alike "delins" "" delins -n 4 --replicates 50 --reference xssab maps.xfv
for table in curves pairs; do alike "delins --table $table" "" delins -n 4 --table $table maps.xfv; done
alike "explain-score" wide explain-score --replicates 50 maps.xfv
alike "regions --groups" wide regions --groups groups --replicates 100 maps.xfv
# names that a spreadsheet takes for formulas, and letters that CSV and LaTeX mark
cat >odd.py <<'PY'
from streams import *
names = ["=HYPERLINK(1)", "+cmd|x", "@sum", "-1+2", 'a,"b"', "50 % & #1_$x{y}~z^2\\<>", " blank ", "-0.5"]
open("odd.xfv", "wb").write(stream([vector_face(n, [1, k, 1]) for k, n in enumerate(names)]))
PY
"$PYTHON" odd.py
alike "verify, of odd names" "" verify --all -t 0.4 --header odd.xfv
is "$(grep -c "^\"'[=+@-]" t.csv) $(grep -c '^-0.5' t.csv)" "22 0" "no cell of the CSV begins a formula"
is "$(verify --all -t 0.4 --csv odd.xfv | head -1)" "id_a,id_b,score,threshold,decision,label" "CSV has a heading"
if command -v pdflatex >/dev/null; then
    {
        printf '%s\n' '\documentclass{article}\usepackage[T1]{fontenc}\usepackage{booktabs}\begin{document}' &&
            cat t.latex && echo '\end{document}'; } >t.tex
    runs 0 "LaTeX takes it" pdflatex -interaction=batchmode t.tex
fi

runs 0 "model-info --markdown" model-info --markdown tiny
is "$(head -1 out | tr -d ' ' | tr '|' '\t' | sed 's/^.//; s/.$//')" "$(model-info --tsv tiny | head -1)" \
    "the columns of --tsv"
is "$(model-info --csv tiny | tr ',' '\t')" "$(model-info --tsv tiny)" "--csv holds the same"
is "$(model-info --latex tiny | grep -c '^.begin.tabular\|^.bottomrule')" 2 "--latex, too"
done_testing
