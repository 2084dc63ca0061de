#!/bin/sh
# make check-msan: the readers under MemorySanitizer, on all of tests/damaged. Of the images those that the project or
# libnetpbm reads (BMP, Netpbm): what other libraries write is not known to the sanitizer.
set -u
replay=$1
top=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 4
export MSAN_OPTIONS=exitcode=99
if XFV_MSAN_SELF=1 XFV_FUZZ=stream "$replay" 2>/dev/null; then
    echo "MemorySanitizer does not see a byte that was never written"
    exit 1
fi
mkdir image
for f in "$top"/tests/damaged/image/*; do
    case $(head -c 2 "$f" | tr -d '\0') in BM | P[1-7]) cp "$f" image ;; esac
done
bad=0 tried=0
for folder in "$top"/tests/damaged/*; do
    t=${folder##*/}
    MSAN_OPTIONS=exitcode=99
    case $t in
    image) # libnetpbm compares words of a PAM header of its own, which the sanitizer takes for never written
        folder=$work/image
        MSAN_OPTIONS=$MSAN_OPTIONS:intercept_strcmp=0
        ;;
    tfjs) continue ;; # libjansson compares strings of its own, which the sanitizer takes for never written
    esac
    n=$(find "$folder" -type f | wc -l)
    if [ "$n" -gt 0 ] && find "$folder" -type f -print0 | XFV_FUZZ=$t xargs -0 "$replay" >log 2>&1; then
        tried=$((tried + n))
    else
        bad=$((bad + 1))
        grep -A8 WARNING log | sed "s/^/$t: /"
    fi
done
echo "$tried inputs read, $bad targets with findings"
[ $bad -eq 0 ]
