# tables.py FILE.md FOLDER: every table of a Markdown page as FOLDER/NAME.tsv. NAME is made of the first words of the heading above it, or of the line "Table N." of the
# study, and of the word before the colon where a line like "similarity: ..." stands between the two; a second table under one heading gets -2.
import os, re, sys

page, folder = sys.argv[1:]
os.makedirs(folder, exist_ok=True)
heading, label, rows, made = "", "", [], {}


def slug(text, words):
    return "-".join(re.sub(r"[^a-z0-9 ]", "", re.split(r"[(:.]", text.lower())[0]).split()[:words])


def flush():
    if not rows:
        return
    name = heading + label
    made[name] = made.get(name, 0) + 1
    with open(os.path.join(folder, name + ("-%d" % made[name] if made[name] > 1 else "") + ".tsv"), "w") as f:
        f.writelines("\t".join(cells) + "\n" for cells in rows)
    rows.clear()


for line in open(page).read().splitlines() + [""]:
    if line.startswith("|"):
        cells = [c.strip().strip("*") for c in line.strip("|").split("|")]
        if not all(re.fullmatch("-+", c) for c in cells):
            rows.append(cells)
        continue
    flush()
    if line.startswith("#") or re.match(r"Table \w+\.", line):
        heading, label = slug(line.lstrip("# "), 5), ""
    elif re.match(r"\w+: ", line):
        label = "-" + slug(line, 1)
