# Outputs: what they replace and what they never do, links, descriptors, devices; nothing with a name before it is
# whole.
. "$top/tests/tap.sh"
export PYTHONPATH="$top/tests" XFV_MODEL_PATH="$work:$top/models"
cat >make.py <<'PY'
from streams import *
open("tiny.xfvm", "wb").write(model())
open("faces.xfv", "wb").write(stream([face("d/%d.jpg" % i, i) for i in range(4)]))
open("table.tsv", "w").write("d/0.jpg\td/1.jpg\tyes\nd/2.jpg\td/3.jpg\tno\n")
PY
runs 0 "Python makes faces and a model" "$PYTHON" make.py
embed -m tiny -o e.xfv faces.xfv && verify -q --pairs table.tsv -o pairs.xfv e.xfv && fggb-grad -q -o maps.xfv pairs.xfv
cp "$top/tests/photos/anna-1.jpg" a.jpg && cp a.jpg b.jpg && cp a.jpg c.jpg
sum() { cksum <"$1"; }
# refused DESCRIPTION FILE COMMAND...: status 2, one line that names it, FILE as it was
refused() {
    what=$1 file=$2 was=$(sum "$2"); shift 2
    runs 2 "$what: status 2" "$@"
    is "$(sum "$file")" "$was" "$what: the file stays"
    is "$(wc -l <err)" 1 "$what: one line"
}

# An output is not an input, by whatever name.
ln e.xfv hard.xfv && ln -s e.xfv soft.xfv && mkdir d && ln -s ../e.xfv d/e.xfv
for name in e.xfv ./e.xfv "$work/e.xfv" hard.xfv soft.xfv d/e.xfv; do
    refused "the input is the output, as $name" e.xfv xfv-select --join -o $name e.xfv
    like "$(cat err)" "^xfv-select: e.xfv is both an input and the output" "$name: says so"
    refused "also with --force, as $name" e.xfv xfv-select --join --force -o $name e.xfv
done
refused "standard input is the output" e.xfv sh -c 'xfv-select --join -o e.xfv <e.xfv'
refused "one of many inputs" e.xfv xfv-select --join -o e.xfv faces.xfv e.xfv
refused "a list is the output" table.tsv verify --tsv --pairs table.tsv -o table.tsv e.xfv
refused "the model is the output" tiny.xfvm calibrate -q -m tiny -o tiny.xfvm pairs.xfv
refused "a table's name is the input" pairs.xfv roc --curve pairs.xfv pairs.xfv
refused "an input of donors" e.xfv plant --donors e.xfv -o e.xfv pairs.xfv
refused "facecrop -o *.jpg" a.jpg facecrop --aligned -o *.jpg
refused "the same with a list" b.jpg sh -c \
    'printf "a.jpg\0b.jpg\0" >list; facecrop --aligned --force --files0-from list -o b.jpg'
refused "a photograph is the picture's name" a.jpg xfv-explain -o a.jpg a.jpg b.jpg
refused "the model that the stream names" tiny.xfvm calibrate -q -o tiny.xfvm pairs.xfv
like "$(cat err)" "tiny.xfvm is both an input and the output" "says so"
refused "the same, found beside the program" tiny.xfvm fggb-grad -q --force -o tiny.xfvm pairs.xfv
mkdir m && cp tiny.xfvm m/mobilefacenet.xfvm && cp "$top"/models/mtcnn-*.xfvm m
refused "the model that is meant without -m" m/mobilefacenet.xfvm env XFV_MODEL_PATH=m model-randomise -o \
    m/mobilefacenet.xfvm
refused "a part of the detector" "$work/m/mtcnn-p.xfvm" env XFV_MODEL_PATH=m facecrop --force -o m/mtcnn-p.xfvm a.jpg
refused "a photograph of a list from a pipe" b.jpg sh -c \
    'printf "a.jpg\0b.jpg\0" | facecrop -q --aligned --force --files0-from - -o b.jpg 2>err2; s=$?; tail -n 1 err2 >&2; exit $s'
jpegtopnm <a.jpg 2>/dev/null | pnmtopng >photo.png 2>/dev/null
facecrop -q --aligned -o of-png.xfv photo.png
refused "the photograph that is drawn on" photo.png heatmap -q --layout photo -o photo.png of-png.xfv

printf 'xfv-graph 1\ninput data 2x2x3\ndata w.bin\nweight w 2x2x3x4 f32\nnode conv y data weight=w kernel=2x2 stride=1x1 pads=0,0,0,0\noutput y\n' >net.txt
head -c 192 /dev/zero | tr '\0' '\1' >w.bin
runs 0 "a description with its weights in a file" model-import -q --name n -o m/n.xfvm net.txt
refused "weights beside a network" w.bin model-import -q --force --name n -o w.bin net.txt

# Nor is it added to one: the program would read what it writes, without an end.
refused "standard output is added to the input" e.xfv sh -c 'ulimit -f 100; xfv-select --join e.xfv >>e.xfv'
refused "to standard input" e.xfv sh -c 'ulimit -f 100; embed -m tiny <e.xfv >>e.xfv'
refused "a descriptor is" e.xfv sh -c 'ulimit -f 100; xfv-select --join -o /dev/fd/5 e.xfv 5>>e.xfv'

# Nor is one output another.
ln -s both.tsv both-link
for name in both.tsv ./both.tsv both-link; do
    runs 2 "two outputs of one name: $name" roc -q --curve $name -o both.tsv pairs.xfv
    like "$(cat err)" "'both.tsv' is named for two outputs|'$name' is named for two outputs" "says so"
    [ ! -e both.tsv ]; ok $? "none is made"
done
runs 0 "two outputs of two names" roc -q --curve curve.tsv -o both.tsv pairs.xfv

# Only a file of its own kind is replaced.
pngtopnm <"$top/docs/why.png" >p.ppm 2>/dev/null || ppmmake blue 9 9 >p.ppm
heatmap -q -o f-0.png --layout overlay -s 1 -b 0 faces.xfv 2>/dev/null;
heatmap -q --layout overlay -s 1 -b 0 -o f-%d.png maps.xfv
printf 'a text\n' >t.txt && printf '<!doctype html>\n' >page.html
printf '\001\000\002' >bytes && cp tiny.xfvm model.xfvm
own() { # PROGRAM KIND COMMAND...: of all files only those of KIND are replaced
    p=$1 kinds=$2; shift 2
    for f in a.jpg f-0.png p.ppm t.txt page.html bytes model.xfvm e.xfv; do
        cp $f target.png
        case " $kinds " in *" $f "*) want=0 ;; *) want=2 ;; esac
        "$@" target.png >out 2>err
        is "$?" $want "$p over $f: status $want"
        [ $want = 0 ] || cmp -s $f target.png || ok 1 "$p over $f: it stays"
    done
    : >target.png
    runs 0 "$p over an empty file" "$@" target.png
    cp bytes target.png
    runs 0 "$p --force" "$@" target.png --force
}
own embed "e.xfv" embed -m tiny faces.xfv -o
own facecrop "e.xfv" facecrop --aligned a.jpg -o
own "verify --tsv" "t.txt page.html" verify -t .5 --tsv e.xfv -o
own verify "e.xfv" verify -t .5 e.xfv -o
own xfv-json "t.txt page.html" xfv-json e.xfv -o
own heatmap "f-0.png p.ppm" heatmap -q --layout sheet -s 1 -b 0 maps.xfv -o
own report "page.html" report -q maps.xfv -o
own model-randomise "model.xfvm e.xfv" model-randomise -m tiny -o
own "roc --curve" "t.txt page.html" roc -q pairs.xfv --curve
cp a.jpg f-1.png
refused "one picture of many" f-1.png sh -c 'heatmap -q --layout overlay -s 1 -b 0 -o f-%d.png maps.xfv'

# Links and descriptors.
cp e.xfv old.xfv && ln -s old.xfv link.xfv && ln -s nowhere.xfv dangling.xfv && ln -s link.xfv chain.xfv &&
    ln -s self self
for link in link.xfv dangling.xfv chain.xfv; do
    runs 0 "through $link" embed -m tiny -o $link faces.xfv
    [ -L $link ] && cmp -s e.xfv "$(readlink -f $link)"; ok $? "$link: stays a link to the whole output"
done
runs 4 "a link to itself" embed -m tiny -o self faces.xfv
shm=/dev/shm/xfv-test.$$
{ cat e.xfv; head -c 9000 /dev/zero; } >$shm
runs 0 "a file in /dev/shm" embed -m tiny -o $shm faces.xfv
cmp -s e.xfv $shm; ok $? "is an ordinary file: no old tail"
rm -f $shm
runs 0 "a new file there" embed -m tiny -o $shm faces.xfv
cmp -s e.xfv $shm; ok $? "is made"
rm -f $shm
for name in /dev/fd/5 /proc/self/fd/5 /proc/thread-self/fd/5 /dev/./fd//5 /dev/fd/../fd/5; do
    echo first >log
    xfv-json -o $name e.xfv 5>>log; { echo first; xfv-json e.xfv; } | cmp -s - log;
    ok $? "$name, opened to append: the beginning stays"
    embed -m tiny -o $name faces.xfv 5>five.xfv; cmp -s e.xfv five.xfv; ok $? "$name: a descriptor"
done
ln -s /dev/fd/5 fd5 && embed -m tiny -o fd5 faces.xfv 5>five.xfv; cmp -s e.xfv five.xfv; ok $? "a link to a descriptor"
runs 4 "a descriptor that is not open" embed -m tiny -o /dev/fd/77 faces.xfv
runs 4 "a descriptor that only reads" sh -c 'embed -m tiny -o /dev/fd/5 faces.xfv 5<faces.xfv'
runs 0 "/dev/null" embed -m tiny -o /dev/null faces.xfv
[ -c /dev/null ]; ok $? "is still what it was"
embed -m tiny -o /dev/stdout faces.xfv | cmp -s - e.xfv; ok $? "/dev/stdout"
sleep 9 5>>log & pid=$!
runs 4 "what another process has open" xfv-json -o /proc/$pid/fd/5 e.xfv
{ echo first; xfv-json e.xfv; } | cmp -s - log; ok $? "is left alone"
kill $pid
for name in d d/ . .. /; do
    runs 4 "a folder: $name" embed -m tiny -o $name nowhere.xfv
    like "$(cat err)" "cannot write '$name': Is a directory" "is refused before anything is read"
done
long=$(printf '%0251d' 1).xfv
for again in "a name as long as a name may be" "the same again"; do
    runs 0 "$again" embed -m tiny -o $long faces.xfv
    cmp -s $long e.xfv; ok $? "$again: is whole"
done
runs 4 "no folder" embed -m tiny -o none/x.xfv faces.xfv

# Where a file cannot be without a name.
cat >named.c <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
int openat(int folder, const char *path, int flags, ...)
{
    va_list ap;
    va_start(ap, flags);
    int mode = va_arg(ap, int), (*real)(int, const char *, int, ...);
    va_end(ap);
    *(void **)&real = dlsym(RTLD_NEXT, "openat");
    if ((flags & O_TMPFILE) == O_TMPFILE) return errno = EOPNOTSUPP, -1;
    return real(folder, path, flags, mode);
}
C
if [ "${XFV_SANITIZED:-0}" = 1 ]; then skip "named until whole" "the sanitizer's own calls come first"; else
    runs 0 "a file system without O_TMPFILE is played" ${CC:-cc} -shared -fPIC -o named.so named.c -ldl
    for how in "" --no-sandbox; do
        rm -f n.xfv
        LD_PRELOAD=./named.so embed $how -m tiny -o n.xfv faces.xfv; cmp -s n.xfv e.xfv;
        ok $? "named until whole $how: the output"
        LD_PRELOAD=./named.so embed $how -m tiny -o n.xfv faces.xfv; cmp -s n.xfv e.xfv; ok $? "again, over it $how"
        LD_PRELOAD=./named.so embed $how -m tiny -o n.xfv - 2>/dev/null </dev/null; cmp -s n.xfv e.xfv;
        ok $? "a failure $how: it stays"
        is "$(echo n.xfv*)" n.xfv "and nothing beside it"
    done
    mkfifo fifo
    LD_PRELOAD=./named.so embed -m tiny -o n.xfv <fifo & pid=$!
    exec 3>fifo
    for i in 1 2 3 4 5 6 7 8 9 10; do ls n.xfv.tmp.* >/dev/null 2>&1 && break; sleep 0.1; done
    like "$(echo n.xfv*)" "n.xfv n.xfv.tmp.[0-9]+" "beside while it runs"
    kill -KILL $pid; wait $pid 2>/dev/null
    exec 3>&-
    for i in 1 2 3 4 5 6 7 8 9 10; do ls n.xfv.tmp.* >/dev/null 2>&1 || break; sleep 0.1; done
    is "$(echo n.xfv*)" n.xfv "and removed even after SIGKILL"
fi

# Somebody puts a link in the folder's place while the program runs.
mkfifo late && mkdir shared trap && cp e.xfv trap/x.xfv && echo old >trap/y.xfv
for name in x.xfv y.xfv; do
    embed -m tiny -o shared/$name <late & pid=$!
    exec 3>late
    head -c 100 faces.xfv >&3; sleep 0.3
    mv shared moved && ln -s trap shared
    tail -c +101 faces.xfv >&3
    exec 3>&-
    wait $pid; ok $? "shared/$name: the program ends well"
    cmp -s moved/$name e.xfv; ok $? "its output is in the folder that was meant"
    rm shared && mv moved shared
done
is "$(cat trap/y.xfv)" old "and not behind the link"

# On the disk before the program ends.
if command -v strace >/dev/null && strace -o /dev/null true 2>/dev/null; then
    synced() { strace -f -qq -e trace=fsync -o trace "$@" 2>/dev/null; grep -c '= 0' trace; }
    is "$(synced embed --no-sandbox -m tiny -o s.xfv faces.xfv)" 0 "a stream: when the system likes"
    is "$(synced embed --no-sandbox --fsync -m tiny -o s.xfv faces.xfv)" 2 \
        "a stream with --fsync: the file and its folder"
    is "$(synced model-randomise --no-sandbox -m tiny -o s.xfvm)" 2 "a model: always"
    is "$(synced report -q --no-sandbox -o s.html maps.xfv)" 2 "a page: always"
    is "$(synced embed --fsync -m tiny -o s2.xfv faces.xfv)" 2 "and in the sandbox"
else
    skip "fsync" "no strace here"
fi
done_testing
