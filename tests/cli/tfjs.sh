# TensorFlow.js models (tests/onnx/tfjs.py): right in value and gradient, and what is wrong with a file is said.
. "$top/tests/tap.sh"
if ! pkg-config --exists jansson; then
    skip "TensorFlow.js models" "no libjansson-dev"
    done_testing
    exit
fi
mkdir nets && "$PYTHON" "$top/tests/onnx/tfjs.py" nets
ok $? "networks are made"
XFV_TOLERANCE=1e-6 "$B/unit/onnx" nets >log
ok $? "values as NumPy has them, gradients as the oracle does" || grep -A 1 '^not ok' log | head -20
[ "$(grep -c 'imported' log)" -ge 190 ]
ok $? "all of them"

# TensorFlow.js itself, where npm has installed it (NODE_PATH).
if node -e 'require("@tensorflow/tfjs")' >/dev/null 2>&1; then
    node "$top/tests/onnx/tfjs-check.js" nets >said 2>/dev/null
    like "$(tail -n 1 said)" ' agree, 0 differ' "and as TensorFlow.js has them" || cat said
else
    skip "and as TensorFlow.js has them" "@tensorflow/tfjs is not in NODE_PATH"
fi

# A network that sees faces: the whole way.
"$PYTHON" - "$top/tests/onnx" <<'PY'
import sys
sys.path.insert(0, sys.argv[1])
sys.argv[1:] = ["."]
import numpy as np
import tfjs
g = tfjs.Graph("face", tfjs.image(112, 112, 3) * 0 + 0.5, shards=2)
x = "x"
for i, (a, b) in enumerate([(3, 8), (8, 16), (16, 16), (16, 24)]):
    w = tfjs.normal(3, 3, a, b) * (2 / 9 / a) ** .5
    x = g.op("_FusedConv2D", x, w, tfjs.normal(b) * .1, strides=[1, 2, 2, 1], padding="SAME", num_args=1,
             fused_ops=["BiasAdd", "Relu"])
m = g.op("Mean", x, np.array([1, 2]), keep_dims=False)
e = g.op("MatMul", m, tfjs.normal(24, 16))
g.op("TopKV2", e)  # a head that nobody asks for
g.done(e, np.zeros(16))
PY
runs 0 "a graph model" model-import -q face.json -o face.xfvm
facecrop -q -m ./face.xfvm "$top/tests/photos/anna-1.jpg" "$top/tests/photos/bella.jpg" | embed -q -m ./face.xfvm |
    verify -q -m ./face.xfvm -t 0.5 | fggb-grad -q -m ./face.xfvm | heatmap -q -o why.png
ok $? "is explained"
node_of() { jq -r "[.modelTopology.node[] | select(.op == \"$1\")][0].name" face.json; }
jq 'del(.signature)' face.json >plain.json
runs 5 "without a signature, all that nobody reads is an output" model-import plain.json -o y.xfvm
like "$(cat err)" "operator TopKV2 is not supported .*; with --embedding, only what it names is read" \
    "which needs an operator that is not known"
runs 0 "--embedding" model-import -q plain.json -o y.xfvm --embedding "$(node_of MatMul):0"
facecrop -q -m ./face.xfvm "$top/tests/photos/anna-1.jpg" >crop.xfv
embedding() { embed -q -m "./$1" crop.xfv | xfv-json | jq -c 'select(._ == "face") | .embedding'; }
is "$(embedding y.xfvm)" "$(embedding face.xfvm)" "gives the same embedding"

# WHAT JQ-PROGRAM SENTENCE: face.json so altered is refused, and says so
refused() {
    jq "$2" face.json >bad.json
    runs 5 "$1" model-import bad.json -o bad.xfvm
    like "$(cat err)" "$3" "$1: which is said"
}
runs 2 "a shard is the output" model-import -q --force -o face-shard1of2.bin face.json
shards=.weightsManifest[0].paths weight=.weightsManifest[0].weights[0]
refused "a shard that is missing" "$shards[1] = \"other.bin\"" "'other.bin', beside the model: No such file"
refused "a shard above the folder" "$shards[1] = \"../face-shard2of2.bin\"" \
    "'../face-shard2of2.bin', which is not a file in the model's folder: refused"
refused "a shard elsewhere" "$shards[1] = \"/etc/passwd\"" \
    "'/etc/passwd', which is not a file in the model's folder: refused"
refused "a shard that is a folder" "$shards[1] = \"nets\"" "'nets', which is not a regular file"
refused "shards too long" "$shards += [\"face-shard1of2.bin\"]" "a file is of another model"
refused "shards too short" "$shards = $shards[:1]" "a file is cut short; copy it again"
refused "weights beyond all memory" "$weight.shape = [65536, 32767]" "take 8589[0-9]*: a file is cut short"
refused "a shape that cannot be" "$weight.shape = [-3, 3]" "has no shape that can be"
refused "a shape of nothing, elsewhere huge" "$weight.shape = [0, 1, 4611686018427387904, 4]" \
    "has a dimension of 46116860184[0-9]*"
refused "a radius beyond all numbers" \
    "(.modelTopology.node[] | select(.op == \"Mean\")) |= (.op = \"LRN\" | .attr.depth_radius = {i: \"9223372036854775807\"})" \
    "has an impossible radius"
refused "a dtype that is not known" "$weight.dtype = \"complex64\"" "has dtype 'complex64', which is not supported"
refused "a scale that is none" "$weight.quantization = {dtype: \"uint8\", min: 0}" "a scale and a min that are numbers"
refused "no manifest" "del(.weightsManifest)" "no weightsManifest"
refused "no network" "del(.modelTopology)" "no network (.modelTopology.)"
refused "an operator that is not known" "(.modelTopology.node[] | select(.op == \"Mean\")).op = \"Median\"" \
    "operator Median is not supported \('n"
refused "a loop" "(.modelTopology.node[] | select(.op == \"Mean\")).input[0] = .signature.outputs.y.name" \
    "read each other: loops are not supported"
refused "a node that nothing makes" "(.modelTopology.node[] | select(.op == \"Mean\")).input[0] = \"nowhere\"" \
    "reads 'nowhere', which nothing makes"
refused "a fused activation that is not known" \
    "(.modelTopology.node[] | select(.op == \"_FusedConv2D\")).attr.fused_ops.list.s[1] = \"U25hcA==\"" \
    "fused activation 'Snap'"
refused "training" \
    "(.modelTopology.node[] | select(.op == \"Mean\")) |=
        (.op = \"FusedBatchNormV3\" | .input += .input + [.input[0]] | .attr.is_training = {b: true})" "training mode"
refused "two nodes of a name" ".modelTopology.node[2].name = .modelTopology.node[1].name" "two nodes are called"
refused "an output of no node" ".signature.outputs.y.name = \"z:0\"" "no node makes output 'z:0'"
refused "a size that nobody says" "(.modelTopology.node[0].attr.shape.shape.dim[1:3][].size) = \"-1\"" "say with --size"
runs 0 "which --size does" model-import -q bad.json --size 112x112 -o bad.xfvm

printf '{"a": 1, "a": 2}' >bad.json
runs 5 "a key that is there twice" model-import bad.json -o bad.xfvm
like "$(cat err)" "not JSON: line 1, column .*duplicate object key" "is refused, with the place"
head -c 100000 /dev/zero | tr '\0' '[' >bad.json
runs 5 "100,000 brackets" model-import bad.json -o bad.xfvm
like "$(cat err)" "not JSON: .*depth" "are too deep"
{ printf '['; head -c 17000000 /dev/zero | tr '\0' ' '; } >bad.json
runs 5 "17 MB of JSON" model-import bad.json -o bad.xfvm
like "$(cat err)" "16 MB of JSON: at most 16 are read" "are too many"
head -c 8000000 /dev/zero | sed 's/\x00/[],/g; 1s/^/[/; $s/,$/]/' | head -c 15000000 >bad.json
[ "${XFV_SANITIZED:-0}" = 1 ] && bound=: || bound="ulimit -v 2000000" # a sanitizer maps terabytes
runs 5 "a bomb of empty lists" sh -c "$bound; model-import bad.json -o bad.xfvm"

# Layers that cannot be.
layer() {
    jq ".modelTopology.model_config.config.layers[0] |= ($1)" nets/keras-conv-same.json >nets/bad.json
    runs 5 "$3" model-import nets/bad.json -o bad.xfvm
    like "$(cat err)" "$2" "$3: which is said"
}
layer '.class_name = "Lambda"' \
    "layer Lambda is not supported \('conv2d_0'\); Lambda is code: convert the network as a graph model" "a Lambda"
layer '.class_name = "LSTM"' "layer LSTM is not supported" "a layer that is not known"
layer '.config.activation = "snap"' "has the activation 'snap', which is not supported" \
    "an activation that is not known"
layer '.config.name = "other"' "'other' \(Conv2D\) has no weight 'kernel' in the weightsManifest" \
    "a layer without weights"
layer '.config.padding = "causal"' "has the padding 'causal'" "a padding that is not known"
layer 'del(.config.batch_input_shape)' "has no batch_input_shape" "no input"

# Cut and altered anywhere: one line, and no other status.
"$PYTHON" - face.json <<'PY'
import random, subprocess, sys
data, bad = open(sys.argv[1], "rb").read(), 0
rng = random.Random(3)
for i in range(60):
    b = bytearray(data)
    if i < 20:
        b = b[: len(data) * i // 20]
    for _ in range(3 if i >= 20 else 0):
        at = rng.randrange(len(b))
        some = [b"", b"9", b"-", b"{", b"]", b'"', b"\xff", b"99999999999", b"null", b[at : at + 40] * 2]
        b[at : at + 1] = rng.choice(some)
    open("cut.json", "wb").write(b)
    p = subprocess.run(["model-import", "-q", "cut.json", "-o", "cut.xfvm"], capture_output=True)
    if p.returncode not in (0, 5) or p.stderr.count(b"\n") != (p.returncode == 5):
        bad += 1
        print("#", i, p.returncode, p.stderr)
sys.exit(bad)
PY
ok $? "cut and altered anywhere: refused in one line"
done_testing
