#!/bin/sh
# make check-cluster: the recipe of xfv-parallel(7) for Slurm: a controller and two nodes on this machine, the manual's
# own job array over 12 parts. A worker is killed in the middle, then a whole node; the parts joined are, byte by byte,
# what one run writes. (GNU parallel over ssh: tests/cli/hosts.sh.) Needs root and Debian's slurmctld, slurmd,
# slurm-client, munge; says what is missing. All of it runs in private namespaces of network, processes and mounts, and
# ends with them: nothing listens outside, nothing is left.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
B=${B:-build}
case $B in /*) ;; *) B=$top/$B ;; esac
export top B PYTHON="${PYTHON:-/usr/bin/python3}" LC_ALL=C PATH="$B/bin:$PATH:/usr/sbin:/sbin" PYTHONPATH="$top/tests"
. "$top/tests/tap.sh"
export work XFV_MODEL_PATH="$work:$top/models"
missing=
[ "$(id -u)" -eq 0 ] || missing="root"
for p in slurmctld slurmd sbatch scontrol squeue munged unshare ip; do
    command -v $p >/dev/null || missing="$missing $p"
done
[ -n "$missing" ] || unshare --mount --net --pid --fork --kill-child true 2>/dev/null ||
    missing="leave to make namespaces"
if [ -n "$missing" ]; then
    skip "an array of Slurm" "needs $missing (Debian: slurmctld, slurmd, slurm-client, munge, iproute2; root)"
    done_testing
    exit
fi

"$PYTHON" - <<'PY'
from streams import *
open("tiny.xfvm", "wb").write(model())
open("faces.raw", "wb").write(stream([face("p%02d/%d.jpg" % (i // 2, i % 2), i) for i in range(48)]))
open("pairs.csv", "w").write("".join("p%02d/0.jpg,p%02d/1.jpg,yes\n" % (i, i) for i in range(24)))
PY
embed -q -m tiny -o faces.xfv faces.raw
verify -q --pairs pairs.csv faces.xfv | fggb-grad -q -o whole.xfv
# The manual's script, for 12 parts.
sed -n '/^\.Ss Slurm/,/^\.Ed/p' "$top/man/xfv-parallel.7" | grep -v '^\.' | sed 's/1000/12/g' >array.sh
like "$(cat array.sh)" "#SBATCH --array=1-12" "the manual's script"
# A verify that stops in the middle while its part has a gate.
mkdir slow state log
cat >slow/verify <<X
#!/bin/sh
i=\$SLURM_ARRAY_TASK_ID
echo \$i \$SLURMD_NODENAME >>$work/ran
"$B/bin/verify" "\$@" | {
    head -c 500
    echo \$SLURMD_NODENAME >$work/waiting.\$i
    while [ -e $work/gate.\$i ]; do sleep 0.1; done
    cat
}
X
chmod 755 slow/verify
head -c 1024 /dev/urandom >munge.key && chmod 400 munge.key && chmod 755 "$work"
cat >slurm.conf <<X
ClusterName=xfv
SlurmctldHost=$(hostname)(127.0.0.1)
AuthType=auth/munge
AuthInfo=socket=$work/munge.socket,cred_expire=10
SlurmUser=root
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool.%n
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.%n.pid
SlurmctldLogFile=$work/log/slurmctld
SlurmdLogFile=$work/log/%n
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0
ReturnToService=2
MpiDefault=none
KillWait=2
NodeName=node1 NodeHostname=$(hostname) NodeAddr=127.0.0.1 Port=7101 CPUs=2 State=UNKNOWN
NodeName=node2 NodeHostname=$(hostname) NodeAddr=127.0.0.1 Port=7102 CPUs=2 State=UNKNOWN
PartitionName=all Nodes=node1,node2 Default=YES MaxTime=INFINITE State=UP
X
cat >inside.sh <<'X'
set -u
mount -t proc proc /proc && mount -t tmpfs none /run && ip link set lo up || exit 9
# names are looked up only where there is an address beside the loopback's
ip link add lan type veth peer name end && ip addr add 10.78.0.1/24 dev lan && ip link set lan up &&
    ip link set end up || exit 9
export SLURM_CONF=$work/slurm.conf
munged --foreground --force --key-file=munge.key --socket="$work/munge.socket" --pid-file=munged.pid \
    --log-file=log/munged --seed-file=munge.seed >log/munged.err 2>&1 &
wait_for() { # no longer than a minute and a half
    until=$(($(date +%s) + 90))
    until eval "$1" >/dev/null 2>&1; do [ "$(date +%s)" -lt $until ] || { echo "never: $1"; exit 8; }; sleep 0.2; done
}
wait_for '[ -S munge.socket ]'
slurmctld -D >log/slurmctld.err 2>&1 &
for n in node1 node2; do mkdir spool.$n; slurmd -D -N $n >log/$n.err 2>&1 & eval "$n=$!"; done
wait_for '[ "$(sinfo -h -N -t idle | wc -l)" -eq 2 ]'
ended() { [ -z "$(squeue -h)" ]; }
# 1: a worker is killed in the middle of its part
touch gate.4
job=$(PATH="$work/slow:$PATH" sbatch --parsable -o log/%a array.sh)
wait_for '[ -s waiting.4 ]'
for p in /proc/[0-9]*; do # fggb-grad of part 4
    [ "$(tr '\0' ' ' <"$p/cmdline" 2>/dev/null)" = "fggb-grad -o maps.4.xfv " ] && kill -KILL "${p#/proc/}"
done
rm gate.4
wait_for ended
ls maps.4.xfv 2>/dev/null
echo "first $(ls maps.*.xfv | wc -l)"
ls -i maps.*.xfv >before
# 2: once more, by the manual; a whole node dies in the middle
rm maps.7.xfv maps.8.xfv; touch gate.4 gate.7 gate.8; rm -f waiting.*
job=$(PATH="$work/slow:$PATH" sbatch --parsable -o log/again.%a array.sh)
wait_for '[ -s waiting.4 ] && [ -s waiting.7 ] && [ -s waiting.8 ]'
dead=$(cat waiting.7)
eval "kill -KILL \$$dead"
for p in /proc/[0-9]*; do
    tr '\0' '\n' <"$p/environ" 2>/dev/null | grep -qx "SLURMD_NODENAME=$dead" || continue
    kill -KILL "$(sed -n 's/^PPid:\t//p' "$p/status")" "${p#/proc/}" 2>/dev/null # its slurmstepd, too
done
scontrol update NodeName=$dead State=DOWN Reason=killed
rm gate.4 gate.7 gate.8
wait_for ended
echo "second $(ls maps.*.xfv | wc -l)"
ls -i maps.*.xfv >after
X
runs 0 "a controller and two nodes in namespaces" unshare --mount --net --pid --fork --kill-child sh inside.sh
[ $got -eq 0 ] || tail -n 5 log/* out | sed 's/^/# /'
is "$(grep -c '^maps' out)" 0 "a killed worker leaves no part"
is "$(grep -x 'first .*' out)" "first 11" "the other parts are there"
is "$(cut -d' ' -f2 ran | sort -u | tr '\n' ' ')" "node1 node2 " "both nodes worked"
is "$(grep -x 'second .*' out)" "second 12" "a node killed: its jobs were queued again, and all is done"
is "$(grep -v 'maps.[478].xfv' before)" "$(grep -v 'maps.[478].xfv' after)" "what was finished was not computed again"
xfv-select --join -q -o maps.xfv $(seq -f maps.%g.xfv 12)
cmp maps.xfv whole.xfv; ok $? "the parts joined are what one run writes, byte by byte"
done_testing
