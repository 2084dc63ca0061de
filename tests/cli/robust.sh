# Every program in a bad world: input cut anywhere, garbage, closed descriptors, a full device, a reader that went away,
# a damaged model.
# tests/robust.py holds the checks; programs.sh has those of options, facecrop.sh and decode.sh those of damaged images.
. "$top/tests/tap.sh"
export PYTHONPATH="$top/tests" XFV_MODEL_PATH="$work"
cat >make.py <<'PY'
from streams import *
open("tiny.xfvm", "wb").write(model())
open("faces.xfv", "wb").write(stream([face("d/1.jpg", 1), {"_": "x-note", "text": "kept"}, face("d/2.jpg", 2), face("d/3.jpg", 3), face("d/4.jpg", 4)]))
open("table.tsv", "w").write("d/1.jpg\td/2.jpg\tyes\nd/3.jpg\td/4.jpg\tno\n")
PY
runs 0 "Python makes faces and a model" "$PYTHON" make.py
runs 0 "embed" embed -m tiny -o embedded.xfv faces.xfv
runs 0 "verify" verify --pairs table.tsv -o pairs.xfv embedded.xfv
runs 0 "fggb-grad" fggb-grad -o maps.xfv pairs.xfv
runs 0 "patches are planted" plant --skip --kind patches --donors embedded.xfv -o patches.xfv pairs.xfv
runs 0 "and explained" fggb-grad -o patched.xfv patches.xfv
anna="$top/tests/photos/anna-1.jpg"
# check DESCRIPTION CHECK [ARGUMENT]... -- COMMAND...: one more that robust.py makes at the end, all in one process
check() { what=$1; shift; printf '%s\t%s\n' "$what" "$*" >>checks; }

for path in "$B"/bin/*; do
    p=$(basename "$path")
    case $p in *.d | *.o) continue ;; esac
    help=$("$p" --help)
    has() { printf '%s\n' "$help" | grep -qE -e "$1"; }
    row=$(grep "^$p	" "$top/tests/commands.tsv")
    input=maps.xfv command=$p
    if [ -n "$row" ]; then
        input=$(printf '%s' "$row" | cut -f 2) arguments=$(printf '%s' "$row" | cut -sf 3)
        command="$p $arguments"
        [ "$p" = xfv-cmp ] && command="$command -" # its input is the second one
    elif ! has '--max-record'; then
        continue
    fi
    case $input in photo) input=$anna ;; none) continue ;; esac
    if has '--max-record'; then
        check "$p: input cut anywhere" cuts $input 16 -- $command
        check "$p: inputs that are no streams" garbage $input -- $command
    fi
    case $p in xfv-check | xfv-cmp) ;; # these print nothing when all is well
    *)
        # -q: what else a program has to say (records that it does not read) is not the matter here
        check "$p: the reader goes away" sigpipe $input -- $command -q
        check "$p: a full device" full $input -- $command -q
        check "$p: closed descriptors" closed $input -- $command $([ "$p" = facecrop ] || echo -q)
        ;;
    esac
    # control-map's default kind asks no model; facecrop loads the detector's models, too; verify takes a model only for
    # its threshold
    case $p in facecrop | verify | control-map) continue ;; esac
    has '--model' && check "$p: a damaged model" model $input tiny.xfvm -- ${command%% -m*}
done
check "verify -m: a damaged model" model embedded.xfv tiny.xfvm -- verify
check "facecrop -m: a damaged model" model "$anna" tiny.xfvm -- facecrop --aligned
"$PYTHON" "$top/tests/robust.py" <checks >results 2>err
is "$?:$(wc -l <results)" "0:$(wc -l <checks)" "robust.py makes all checks $(tail -n 1 err)"
tab=$(printf '\t')
while IFS=$tab read -r what result; do is "$result" ok "$what"; done <results
for at in 0 1 100 1000 5000; do
    head -c $at tiny.xfvm >cut.xfvm
    runs 5 "model-info: a model cut at $at: status 5" model-info ./cut.xfvm
    is "$(wc -l <err)" 1 "and one line"
done
mkdir detector
for net in p r o; do cp "$top/models/mtcnn-$net.xfvm" detector/; done
for net in p r o; do
    head -c 3000 "$top/models/mtcnn-$net.xfvm" >detector/mtcnn-$net.xfvm
    XFV_MODEL_PATH=$work/detector facecrop "$anna" >out 2>err
    is "$?-$(wc -l <err)" 5-1 "facecrop: mtcnn-$net cut: status 5, one line"
    cp "$top/models/mtcnn-$net.xfvm" detector/
done
done_testing
