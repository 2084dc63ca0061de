# verify: which faces meet, the score, the decision, the table, the statuses.
. "$top/tests/tap.sh"
export PYTHONPATH="$top/tests" XFV_MODEL_PATH="$work"
cat >make.py <<'PY'
import hashlib
from streams import *
tiny, other = model(), model("other", 2)
open("tiny.xfvm", "wb").write(tiny); open("other.xfvm", "wb").write(other)
open("far.xfvm", "wb").write(model("far", 3, thresholds=[("default", -2.0)], score="euclidean"))
open("bare.xfvm", "wb").write(model("bare", 4, thresholds=[]))
def made_by(name):
    d = hashlib.sha256(open(name + ".xfvm", "rb").read()).hexdigest()
    return dict(model={"name": name, "digest": d}), dict(model=d)
head, by = made_by("tiny")
a, b, c, d = [1, 0, 0], [0.8, 0.6, 0], [0, 2, 0], [3, 0, 0]
def v(name, x, **k): return vector_face(name, x, **by, **k)
faces = [v("x/a.jpg", a), v("x/b.jpg", b), v("y/c.jpg", c), v("y/d.jpg", d)]
def put(name, recs, **h): open(name + ".xfv", "wb").write(stream(recs, **h))
put("four", faces, **head)
put("five", faces + [v("last", a)], **head)
put("none", [], **head)
put("failed", [faces[0], err("bad.jpg"), faces[2], faces[3], err("bad2.jpg"), faces[1], v("z", d)], **head)
put("allfailed", [err("p"), err("q")], **head)
put("note", [{"_": "x-note"}] + faces, **head)
put("nomodel", [vector_face("a", a), vector_face("b", b)])
put("mixed", [faces[0], vector_face("m", b, model="f" * 64)], **head)
put("unsure", [faces[0], vector_face("m", b)], **head)
put("noembedding", [{"_": "face", "id": "a"}, faces[1], faces[2], faces[3]], **head)
put("odd", [v("zero", [0, 0, 0]), faces[0], v("nan", [float("nan"), 1, 0]), faces[0], v("short", [1, 2]), faces[0],
            {"_": "face", "id": "text", "embedding": "x", **by}, faces[0], faces[0], faces[3]], **head)
put("ids", [v("a\tb\nc", a), {"_": "face", "id": b"\xff\xc3".decode("utf-8", "surrogateescape"), "embedding": tensor(np.array(a, "<f4")), **by}], **head)
put("one", faces[:1], **head); put("two", faces[1:2], **head)
put("strange", [dict(f, image=tensor(np.zeros((4, 4, 3), np.uint8)), empty=None, **{"k" * 300: 1}) for f in faces], **head)
put("images", [dict(f, image=tensor(np.zeros((4, 4, 3), np.uint8)), extra=[1]) for f in faces], **head)
h, by2 = made_by("far")
put("far", [vector_face("a", a, **by2), vector_face("d", d, **by2), vector_face("a", a, **by2), vector_face("c", [0, 2, 1.1], **by2)], **h)
h, by3 = made_by("bare")
put("bare", [vector_face("a", a, **by3), vector_face("b", b, **by3)], **h)
h, _ = made_by("tiny")
h["model"]["name"] = "other"
put("liar", faces, **h)
h["model"]["name"] = "gone"
put("gone", faces, **h)
h["model"]["name"] = "../x/tiny"
put("path", faces, **h)
PY
runs 0 "Python makes streams" "$PYTHON" make.py
t() { tr '\t\n' ' ;' <out; }

# consecutive
runs 0 "consecutive pairs" verify --tsv four.xfv
is "$(t)" "x/a.jpg x/b.jpg 0.800000 0.500000 accept -;y/c.jpg y/d.jpg 0.000000 0.500000 reject -;" \
    "first with second, third with fourth, at the model's threshold"
is "$(wc -c <err)" 0 "and nothing else"
runs 0 "--threshold" verify --tsv --header --threshold .9 four.xfv
is "$(t)" "id_a id_b score threshold decision label;x/a.jpg x/b.jpg 0.800000 0.900000 reject -;y/c.jpg y/d.jpg 0.000000 0.900000 reject -;" "which decides; --header"
runs 0 "a score equal to the threshold" verify --tsv --threshold 0 four.xfv
is "$(cut -f5 out | tr '\n' ' ')" "accept accept " "is accepted"
runs 0 "--at" verify --tsv --at eer four.xfv
is "$(cut -f4 out | tr '\n' ' ')" "0.250000 0.250000 " "takes the model's threshold of that name"
runs 2 "--at of a name that the model has not: status 2" verify --tsv --at fmr=1e-9 four.xfv
like "$(cat err)" "eer" "and the names it has"
runs 1 "--exit-status with a reject: status 1" verify --tsv -e four.xfv
runs 0 "--exit-status without one: status 0" verify --tsv -e -t -0.5 four.xfv
runs 1 "an odd number of faces: status 1" verify five.xfv
like "$(cat err)" "^verify: last: .*odd number.*no partner" "and a message that names the one left over"
is "$(xfv-json out | jq -r '._ + " " + (.id // "") + " " + (.code // "")' | tr '\n' ';')" \
    "head  ;pair x/a.jpg|x/b.jpg ;pair y/c.jpg|y/d.jpg ;err last unpaired;end  ;" "in the stream an err record"
runs 1 "failed faces: status 1" verify failed.xfv
is "$(xfv-json out | jq -r 'select(._ != "head") | ._ + " " + (.id // "") + " " + (.tool // "")' | tr '\n' ';')" \
    "err bad.jpg facecrop;err x/a.jpg|bad.jpg verify;pair y/c.jpg|y/d.jpg ;err bad2.jpg facecrop;err bad2.jpg|x/b.jpg verify;err z verify;end  ;" \
    "do not shift the others: each uses up its place"
like "$(xfv-json out | jq -r 'select(.id == "x/a.jpg|bad.jpg") | .message')" "bad.jpg.*no face found" \
    "and the pair's err record gives the reason"
runs 1 "the same as a table" verify --tsv failed.xfv
is "$(cut -f1,2,5 out | tr '\t\n' ' ;')" "x/a.jpg bad.jpg error;y/c.jpg y/d.jpg reject;bad2.jpg x/b.jpg error;" \
    "has a row for each pair"
runs 1 "only err records" verify allfailed.xfv
is "$(xfv-json out | jq -r '._ + " " + (.id // "")' | tr '\n' ';')" "head ;err p;err q;err p|q;end ;" \
    "make an err record more"
runs 0 "no faces: status 0" verify none.xfv
is "$(xfv-json out | jq -r ._ | tr '\n' ' ')" "head end " "and no pairs"
runs 0 "two files, a face each" verify --tsv one.xfv two.xfv
is "$(t)" "x/a.jpg x/b.jpg 0.800000 0.500000 accept -;" "are a pair"
cat one.xfv two.xfv >joined.xfv
runs 0 "so are two joined streams" verify joined.xfv
is "$(xfv-json out | jq -r ._ | tr '\n' ' ')" "head pair end " "with one head"
cat four.xfv four.xfv | verify >out
verify four.xfv >once.xfv
cat once.xfv once.xfv | cmp -s - out; ok $? "joined streams of whole pairs: the joined results"
is "$(verify note.xfv | xfv-json | jq -r ._ | tr '\n' ' ')" "head x-note pair pair end " "unknown records pass"

# the pair record
verify images.xfv >pairs.xfv
is "$(xfv-json pairs.xfv | jq -c 'select(._ == "pair") | keys_unsorted' | head -n 1)" \
    '["_","id","a","b","score","threshold","accept"]' "keys of a pair"
is "$(xfv-json pairs.xfv | jq -c 'select(._ == "pair") | .a | keys_unsorted' | head -n 1)" \
    '["_","id","embedding","model","image","extra"]' "which holds its faces whole"
is "$(xfv-json pairs.xfv | jq -c 'select(._ == "pair") | [.score, .threshold, .accept]' | tail -n 1)" '[0,0.5,false]' \
    "score, threshold, decision"
is "$(xfv-json pairs.xfv | jq -c 'select(._ == "head") | .provenance[-1]')" \
    '{"tool":"verify","version":"0.1.0","args":[],"pairs":"consecutive"}' "provenance"
is "$(verify -t .3 --drop image --all images.xfv | xfv-json | jq -c 'select(._ == "head") | .provenance[-1].args')" \
    '["--all","--threshold=.3","--drop=image"]' "with the options that change the result"
verify --drop image --drop embedding images.xfv >dropped.xfv
is "$(xfv-json dropped.xfv | jq -c 'select(._ == "pair") | .b | keys_unsorted' | head -n 1)" \
    '["_","id","model","extra"]' "--drop"
runs 0 "--drop from faces with a nil and a long key" verify --drop image strange.xfv
is "$(xfv-json out | jq -c 'select(._ == "pair") | .b | keys_unsorted | map(length)' | head -n 1)" '[1,2,9,5,5,300]' \
    "which stay"

# pairs in: decided anew
runs 0 "a stream of pairs" verify -t .9 pairs.xfv
is "$(xfv-json out | jq -c 'select(._ == "pair") | [.id, (.score * 1e6 | round), .threshold, .accept]' | head -n 1)" \
    '["x/a.jpg|x/b.jpg",800000,0.9,false]' "is decided anew"
is "$(xfv-json out | jq -c 'select(._ == "pair") | keys_unsorted' | head -n 1)" \
    '["_","id","a","b","score","threshold","accept"]' "keys keep their places"
runs 0 "pairs without embeddings" verify --tsv -t .9 dropped.xfv
is "$(t)" "x/a.jpg x/b.jpg 0.800000 0.900000 reject -;y/c.jpg y/d.jpg 0.000000 0.900000 reject -;" \
    "are decided by their scores"

# all
runs 0 "--all" verify --tsv --all four.xfv
is "$(cut -f1,2 out | tr '\t\n' ' ;')" \
    "x/a.jpg x/b.jpg;x/a.jpg y/c.jpg;x/a.jpg y/d.jpg;x/b.jpg y/c.jpg;x/b.jpg y/d.jpg;y/c.jpg y/d.jpg;" \
    "every pair of two"
is "$(sed -n 3p out | cut -f3)" 1.000000 "lengths do not matter"
runs 0 "--all of joined streams" verify --all joined.xfv
is "$(xfv-json out | jq -r ._ | tr '\n' ' ')" "head pair end " "one segment"
runs 1 "--all with failed faces: status 1" verify --tsv --all failed.xfv
is "$(wc -l <out)-$(wc -l <err)" 10-2 "pairs those that are there, one message for each that is not"

# lists
printf 'file_x,file_y,Decision\na.jpg,b.jpg,Yes\nd.jpg,c.jpg,No\nx/b.jpg,c,0\n' >list.csv
runs 0 "--pairs" verify --tsv --pairs list.csv four.xfv
is "$(t)" "x/a.jpg x/b.jpg 0.800000 0.500000 accept genuine;y/d.jpg y/c.jpg 0.000000 0.500000 reject impostor;x/b.jpg y/c.jpg 0.600000 0.500000 accept impostor;" "by id, file name or stem, with labels"
verify --pairs list.csv four.xfv >labelled.xfv
is "$(xfv-json labelled.xfv | jq -c 'select(._ == "pair") | [.label, .accept]' | tr '\n' ' ')" \
    "[true,true] [false,false] [false,true] " "labels in the stream"
is "$(verify --tsv labelled.xfv | cut -f6 | tr '\n' ' ')" "genuine impostor impostor " "which a later run keeps"
runs 0 "-v" verify -v --tsv --pairs list.csv four.xfv
like "$(cat err)" "1 genuine, 2 impostor pairs: accuracy 66.67 %, FMR 50.000 %, FNMR 0.000 %" \
    "tells accuracy and error rates"
like "$(cat err)" "equal error rate" "and the equal error rate"
printf 'a.jpg b.jpg 1\na.jpg nobody.jpg 1\n' >missing.txt
runs 1 "a missing id: status 1" verify --pairs missing.txt four.xfv
like "$(cat err)" "^verify: line 2 .a.jpg.nobody.jpg.: no face 'nobody.jpg' among the 4" "told by its line"
is "$(xfv-json out | jq -r 'select(._ == "err") | .id + " " + .code')" "a.jpg|nobody.jpg noface" \
    "and an err record in its place"
verify --tsv --pairs missing.txt four.xfv >out 2>/dev/null
is "$(tail -n 1 out | tr '\t' ' ')" "a.jpg nobody.jpg nan 0.500000 error genuine" "in the table a row"
printf 'a.jpg bad.jpg\n' >bad.txt
runs 1 "a face that failed" verify --pairs bad.txt failed.xfv
like "$(cat err)" "line 1 .x/a.jpg.bad.jpg.: no face 'bad.jpg': no face found" "gives its reason"
printf 'left,right\na,b\n' >heading.csv
runs 0 "a heading of two columns" verify --tsv --pairs heading.csv four.xfv
like "$(wc -l <out) $(cat err)" "^1 .*taken for a heading" "is skipped, and said"
printf 'left,right,same\na,b,same\n' >heading.csv
runs 0 "a heading whose third column could be a label" verify --tsv --pairs heading.csv four.xfv
like "$(wc -l <out) $(cat err)" "^1 .*taken for a heading" "is skipped, and said"
printf 'neu1 neu2\na b\n' >unknown.txt
runs 1 "a first line of unknown ids is a pair" verify --tsv --pairs unknown.txt four.xfv
is "$(cut -f1,2,5 out | tr '\t\n' ' ;')" "neu1 neu2 error;x/a.jpg x/b.jpg accept;" "and has its row"
"$PYTHON" -c '
from streams import *
open("escapes.xfv", "wb").write(stream([vector_face(n, v) for n, v in [("a\tb.jpg", [1, 0]), ("c\x1bd.jpg", [1, 1]), ("e, \"f\".jpg", [0, 1])]]))'
verify --tsv --header -t .5 --all escapes.xfv >table.tsv
runs 0 "verify's table is a list" verify --tsv --header -t .5 --pairs table.tsv escapes.xfv
cmp -s out table.tsv; ok $? "which gives the same table, escapes and all"
mkdir -p cfp/Protocol/Split/FP/01 cfp/Protocol/Split/FF/01
printf '1 ../Data/Images/001/frontal/01.jpg\n2 ../Data/Images/001/frontal/02.jpg\n' >cfp/Protocol/Pair_list_F.txt
printf '1 ../Data/Images/001/profile/01.jpg\n2 ../Data/Images/002/profile/01.jpg\n' >cfp/Protocol/Pair_list_P.txt
echo 1,1 >cfp/Protocol/Split/FP/01/same.txt; echo 1,2 >cfp/Protocol/Split/FP/01/diff.txt;
echo 1,2 >cfp/Protocol/Split/FF/01/same.txt
"$PYTHON" -c '
from streams import *
names = ["001/frontal/01", "001/frontal/02", "001/profile/01", "002/profile/01"]
open("cfp.xfv", "wb").write(stream([vector_face(f"cfp/Data/Images/{n}.jpg", [1, i]) for i, n in enumerate(names)]))'
for s in FP/01/same FP/01/diff FF/01/same; do verify --tsv -t .9 --pairs cfp/Protocol/Split/$s.txt cfp.xfv;
done | cut -f1,2,6 | sed 's/cfp.Data.Images.//g; s/.jpg//g' | tr '\t\n' ' ;' >out
is "$(cat out)" \
    "001/frontal/01 001/profile/01 genuine;001/frontal/01 002/profile/01 impostor;001/frontal/01 001/frontal/02 genuine;" "CFP's splits"
runs 2 "CFP's split without its lists" sh -c 'cp cfp/Protocol/Split/FP/01/same.txt . && verify --pairs same.txt cfp.xfv'
like "$(cat err)" "Pair_list_F.txt" "says what is missing"
printf 'a,b,target\nb,c,different\n' >labels.csv
runs 2 "a first line that names faces and has no label: status 2" verify --tsv --pairs labels.csv four.xfv
like "$(wc -l <out) $(cat err)" "^0 .*labels.csv, line 1 names faces.*must be a label: yes, no" \
    "it is not skipped for a heading"
echo 'a b' >ab.txt
runs 0 "--pairs - reads standard input" verify --tsv --pairs - four.xfv <ab.txt
is "$(t)" "x/a.jpg x/b.jpg 0.800000 0.500000 accept -;" "and pairs what it names"
runs 2 "--pairs - without a file of faces: status 2" verify --tsv --pairs - <ab.txt
runs 2 "or with - for one" verify --tsv --pairs - four.xfv - <ab.txt
like "$(cat err)" "name the file of the faces" "what to do is said"
printf '1\t1\nA\t1\t2\nA\t1\tB\t1\n' >lfw.txt
"$PYTHON" -c '
from streams import *
open("lfw.xfv", "wb").write(stream([vector_face(f"lfw/{n[0]}/{n}.jpg", v) for n, v in [("A_0001", [1, 0]), ("A_0002", [1, 1]), ("B_0001", [0, 1])]]))'
runs 0 "LFW's pairs.txt" verify --tsv -t .7 --pairs lfw.txt lfw.xfv
is "$(cut -f1,2,5,6 out | tr '\t\n' ' ;')" \
    "lfw/A/A_0001.jpg lfw/A/A_0002.jpg accept genuine;lfw/A/A_0001.jpg lfw/B/B_0001.jpg reject impostor;" \
    "with labels from its form"
runs 2 "a damaged list: status 2" verify --pairs make.py four.xfv
runs 4 "no list: status 4" verify --pairs nowhere.csv four.xfv

# probe
runs 0 "--probe" verify --tsv --probe y/d.jpg four.xfv
is "$(cut -f1-3 out | tr '\t\n' ' ;')" "y/d.jpg x/a.jpg 1.000000;y/d.jpg x/b.jpg 0.800000;y/d.jpg y/c.jpg 0.000000;" \
    "one against all others"
runs 2 "--probe of nobody: status 2" verify --tsv --probe who four.xfv
runs 2 "--all and --probe: status 2" verify --all --probe d four.xfv
runs 2 "--threshold and --at: status 2" verify --threshold 1 --at eer four.xfv
runs 2 "--header without a table: status 2" verify --header four.xfv
runs 2 "--threshold=nan: status 2" verify --threshold=nan four.xfv

# models
runs 5 "no model named anywhere: status 5" verify --tsv nomodel.xfv
like "$(cat err)" "threshold" "and what would help"
runs 0 "but with --threshold" verify --tsv -t .5 nomodel.xfv
is "$(cut -f3 out)" 0.800000 "the cosine decides"
runs 0 "or with -m" verify --tsv -m tiny nomodel.xfv
runs 5 "another -m than the stream's: status 5" verify --tsv -m other four.xfv
runs 5 "a head that names another model than the digest's: status 5" verify --tsv liar.xfv
runs 5 "a model that is not installed: status 5" verify --tsv gone.xfv
like "$(cat err)" "gone" "named"
runs 0 "but with --threshold" verify --tsv -t .5 gone.xfv
runs 5 "a head that leads to a file: status 5" verify --tsv path.xfv
runs 5 "two models in a pair: status 5" verify --tsv mixed.xfv
runs 5 "also when one does not say" verify --tsv unsure.xfv
runs 2 "a model without thresholds: status 2" verify --tsv bare.xfv
like "$(cat err)" "bare.*--threshold" "and what to give"
runs 0 "a model that is compared by distance" verify --tsv far.xfv
is "$(t)" "a d -2.000000 -2.000000 accept -;a c -2.491987 -2.000000 reject -;" "scores minus the distance"

# what cannot be scored
runs 1 "no embedding: status 1" verify --tsv noembedding.xfv
like "$(cat err)" "run embed" "and what to do"
is "$(cut -f5 out | tr '\n' ' ')" "error reject " "only that pair fails"
runs 1 "zero, NaN, too short, no tensor: status 1" verify --tsv odd.xfv
is "$(cut -f5 out | tr '\n' ' ')" "error error error error accept " "only these pairs fail"
is "$(wc -l <err)" 4 "one line each"
runs 1 "the same under --all" verify --tsv --all noembedding.xfv
is "$(wc -l <out)" 3 "pairs the others"
runs 0 "odd ids" verify --tsv ids.xfv
is "$(cut -f1,2 out)" "$(printf 'a\\tb\\nc\t\\xff\\xc3')" "cannot break the table"
verify ids.xfv >out
is "$(xfv-json out | jq -r 'select(._ == "pair").b.id' | wc -l)" 1 "and go on as they are"

# a terminal gets the table
if "$PYTHON" -c 'import pty; pty.openpty()' 2>/dev/null; then
"$PYTHON" - >out <<'PY'
import os, pty, subprocess
master, slave = pty.openpty()
print(subprocess.run(["verify", "four.xfv"], stdout=slave, stdin=subprocess.DEVNULL, timeout=20).returncode)
print(os.read(master, 4096).decode().replace("\r", ""), end="")
PY
is "$(head -n 2 out | cut -f1,5 | tr '\t\n' ' ;')" "0;x/a.jpg accept;" "a terminal gets the table"
else
    skip "a terminal gets the table" "this system gives no pseudo-terminals"
fi
# --best and --above: the rows of --all, chosen
cat >many.py <<'PY'
from streams import *
rng = np.random.default_rng(5)
people = rng.normal(size=(40, 24))
faces = [vector_face(f"p{i // 3}/{i}.jpg", people[i // 3] + rng.normal(size=24)) for i in range(120)]
faces[7] = vector_face("zero.jpg", np.zeros(24)); faces[8] = vector_face("short.jpg", np.ones(3)); faces[9] = err("bad.jpg")
faces.append(vector_face("again.jpg", array(faces[0]["embedding"])))
open("many.xfv", "wb").write(stream(faces))
PY
"$PYTHON" many.py
cat >choose.py <<'PY'
rows, n = {}, {}
for line in open("all.tsv"):
    a, b, s, rest = line.rstrip("\n").split("\t", 3)
    if s != "nan": rows.setdefault(a, []).append((float(s), b)); rows.setdefault(b, []).append((float(s), a))
for line in open("best.tsv"):
    a, b, s, rest = line.rstrip("\n").split("\t", 3)
    print(a, s, f"{sorted(rows[a], reverse=True)[n.get(a, 0)][0]:.6f}" == s)
    n[a] = n.get(a, 0) + 1
print(len(n), set(n.values()))
PY
verify --all -t 0.4 --tsv many.xfv >all.tsv 2>/dev/null
verify --all --best 3 -t 0.4 --tsv many.xfv >best.tsv 2>err;
is $? 1 "--best: status 1, for the faces that cannot be compared"
is "$(grep -cE '^verify: [^0-9 ]*: ' err)" "3" "--best: each of them is named once"
is "$("$PYTHON" choose.py | grep -c False) $("$PYTHON" choose.py | tail -n 1)" "0 118 {3}" \
    "--best 3: for each face the three largest scores of --all, to the printed digit"
is "$(verify --all --best 3 -t 0.4 many.xfv 2>/dev/null | xfv-json |
    jq -r 'select(._ == "pair") | [.a.id, .b.id] | join(" ")' | sort)" "$(cut -f 1,2 best.tsv | tr '\t' ' ' | sort)" "--best: the same pairs in a stream"
verify --all --above 0.3 -t 0.4 --tsv many.xfv >above.tsv 2>/dev/null
is "$(cat above.tsv)" "$(awk -F '\t' '$3 != "nan" && $3 >= 0.3' all.tsv)" \
    "--above: the rows of --all with this score and more"
is "$(verify --probe again.jpg --best 1 -t 0.4 --tsv many.xfv 2>/dev/null | cut -f 2,3)" "p0/0.jpg	1.000000" \
    "--probe --best 1: the same embedding again"
for i in 1 2 3; do verify --all --best 3 -t 0.4 --shard $i/3 --tsv many.xfv 2>/dev/null; done | cmp - best.tsv;
ok $? "--best: three shards are the whole"
# A table's search for a probe lets faces go as they pass by; a stream's holds them all: the same pairs and messages.
cat >sieve.py <<'PY'
from streams import *
rng = np.random.default_rng(11)
base = rng.normal(size=32)
def face(i, **k): return vector_face(f"s/{i}.jpg", base + rng.normal(size=32) * (0.3 + i % 97 / 20), **k)
faces = [face(i) for i in range(2600)]
def put(name, recs): open(name + ".xfv", "wb").write(stream(recs))
put("sieve", faces)
odd = list(faces)
odd[3] = err("s/30.jpg"); odd[5] = vector_face("zero.jpg", np.zeros(32)); odd[900] = face(12)
odd[1300] = vector_face("nan.jpg", np.full(32, np.nan)); odd[1700] = vector_face("short.jpg", np.ones(5)); odd[2000] = err("bad.jpg")
odd[2100] = {"_": "face", "id": "bare.jpg"}; odd[2200] = vector_face("tiny.jpg", base * 1e-15); odd[2300] = face(7, note="ä" * 300)
odd[2400] = vector_face("", -base)
put("sifted", odd)
put("shortfirst", [vector_face("short.jpg", np.ones(5))] + faces[:700])
put("early", faces[:2000] + [face(3, model="a" * 64)])
PY
"$PYTHON" sieve.py
for file in sieve sifted shortfirst early; do
    for how in "s/0.jpg --best 5" "s/2599.jpg --best 70" "s/1201.jpg --above .9" "12.jpg --best 2" "zero.jpg --best 2" \
        "nan.jpg --best 2" "s/30.jpg --best 2 --above .5" "none --best 1"; do
    verify --probe $how -t .4 --tsv $file.xfv >table 2>table.err; got=$?
    verify --probe $how -t .4 $file.xfv >pairs 2>pairs.err; want=$?
    is "$got $(cut -f 1-3 table) $(grep -v 'no face found' table.err)" \
        "$want $(xfv-json pairs 2>/dev/null | jq -r 'select(._ == "pair") | [.a.id, .b.id, .score] | @tsv' |
        awk -F '\t' '{printf "%s\t%s\t%.6f\n", $1, $2, $3}') $(grep -v 'no face found' pairs.err)" "--probe $how of $file: the table's rows are the stream's pairs"
done; done
runs 2 "--best without --all or --probe" verify --best 3 -t 0.4 many.xfv
done_testing
