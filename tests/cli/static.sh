# What can be seen without running anything: the order of the rooms, and the programs' hardening.
. "$top/tests/tap.sh"
sh "$top/tests/onnx/operators.sh" "$top/libcommon/net/import/onnx_call.c" >operators.tsv
is "$(diff operators.tsv "$top/docs/tables/other/onnx-operators.tsv")" "" \
    "the table of ONNX operators is what the importer has"
is "$(sh "$top/tests/static/includes.sh" 2>&1)" "" "every room includes only rooms to its left"
find "$top/libcommon" "$top/tools" "$top/include" "$top/tests" -name '*.[ch]' -exec cat {} + |
    awk 'length > 120 { n++ } END { exit n > NR / 5000 }'
ok $? "fewer than one line of C in five thousand is longer than 120 columns"
find "$top/libcommon" "$top/tools" "$top/include" "$top/tests" "$top/study" "$top/examples" "$top/python" "$top/docs" \
    \( -name '*.[ch]' -o -name '*.sh' -o -name '*.py' \) -exec cat {} + |
    awk 'length > 120 { n++ } END { exit n > NR / 200 }'
ok $? "fewer than one line in two hundred of all C, shell and Python is longer"
if [ -n "${XFV_SANITIZED:-}" ]; then
    skip "hardening" "a build with sanitizers"
else
    is "$(nm -g --defined-only "$B/libxfv.a" | awk 'NF == 3 && $3 !~ /^xfv_/ { print $3 }' | head -n 5)" "" \
        "every global symbol of libxfv.a begins with xfv_"
    set --
    for p in "$B"/bin/*; do
        case $p in *.d | *.o) ;; *) set -- "$@" "$p" ;; esac
    done
    is "$(sh "$top/tests/static/hardening.sh" "$@" 2>&1)" "" \
        "PIE, RELRO, stack protection and fortified calls in every program"
fi
done_testing
