# model-import and model-info, on a small network that the unit test writes; the models that are shipped; the examples
# of their man pages.
. "$top/tests/tap.sh"

runs 0 "a small TFLite file is written" "$B/unit/tflite" --write small.tflite

# model-import
runs 0 "import" model-import -o small.xfvm small.tflite
runs 0 "info" model-info ./small.xfvm
like "$(cat out)" '^name +small$' "the name is the file's"
like "$(cat out)" '^input +10 x 12 pixels .*rgb, \(v - 127\.5\) / 127\.5$' "the input and its normalisation"
like "$(cat out)" '^embedding +dense, 6, compared by cosine$' "the embedding is found in front of the normalisation"
like "$(cat out)" '^normalised +embedding$' "and the normalisation"
runs 0 "import into a file of another name" model-import -o my.net-2.xfvm small.tflite
like "$(model-info ./my.net-2.xfvm)" '^name +my.net-2$' "the name is the output's, which stages look for"
runs 0 "import into a file of no such name" model-import -o made.tmp small.tflite
like "$(model-info ./made.tmp)" '^name +made$' "up to its dot"
is "$(model-info --tsv ./small.xfvm | tail -n +2 | cut -f2 | tr '\n' ' ')" "conv prelu conv maxpool dense l2norm " \
    "the spelled-out prelu is one node"
is "$(model-info --tsv ./small.xfvm | awk -F'\t' 'NR>1{p+=$5;m+=$6} END{print p,m}')" "258 3768" \
    "parameters and multiply-adds"
like "$(model-info ./small.xfvm | tail -n 1)" '^total: 6 nodes +258 +3768$' "the totals"
runs 0 "import without folding" model-import --no-fold -o plain.xfvm small.tflite
is "$(model-info --tsv ./plain.xfvm | tail -n +2 | cut -f2 | tr '\n' ' ')" \
    "conv relu act sub const mul add conv maxpool dense l2norm " "keeps every operator"
runs 0 "import to standard output" sh -c 'model-import small.tflite >again.xfvm'
runs 0 "gives the same bytes" cmp small.xfvm again.xfvm
is "$(model-info --json ./small.xfvm | jq -r .file)" "$(sha256sum <small.xfvm | cut -d' ' -f1)" "the file's SHA-256"
is "$(model-info --json ./small.xfvm | jq -r .digest)" \
    "$(PYTHONPATH="$top/tests" "$PYTHON" -c 'import streams; print(streams.digest(open("small.xfvm", "rb").read()))')" \
    "the digest is that of graph, weights and preprocessing"
runs 0 "xfv-json reads a model" xfv-json small.xfvm
is "$(head -n 1 out | jq -c '[.kind, .network, .graph.nodes[0].op, .graph.nodes[0].stride]')" \
    '["model","embedding","conv",[2,2]]' "as the stream it is"
is "$(jq -r 'select(._ == "weight") | .name' out | wc -l)" 7 "with a record for each weight"

runs 0 "import with every option" model-import -v -o full.xfvm --name full --kind embedding --input bgr --mean 1,2,3 \
    --std 4 --transposed --size 11x9 \
    --template arcface --embedding depthwise --normalised embedding --score euclidean --licence MIT --origin 'a "test"' \
    --threshold 'fmr=1e-3=0.417,fmr=0.001,fnmr=0.015,pairs=2400,data=LFW, four folds' --threshold default=.4 \
        small.tflite
like "$(cat err)" 'PReLU 1' "-v says what was simplified"
is "$(model-info --json ./full.xfvm |
    jq -c '[.name,.network,.colour,.mean,.std,.transposed,.height,.width,.embedding,.embedding_normalised,.score,.licence,.origin]')" \
    '["full","embedding","bgr",[1,2,3],[4,4,4],true,9,11,"depthwise","embedding","euclidean","MIT","a \"test\""]' \
        "all of them are in the model" || cat out
is "$(model-info --json ./full.xfvm | jq -c '.thresholds')" \
    '[{"name":"fmr=1e-3","data":"LFW, four folds","value":0.417,"fmr":0.001,"fnmr":0.015,"pairs":2400},{"name":"default","data":"","value":0.4,"fmr":null,"fnmr":null,"pairs":0}]' \
    "thresholds with what they were measured on"
is "$(model-info --json ./full.xfvm | jq -c '.template | length, .[0] > 38.2946 * 11 / 112 - 1e-9')" "10
true" "the template is scaled to the input"

# what is wrong, and its status
runs 2 "no file" model-import -o x.xfvm
runs 2 "two files" model-import -o x.xfvm small.tflite small.tflite
runs 2 "unknown option" model-import --frobnicate small.tflite
runs 2 "colour that is none" model-import --input cmyk small.tflite
like "$(cat err)" 'rgb' "the message says which there are"
runs 2 "mean of two numbers" model-import --mean 1,2 small.tflite
runs 2 "standard deviation of zero" model-import --std 0 small.tflite
runs 2 "size that is none" model-import --size 12 small.tflite
runs 2 "template of three numbers" model-import --template 1,2,3 small.tflite
runs 2 "threshold without a value" model-import --threshold eer small.tflite
runs 2 "threshold with an unknown rate" model-import --threshold eer=.4,far=.1 small.tflite
runs 2 "rate above one" model-import --threshold eer=.4,fmr=1.1 small.tflite
runs 4 "file that is not there" model-import -o x.xfvm missing.tflite
like "$(cat err)" '^model-import: .*missing\.tflite.*No such file' "named in one line"
runs 5 "embedding that is not there" model-import -o x.xfvm --embedding nowhere small.tflite
like "$(cat err)" "nowhere" "named"
runs 5 "size that the network cannot have" model-import -o x.xfvm --size 3x3 small.tflite
head -c 2000 small.tflite >cut.tflite
runs 5 "file that is cut" model-import -o x.xfvm cut.tflite
is "$(wc -l <err)" 1 "one line"
runs 5 "file of another kind" model-import -o x.xfvm small.xfvm
runs 5 "empty file" model-import -o x.xfvm /dev/null
[ ! -e x.xfvm ]; ok $? "none of these left an output"
runs 4 "full device" sh -c 'model-import small.tflite >/dev/full'

# model-info
runs 2 "two models" model-info small.xfvm full.xfvm
runs 5 "model that is not there" model-info nothing-of-the-kind
like "$(cat err)" 'XFV_MODEL_PATH' "the message says where it was looked for"
runs 5 "file that is not there" model-info ./missing.xfvm
head -c 900 small.xfvm >cut.xfvm
runs 5 "model that is cut" model-info cut.xfvm
is "$(wc -l <err)" 1 "one line"
runs 5 "TFLite file as a model" model-info ./small.tflite
like "$(cat err)" 'another format: model-import makes a model of it' "the message says what it is"
runs 4 "full device" sh -c 'model-info >/dev/full'
runs 0 "help" model-info --help
runs 0 "version" model-import --version

# the models that are shipped
runs 0 "the default model" model-info
like "$(cat out)" '^name +mobilefacenet$' "is MobileFaceNet"
like "$(cat out)" '^threshold +default: 0\.4' "with a default threshold"
like "$(tail -n 1 out)" '1026176 +220998144$' "its size"
for m in mtcnn-p mtcnn-r mtcnn-o; do runs 0 "$m" model-info $m;
like "$(cat out)" ', transposed$' "$m wants transposed images"; done
runs 0 "the digests are those of the manifest" make -s -C "$top/models" check

# examples of xfv-model(5) and model-info(1)
is "$(xfv-json "$top/models/mtcnn-r.xfvm" | jq -r 'select(._ == "head") | .graph.nodes[] | .op' | head -n 3 |
    tr '\n' ' ')" "conv prelu maxpool " "xfv-model(5): the operators"
sed -n '/^import msgpack/,/^\.Ed/p' "$top/man/xfv-model.5" | grep -v '^\.' | sed "s|models/|$top/models/|" >weights.py
runs 0 "xfv-model(5): weights in Python" "$PYTHON" weights.py
is "$(wc -l <out)" \
    "$(model-info --json mtcnn-r |
    jq '[.nodes[] | select(.parameters > 0) | if .operator == "prelu" then 1 else 2 end] | add')" "every one of them"
is "$(model-info --tsv | tail -n +2 | sort -t "$(printf '\t')" -k6nr | head -n 5 | wc -l)" 5 \
    "model-info(1): the costliest nodes"
is "$(model-info --json | jq -r '.thresholds[] | [.name, .value, .data] | @tsv' | wc -l)" 3 "model-info(1): thresholds"
done_testing
