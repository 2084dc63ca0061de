# The tables of docs/evidence.md, from what study/evidence.sh has measured so far: evidence-report.py, in its folder, writes Markdown on standard output, and
# cost.tsv (methods, passes, milliseconds a pair) beside it. The numbers are explain-score's and delins's; this only lays them out.
import json, math, os, subprocess

methods = [l.rstrip("\n").split("\t") for l in open("methods")]
passes = {m[0]: m[2] for m in methods}


def program(*args, data=b""):
    return subprocess.run(args, input=data, stdout=subprocess.PIPE, check=True).stdout


def rows(text):
    """A table of method, test, n, value, lo, hi as {method: {test: (n, value, lo, hi)}}."""
    out = {}
    for l in text.decode().splitlines()[1:]:
        method, test, n, *numbers = l.split("\t")
        out.setdefault(method, {})[test] = (int(n),) + tuple(float(x) if x != "-" else None for x in numbers)
    return out


def shown(name):
    return "*%s*" % name if name.startswith("control-") else "**%s**" % name if name in ("fggb", "path-grad") else name


def number(v):
    if v is None or v[1] is None:
        return "-"
    if v[2] is None:
        return "%g" % v[1]
    f = lambda x: ("%.3f" % x).replace("0.", ".", 1) if abs(x) < 0.9995 else "%.3f" % x
    return f(v[1]) if v[2] == v[3] else "%s (%s to %s)" % (f(v[1]), f(v[2]), f(v[3]))


def table(results, columns):
    """Rows in the order of the methods' list."""
    print("| map | %s |" % " | ".join(h for _, h in columns))
    print("|" + "---|" * (len(columns) + 1))
    for name in (m[0] for m in methods if m[0] in results):
        print("| %s | %s |" % (shown(name), " | ".join(number(results[name].get(t)) for t, _ in columns)))
    print()


def costs():
    """Milliseconds of processor a pair, measured while planting was explained."""
    pairs = int(program("sh", "-c", 'xfv-json planted.xfv | grep -c \'"_":"pair"\''))
    with open("cost.tsv", "w") as f:
        f.write("method\tpasses\tms\n")
        for m in methods:
            path = "planted/%s.seconds" % m[0]
            if os.path.exists(path):
                f.write("%s\t%s\t%.1f\n" % (m[0], m[2], 1000 * float(open(path).read().split()[1]) / pairs))


def measured(test):
    """{name in the list: its result's path}, in the order of the list."""
    paths = ((m[0], "%s/%s.xfv" % (test, m[0])) for m in methods)
    return {name: path for name, path in paths if os.path.exists(path)}


def score(path, *options, beside=()):
    """explain-score's rows of a stream with one method: streams name a method as its program does, the list may name it otherwise."""
    return next(iter(rows(program("explain-score", *options, path, *beside)).values()), {})


def against(others, first):
    """{name: {"like OTHER": correlation with the first stream's map}}"""
    out = {}
    for name, path in measured(first).items():
        out[name] = {}
        for o in others:
            if os.path.exists("%s/%s.xfv" % (o, name)):
                out[name].update(score(path, "--against", "%s/%s.xfv" % (o, name), "--name", o))
    return out


def planted(*options):
    """explain-score's rows of every method on planted truth, with its share of what the map true to the score does."""
    paths = measured("planted")
    best = [p for name, p in paths.items() if name == "control-truth"]
    return {name: score(path, *options, beside=[p for p in best if p != path]) for name, path in paths.items()}


def headline():
    """What there is to see first, a line a method, without the tables' intervals; what was not run is -."""
    moved = planted("--effect", "0.05")
    partners = {name: score(path) for name, path in measured("partners").items()}
    shuffled = against(["random-6"], "few")
    columns = [
        (moved, "auroc dissimilarity", "pasted difference: AUROC"),
        (moved, "auroc dissimilarity, share of control-truth", "share"),
        (moved, "region rank dissimilarity", "rank"),
        (moved, "auroc similarity", "pasted likeness: AUROC"),
        (moved, "auroc similarity, share of control-truth", "share"),
        (moved, "region rank similarity", "rank"),
        (partners, "partners: two other people", "two other partners"),
        (shuffled, "like random-6", "last 6 layers shuffled"),
    ]
    print("### All in one: what was planted and moved the score by .05\n")
    print("| map | %s | passes | ms of processor a pair |" % " | ".join(c[2] for c in columns))
    print("|" + "---|" * (len(columns) + 3))
    for name in moved:
        cells = [
            ("%.2f" % t[name][test][1]).replace("0.", ".", 1) if test in t.get(name, {}) else "-"
            for t, test, _ in columns
        ]
        print("| %s | %s | %s |" % (shown(name), " | ".join(cells), " | ".join(cost.get(name, ("-", "-")))))
    print()


costs()
truth = [
    ("auroc dissimilarity", "dissimilarity: AUROC"),
    ("auroc dissimilarity, share of control-truth", "share of the ceiling"),
    ("region rank dissimilarity", "region rank"),
    ("pointing dissimilarity", "pointing"),
    ("auroc similarity", "similarity: AUROC"),
    ("auroc similarity, share of control-truth", "share of the ceiling"),
    ("region rank similarity", "region rank"),
    ("pointing similarity", "pointing"),
]
cost = {l.split("\t")[0]: l.split("\t")[1:] for l in open("cost.tsv").read().splitlines()[1:]}
headline()
for title, options in (
    ("Planted truth, the score moved by .05 or more", ("--effect", "0.05")),
    ("Planted truth, all cases", ()),
):
    result = planted(*options)
    for name in result:
        for test, value in zip(("passes", "ms"), cost.get(name, ())):
            result[name][test] = (0, float(value), None, None)
    some = next(iter(result.values()))
    print("### %s (%d and %d)\n" % (title, *(some.get("auroc " + k, (0,))[0] for k in ("dissimilarity", "similarity"))))
    table(result, truth + [("passes", "passes a pair"), ("ms", "ms of processor a pair")])

patches = {}
for m in methods:
    if os.path.exists("dpr/%s.tsv" % m[0]):
        patches[m[0]] = next(iter(rows(open("dpr/%s.tsv" % m[0], "rb").read()).values()))
if patches:
    print(
        "### PatchLFW: patched pixels given back (%d genuine, %d impostor pairs)\n"
        % (next(iter(patches.values()))["fnmr at 0 %"][0], next(iter(patches.values()))["fmr at 0 %"][0])
    )
    table(
        patches,
        [
            ("fnmr at 0 %", "FNMR at 0 %"),
            ("fnmr at 10 %", "10 %"),
            ("fnmr at 30 %", "30 %"),
            ("fnmr, mean", "mean of 5 to 95 %"),
            ("fmr at 0 %", "FMR at 0 %"),
            ("fmr at 10 %", "10 %"),
            ("fmr, mean", "mean of 5 to 95 %"),
        ],
    )

files = measured("natural").values()
if files:
    text = program(
        "delins",
        "--tsv",
        "--reference",
        "fggb" if os.path.exists("natural/fggb.xfv") else "path-pair",
        data=b"".join(open(p, "rb").read() for p in files),
    ).decode()
    head, *lines = [l.split("\t") for l in text.splitlines()]
    cell = [dict(zip(head, l)) for l in lines]
    print("### Deletion and Insertion of these folds' pairs, accuracy, %\n")
    for sign, pairs in (
        ("similarity", "genuine pairs, pixels of A"),
        ("dissimilarity", "impostor pairs, pixels of both"),
    ):
        mine = [c for c in cell if c["map"] == sign and c["metric"] == "accuracy"]
        if not mine:
            continue
        fills = ["black", "blur", "partner"]
        print("%s: %s (%s)\n" % (sign, pairs, mine[0]["pairs"]))
        print("| map | %s |" % " | ".join("%s, %s" % (d, f) for f in fills for d in ("Deletion", "Insertion")))
        print("|" + "---|" * (2 * len(fills) + 1))
        for name in dict.fromkeys(c["method"] for c in mine):
            got = {c["fill"]: c for c in mine if c["method"] == name}
            print(
                "| %s | %s |"
                % (
                    shown(name),
                    " | ".join(
                        "%.1f [%.1f, %.1f]" % tuple(100 * float(got[f][d + e]) for e in ("", "_lo", "_hi"))
                        if f in got
                        else "-"
                        for f in fills
                        for d in ("deletion", "insertion")
                    ),
                )
            )
        print()


def chance(n, k, p):
    """Of at most k successes in n, each with probability p."""
    return sum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k + 1))


def exact(k, n):
    """95 % interval of a share, after Clopper and Pearson."""

    def root(falling):
        lo, hi = 0.0, 1.0
        for _ in range(60):
            lo, hi = ((lo + hi) / 2, hi) if falling((lo + hi) / 2) else (lo, (lo + hi) / 2)
        return lo

    return (root(lambda p: 1 - chance(n, k - 1, p) < 0.025) if k else 0.0), (
        root(lambda p: chance(n, k, p) > 0.025) if k < n else 1.0
    )


def trials():
    """Of genuine pairs' similarity and impostor pairs' dissimilarity, as ablate tried them: {name: [(pairs, [trial])]}"""
    out = {}
    for name, path in measured("trial").items():
        pairs = [p for p in map(json.loads, program("xfv-json", path).decode().splitlines()) if p["_"] == "pair"]
        out[name] = []
        for genuine, sign in ((True, "similarity"), (False, "dissimilarity")):
            all_of = (p["maps"][0].get("trial", {}).get(sign) for p in pairs if p["label"] == genuine)
            out[name].append(
                (sum(p["label"] == genuine for p in pairs), [t for t in all_of if t and t["state"] == "tried"])
            )
    return out


def claims(pairs, tried):
    """Cells: how often the claim stands, over all pairs that have such a map; effect / elsewhere; how often the decision turns."""
    if not tried:
        return " - | - | - |"
    n, stand = len(tried), sum(t["stands"] for t in tried)
    moved = [sum(abs(t["base"] - t[key]) for t in tried) / n for key in ("score", "elsewhere")]
    effect = " / ".join(("%.3f" % m).replace("0.", ".", 1) for m in moved)
    of = "" if n == pairs else ", of %d" % n
    return " %.0f %% (%.0f to %.0f%s) | %s | %.0f %% |" % (
        100 * stand / n,
        *(100 * x for x in exact(stand, n)),
        of,
        effect,
        100 * sum("turns" in t for t in tried) / n,
    )


if os.path.exists("trial"):
    print(
        "### Maps tried on their own pairs: claims that stand (p <= .05, 10 % of the oval), and how far the score moves\n"
    )
    both = "%s: stands | effect / elsewhere | decision turns"
    print(
        "| map | %s | %s |\n|---|---|---|---|---|---|---|"
        % (both % "similarity, genuine pairs", both % "dissimilarity, impostor pairs")
    )
    for name, signs in trials().items():
        print("| %s |%s" % (shown(name), "".join(claims(*of) for of in signs)))
    print()

kinds = ["same person twice", "one other person twice", "two other people", "same and other person"]
result = {name: score(path) for name, path in measured("partners").items()}
if result:
    print("### One image's map for two partners: correlation\n")
    table(result, [("partners: " + k, k) for k in kinds])

result = against(["random-1", "random-3", "random-6", "random-12", "noise-4", "noise-8"], "few")
if result:
    print("### Last layers shuffled, and noise: correlation with the map of the network as it is, of the clean pair\n")
    table(
        result,
        [
            ("like random-1", "last 1"),
            ("like random-3", "last 3"),
            ("like random-6", "last 6"),
            ("like random-12", "last 12"),
            ("like noise-4", "noise 4"),
            ("like noise-8", "noise 8"),
        ],
    )


def completeness():
    """How far path-grad's maps are from the whole change of the score."""
    rows = []
    for name, options in (("from the mean face", []), ("from the partner", ["--baseline", "partner"])):
        rows.append([name])
        for steps in ("4", "16", "64"):
            stream = program("path-grad", "-n", steps, *options, "few.xfv")
            records = [json.loads(l) for l in program("xfv-json", data=stream).decode().splitlines()]
            every = [abs(g) for r in records if r["_"] == "pair" for g in r["maps"][0]["params"]["gap"]]
            rows[-1].append(
                "%.4f, %.4f; %.0f %%"
                % (
                    sum(every) / len(every),
                    max(every),
                    100 * sum(g <= (0.005 if steps != "64" else 0.001) for g in every) / len(every),
                )
            )
    print(
        "### Completeness of path-grad (%d paths): gap, mean and largest; share within 5e-3 (64 steps: 1e-3)\n"
        % len(every)
    )
    print("| path | 4 steps | 16 steps | 64 steps |\n|---|---|---|---|")
    for g in rows:
        print("| %s |" % " | ".join(g))


if os.path.exists("few"):  # not where the other tests of few pairs are left out
    completeness()
