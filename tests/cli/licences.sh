# Every file has a licence and a copyright holder: REUSE.toml covers it, the licence's text is in LICENSES/, and
# debian/copyright agrees.
. "$top/tests/tap.sh"
cd "$top" || exit 1
git ls-files >"$work/files" 2>/dev/null || find . -type f ! -path './build*' | sed 's,^\./,,' >"$work/files"
cat >"$work/licences.py" <<'PY'
import re, sys, tomllib
files = [f for f in open(sys.argv[1]).read().splitlines() if f]

def pattern(glob):  # REUSE.toml: * stays within a folder, ** does not
    return re.compile("".join(".*" if t == "**" else "[^/]*" if t == "*" else re.escape(t) for t in re.split(r"(\*\*|\*)", glob)))

def listed(x):
    return [x] if isinstance(x, str) else x

entries = [([pattern(g) for g in listed(a["path"])], listed(a["SPDX-License-Identifier"]), listed(a["SPDX-FileCopyrightText"]))
           for a in tomllib.load(open("REUSE.toml", "rb"))["annotations"]]
for paths, licences, holders in entries:
    for p in paths: any(p.fullmatch(f) for f in files) or print("no file:", p.pattern)

deb, holders, globs = [], [], []
for line in open("debian/copyright").read().splitlines() + ["License:"]:  # the stanzas of Files
    if line.startswith("Files:"): globs, holders, where = line[6:].split(), [], "files"
    elif line.startswith("Copyright:"): holders, where = [line[10:].strip()], "holders"
    elif line.startswith(" ") and globs and where == "holders": holders.append(line.strip())
    elif line.startswith("License:") and globs: deb.append(([re.compile(re.escape(g).replace(r"\*", ".*")) for g in globs], holders)); globs = []

def last(table, f):
    found = [e for e in table if any(p.fullmatch(f) for p in e[0])]
    return found[-1] if found else None

for f in files:
    if f.startswith("LICENSES/"): continue
    e, d = last(entries, f), last(deb, f)
    if not e: print("not covered by REUSE.toml:", f); continue
    if not d: print("not covered by debian/copyright:", f)
    elif sorted(d[1]) != sorted(e[2]): print("debian/copyright has other holders:", f, d[1], e[2])
    for l in e[1]:
        try: open(f"LICENSES/{l}.txt").close()
        except OSError: print("no text of", l)
print(len(files) > 100)
PY
is "$("$PYTHON" "$work/licences.py" "$work/files")" True \
    "every file has a licence whose text is there, and the holders that debian/copyright names"
printf '%s\n' 'model.bin' >>"$work/files"
sed 's/"\*\*"/"*.c"/' REUSE.toml >"$work/REUSE.toml"
mkdir "$work/debian" && cp debian/copyright "$work/debian" && cp -R LICENSES "$work"
is "$(cd "$work" && "$PYTHON" licences.py files | grep -c 'not covered by REUSE.toml: model.bin')" 1 \
    "a file that is not covered is found"
is "$(tail -n +5 LICENSE)" "$(tail -n +5 LICENSES/MIT.txt)" "LICENSE is that text"
done_testing
