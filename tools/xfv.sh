#!/bin/sh
# xfv: the front door. It lists the programs by task, runs one, and opens its page. See xfv(1).
set -u
name=xfv version=@VERSION@
say() { printf '%s: %s\n' "$name" "$1" >&2; }
wrong() { say "$1 (see $name --help)"; exit 2; }

table() { # program, task, method, line
    cat <<'X'
@PROGRAMS@
X
}
usage() {
    cat <<X
Usage: $name [NAME [ARGUMENT]...] | help NAME
List the programs by task; with NAME run that program; with help open its page.

  -o, --output=FILE         for the list: write FILE
      --progress[=WHEN]     auto, always or never: taken and not used
  -q, --quiet               taken and not used
  -v, --verbose             taken and not used
  -h, --help                print this and exit
  -V, --version             print versions and exit

Example: $name help verify
Exit status: 0 all well, 1 some records failed, 2 usage, 3 bad stream, 4 system, 5 model.
X
}
list() {
    echo "facecrop anna.jpg bob.jpg | embed | verify | fggb-grad | heatmap -o why.png"
    table |
        awk -F '\t' '$1 == "xfv" { next } $2 != task { task = $2; printf "\n%s\n", task } { printf "  %-16s %s\n", $1, $4 }'
    printf '\n%s\n' "'$name help NAME' opens the page of a program, '$name NAME ...' runs it."
}
show() { "$@" 2>/dev/null || { say 'cannot write standard output'; exit 4; }; exit 0; }
known() { table | awk -F '\t' -v p="$1" '$1 == p { found = 1 } END { exit !found }'; }

# resolve NAME: into $program; "select" is xfv-select
resolve() {
    program=$1
    known "$program" || program=xfv-$1
    known "$program" || wrong "there is no program '$1'; $name alone lists them"
}
case $0 in */*) here=${0%/*} ;; *) here=$(command -v "$0"); here=${here%/*} ;; esac

page() {
    resolve "$1"
    for file in "$here/../../man/$program.1" "$here/../share/man/man1/$program.1"; do
        [ -e "$file" ] && exec man -l "$file"
    done
    exec man "$program"
}

out=
while [ $# -gt 0 ]; do
    case $1 in
    -h | --help) show usage ;;
    -V | --version) show echo "$name $version" ;;
    -o | --output) [ $# -gt 1 ] || wrong "option '$1' needs an argument"; out=$2; shift ;;
    --output=*) out=${1#*=} ;;
    -q | --quiet | -v | --verbose | --progress | --progress=auto | --progress=always | --progress=never) ;;
    --progress=*) wrong "--progress must be auto, always or never, got '${1#*=}'" ;;
    --quiet=* | --verbose=* | --help=* | --version=*) wrong "option '${1%%=*}' takes no argument" ;;
    -*) wrong "unknown option '${1%%=*}'" ;;
    help) [ $# -eq 2 ] || wrong "help needs the name of a program"; page "$2" ;;
    *)
        resolve "$1"
        shift
        [ -x "$here/$program" ] && exec "$here/$program" "$@"
        exec "$program" "$@" ;;
    esac
    shift
done
if [ -z "$out" ] || [ "$out" = - ]; then show list; fi
list >"$out" || exit 4
