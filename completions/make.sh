#!/bin/sh
# make.sh BIN OUT: completions of every program in folder BIN for bash, zsh and fish, into OUT/bash/xfv-tools,
# OUT/zsh/_xfv-tools and OUT/fish/*.fish.
#
# They are made of what the programs say themselves, so that they cannot go stale: options, their words and their values
# from --help; of an option whose values stand not there, from its refusal of the value '?'. ("--help" after that, so
# that an option which takes any text does nothing.)
set -eu
bin=$1 out=$2 here=$(cd "$(dirname "$0")" && pwd)
export LC_ALL=C
tab=$(printf '\t')
rm -rf "$out"
mkdir -p "$out/bash" "$out/zsh" "$out/fish"
table=$out/table # program, short, long, argument, help, values

# Options of a program's help on standard input: short, long, argument, words, one a line.
options() {
    awk -v OFS='\t' '
        function put() { if (long != "") print short == "" ? "-" : short, long, arg == "" ? "-" : arg, words; long = "" }
        /^$/ && long != "" { put(); exit }
        /^  (-.,|   ) --[a-z0-9-]/ {
            put()
            short = substr($0, 3, 1) == "-" ? substr($0, 4, 1) : ""
            left = $0; sub(/^ *(-., )?--/, "", left)
            words = left; if (!sub(/^[^ ]+  +/, "", words)) words = ""
            sub(/ .*/, "", left)
            arg = ""; long = left
            if (match(left, /\[?=/)) { long = substr(left, 1, RSTART - 1); arg = substr(left, RSTART); sub(/^\[=/, "[", arg); sub(/^=/, "", arg) }
            next
        }
        long != "" { sub(/^ +/, ""); words = words (words == "" ? "" : " ") $0 }'
}

# The values that a program names when it is given '?' for an option.
values() { # program option
    "$bin/$1" "--$2=?" --help </dev/null 2>&1 >/dev/null |
        sed -n "s/^$1: --$2 must be \(.*\), got '?'.*/\1/p; s/^$1: --$2: '?' is not one of \(.*\) (see .*/\1/p" |
            sed 's/, or /, /; s/ or /, /' |
        grep -E '^[a-z0-9.-]+(, [a-z0-9.-]+)+$' | sed 's/,//g' || true
}

programs=
for path in "$bin"/*; do
    program=${path##*/}
    case $program in *.d | *.o | *.tmp) continue ;; esac
    [ -x "$path" ] || continue
    programs="$programs $program"
    case $("$path" --help | head -n 1) in *MODEL*) printf '%s\t-\t\tMODEL\t\t\n' "$program" ;; esac # operands
    "$path" --help | options | while IFS=$tab read -r short long arg words; do
        list=$(printf '%s\n' "$words" | sed -n 's/.* \[\([^].]*\)\]$/\1/p' | grep -v '^from ' || true)
        [ -n "$list" ] || case $arg in -* | FILE | *PATH* | N | N,* | X | I/N | SIZE | COMMAND) ;; *) list=$(values "$program" "$long") ;; esac
        case $arg in "[WHEN]") list="auto always never" ;; esac
        printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$program" "$short" "$long" "$arg" "$words" "$list"
    done
done >"$table"
for path in "$bin"/*; do
    program=${path##*/}
    case $program in *.d | *.o | *.tmp) continue ;; esac
    programs="$programs $program"
done

# ---- bash ----
{
    echo "# bash completion for xfv-tools, made by completions/make.sh from the programs' --help."
    echo '_xfv_options() { # program: its options, = after those with an argument'
    echo '    case $1 in'
    awk -F '\t' '$3 == "" { next } { o = "--" $3; if ($4 != "-" && $4 !~ /^\[/) o = o "="; if ($2 != "-") o = "-" $2 " " o; all[$1] = all[$1] (all[$1] == "" ? "" : " ") o }
        END { for (p in all) printf "    %s) echo \"%s\" ;;\n", p, all[p] }' "$table" | sort
    printf '    esac\n}\n'
    echo '_xfv_long() { # program letter: the long option'
    echo '    case $1$2 in'
    awk -F '\t' '$2 != "-" { printf "    %s-%s) echo --%s ;;\n", $1, $2, $3 }' "$table"
    printf '    esac\n}\n'
    echo '_xfv_argument() { # program option: what its argument is: "file", "model", "threshold", "values ...", "none", or nothing known'
    echo '    case $1$2 in'
    awk -F '\t' '$3 == "" { printf "    %s) echo model ;;\n", $1; next } { k = $4 == "-" ? "none" : $6 != "" ? "values " $6 : $4 == "FILE" ? "file" : $4 == "NAME|PATH" ? "model" : $1 == "verify" && $3 == "at" || $1 == "xfv-explain" && $3 == "at" ? "threshold" : ""
        if (k != "") printf "    %s--%s) echo %s ;;\n", $1, $3, k }' "$table"
    printf '    esac\n}\n'
    cat "$here/bash.in"
    echo "complete -F _xfv_tools$programs"
} >"$out/bash/xfv-tools"

# ---- zsh ----
{
    echo "#compdef$programs"
    echo "# zsh completion for xfv-tools, made by completions/make.sh from the programs' --help."
    cat "$here/zsh.in"
    echo 'case $service in'
    awk -F '\t' '
        function action() { return $6 != "" ? "(" $6 ")" : $4 == "FILE" ? "_files" : $4 == "NAME|PATH" ? "_xfv_models" : $3 == "at" ? "_xfv_thresholds" : " " }
        function quoted(s) { gsub(/\047/, "\047\\\047\047", s); gsub(/\[/, "(", s); gsub(/\]/, ")", s); gsub(/:/, "\\:", s); return s }
        $1 != last { if (last != "") print "        \047*" operands "\047 ;;"; printf "%s)\n    _arguments -s -S \\\n", $1; last = $1; operands = ":file:_files" }
        $3 == "" { operands = ":model:_xfv_models"; next }
        {
            arg = $4; gsub(/[\[\]:]/, "", arg)
            spec = $4 == "-" ? "" : $4 ~ /^\[/ ? "::" tolower(arg) ":" action() : ":" tolower(quoted(arg)) ":" action()
            own = $2 == "-" ? "" : "(-" $2 " --" $3 ")"
            printf "        \047%s--%s%s[%s]%s\047 \\\n", own, $3, $4 == "-" ? "" : $4 ~ /^\[/ ? "=-" : "=", quoted($5), spec
            if ($2 != "-") printf "        \047%s-%s%s[%s]%s\047 \\\n", own, $2, $4 == "-" ? "" : "+", quoted($5), spec
        }
        END { print "        \047*" operands "\047 ;;" }' "$table"
    echo 'esac'
} >"$out/zsh/_xfv-tools"

# ---- fish ----
awk -F '\t' -v out="$out/fish" -v models="$(sed 's/\\/\\\\/g' "$here/fish.in" | awk '{ printf "%s\\n", $0 }')" '
    function quoted(s) { gsub(/\\/, "\\\\", s); gsub(/\047/, "\\\047", s); return "\047" s "\047" }
    $1 != last { if (file != "") close(file); file = out "/" $1 ".fish"; last = $1; print "# Made by completions/make.sh from the help of " $1 "." >file; printf "%s", models >file }
    $3 == "" { print "complete -c " $1 " -a " quoted("(__xfv_models)") >file; next }
    {
        line = "complete -c " $1 ($2 == "-" ? "" : " -s " quoted($2)) " -l " $3
        if ($6 != "" && $4 !~ /^\[/) line = line " -x -a " quoted($6)
        else if ($4 == "FILE") line = line " -r -F"
        else if ($4 == "NAME|PATH") line = line " -r -F -a " quoted("(__xfv_models)")
        else if ($4 != "-" && $4 !~ /^\[/) line = line " -x"
        print line " -d " quoted($5) >file
    }' "$table"
rm "$table"
