# The pairs of study/evidence.sh: evidence-pairs.py PAIRS.TXT IMAGES writes, into the folder where it is run, images.txt (of folds 1 to 4, from which what is
# planted is taken), genuine.txt and impostor.txt (those folds' pairs, in an order drawn at random), few.txt (the first of both), trial.txt (pairs on which
# maps are tried, 200 of a kind) and partners.txt (one image each with two photographs of its person, two of one other person and one of a third).
# With a third argument, MANY: that many pairs of folds 3 and 4 a sign, the images of these alone, and no partners.
import os, random, sys

pairs, images = sys.argv[1:3]
many = int(sys.argv[3]) if len(sys.argv) > 3 else 0
rows = [l.split() for l in open(pairs)]
n, rows = int(rows[0][1] if len(rows[0]) > 1 else rows[0][0]), rows[1:]
few = len(rows) < 4 * 2 * n  # a small list has no folds


def name(person, number):
    return "%s_%04d" % (person, int(number))


genuine, impostor, shown = [], [], set()
for i, r in enumerate(rows[: 4 * 2 * n]):
    a, b = (name(r[0], r[1]), name(r[0], r[2])) if len(r) == 3 else (name(r[0], r[1]), name(r[2], r[3]))
    shown |= {a, b}
    if few or i >= 2 * 2 * n:  # folds 3 and 4
        (genuine if len(r) == 3 else impostor).append((a, b))

# Every sixth pair of each kind from the fourth and from the sixth: none of those on which the trial's statistic was chosen.
trial = [
    (p, label)
    for label, rows_of in (("genuine", genuine), ("impostor", impostor))
    for at in ((0,) if few else (3, 5))
    for p in rows_of[at :: 1 if few else 6]
]
random.seed(8)
random.shuffle(genuine)
random.shuffle(impostor)
if many:
    genuine, impostor, trial = genuine[:many], impostor[:many], []
    shown = {x for pair in genuine + impostor for x in pair}
people = {}
for x in sorted({x for pair in genuine + impostor for x in pair}):
    people.setdefault(x.rsplit("_", 1)[0], []).append(x)
for p in people:  # all photographs of these people, for the partners
    if os.path.isdir(os.path.join(images, p)):
        people[p] = sorted({f[:-4] for f in os.listdir(os.path.join(images, p)) if f.endswith(".jpg")})
three = [p for p in sorted(people) if len(people[p]) >= 3]
two = [p for p in sorted(people) if len(people[p]) >= 2]
random.shuffle(three)
partners = []
for p in [] if many else three[:25]:
    a, same, again = people[p][:3]
    other = random.choice([q for q in two if q != p])
    third = random.choice([q for q in sorted(people) if q not in (p, other)])
    partners += [(a, same, "genuine"), (a, again, "genuine")]
    partners += [(a, x, "impostor") for x in people[other][:2] + people[third][:1]]
    shown |= {x for pair in partners[-5:] for x in pair[:2]}


def write(path, lines):
    with open(path, "w") as f:
        f.writelines("\t".join(x) + "\n" for x in lines)


write("genuine.txt", [p + ("genuine",) for p in genuine])
write("impostor.txt", [p + ("impostor",) for p in impostor])
write("trial.txt", [p + (label,) for p, label in trial])
write("few.txt", [p + ("genuine",) for p in genuine[:30]] + [p + ("impostor",) for p in impostor[:30]])
write("partners.txt", partners)
write("images.txt", [("%s/%s.jpg" % (x.rsplit("_", 1)[0], x),) for x in sorted(shown)])
