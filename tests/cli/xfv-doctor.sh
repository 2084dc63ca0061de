# xfv-doctor: sound here; what it says of missing, damaged, hidden and foreign models, limits, locales.
. "$top/tests/tap.sh"
export PYTHONPATH="$top/tests"
runs 0 "sound here" xfv-doctor
like "$(tail -n 1 out)" "^sound: [0-9]+ checks passed, [0-9]+ warnings, 0 failures" "the last line says so"
is "$(grep -cvE '^(ok|warn|fail) +[a-z-]+ ' out)" 1 "all others begin with a verdict"
for topic in version library processor kernels programs model limits sandbox locale terminal self-test; do
    grep -q "^[a-z]* *$topic " out; ok $? "a line about $topic"; done
is "$(grep -cE '^ok +model .*(mobilefacenet|mtcnn-[pro]), .* sha256 [0-9a-f]{12}: /' out)" 4 "four models as shipped"
digest=$(sha256sum <"$top/models/mobilefacenet.xfvm" | cut -c 1-12)
like "$(cat out)" "mobilefacenet, embedding, sha256 $digest: " "with their digests"
runs 0 "--json" xfv-doctor --json -o doctor.json
is "$(jq -r '.fail, (.checks | length) - .ok - .warn, (.checks | map(select(.topic == "self-test" and .verdict == "ok")) | length)' doctor.json | tr '\n' ' ')" "0 0 4 " "one object"
runs 0 "XFV_KERNELS=generic" env XFV_KERNELS=generic xfv-doctor -q
like "$(cat out)" "^warn +kernels +generic, because XFV_KERNELS" "a warning, and the self-test holds"
xfv-doctor >out 2>&1;
like "$(cat out)" "^ok +kernels +OpenBLAS's [A-Z]|^warn +kernels +OPENBLAS_CORETYPE" \
    "the kernels that OpenBLAS multiplies with"
if grep -q avx2 /proc/cpuinfo && [ -z "${XFV_TEST_WRAP:-}" ]; then
    is "$(OPENBLAS_CORETYPE= embed --version | grep -c 'core \(Prescott\|Nehalem\|Core2\|Penryn\|Sandybridge\),')" 0 \
        "a processor with AVX2 is not taken for one without"
    like "$(OPENBLAS_CORETYPE=Nehalem embed --version)" "core Nehalem," "... unless the user says so"
fi
runs 2 "an operand: status 2" xfv-doctor x
runs 4 "a full device: status 4" sh -c 'xfv-doctor >/dev/full'

"$PYTHON" -c 'from streams import *; open("tiny.xfvm", "wb").write(model())'
mkdir own hidden damaged foreign
cp tiny.xfvm own; cp "$top/models/mtcnn-r.xfvm" hidden; cp tiny.xfvm foreign/mobilefacenet.xfvm;
head -c 3000 tiny.xfvm >damaged/cut.xfvm
runs 0 "one's own model" env XFV_MODEL_PATH="$work/own:$top/models" xfv-doctor
like "$(cat out)" "^ok +model +tiny, embedding, .*own/tiny.xfvm; your own" "is listed"
runs 0 "two of one name" env XFV_MODEL_PATH="$work/hidden:$top/models" xfv-doctor -q
like "$(cat out)" "^warn +model +$top/models/mtcnn-r.xfvm: hidden by the one above" "the second is hidden"
runs 1 "a damaged one: status 1" env XFV_MODEL_PATH="$work/damaged:$top/models" xfv-doctor -q
like "$(cat out)" "^fail +model +.*damaged/cut.xfvm: " "is named"
like "$(tail -n 1 out)" "^not sound: .*, 1 failures" "and counted"
runs 0 "another default model" env XFV_MODEL_PATH="$work/foreign" xfv-doctor
like "$(cat out)" "^warn +model +mobilefacenet, .*not the one that xfv-tools ships" "is told from ours"
like "$(cat out)" "^ok +self-test +embed and FGGB: score .*nothing to compare" "the self-test runs on it"
mkdir bin && cp "$B/bin/xfv-doctor" bin
if ls /usr/local/share/xfv-tools/models/*.xfvm >/dev/null 2>&1; then
    skip "no models" "xfv-tools is installed here"
else
    runs 1 "no models: status 1" env XFV_MODEL_PATH="$work/none" bin/xfv-doctor -q
    is "$(grep -cE '^fail +model +no (mobilefacenet|mtcnn-.)\.xfvm in any folder .*XFV_MODEL_PATH' out)" 4 \
        "which, and where to look"
    like "$(cat out)" "^fail +programs +$work/bin/embed is not there" "nor other programs"
fi
(PATH=/usr/bin:/bin; "$B/bin/xfv-doctor" -q) >out
like "$(cat out)" "^warn +programs .*is not in PATH: export PATH=" "the programs are not in PATH"
printf '#!/bin/sh\n' >bin/embed; chmod 755 bin/embed
PATH=$work/bin:$PATH "$B/bin/xfv-doctor" -q >out
like "$(cat out)" "^warn +programs +'embed' is $work/bin/embed to the shell, not $B/bin/embed" \
    "another program of that name comes first"
LC_ALL=xx_YY xfv-doctor -q >out
like "$(cat out)" "^warn +locale .*not installed: set LC_ALL=C.UTF-8" "a locale that is not there"
comma=$(locale -a 2>/dev/null | grep -E '^(de|fr|es|it|nl|pl|ru)_' | head -n 1)
if [ -n "$comma" ]; then
    LC_ALL=$comma xfv-doctor -q >out
    like "$(cat out)" "^warn +locale .*numbers are written with ','" "a decimal comma"
else
    skip "a decimal comma" "no such locale is installed"
fi
(ulimit -n 30; xfv-doctor -q) >out
like "$(cat out)" "^warn +limits +30 open files: .*ulimit -n" "few open files"
(trap '' PIPE; xfv-doctor -q) >out
like "$(cat out)" "^warn +limits +SIGPIPE is ignored" "SIGPIPE ignored"
done_testing
