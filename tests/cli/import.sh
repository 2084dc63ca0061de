# Networks in the forms that exporters write them (tests/onnx/entrance.py), and what model-import refuses once it has read them.
. "$top/tests/tap.sh"
"$PYTHON" "$top/tests/onnx/entrance.py" . && "$PYTHON" "$top/tests/onnx/small.py" face.onnx 112 112 3
ok $? "networks are made"

runs 5 "an embedding that is a constant" model-import no-dependence.onnx -o y.xfvm
like "$(cat err)" "embedding 'y' does not depend on the image" "is none"
runs 5 "nor is one that the image does not change" model-import times-zero.onnx -o y.xfvm
like "$(cat err)" "the same for two different pictures" "which is tried with two pictures"
runs 5 "a scale far off" model-import --std 1e6 face.onnx -o y.xfvm
like "$(cat err)" "other numbers than --mean and --std make, -0.000128 to 0.000128" "is found the same way, and the likely cause said"
runs 5 "even where the model goes to standard output" sh -c 'model-import --std 1e6 face.onnx >/dev/null'
[ ! -e y.xfvm ]; ok $? "no model is left"
done_testing
