# Shards: parts joined in order are the whole, byte by byte; by xargs, and by GNU parallel with a worker killed in the
# middle and a resumed run.
. "$top/tests/tap.sh"
export PYTHONPATH="$top/tests" XFV_MODEL_PATH="$work"
cat >make.py <<'PY'
from streams import *
import os
os.mkdir("crops")
rng = np.random.default_rng(3)
for i in range(14):
    open(f"crops/{i:02}.ppm", "wb").write(b"P6 16 16 255\n" + rng.integers(0, 256, (16, 16, 3), np.uint8).tobytes())
open("crops/05.ppm", "wb").write(b"P6 16 16 255\nshort")
open("crops.list", "wb").write(b"".join(f"crops/{i:02}.ppm\0".encode() for i in range(14)))
open("pairs.csv", "w").write("a,b,label\n" + "".join(f"{i:02}.ppm,{(i * 5 + 1) % 14:02}.ppm,{i % 2}\n" for i in range(14)))
open("tiny.xfvm", "wb").write(model())
PY
runs 0 "Python makes crops, a list, pairs and a model" "$PYTHON" make.py
crop="facecrop -q --aligned --size 16"
$crop -o whole.xfv -0 crops.list
is $? 1 "one image is broken"
parts_are_whole() { # DESCRIPTION WHOLE COMMAND-WITH-{}; for 1, 3 and 40 parts
    for n in 1 3 40; do
        set -- "$1" "$2" "$3" # the parts come after
        i=1 files=
        while [ $i -le $n ]; do
            sh -c "$(printf '%s' "$3" | sed "s|{}|$i/$n|g")" >part.$i.xfv 2>/dev/null
            files="$files part.$i.xfv"
            i=$((i + 1))
        done
        xfv-select --join -q -o joined.xfv $files
        cmp -s joined.xfv "$2"; ok $? "$1: $n parts joined are the whole"
        rm -f part.*
    done
}
parts_are_whole "facecrop --files0-from" whole.xfv "$crop --shard {} -0 crops.list"
parts_are_whole "facecrop with operands" whole.xfv "$crop --shard {} crops/*.ppm"
embed -q -m tiny -o faces.xfv whole.xfv
verify -q --pairs pairs.csv -o listed.xfv faces.xfv
verify -q --all -o all.xfv faces.xfv
parts_are_whole "verify --pairs" listed.xfv "verify -q --pairs pairs.csv --shard {} faces.xfv"
parts_are_whole "verify --all" all.xfv "verify -q --all --shard {} faces.xfv"
xfv-select -q -o selected.xfv all.xfv
parts_are_whole "xfv-select" selected.xfv "xfv-select -q --shard {} all.xfv"
verify -q --all --tsv faces.xfv >all.tsv 2>/dev/null
for i in 1 2 3; do verify -q --all --tsv --shard $i/3 faces.xfv 2>/dev/null; done | cmp -s - all.tsv;
ok $? "verify --tsv: the table, too"
for bad in 0/3 4/3 1/0 1 /3 1/x -1/3 1/2000000; do
    runs 2 "--shard $bad: status 2" facecrop --shard $bad -0 crops.list
done
runs 2 "verify --shard needs --pairs or --all" verify --shard 1/2 faces.xfv
runs 2 "facecrop --shard needs names" facecrop --shard 1/2
runs 2 "xfv-select --shard needs files" xfv-select --shard 1/2 <all.xfv

# The recipes of xfv-parallel(7), on a small network. A worker of part 3 is killed in the middle of its input.
cat >worker.sh <<SH
if [ -e kill ] && [ \$1 = 3 ]; then
    { $crop --shard 3/6 -0 crops.list | head -c 1500; while [ ! -s pid ]; do sleep 0.02; done; sleep 0.2; rm kill; kill -KILL "\$(cat pid)"; } |
        sh -c 'echo \$\$ >pid; exec embed -q -m tiny -o faces.3.xfv'
else
    test -e faces.\$1.xfv || $crop --shard \$1/6 -0 crops.list | embed -q -m tiny -o faces.\$1.xfv || [ \$? -eq 1 ]
fi
SH
wanted=$(sha256sum <faces.xfv)
touch kill
seq 6 | xargs -P 2 -I{} sh worker.sh {} 2>err
[ ! -e kill ] && [ ! -e faces.3.xfv ]; ok $? "xargs: a worker was killed, its part is not there"
rm -f joined.xfv
runs 4 "and cannot be joined" xfv-select --join -o joined.xfv faces.1.xfv faces.2.xfv faces.3.xfv
[ ! -e joined.xfv ]; ok $? "nor is there half a result"
seq 6 | xargs -P 2 -I{} sh worker.sh {} 2>err; ok $? "run again"
xfv-select --join -q faces.[1-6].xfv >joined.xfv
is "$(sha256sum <joined.xfv)" "$wanted" "the parts joined are what one run writes"
if command -v parallel >/dev/null; then
    rm -f faces.?.xfv* pid
    touch kill
    parallel --will-cite --joblog log --resume-failed -j 2 sh worker.sh ::: 1 2 3 4 5 6 >out 2>err
    is "$?" 1 "GNU parallel: one job failed"
    before=$(stat -c '%n %Y %i' faces.[12456].xfv)
    parallel --will-cite --joblog log --resume-failed -j 2 sh worker.sh ::: 1 2 3 4 5 6 >out 2>err; ok $? "resumed"
    is "$(stat -c '%n %Y %i' faces.[12456].xfv)" "$before" "what was finished is not computed again"
    is "$(tail -n +2 log | wc -l)" 7 "seven jobs in the log: six, and one again"
    xfv-select --join -q faces.[1-6].xfv >joined.xfv
    is "$(sha256sum <joined.xfv)" "$wanted" "and the result is what one run writes"
else
    skip "GNU parallel" "not installed"
fi
done_testing
