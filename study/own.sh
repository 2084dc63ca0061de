#!/bin/sh
# own.sh [-m MODEL] -o OUT IN: the stage $METHOD (standard input to standard output) as study/evidence-piece.sh calls a
# method. It finds the network that the pairs were decided by in XFV_MODEL, from where xfv.torch.module() takes it.
set -eu
[ "$1" != -m ] || { XFV_MODEL=$(realpath "$2"); export XFV_MODEL; shift 2; }
here=$PWD
cd "$METHOD_FROM" # where the command was given
sh -c "$METHOD" <"$here/$3" >"$here/$2"
