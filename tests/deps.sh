#!/bin/sh
# Install what is missing of debian/control's Build-Depends, or of the packages named. Silent when there is nothing to
# do; says what is missing when it may not install.
set -eu
here=$(dirname "$0")
missing=
[ $# -gt 0 ] || set -- gcc make libc6-dev $(sed -n '/^Build-Depends:/,/^$/s/^ \([a-z0-9.+-]*\)[ ,].*/\1/p' \
    "$here/../debian/control" | grep -v '^debhelper')
for p; do
    dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
done
[ -n "$missing" ] || exit 0
as_root=
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "deps: missing packages and no sudo; install them:$missing" >&2; exit 1; }
    as_root=sudo
fi
echo "deps: installing$missing"
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get -qq update
# shellcheck disable=SC2086
$as_root apt-get -qq install -y --no-install-recommends $missing >/dev/null
