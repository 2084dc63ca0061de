#!/bin/sh
# make check-package: the source tarball is made twice, the Debian package twice, in two folders, at two times, by other
# umasks, locales and time zones: the same bytes. lintian, the dependencies, and the programs as they are in the
# package. The tests are not run again in the package's build (nocheck).
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top"
sh tests/deps.sh debhelper dpkg-dev fakeroot lintian jq
say() { echo "ok - $1"; }
die() { echo "not ok - $1"; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM

dist=$(make -s dist) && cp "$dist" "$work/first.tar.gz"
sleep 1
(umask 077 && TZ=Asia/Tokyo make -s dist >/dev/null)
cmp "$dist" "$work/first.tar.gz" && say "make dist makes the same bytes twice" ||
    die "make dist makes other bytes the second time"
version=$(sed -n 's/^xfv-tools (\(.*\)) .*/\1/p;q' debian/changelog)
[ "$dist" = "build/xfv-tools-$version.tar.gz" ] && say "debian/changelog has the version of cli.h" ||
    die "debian/changelog has version $version, make dist makes $dist"

build() { # FOLDER ENVIRONMENT...: the package built in the folder from the tarball
    dir=$work/$1; shift
    mkdir -p "$dir"
    tar -xzf "$dist" -C "$dir"
    (cd "$dir/xfv-tools-$version" && env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS DEB_BUILD_OPTIONS="nocheck parallel=${JOBS:-2}" DEB_BUILD_PROFILES=nocheck "$@" \
        dpkg-buildpackage -us -uc) >"$dir/log" 2>&1 || { tail -n 30 "$dir/log"; die "dpkg-buildpackage"; }
    rm -rf "$dir/xfv-tools-$version"
}
build one TZ=UTC LC_ALL=C.UTF-8
umask 027
build another/and/longer/folder TZ=America/Lima LC_ALL=C HOME="$work"
umask 022
one=$work/one other=$work/another/and/longer/folder
say "dpkg-buildpackage builds"
! grep -E 'warning: |dpkg-shlibdeps: warning' "$one/log" || die "with warnings"
n=0
for f in "$one"/*.deb "$one"/*.dsc "$one"/*.tar.*; do
    cmp "$f" "$other/${f##*/}" || die "${f##*/} differs between two builds"
    n=$((n + 1))
done
[ $n -ge 5 ] && say "$n files, packages and sources, are the same from both builds" || die "only $n files"
! grep -q "$top\|$work" "$work"/*/*.deb || die "a package names a folder of the build"

tags=$(lintian --allow-root --fail-on none --tag-display-limit 0 -I "$one"/*.changes)
printf '%s\n' "$tags" | sed 's/^/# /'
! printf '%s\n' "$tags" | grep -q '^[EW]:' && say "lintian: no errors, no warnings" || die "lintian"

for p in xfv-tools xfv-tools-models python3-xfv; do dpkg-deb -x "$one/$p"_*.deb "$work/root"; done
depends=$(dpkg-deb -f "$one"/xfv-tools_*.deb Depends)
for p in xfv-tools-models libc6 libexif12 libgif7 libheif1 libjansson4 libjpeg62-turbo libjxl0 liblcms2-2 libmsgpackc2 \
    libnetpbm libnettle libopenblas0 libopenjp2-7 libpng16 libprotobuf-c1 libtiff6 libwebp zlib1g; do
    case $depends in *$p*) ;; *) die "the package does not depend on $p: $depends" ;; esac
done
say "the libraries are dependencies: $depends"
for f in tools/*.c tools/*.sh; do p=$(basename "${f%.*}");
[ -x "$work/root/usr/bin/$p" ] && [ -s "$work/root/usr/share/man/man1/$p.1.gz" ] || die "no $f"; done
say "every program is there, with its page"
PATH=$work/root/usr/bin:$PATH XFV_MODEL_PATH=$work/root/usr/share/xfv-tools/models ROOT=$work/root \
    AUTOPKGTEST_TMP=$work sh debian/tests/pipeline || die "debian/tests/pipeline"
say "the programs of the package work"
PYTHONPATH=$work/root/usr/lib/python3/dist-packages ${PYTHON:-/usr/bin/python3} -c \
    'import xfv; assert xfv.__file__.startswith("'"$work"'")' || die "import xfv"
say "the Python module of the package is imported"
