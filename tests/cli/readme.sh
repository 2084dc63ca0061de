# README.md's commands, pasted one after the other into one shell, in a copy of the sources that has been built.
. "$top/tests/tap.sh"
mkdir clone
built=$B
(cd "$top" && tar -cf - --exclude=./.git --exclude='./build*' --exclude=./try .) | tar -xf - -C clone
# What make has built is linked, not copied; times are kept, so that make demo finds it made.
cp -Rpl "$B" clone/build 2>/dev/null || cp -Rp "$B/." clone/build
rm -f clone/build/why.png clone/build/demo.xfv
cd clone || exit 1
sed -n '/^```sh$/,/^```$/p' README.md | grep -v '^```' >../pasted.sh
is "$(grep -c . ../pasted.sh)" 13 "README.md has so many lines to paste"
unset B XFV_MODEL_PATH MAKEFLAGS MFLAGS MAKELEVEL
PATH=${PATH#"$built/bin:"} sh -e ../pasted.sh >../out 2>../err
is $? 0 "they all work" || tail -n 5 ../err | sed 's/^/#   /'
like "$(cat ../out)" 'ACCEPT$' "make demo explains two photographs"
is "$(grep -c 'anna-1.*anna-2.*accept\|bella.*reject' ../out)" 4 "the table has its decisions"
for file in build/why.png try/why-not.png try/pair-5.png try/colours.png; do
    is "$(head -c 4 $file | tail -c 3)" PNG "$file is a picture"
done
is "$(grep -c '<html' try/report.html)" 1 "try/report.html is a page"
done_testing
