# Completion in bash, and in zsh and fish where they are installed: options, their values, models, thresholds, files.
. "$top/tests/tap.sh"
runs 0 "completions are made" sh "$top/completions/make.sh" "$B/bin" out.d
is "$(wc -c <out)-$(wc -c <err)" 0-0 "quietly"
: >here.xfv; mkdir 'a folder'; : >'my photo.jpg'; cp "$top/models/mtcnn-r.xfvm" own.xfvm
export XFV_MODEL_PATH="$top/models"

for path in "$B"/bin/*; do # every option that --help lists, and a completion for every program
    p=${path##*/}
    case $p in *.d | *.o) continue ;; esac
    help=$("$p" --help | sed -n 's/^  [ -][^ ]* *--\([a-z0-9-]*\).*/\1/p' | sort | tr '\n' ' ')
    bash -c '. ./out.d/bash/xfv-tools; _xfv_options "$1"' bash "$p" | tr ' ' '\n' | sed -n 's/^--\([^=]*\)=*$/\1/p' |
        sort | tr '\n' ' ' >got.bash
    grep -oE -e '^complete -c [^ ]+( -s [^ ]+)? -l [a-z0-9-]+' out.d/fish/"$p".fish | sed 's/.* //' | sort |
        tr '\n' ' ' >got.fish
    is "$(cat got.bash)|$(cat got.fish)" "$help|$help" "$p: all options, in bash and fish"
    grep -qx "#compdef.* $p\( .*\)*" out.d/zsh/_xfv-tools && grep -qx "$p)" out.d/zsh/_xfv-tools;
    ok $? "$p: in zsh's file"
done
cat >try.bash <<'X'
. ./out.d/bash/xfv-tools
complete -p facecrop >/dev/null || exit 1
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_xfv_tools
printf '%s\n' "${COMPREPLY[@]}" | LC_ALL=C sort | tr '\n' ' '
X
try() { wanted=$1; shift; is "$(bash try.bash "$@" 2>&1)" "$wanted " "bash: $*"; }
try "--layout=" heatmap --la
try "figure maps overlay photo sheet" heatmap --layout = ""
try "overlay" heatmap --layout = ov
try "viridis" heatmap -c v
try "crop exact pad stretch" facecrop --whole ""
try "always auto never" verify --progress = ""
try "fggb" xfv-explain --method fg
try "mobilefacenet mtcnn-o mtcnn-p mtcnn-r" embed -m m
try "own.xfvm" embed --model = ow
try "mtcnn-r" model-info mtcnn-r
try "default eer fmr=1e-3" verify --at ""
try "here.xfv" verify her
try "my photo.jpg" facecrop -q my
try "a folder" verify --pairs "a "
try "here.xfv" verify -- h
is "$(bash try.bash verify -t 0 2>&1)" " " "bash: a number is not completed"

if command -v zsh >/dev/null; then
    runs 0 "zsh: the file is sound" zsh -n out.d/zsh/_xfv-tools
    # A shell in a terminal of its own; ^X writes what stands on its line.
    cat >try.zsh <<'X'
zmodload zsh/zpty
zpty z "TERM=vt100 zsh -f -i"
zpty -w z "fpath=($PWD/out.d/zsh \$fpath); autoload -Uz compinit; compinit -u -D; setopt nobeep"
zpty -w z 'keep() { print -r -- "$BUFFER" >line.tmp; mv line.tmp line; }; zle -N keep; bindkey "^X" keep; echo rea""dy'
zpty -r -m z out '*ready*'
zpty -w -n z "$1"$'\t\C-x'
repeat 100 { [[ -e line ]] && break; zpty -r -t z out; sleep 0.1 }
cat line
X
    tryz() { rm -f line; is "$(timeout 20 zsh -f try.zsh "$2" | sed 's/ *$//')" "$1" "zsh: $2"; }
    tryz "heatmap --layout=overlay" "heatmap --layout=ov"
    tryz "embed -m mobilefacenet" "embed -m mob"
    tryz "verify here.xfv" "verify her"
else
    skip "zsh" "it is not installed"
fi
if command -v fish >/dev/null; then
    tryf() {
        is "$(HOME=$work fish -N -c "source out.d/fish/${2%% *}.fish; complete -C '$2'" 2>&1 | cut -f 1 |
            LC_ALL=C sort | tr '\n' ' ')" "$1 " "fish: $2"; }
    tryf "figure maps overlay photo sheet" "heatmap --layout "
    tryf "--layout" "heatmap --layo"
    tryf "here.xfv" "verify her"
    like "$(HOME=$work fish -N -c "source out.d/fish/embed.fish; complete -C 'embed -m m'" | cut -f 1 | tr '\n' ' ')" \
        "mobilefacenet mtcnn-o" "fish: models"
else
    skip "fish" "it is not installed"
fi
done_testing
