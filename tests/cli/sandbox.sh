# The sandbox: a decoder that was taken over (tests/sandbox/hijack.c) gets nowhere, and gets in with --no-sandbox; what it must not hinder; what it costs.
. "$top/tests/tap.sh"
if [ "${XFV_SANITIZED:-0}" = 1 ]; then
    skip "the sandbox" "a build with sanitizers has none"
    done_testing
    exit
fi
anna="$top/tests/photos/anna-1.jpg"
runs 0 "the hostile decoder is built" ${CC:-cc} -std=c11 -O1 -Wall -Wextra -Werror -shared -fPIC -o hijack.so "$top/tests/sandbox/hijack.c" -ldl -pthread
mkdir elsewhere out.d
cp "$anna" anna.jpg
runs 0 "facecrop -v" facecrop -v --aligned -o face.xfv anna.jpg
told=$(grep -c sandbox: err)
is "$told" 1 "facecrop -v says what is in force"
filtered=no confined=no
grep -q 'filtered by seccomp' err && filtered=yes
grep -q 'confined by Landlock' err && confined=yes

# hijacked DESCRIPTION WHAT OPTION...
hijacked() {
    what=$1; shift
    echo old >precious
    rm -f stolen link elsewhere/*
    env LD_PRELOAD="$work/hijack.so" XFV_HIJACK="$what" facecrop --aligned "$@" anna.jpg >out 2>err
    status=$?
}
# stopped WHAT CALL: ends the program with status 4 and a line that names the call
stopped() {
    for to in "" "-o out.d/face.xfv" "-j 2"; do
        case "$to $1" in "-o"*" unlink" | "-o"*" rename") continue ;; esac # allowed by call, refused by folder: below
        hijacked "$1" $to
        is "$status $(grep -c 'got in' err) $(wc -l <err)" "4 0 1" "facecrop $to: a decoder that tries to $1 ends the program"
        [ "$(wc -l <err)" -eq 1 ] || sed 's/^/# /' err
        like "$(cat err)" "^facecrop: stopped by its sandbox: system call ($2) \([0-9]+\), which it never" "facecrop $to: $1: the message names the call"
    done
    is "$(find out.d -type f | wc -l)-$(ls stolen link elsewhere 2>/dev/null | grep -c '[a-z]$')" 0-0 "$1: no half file, and nothing stolen"
}
# refused WHAT OPTION...: gets an error
refused() {
    hijacked "$@"
    is "$status $(grep hijack: err)" "0 hijack: $1 refused" "facecrop $*: refused; the program goes on"
    is "$(cat precious)" old "facecrop $*: nothing is touched"
}
if [ $filtered = yes ]; then
    stopped write openat
    stopped tmp openat
    stopped overwrite openat
    stopped unlink unlink
    stopped rename rename
    stopped chmod chmod
    stopped symlink symlink
    stopped connect socket
    stopped exec execve
    stopped fork clone
    stopped ptrace ptrace
    stopped kill kill
    stopped code mmap
else
    skip "system calls" "this kernel has no seccomp"
fi
if [ $confined = yes ]; then
    for what in read thread list; do
        refused $what
        refused $what -j 2
        refused $what -o out.d/face.xfv
    done
    refused unlink -o out.d/face.xfv
    refused rename -o out.d/face.xfv
    printf 'anna.jpg\0' >list
    env LD_PRELOAD="$work/hijack.so" XFV_HIJACK=read facecrop -q --aligned --files0-from list >out 2>err
    is "$? $(cat err)" "0 hijack: read refused" "facecrop --files0-from FILE: the images of the list and no other file"
else
    skip "files" "this kernel has no Landlock"
fi
for what in read thread list write tmp overwrite unlink rename chmod symlink connect fork ptrace kill code exec; do
    hijacked $what --no-sandbox
    like "$(cat err)" "hijack: $what got in" "facecrop --no-sandbox: a decoder that tries to $what gets in"
done

# What it must leave in peace.
runs 0 "facecrop --files0-from -" sh -c "find . -name anna.jpg -print0 | facecrop --aligned --files0-from - -o list.xfv"
runs 0 "facecrop --landmarks" sh -c "echo 'anna.jpg 38 51 73 51 56 71 41 92 70 92' | facecrop --landmarks - -o landmarks.xfv"
runs 0 "an input as /dev/stdin" sh -c "xfv-cat /dev/stdin <face.xfv >copy.xfv"
runs 0 "an input as /dev/fd/5" sh -c "xfv-cat /dev/fd/5 5<face.xfv >copy.xfv"
runs 0 "an input and an output as descriptors" sh -c "xfv-cat -o /dev/fd/6 /dev/fd/5 5<face.xfv 6>copy.xfv"
ln -s face.xfv link.xfv
ln -s out.d/target.xfv out-link.xfv
echo >out.d/target.xfv
runs 0 "links, in and out" xfv-cat -o out-link.xfv link.xfv
cmp -s out.d/target.xfv face.xfv; ok $? "the link's target is written"
mkfifo fifo
xfv-cat -o fifo face.xfv &
runs 0 "a FIFO, in and out" xfv-check fifo
wait
runs 0 "an input that is the output" xfv-cat -o face.xfv face.xfv
runs 4 "an input that is a folder" xfv-cat out.d
like "$(cat err)" "Is a directory" "is called one"
runs 4 "an input that is not there" xfv-cat nowhere.xfv
like "$(cat err)" "No such file" "is said not to be there"
runs 4 "an output in a folder that is not there" xfv-cat -o nowhere/x.xfv face.xfv
like "$(cat err)" "No such file" "is said not to be there"
"$PYTHON" - <<'PY' >times
import os, resource, subprocess
def cpu(*command):
    best = 1e9
    for _ in range(12):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        best = min(best, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return best * 1000
for command in (["embed", "face.xfv"], ["facecrop", "--aligned", "anna.jpg"]):
    print(command[0], round(cpu(*command)), round(cpu(command[0], "--no-sandbox", *command[1:])))
PY
while read -r program with without; do
    [ "$with" -lt 50 ]; ok $? "$program: $with ms of processor time with the sandbox, $without without: under 50"
done <times
for program in xfv-cat xfv-json heatmap; do
    is "$(readelf -d "$B/bin/$program" | grep -c openblas)" 0 "$program starts without OpenBLAS"
done
done_testing
