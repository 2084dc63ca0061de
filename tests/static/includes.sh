#!/bin/sh
# The rooms of libcommon stand in a row: a room includes itself and rooms before it, and no room includes a tool. Prints
# what breaks this.
# net/run, net/import and net/model are siblings: each uses net/graph, none another. The row is explained in HACKING.md.
set -u
cd "$(dirname "$0")/../.." || exit 1
rooms="base stream image net/graph net/run net/import net/model face explain pair measure report cli cli/guard stage"
bad=0 before=
for room in $rooms; do
    may="$before $room"
    case $room in
    net/run | net/import) may="base stream net/graph $room" ;;
    net/model) may="base stream net/graph $room" ;;
    cli) may="$may cli/guard" ;; # one room, its locks in a folder
    esac
    before="$before $room"
    for line in $(grep -nH '^ *# *include *"' libcommon/"$room"/*.[ch] | sed 's/: *# *include *\("[^"]*"\).*/:\1/'); do
        target=${line#*\"}
        target=${target%%\"*}
        dir=${target%/*}
        case $target in */*) ;; *) dir=$room ;; esac # a generated header, without a folder
        case " $may " in *" $dir "*) continue ;; esac
        echo "${line%%:\"*}: a file of $room includes \"$target\"; it may include:$may"
        bad=1
    done
done
for dir in $(find libcommon -name '*.[ch]' | sed 's|^libcommon/||; s|/[^/]*$||' | sort -u); do
    case " $rooms " in *" $dir "*) ;; *) echo "libcommon/$dir: a room that stands nowhere in: $rooms"; bad=1 ;; esac
done
# internal.h and *_internal.h are their room's own.
grep -rnE '# *include *"([a-z/]+/)?([a-z]+_)?internal\.h"' libcommon tools tests/unit 2>/dev/null |
    while IFS=: read -r file line text; do
    room=$(printf '%s' "$text" | sed 's/.*"\(.*\)".*/\1/; s|/[^/]*internal\.h$||')
    case $file in libcommon/${room:-*}/* | tests/unit/*) ;; *) echo "$file:$line: includes an internal header of $room" ;; esac
done | grep . && bad=1
exit $bad
