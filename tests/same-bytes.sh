#!/bin/sh
# same-bytes.sh BEFORE AFTER [NAME...]: run every pipeline below with the programs of two folders (build/bin of two
# trees) and compare what they write, byte for byte. It covers every program. NAME chooses pipelines. Status 0: all the
# same; 1: the names of those that differ were printed; 2: usage. Run it before and after a change that should change
# nothing. A fault that is mended differs: say which in the commit.
set -u
[ $# -ge 2 ] || { sed -n '2,4s/^# //p' "$0" >&2; exit 2; }
before=$(cd "$1" && pwd) after=$(cd "$2" && pwd) || exit 2
shift 2
top=$(cd "$(dirname "$0")/.." && pwd)
PYTHON=${PYTHON:-/usr/bin/python3}
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
export LC_ALL=C PYTHONPATH="$top/tests" XFV_MODEL_PATH="$work:$top/models"
base_path=$PATH
cd "$work" || exit 2
cp "$top"/tests/photos/*.jpg .
"$PYTHON" - <<'PY' || exit 2
from streams import *
import numpy as np
open("tiny.xfvm", "wb").write(model())
rng = np.random.default_rng(9)
people = rng.integers(0, 256, (6, 16, 16, 3))
faces = []
for p in range(6):
    for k in range(1, 5):
        im = np.clip(people[p] + rng.normal(0, 60, people[p].shape), 0, 255).astype(np.uint8)
        faces.append({"_": "face", "id": f"d/P_{p}_{k:04d}.jpg", "image": tensor(im)})
open("small.xfv", "wb").write(stream(faces))
with open("list.txt", "w") as f:
    for p in range(6):
        f.write(f"d/P_{p}_0001.jpg\td/P_{p}_0002.jpg\tgenuine\nd/P_{p}_0003.jpg\td/P_{(p + 5) % 6}_0004.jpg\timpostor\n")
PY

# An option under the first of these names that the program knows.
first_of() { # program name...
    program=$1
    shift
    for name; do "$program" --help | grep -q -- "--$name[= ]" && echo "--$name" && return; done
    echo "--$1"
}
faces() { facecrop anna-1.jpg anna-2.jpg bella.jpg clara.jpg; }
pairs() { faces | embed | verify --all; }
small() { embed -m tiny small.xfv | verify --pairs list.txt -t 0.4; }
one() { facecrop anna-1.jpg anna-2.jpg | embed | verify; }
few() { small | xfv-select -n 4; }
planted() { small >p.xfv; plant -k patches --donors small.xfv p.xfv | embed -m tiny | verify -t 0.4 | xssab-grad; }

p_facecrop() { faces; }
p_facecrop_all() { facecrop -f all -S 96 --min-size 40 bella.jpg clara.jpg; }
p_facecrop_aligned() { facecrop --aligned --shard 2/2 anna-1.jpg bella.jpg; }
p_embed() { faces | embed -j 2; }
p_generic() { # less the provenance: photographs were embed's once
    if embed --help | grep -q -- --generic; then embed --generic --resize crop anna-1.jpg bella.jpg
    else facecrop --whole crop -m mobilefacenet anna-1.jpg bella.jpg | embed -m mobilefacenet;
    fi | xfv-json --data | jq -cS 'del(.provenance, .crc32)'
}
p_verify_all() { pairs; }
p_verify_table() { faces | embed | verify --all --tsv --header; }
p_verify_list() { small; }
p_verify_probe() { faces | embed | verify --probe bella.jpg --drop image; }
p_fggb() { pairs | fggb-grad; }
p_fggb_raw() { one | fggb-grad --embedding raw --colour max --norm none --channels 40; }
p_xssab() { pairs | xssab-grad -t 0.3; }
p_gradcam() { pairs | gradcam --kind hires | gradcam; }
p_path() { one | path-grad; }
p_path_cells() { pairs | path-grad --kind cells --combine dot; }
p_cosine() { one | cosine-grad | cosine-grad --kind smoothgrad -n 3 --seed 2; }
p_xface() { few | xface --sizes 3,5 --stride 4; }
p_corrrise() { few | corrrise -n 20 --size 4 --image auto; }
p_minplus() { few | minplus -n 2 --window 7 --stride 4; }
p_lime() { few | lime -n 30 --segments 6; }
p_fame() { few | fame -n 5; }
p_exec() { few | lime -n 10 --segments 4 --exec "embed -m tiny"; }
p_control() { small | control-map --seed 2 | control-map --kind centre | control-map --kind edges; }
p_control_mean() { small | xssab-grad >m.xfv; control-map --kind mean --method xssab --from m.xfv m.xfv; }
p_heatmap() { pairs | xssab-grad | heatmap; }
p_heatmap_png() { one | fggb-grad | heatmap -o h.png && cat h.png; }
p_heatmap_files() { pairs | xssab-grad | heatmap --layout maps -c piyg -o h-%d.png && cat h-*.png; }
p_heatmap_sheet() { pairs | xssab-grad | heatmap --layout sheet --columns 2; }
p_report() { pairs | fggb-grad | xssab-grad | report --title words; }
p_regions() { pairs | xssab-grad | regions; }
p_regions_table() { pairs | xssab-grad | regions --tsv; }
p_delins() { small | xssab-grad | control-map | delins -n 4; }
p_delins_table() {
    small | xssab-grad | control-map | delins -n 4 "$(first_of delins replicates bootstrap)=50" --reference xssab --tsv;
    }
p_delins_fame() { small | xssab-grad | delins --protocol fame2026 --fill blur; }
p_dpr() {
    if command -v dpr >/dev/null; then planted | dpr -m tiny --replicates 50 --blur 1
    else planted | delins --protocol dpr -m tiny --replicates 50 --blur 1 --tsv; fi
}
p_explain_score() {
    small >p.xfv
    plant -k swap --region nose --donors small.xfv p.xfv | embed -m tiny | verify -t 0.4 | xssab-grad >e.xfv
    if explain-score --help | grep -q -- --format; then explain-score --format json --replicates 50 e.xfv; else
        explain-score --json --replicates 50 e.xfv; fi
}
p_plant() { small >p.xfv; plant -k swap --region nose --donors small.xfv p.xfv | plant -k noise --sigma 4; }
p_roc() { small | roc "$(first_of roc replicates bootstrap)=50" --fmr 0.1; }
p_roc_scores() { small >p.xfv;
embed -m tiny small.xfv | verify --pairs list.txt -t 0.4 --tsv |
    roc --scores - "$(first_of roc replicates bootstrap)=50" --folds 3; }
p_calibrate() { small | calibrate -m tiny --fmr 0.1 --data ours; }
p_model_info() { model-info mobilefacenet && model-info --tsv tiny && model-info --json tiny; }
p_model_means() { model-means -m tiny small.xfv; }
p_model_randomise() { model-randomise -m tiny -n 1 --seed 3; }
p_model_import() { [ -e "$top/tests/onnx/tiny-mobilefacenet.onnx" ] || return 0;
model-import "$top/tests/onnx/tiny-mobilefacenet.onnx"; }
p_join() { facecrop anna-1.jpg >c1.xfv; facecrop bella.jpg >c2.xfv; if command -v xfv-cat >/dev/null; then
    xfv-cat c1.xfv c2.xfv; else xfv-select --join c1.xfv c2.xfv; fi; }
p_check() { small | xfv-check -v; small | head -c 9000 | xfv-check; }
p_cmp() { small >p.xfv; embed -m tiny small.xfv | verify --pairs list.txt -t 0.5 >q.xfv; xfv-cmp p.xfv q.xfv; }
p_json() { one | xssab-grad | xfv-json --data; }
p_select() { pairs | xfv-select --label none --score 0.2.. --head 3; }
p_pseudonyms() { printf 0123456789abcdef0123456789abcdef >key; chmod 600 key;
faces | xfv-select --pseudonymise key --pseudonym-table t.tsv && cat t.tsv; }
p_explain() { xfv-explain -o x.png anna-1.jpg anna-2.jpg && cat x.png; }
p_ablate() { small | xssab-grad | ablate -n 5; }
p_front_door() { ! command -v xfv >/dev/null || xfv select --help; }
p_doctor() { xfv-doctor --json | sed -n 's/.*"topic":"\([a-z-]*\)".*/\1/p' | sort -u; }

all=$(sed -n 's/^p_\([a-z0-9_]*\)() .*/\1/p' "$top/tests/same-bytes.sh")
different=
for name in ${*:-$all}; do
    for side in before after; do
        eval "PATH=\$$side:\$base_path"
        rm -f ./h*.png x.png t.tsv
        { "p_$name" 2>"$side.err"; echo "status $?" >>"$side.err"; } >"$side.out" </dev/null
        sed -i "s,$before,,g; s,$after,,g" "$side.err"
    done
    if cmp -s before.out after.out && cmp -s before.err after.err; then continue; fi
    different="$different $name"
    echo "$name: $(cmp before.out after.out 2>&1 | sed 's/.*EOF.*/one is shorter/; s/.*differ: //')"
    diff before.err after.err | head -4
done
[ -z "$different" ]
