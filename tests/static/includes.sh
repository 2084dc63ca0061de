#!/bin/sh
# The rooms of libcommon stand in a row; a room includes only rooms to its left, and no room includes a tool. Prints what breaks this.
set -u
cd "$(dirname "$0")/../.." || exit 1
rooms="stream image net face explain measure report cli"
bad=0 left=
for room in $rooms; do
    left="$left $room"
    for line in $(grep -nH '^ *# *include *"' libcommon/"$room"/*.[ch] | sed 's/: *# *include *\("[^"]*"\).*/:\1/'); do
        target=${line#*\"}; target=${target%%\"*}
        dir=${target%%/*}
        case $target in */*) ;; *) dir=$room ;; esac # "wino.h" beside the file
        case " $left " in *" $dir "*) continue ;; esac
        echo "${line%%:\"*}: a file of $room includes \"$target\"; it may include:$left"
        bad=1
    done
done
for dir in libcommon/*/; do
    dir=$(basename "$dir")
    case " $rooms " in *" $dir "*) ;; *) echo "libcommon/$dir: a room that stands nowhere in: $rooms"; bad=1 ;; esac
done
# A room's internal.h is its own.
grep -rnE '# *include *"([a-z]+/)?internal\.h"' libcommon tools tests/unit 2>/dev/null | while IFS=: read -r file line text; do
    room=$(printf '%s' "$text" | sed 's/.*"\(.*\)".*/\1/; s|/*internal\.h||')
    case $file in libcommon/${room:-*}/* | tests/unit/*) ;; *) echo "$file:$line: includes the internal header of $room" ;; esac
done | grep . && bad=1
exit $bad
