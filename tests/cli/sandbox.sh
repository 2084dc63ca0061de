# The sandbox: a decoder that was taken over (tests/sandbox/hijack.c) gets nowhere, and gets in with --no-sandbox; what
# it must not hinder; what it costs.
. "$top/tests/tap.sh"
if [ "${XFV_SANITIZED:-0}" = 1 ]; then
    skip "the sandbox" "a build with sanitizers has none"
    done_testing
    exit
fi
export PYTHONPATH="$top/tests" XFV_MODEL_PATH="$work:$top/models"
anna="$top/tests/photos/anna-1.jpg"
runs 0 "the hostile reader is built" ${CC:-cc} -std=c11 -O1 -Wall -Wextra -Werror -shared -fPIC -o hijack.so \
    "$top/tests/sandbox/hijack.c" -ldl -pthread
mkdir elsewhere out.d
cp "$anna" anna.jpg
cat >make.py <<'PY'
from streams import *
open("tiny.xfvm", "wb").write(model())
open("faces.xfv", "wb").write(stream([face("d/%d.jpg" % i, i) for i in range(4)]))
open("table.tsv", "w").write("d/0.jpg\td/1.jpg\tyes\nd/2.jpg\td/3.jpg\tno\n")
PY
runs 0 "Python makes faces and a model" "$PYTHON" make.py
embed -m tiny -o embedded.xfv faces.xfv && verify -q --pairs table.tsv -o pairs.xfv embedded.xfv
fggb-grad -q -o maps.xfv pairs.xfv
plant -q --skip --kind patches --donors embedded.xfv pairs.xfv | fggb-grad -q -o patched.xfv
runs 0 "facecrop" facecrop --aligned -o face.xfv anna.jpg
runs 0 "facecrop -v" facecrop -v --aligned -o face.xfv anna.jpg
is "$(grep -c -i sandbox err)" 0 "-v is about faces, not about the sandbox"
xfv-doctor >doctor
filtered=no confined=no
grep -q '^ok *sandbox *seccomp' doctor && filtered=yes
grep -q '^ok *sandbox *Landlock' doctor && confined=yes
like "$(cat doctor)" "^ok +sandbox +(seccomp|no)" "xfv-doctor says what is in force"
like "$(LD_PRELOAD=./hijack.so XFV_LANDLOCK=0 xfv-doctor)" "^warn +sandbox +no Landlock" \
    "xfv-doctor: a kernel without Landlock"
like "$(LD_PRELOAD=./hijack.so XFV_LANDLOCK=3 xfv-doctor)" "^ok +sandbox +Landlock 3 confines files; signals are" \
    "an older one"

# What each attack meets with Landlock, and without.
calls="write tmp overwrite unlink rename replace remove link beside truncate append chmod fchmod fcntl symlink connect exec
fork ptrace kill code"
calls=$(echo $calls)
always="broker descriptor openat2 prlimit affinity"
files="read thread list"
# A thousand attacks: what stands around each is the shell's own, but for rm and stat.
victims() {
    rm -rf stolen link elsewhere/* out.d/*
    for f in precious elsewhere/kept out.d/victim out.d/out-7.ppm; do echo old >$f; done
    echo bait >out.d/bait
}
# harmed: what became of them, into $harm
harmed() {
    harm=
    for f in precious out.d/victim out.d/out-7.ppm elsewhere/kept out.d/bait; do
        text=gone
        [ ! -e $f ] || { more=; IFS= read -r text && IFS= read -r more; text=$text${more:+ $more}; } <$f
        harm="$harm$text "
    done
    for f in stolen link out.d/linked out.d/beside elsewhere/stolen elsewhere/precious; do
        { [ ! -e $f ] && [ ! -L $f ]; } || harm="$harm$f "
    done
    harm="$harm$(stat -c %a tiny.xfvm)"
}
# told TEXT: does err hold it?
told() {
    while IFS= read -r line || [ -n "$line" ]; do case $line in *"$1"*) return 0 ;; esac; done <err
    return 1
}
unharmed="old old old old bait $(stat -c %a tiny.xfvm)"
# strike WHAT COMMAND...
strike() {
    what=$1; shift
    victims
    env LD_PRELOAD="$work/hijack.so" XFV_HIJACK="$what" "$@" >out 2>err </dev/null 9>>precious
    status=$?
}
# held KERNEL COMMAND...: every attack but those that KERNEL does not hold; one line of what went wrong
held() {
    kernel=$1; shift
    bad=
    for what in $calls $always $([ "$kernel" = 0 ] || echo $files); do
        XFV_LANDLOCK=$kernel strike $what "$@"
        harmed
        [ "$harm" = "$unharmed" ] || bad="$bad $what(harm)"
        told 'got in' && bad="$bad $what(in)"
        # there it could not even be opened
        if [ $what = fchmod ] && told "hijack: fchmod refused"; then continue; fi
        case " $calls " in
        *" $what "*) [ $status = 4 ] && told "stopped by its sandbox" || bad="$bad $what($status)" ;;
        *) [ $status -le 2 ] && told "hijack: $what refused" || bad="$bad $what($status)" ;;
        esac
    done
    is "$bad" "" "Landlock $kernel: $*: every attack is refused, or ends the program"
}
latest=$(sed -n 's/^ok *sandbox *Landlock \([0-9]*\).*/\1/p' doctor)
if [ $filtered = yes ] && [ $confined = yes ]; then
    for path in "$B"/bin/*; do
        p=${path##*/}
        case $p in *.d | *.o) continue ;; esac
        row=$(grep "^$p	" "$top/tests/commands.tsv")
        input=maps.xfv args= out="-o out.d/out"
        [ -z "$row" ] || { input=$(printf '%s' "$row" | cut -f 2) args=$(printf '%s' "$row" | cut -sf 3); }
        case $p in
        model-import) input=$top/tests/onnx/tiny-odds.onnx ;;
        model-info) input=tiny ;;
        model-randomise) input= args="-m tiny" ;;
        esac
        case $input in
        none) continue ;;
        "" | tiny | *.onnx) ;;
        photo) input=anna.jpg ;;
        *) "$p" --help | grep -q -- --max-record || continue ;;
        esac
        case $p in
        heatmap) args="$args --layout maps" out="-o out.d/out-%d.ppm" ;;
        xfv-check) out= ;;
        roc) out="--curve out.d/out -o out.d/more" ;;
        esac
        held $latest $p $args $out $input
    done
    for kernel in 5 3 1 0; do
        held $kernel facecrop --aligned -o out.d/out anna.jpg
        case $kernel in 5 | 0) held $kernel facecrop --aligned -j 2 anna.jpg ;; esac
        held $kernel heatmap -s 1 --layout maps -o out.d/out-%d.ppm maps.xfv
        held $kernel model-import -o out.d/out "$top/tests/onnx/tiny-odds.onnx"
    done
    for what in $files; do
        XFV_LANDLOCK=0 strike $what facecrop --aligned -o out.d/out anna.jpg
        like "$(cat err)" "hijack: $what got in" "without Landlock files can be read ($what): xfv(7) says so"
    done
    printf 'anna.jpg\0' >list
    strike read facecrop --aligned --files0-from list
    like "$(cat err)" "hijack: read refused" "facecrop --files0-from FILE: the images of the list and no other file"
    strike kill facecrop -q --aligned anna.jpg
    like "$(cat err)" "^facecrop: stopped by its sandbox: system call kill \([0-9]+\), which it never" \
        "the message names the call"
    is "$(wc -l <err)" 1 "in one line"
else
    skip "attacks" "this kernel has no seccomp, or no Landlock"
fi
for what in $calls $files ${always#broker }; do
    case $what in fcntl) continue ;; esac # whether the kernel lets it depends on what standard input is
    XFV_HIJACK_EARLY=1 strike $what facecrop --no-sandbox --aligned -o out.d/out anna.jpg
    like "$(cat err)" "hijack: $what got in" "facecrop --no-sandbox: $what gets in"
done

# What it must leave in peace.
runs 0 "facecrop --files0-from -" sh -c "find . -name anna.jpg -print0 | facecrop --aligned --files0-from - -o list.xfv"
runs 0 "facecrop --landmarks" sh -c \
    "echo 'anna.jpg 38 51 73 51 56 71 41 92 70 92' | facecrop --landmarks - -o landmarks.xfv"
runs 0 "an input as /dev/stdin" sh -c "xfv-select --join /dev/stdin <face.xfv >copy.xfv"
runs 0 "an input as /dev/fd/5" sh -c "xfv-select --join /dev/fd/5 5<face.xfv >copy.xfv"
runs 0 "an input and an output as descriptors" sh -c "xfv-select --join -o /dev/fd/6 /dev/fd/5 5<face.xfv 6>copy.xfv"
runs 0 "an input as a descriptor that could be written to" sh -c "xfv-select --join /dev/fd/5 5<>face.xfv >copy.xfv"
ln -s face.xfv link.xfv
ln -s out.d/target.xfv out-link.xfv
: >out.d/target.xfv
runs 0 "links, in and out" xfv-select --join -o out-link.xfv link.xfv
cmp -s out.d/target.xfv face.xfv; ok $? "the link's target is written"
mkfifo fifo
xfv-select --join -o fifo face.xfv &
runs 0 "a FIFO, in and out" xfv-check fifo
wait
runs 4 "an input that is a folder" xfv-select --join out.d
like "$(cat err)" "Is a directory" "is called one"
runs 4 "an input that is not there" xfv-select --join nowhere.xfv
like "$(cat err)" "No such file" "is said not to be there"
runs 4 "an output in a folder that is not there" xfv-select --join -o nowhere/x.xfv face.xfv
like "$(cat err)" "No such file" "is said not to be there"
"$PYTHON" - <<'PY' >times
import os, resource, subprocess
def cpu(*command):
    best = 1e9
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        best = min(best, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return best * 1000
for command in (["embed", "face.xfv"], ["facecrop", "--aligned", "anna.jpg"]):
    print(command[0], round(cpu(*command)), round(cpu(command[0], "--no-sandbox", *command[1:])))
PY
while read -r program with without; do
    [ "$with" -le $((without + 15)) ];
    ok $? "$program: $with ms of processor time with the sandbox, $without without: at most 15 more"
done <times
for program in xfv-select xfv-json heatmap; do
    is "$(readelf -d "$B/bin/$program" | grep -c openblas)" 0 "$program starts without OpenBLAS"
done
done_testing
