#!/bin/sh
# own.sh [-m MODEL] -o OUT IN: the stage $METHOD (standard input to standard output) as study/evidence-piece.sh calls a method. It finds the network that the
# pairs were decided by in XFV_MODEL, from where xfv.torch.module() takes it.
set -eu
[ "$1" != -m ] || { export XFV_MODEL="$2"; shift 2; }
sh -c "$METHOD" <"$3" >"$2"
