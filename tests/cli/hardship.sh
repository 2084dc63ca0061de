# Killed at any moment, full disks, slow pipes, too little memory, too few descriptors: tests/hardship.py holds the
# checks, robust.sh has damaged inputs.
. "$top/tests/tap.sh"
export PYTHONPATH="$top/tests" XFV_MODEL_PATH="$work"
cat >make.py <<'PY'
from streams import *
open("tiny.xfvm", "wb").write(model())
open("faces.xfv", "wb").write(stream([face(f"d/{i}.jpg", i) for i in range(24)]))
PY
runs 0 "Python makes faces and a model" "$PYTHON" make.py
runs 0 "embed" embed -m tiny -o embedded.xfv faces.xfv
runs 0 "verify" verify -o pairs.xfv embedded.xfv
runs 0 "fggb-grad" fggb-grad -o maps.xfv pairs.xfv
bad_times() { # input, output, command...
    in=$1 out=$2
    shift 2
    for check in kill pipes disk memory files; do
        # what goes to a pipe is another thing than what goes to that file
        case $check-$out in pipes-*.html | pipes-*.png) continue ;; esac
        [ -n "${XFV_SANITIZED:-}" ] && [ $check = memory ] && continue # a sanitizer maps terabytes
        got=$("$PYTHON" "$top/tests/hardship.py" $check "$in" "$out" "$@" 2>&1)
        if [ "$got" = skip ]; then skip "$1: $check" "no file systems of our own here"; else is "$got" ok "$1: $check";
        fi
    done
}
bad_times faces.xfv out.xfv embed -j 2 -m tiny
bad_times embedded.xfv out.xfv verify --all
bad_times pairs.xfv out.xfv fggb-grad -j 2
bad_times maps.xfv out.html report
bad_times maps.xfv out.xfv control-map
bad_times maps.xfv out.xfv delins -n 2 -j 2

# a stage that is killed in the middle of a pipeline
mkfifo first second
{ cat faces.xfv; exec sleep 30; } >first &
feeder=$!
embed -m tiny <first >second &
killed=$!
verify -o never.xfv <second 2>err &
last=$!
sleep 0.5
kill -KILL $killed
wait $last
is "$?-$(wc -l <err)-$([ -e never.xfv ] && echo there)" 3-1- "a stage is killed: the next one fails, and leaves no file"
kill $feeder
wait 2>/dev/null
done_testing
