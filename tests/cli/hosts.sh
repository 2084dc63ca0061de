# The recipe of xfv-parallel(7) for several machines: GNU parallel over ssh to two hosts, each an sshd in a network
# namespace of its own. A worker is killed in the middle, then a whole host; resumed, the result is, byte by byte, what
# one run writes. All of it happens in private namespaces of network, processes and mounts, which end with the test:
# nothing listens outside, nothing is left. Needs root, sshd and ip; what is missing is said.
. "$top/tests/tap.sh"
missing=
[ "$(id -u)" -eq 0 ] || missing="root"
for p in sshd ssh ssh-keygen ip unshare parallel; do
    PATH=$PATH:/usr/sbin:/sbin command -v $p >/dev/null || missing="$missing $p"; done
[ -n "$missing" ] || unshare --mount --net --pid --fork --kill-child true 2>/dev/null ||
    missing="leave to make namespaces"
[ -n "$missing" ] ||
    unshare --mount --net --pid --fork sh -c 'mount -t tmpfs none /run && ip netns add x && ip netns exec x true' \
    2>/dev/null ||
    missing="leave to mount and to name namespaces"
if [ -n "$missing" ]; then
    skip "two hosts over ssh" "needs $missing (Debian: openssh-server, openssh-client, iproute2, parallel)"
    done_testing
    exit
fi
cat >make.py <<'PY'
import os, sys
sys.path.insert(0, os.environ["top"] + "/tests")
from streams import *
os.mkdir("crops")
rng = np.random.default_rng(6)
for i in range(36):
    open(f"crops/{i:02}.ppm", "wb").write(b"P6 112 112 255\n" + rng.integers(0, 256, (112, 112, 3), np.uint8).tobytes())
open("crops/17.ppm", "wb").write(b"P6 112 112 255\nshort")
open("images", "wb").write(b"".join(f"crops/{i:02}.ppm\0".encode() for i in range(36)))
PY
"$PYTHON" make.py
facecrop -q --aligned -0 images 2>/dev/null | embed -q -o whole.xfv 2>/dev/null
ssh-keygen -q -t ed25519 -N '' -f key
ssh-keygen -q -t ed25519 -N '' -f hostkey
cat >sshd.conf <<X
Port 22
HostKey $work/hostkey
AuthorizedKeysFile $work/key.pub
StrictModes no
UsePAM no
PidFile none
PasswordAuthentication no
PermitRootLogin prohibit-password
MaxStartups 100
X
cat >ssh.conf <<X
IdentityFile $work/key
UserKnownHostsFile $work/known
StrictHostKeyChecking accept-new
BatchMode yes
ConnectTimeout 10
LogLevel ERROR
X
# A worker whose part has a gate waits in the middle of its images while it is there, and says where, and which process
# writes the part.
cat >work.sh <<'X'
cd "$(dirname "$0")" || exit 4
part=$1
test -e faces.$part.xfv && exit 0
echo $part $(ip netns identify $$) >>ran
if [ -e gate.$part ]; then
    facecrop -q --aligned --shard $part/12 -0 images | { head -c 50000; echo $(ip netns identify $$) >waiting.$part; while [ -e gate.$part ]; do sleep 0.1; done; cat; } |
        sh -c 'echo $$ >pid.$1; exec embed -q -o faces.$1.xfv' sh $part
else
    facecrop -q --aligned --shard $part/12 -0 images | embed -q -o faces.$part.xfv
fi || [ $? -eq 1 ]
X
cat >inside.sh <<'X'
set -u
PATH=$PATH:/usr/sbin:/sbin
mount -t proc proc /proc && mount -t tmpfs none /run && mkdir -p /run/sshd
printf 'root:*:19000:0:99999:7:::\nsshd:*:19000:0:99999:7:::\n' >shadow && mount --bind shadow /etc/shadow # a login by key, whatever the password
start() { ip netns exec "$1" "$(command -v sshd)" -D -f sshd.conf 2>>sshd.log & }
for n in 1 2; do
    ip netns add host$n && ip link add to$n type veth peer name eth0 netns host$n || exit 9
    ip addr add 10.77.$n.1/30 dev to$n && ip link set to$n up
    ip -n host$n addr add 10.77.$n.2/30 dev eth0 && ip -n host$n link set eth0 up && ip -n host$n link set lo up
    start host$n
done
for n in 1 2; do
    i=0
    until ssh -F ssh.conf 10.77.$n.2 true 2>>ssh.log; do i=$((i + 1)); [ $i -lt 60 ] || exit 9; sleep 0.25; done
done
farm() {
    parallel --will-cite --ssh "ssh -F $work/ssh.conf" --joblog log --resume-failed --retries "$1" --sshlogin 2/10.77.1.2,2/10.77.2.2 --workdir "$work" \
        --env PATH --env XFV_MODEL_PATH sh "$work/work.sh" ::: 01 02 03 04 05 06 07 08 09 10 11 12 >>out.parallel 2>>err.parallel
}
wait_for() { i=0; while ! [ -s "$1" ]; do i=$((i + 1)); [ $i -lt 1200 ] || return 1; sleep 0.1; done; }
# 1: a worker is killed, wherever it runs
touch gate.04
farm 1 & job=$!
wait_for waiting.04 && wait_for pid.04 || exit 8
kill -KILL "$(cat pid.04)"; sleep 0.2; rm gate.04
wait $job; echo "first $?"
ls faces.04.xfv 2>/dev/null
ls -i faces.??.xfv >before
cp log log.1
# 2: another part's host dies, all of its processes; parallel sends the part to the other host
rm faces.07.xfv faces.08.xfv log; touch gate.07 gate.08 # as if never run
farm 3 & job=$!
wait_for waiting.07 && wait_for waiting.08 || exit 7
dead=$(cat waiting.07)
for p in $(ip netns pids "$dead"); do kill -KILL "$p" 2>/dev/null; done
rm gate.07 gate.08
wait $job; echo "second $?"
start host1; start host2
farm 3; echo "third $?"
ls -i faces.??.xfv >after
X
export work
runs 0 "two hosts in namespaces, an sshd each" unshare --mount --net --pid --fork --kill-child sh inside.sh
[ -s log ] || { sed 's/^/# /' ssh.log sshd.log err.parallel 2>/dev/null | tail -n 20; }
is "$(sed -n 1p out)" "first 1" "one job failed: its worker was killed"
is "$(grep -c '^faces' out)" 0 "its part is not there"
is "$(tail -n +2 log.1 | cut -f 2 | sort -u | tr '\n' ' ')" "10.77.1.2 10.77.2.2 " "both hosts worked"
is "$(cut -d' ' -f2 ran | sort -u | tr '\n' ' ')" "host1 host2 " "in namespaces of their own"
is "$(tail -n 1 out)" "third 0" "a whole host killed, and resumed: all is done"
is "$(grep -v '0[478]\.xfv' before)" "$(grep -v '0[478]\.xfv' after)" "what was finished was not computed again"
xfv-select --join -q -o joined.xfv faces.??.xfv 2>/dev/null
cmp joined.xfv whole.xfv; ok $? "the parts joined are what one run writes, byte by byte"
is "$(xfv-json joined.xfv | jq -r 'select(.id) | .id' | sort | uniq -d | wc -l) $(xfv-json joined.xfv | tail -n 1 |
    jq -c '[.records, .errors]')" "0 [36,1]" "36 records, none twice"
is "$(ip netns list 2>/dev/null | grep -c 'host[12]')" 0 "nothing is left of the hosts"
done_testing
