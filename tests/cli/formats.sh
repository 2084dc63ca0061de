# One photograph in every format that is read: the same person everywhere. And files that would take all memory.
. "$top/tests/tap.sh"
$PYTHON "$top/tests/formats.py" make "$top/tests/photos/anna-1.jpg"; ok $? "make the images"
images=$(facecrop --version | sed -n 's/^images: //p')
like "$images" "^JPEG PNG WebP BMP farbfeld Netpbm" "--version names what is read: $images"
is_read() { # does this build read the file?
    case $1 in
    *.gif) w=GIF ;; *.tif) w=TIFF ;; *.heic | *.avif) w=HEIC ;; *.jxl) w=JPEG-XL ;; *.jp2 | *.j2k) w=JPEG-2000 ;; *) return 0 ;;
    esac
    case "$images" in *" $w"*) ;; *) return 1 ;; esac
    case "$images" in *profiles*) ;; *) case $1 in wide*) return 1 ;; esac ;; esac
}
while IFS='	' read -r n gives; do
    is_read "$n" || { skip "$n" "this build does not read it"; continue; }
    echo "$n" >>here
done <names
# All at once, by two workers, inside the sandbox.
facecrop -j2 upright.png $(grep -v '^upright.png$' here) >faces.xfv 2>err; ok $? "all are read"; head -5 err
embed faces.xfv | verify --tsv --probe upright.png -t .5 >table
xfv-json faces.xfv | jq -r 'select(._ == "face" and .transparent) | .id' >clear
for n in $(grep -v '^upright.png$' here); do
    # Grey costs this network some; nothing else does.
    case $n in grey* | deep-grey*) least=.95 ;; *) least=.98 ;; esac
    score=$(awk -F'\t' -v n="$n" '$2 == n { print $3 }' table)
    awk -v s="$score" -v least=$least 'BEGIN { exit !(s >= least) }'; ok $? "$n: $score with the upright one"
    grep -qx "$n" clear; seen=$?
    grep -q "^$n	clear$" names; is $seen $? "$n: transparent parts are told, and only these"
done
# Damage in what came last: a file cut in half is refused.
for n in $(grep '^upright' here); do
    head -c $(($(wc -c <"$n") / 2)) "$n" >"cut-$n"
    facecrop --aligned "cut-$n" 2>/dev/null | xfv-json | jq -r 'select(._ == "err").code' >code
    is "$(cat code)" damaged "$n cut in half"
done
# Bombs: one err record each, by an estimate, in little memory; and what follows is read.
$PYTHON "$top/tests/formats.py" bombs
bombs=$(while read -r n; do is_read "$n" && echo "$n"; done <bombs)
cat >measured.py <<'PY'
import os, resource, subprocess, sys
p = subprocess.run(sys.argv[1:])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
open("most", "w").write(f"{used.ru_maxrss // 1024}\n")
open("seconds", "w").write(f"{used.ru_utime + used.ru_stime:.0f}\n")
sys.exit(p.returncode)
PY
$PYTHON measured.py facecrop --aligned -q $bombs upright.jpg >faces.xfv 2>err
is $? 1 "bombs, and a photograph after them: some failed"
is "$(xfv-json faces.xfv | jq -r 'select(._ == "err" or ._ == "face") | .id + " " + (.code // "face")' | tr '\n' ';')" \
    "$(for n in $bombs; do echo "$n limit"; done | sed 's/ppm/&#0/' | tr '\n' ';')upright.jpg face;" \
    "each is one err record"
[ "$(cat most)" -lt 200 ]; ok $? "in little memory ($(cat most) MiB)"

# Files that hold more than their header says: what a decoder takes is counted.
if [ "${XFV_SANITIZED:-0}" = 1 ]; then skip "liars" "a sanitizer has an allocator of its own"; else
    for n in liar.avif liar.j2k; do
        is_read $n || { skip $n "this build does not read it"; continue; }
        $PYTHON measured.py facecrop --aligned -q $n upright.jpg >faces.xfv 2>err
        is "$(xfv-json faces.xfv | jq -r '.code // .id // empty' | tr '\n' ' ')" "limit upright.jpg " \
            "$n: one err record"
        [ "$(cat most)" -lt 600 ]; ok $? "$n: in little memory ($(cat most) MiB)"
    done
    $PYTHON measured.py facecrop --aligned -q text.png >faces.xfv 2>err; ok $? "a PNG with 6 GB of text is read"
    [ "$(cat seconds)" -lt 5 ]; ok $? "and its text is not ($(cat seconds) s)"
fi
done_testing
