#!/bin/sh
# xfv-explain: photographs to an answer and a picture or a page, by the usual pipeline, which it prints. See
# xfv-explain(1).
#
# POSIX sh. The pipeline is a text of words quoted for the shell, so that what is printed is what runs. There is no
# pipefail: the status of each stage comes back over descriptor 3.
set -u
name=xfv-explain version=@VERSION@
newline='
'
# A name cannot forge lines or move the cursor.
say() { printf '%s: %s\n' "$name" "$(printf '%s' "$1" | LC_ALL=C tr '[:cntrl:]' '?')" >&2; }
die() { say "$2"; exit "$1"; } # status text
wrong() { die 2 "$1 (see $name --help)"; }

usage() {
    cat <<X
Usage: $name [OPTION]... IMAGE IMAGE...
Do photographs show one person, and what decided it? Find, compare and explain the faces, try the explanation, and say so
in a line. Of more than two images, every pair.

  -o, --output=FILE         a picture (.png, .jpg, .svg, .pdf, .ppm) or a page (.html); default why.png, of several pairs why-%03d.png
      --method=NAME         the explainer (default path); several with commas between, or given several times; a command when it holds a
                            blank or a slash [$(echo "$names" | tr -d ,)]
  -t, --threshold=X         accept scores of X and more (default: the model's own)
      --at=NAME             a threshold of the model: default, eer, fmr=1e-3, ... (see model-info)
  -f, --face=WHICH          largest (default) or central face of an image
  -m, --model=NAME|PATH     the network, by name or path
  -j, --jobs=N              workers (default 1; 0: one a core); the result is the same for every N
      --json                the answer as JSON
  -e, --exit-status         status 1 when some pair is rejected
      --dry-run             print the pipeline on standard output; run nothing
      --progress[=WHEN]     auto, always or never (default auto: on a terminal)
  -q, --quiet               errors only: the pipeline is not printed
      --private             keep names out of messages, and do not print the pipeline
  -v, --verbose             say more on standard error
  -h, --help                print this and exit
  -V, --version             print versions and exit

Example: $name --method fggb,path -o why.html alice.jpg bob.jpg
Exit status: 0 all well, 1 some records failed (or some pair is rejected, with -e), 2 usage, 3 bad stream, 4 system, 5 model.
X
}
show() { "$@" 2>/dev/null || die 4 'cannot write standard output'; exit 0; }

# quote TEXT: into $q, a word for the shell
quote() {
    case $1 in
    *"$newline") wrong "a name ends with a line's end: rename the file" ;;
    *[[:cntrl:]]*) # as numbers: what is printed is harmless, and runs
        q=$(printf '%s' "$1" | od -An -v -to1 | tr -d '\n' | sed 's/ /\\/g')
        q="\"\$(printf '$q')\""
        return ;;
    esac
    case $1 in '' | *[!A-Za-z0-9_./=:,%@+-]*) ;; *) q=$1; return ;; esac
    q= rest=$1
    while :; do
        case $rest in *\'*) ;; *) break ;; esac
        q="$q${rest%%\'*}'\\''" rest=${rest#*\'}
    done
    q="'$q$rest'"
}
# words WORD...: appended to $stage
words() { for w; do quote "$w"; stage="$stage $q"; done; }

# ---- options ----

out= methods= answer=words rejects= threshold= at= face= model= jobs= dry= progress= loud= private= images= n=0 dash=

table() { # program, task, method, line
    cat <<'X'
@PROGRAMS@
X
}
names=$(table | awk -F '\t' '$3 != "-" { printf "%s%s", n++ ? ", " : "", $3 }')
method() { # one, or several with commas between
    case $1 in *[/\ ]*) methods="$methods$1$newline"; return ;; esac
    rest=$1,
    while [ -n "$rest" ]; do
        program=$(table |
            awk -F '\t' -v m="${rest%%,*}" '$3 != "-" && (m == $1 || m == $3) { print $1 }')
        [ -n "$program" ] || wrong "--method: '${rest%%,*}' is not one of $names"
        methods="$methods$program$newline"
        rest=${rest#*,}
    done
}
image() { quote "$1"; images="$images $q" n=$((n + 1)); case $1 in -?*) dash=1 ;; esac; }

option() { # name value
    case $1 in
    output) [ -n "$2" ] || wrong '--output needs the name of a file'; out=$2 ;;
    method) method "$2" ;;
    threshold) threshold=$2 ;;
    at) at=$2 ;;
    face) case $2 in largest | central) face=$2 ;; *) wrong "--face must be largest or central, got '$2'" ;; esac ;;
    model) [ -n "$2" ] || wrong '--model needs a name or a path'; model=$2 ;;
    jobs) case $2 in '' | *[!0-9]*) wrong "--jobs must be a whole number, got '$2'" ;; esac; jobs=$2 ;;
    esac
}
while [ $# -gt 0 ]; do
    case $1 in
    --) shift; for w; do image "$w"; done; break ;;
    --output=* | --method=* | --threshold=* | --at=* | --face=* | --model=* | --jobs=*) w=${1%%=*}; option "${w#--}" "${1#*=}" ;;
    --output | --method | --threshold | --at | --face | --model | --jobs)
        [ $# -gt 1 ] || wrong "option '$1' needs an argument"
        option "${1#--}" "$2"; shift ;;
    -[otfmj]*)
        w=${1#-} rest=${1#-?}
        case ${w%"$rest"} in o) w=output ;; t) w=threshold ;; f) w=face ;; m) w=model ;; j) w=jobs ;; esac
        if [ -z "$rest" ]; then
            [ $# -gt 1 ] || wrong "option '$1' needs an argument"
            rest=$2; shift
        fi
        option $w "$rest" ;;
    --progress) progress=always ;;
    --progress=auto | --progress=always | --progress=never) progress=${1#*=} ;;
    --progress=*) wrong "--progress must be auto, always or never, got '${1#*=}'" ;;
    --dry-run) dry=1 ;;
    --json) answer=json ;;
    -e | --exit-status) rejects=1 ;;
    -q | --quiet) loud=-q ;;
    -v | --verbose) loud=-v ;;
    --private) private=1 ;;
    -h | --help) show usage ;;
    -V | --version) show echo "$name $version" ;;
    --json=* | --exit-status=* | --dry-run=* | --quiet=* | --verbose=* | --help=* | --version=*) wrong "option '${1%%=*}' takes no argument" ;;
    -?*) wrong "unknown option '${1%%=*}'" ;;
    *) image "$1" ;;
    esac
    shift
done
[ "$n" -ge 2 ] || wrong "two photographs at least are needed, found $n"
[ -z "$threshold" ] || [ -z "$at" ] || wrong '--threshold and --at exclude each other'
[ -n "$methods" ] || method path
[ -n "$out" ] || out=why.png

# ---- the pipeline ----

pipe= run= place=0
# stage PROGRAM [TAKES [OPERANDS]]: complete the stage whose options are in $stage with those it takes of o output, m
# model and j jobs
stage() {
    stage="$1$stage"
    case ${2-} in *m*) [ -z "$model" ] || words -m "$model" ;; esac
    case ${2-} in *j*) [ -z "$jobs" ] || words -j "$jobs" ;; esac
    case ${2-} in *o*) words -o "$out" ;; esac
    [ -z "$progress" ] || words "--progress=$progress"
    [ -z "$loud" ] || words $loud
    [ -z "$private" ] || words --private
    link "$1" "$stage${3-}"
}
# link NAME COMMAND: to the end of the pipeline
link() {
    place=$((place + 1))
    pipe="$pipe${pipe:+ | }$2" run="$run${run:+ | }{ { $2$newline} 3>&- 4>&-; echo $place $1 \$? >&3; }"
    stage=
}
several=
[ "$n" -eq 2 ] || several=1
stage=
[ -z "$face" ] || words -f "$face"
stage facecrop mj "${dash:+ --}$images" # the operands last, since they may begin with a dash
stage embed mj
[ -z "$several" ] || words --all
[ -z "$threshold" ] || words -t "$threshold"
[ -z "$at" ] || words --at "$at"
[ -z "$rejects" ] || words -e
stage verify m
while [ -n "$methods" ]; do
    m=${methods%%"$newline"*} methods=${methods#*"$newline"}
    case $m in
    *[/\ ]*) link method "$m" ;;
    control-map) stage "$m" j ;;
    *) stage "$m" mj ;;
    esac
done
stage ablate mj
words --say $answer
case $out in
*.html | *.htm) stage report o ;;
*.png | *.jpg | *.jpeg | *.svg | *.pdf | *.ppm)
    case $several$out in 1*%*) ;; 1*) out=${out%.*}-%03d.${out##*.} ;; esac
    stage heatmap jo ;;
*) wrong "-o: the name must end in .png, .jpg, .svg, .pdf, .ppm or .html, got '$out'" ;;
esac

eaten=
eval "for w in $images; do [ ! \"\$w\" -ef \"\$out\" ] || eaten=\$w; done"
[ -z "$eaten" ] || wrong "'$eaten' is both an input and the output, which would replace it: name another output"

# The programs beside this one go before others of their names.
case $0 in
*/*)
    here=${0%/*}
    if [ -x "$here/facecrop" ] && [ "$(command -v facecrop)" != "$here/facecrop" ]; then
        quote "$here"
        pipe="PATH=$q:\$PATH; $pipe" PATH=$here:$PATH
    fi ;;
esac
if [ -n "$dry" ]; then
    show printf '%s\n' "$pipe"
fi
case ${XFV_PRIVATE:-0} in 0) ;; *) private=1 ;; esac
[ "$loud" = -q ] || [ -n "$private" ] || printf '%s\n' "$pipe" >&2
command -v facecrop >/dev/null || die 4 'facecrop is not on the PATH: where are the programs of xfv-tools?'

# ---- its end ----

# A program that fails makes the one before it die of SIGPIPE (141) and those after it miss the end of their input (3):
# the first status that is neither
# 141 nor "some records failed" (1) tells.
exec 4>&1
statuses=$(eval "$run" 3>&1 >&4)
statuses=$(printf '%s\n' "$statuses" | sort -n)
failed= status=0 some=0 pipes=0
set -- $statuses
while [ $# -ge 3 ]; do
    case $3 in 0) ;; 1) some=1 ;; 141) pipes=141 ;; *) [ $status -ne 0 ] || status=$3 failed=$2 ;; esac
    shift 3
done
[ -z "$failed" ] || die "$status" "$failed failed with status $status; what programs after it say follows from that"
[ $pipes -eq 0 ] || exit $pipes
exit $some
