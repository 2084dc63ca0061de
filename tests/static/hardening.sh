#!/bin/sh
# hardening.sh PROGRAM...: each is position independent, has its relocations read-only and bound at start, stack
# protection, fortified calls, and no executable stack. Prints what is missing.
set -u
bad=0
for p; do
    [ "$(head -c 2 "$p")" != '#!' ] || continue
    miss=
    head=$(readelf -hW "$p") segments=$(readelf -lW "$p") dynamic=$(readelf -dW "$p") \
        symbols=$(readelf -sW --dyn-syms "$p")
    has() { printf '%s\n' "$1" | grep -qE "$2"; }
    has "$head" 'Type: *DYN' || miss="$miss PIE"
    has "$segments" 'GNU_RELRO' || miss="$miss RELRO"
    has "$dynamic" 'BIND_NOW|FLAGS.*NOW' || miss="$miss BIND_NOW"
    has "$segments" 'GNU_STACK.* RW ' || miss="$miss non-executable-stack"
    has "$symbols" '__stack_chk_fail' || miss="$miss stack-protector"
    has "$symbols" '__[a-z]*(printf|mem|str|read)[a-z]*_chk' || miss="$miss FORTIFY"
    has "$dynamic" '\((RPATH|RUNPATH)\)' && miss="$miss no-rpath"
    [ -z "$miss" ] && continue
    echo "$p: lacks$miss"
    bad=1
done
exit $bad
