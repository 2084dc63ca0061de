"""llvm-cov's export on standard input as a table of lines: summary.py TARGET PREFIX...: the files of
libcommon whose names begin so."""
import json, sys

rows = [
    (f["filename"].split("libcommon/")[-1], f["summary"]["lines"])
    for f in json.load(sys.stdin)["data"][0]["files"]
    if f["filename"].endswith(".c")
]
rows = [(name, l) for name, l in rows if name.startswith(tuple(sys.argv[2:]))]
rows = sorted((name, l["covered"], l["count"]) for name, l in rows)
for name, covered, count in rows + [("together", sum(r[1] for r in rows), sum(r[2] for r in rows))]:
    print(f"{sys.argv[1]:8} {name:24} {covered:5} of {count:5} lines {100 * covered / count:6.1f} %")
