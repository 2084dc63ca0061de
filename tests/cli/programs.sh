# What every program does alike: --help, --version, wrong options, no input, a closed or full output.
. "$top/tests/tap.sh"
cat >terminal.py <<'PY'
# terminal.py stdin|stdout COMMAND...: run with that descriptor on a terminal; prints what came out of it, then the status
import os, pty, subprocess, sys
master, slave = pty.openpty()
streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, sys.argv[1]: slave}
p = subprocess.run(sys.argv[2:], stderr=subprocess.STDOUT if sys.argv[1] == "stdin" else subprocess.PIPE, timeout=20, **streams)
sys.stdout.write(((p.stdout or b"") + (p.stderr or b"")).decode())
print(p.returncode)
PY
for path in "$B"/bin/*; do
    [ -x "$path" ] || continue
    p=$(basename "$path")
    case $p in *.d | *.o) continue ;; esac
    runs 0 "$p --help: status 0" "$p" --help
    is "$(head -n 1 out | cut -d' ' -f1,2)" "Usage: $p" "$p --help: on stdout, with its name"
    is "$(wc -c <err)" 0 "$p --help: nothing on stderr"
    like "$(cat out)" '^Example: ' "$p --help: an example"
    like "$(tail -n 1 out)" '^Exit status: 0 ' "$p --help: the exit statuses"
    runs 0 "$p -h: status 0" "$p" -h
    runs 0 "$p --version: status 0" "$p" --version
    is "$(head -n 1 out)" "$p $(sed -n 's/^#define XFV_VERSION "\(.*\)"/\1/p' "$top/libcommon/cli/cli.h")" \
        "$p --version: the first line is name and version"
    runs 2 "$p --no-such: status 2" "$p" --no-such
    is "$(wc -c <out)-$(wc -l <err)" 0-1 "$p --no-such: one line, on stderr"
    like "$(cat err)" "^$p: .*--no-such.*$p --help" "$p --no-such: named, with a pointer to --help"
    runs 2 "$p -o without its argument: status 2" "$p" -o
    runs 2 "$p --quiet=1: status 2" "$p" --quiet=1
    runs 2 "$p --progress=perhaps: status 2" "$p" --progress=perhaps
    like "$(cat err)" "auto, always or never" "$p --progress=perhaps: what it may be"
    "$p" --help >/dev/full 2>err
    is "$?-$(wc -l <err)" 4-1 "$p --help onto a full device: status 4, one line"
    # without a name they take the default model, or have no input
    case $p in model-info | model-randomise | xfv | xfv-doctor) continue ;; esac
    out=$("$PYTHON" terminal.py stdin "$p" </dev/null)
    is "$(printf '%s\n' "$out" | tail -n 1)" 2 "$p without input, stdin a terminal: status 2"
done
# A short option means one thing: of every letter there is one long name, but for -n, which is how many of whatever the
# program counts. And there is one way to ask for a table.
for path in "$B"/bin/*; do
    case $path in *.d | *.o) continue ;; esac
    "$path" --help | sed -n 's/^  -\([^n]\), --\([a-z0-9-]*\).*/\1 \2/p'
done | sort -u >letters
[ -s letters ]; ok $? "there are short options"
is "$(cut -d' ' -f1 letters | uniq -d | tr '\n' ' ')" "" "a letter means one thing in all programs"
for p in $(cut -f 1 "$B/gen/programs.tsv"); do
    "$p" --help | sed -n 's/^ .*--\(tsv\|csv\|markdown\|latex\|json\)  .*/\1/p' | sort | tr '\n' ' ' >forms
    case $(cat forms) in "" | "json ") continue ;; esac
    is "$(cat forms)" "csv json latex markdown tsv " "$p writes its table in every form"
done

done_testing
