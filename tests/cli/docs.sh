# What is written about the programs: a manual page each, the same options as --help, and examples that work.
. "$top/tests/tap.sh"
cd "$top" || exit 1
readme=$(cat README.md)

# options_of_help PROGRAM / options_of_page PAGE: the long options, sorted
options_of_help() { "$1" --help | sed -n 's/^  [ -][^ ]* *--\([a-z0-9-]*\).*/\1/p' | sort -u; }
options_of_page() {
    sed -n '/^\.It Fl/{s/\\-/-/g;s/\\(hy/-/g;p;}' "$1" | grep -oE ' -{1,2}[a-z][a-z0-9-]+' | sed 's/^ -*//' |
        grep -E '..' | sort -u; }

# What xfv(7) says of options for all programs need not stand on a page; each of them is an option of some program.
options_of_page man/xfv.7 >"$work/common"
for source in tools/*.c tools/*.sh; do
    program=$(basename "${source%.*}") page=man/$(basename "${source%.*}").1
    [ -s "$page" ]; ok $? "$program has a manual page"
    options_of_help "$program" >"$work/help"
    options_of_page "$page" >"$work/page"
    is "$(grep -vxFf "$work/page" "$work/help" | grep -vxFf "$work/common" | tr '\n' ' ')" "" \
        "$page or xfv(7) lists the options of --help"
    is "$(grep -vxFf "$work/help" "$work/page" | tr '\n' ' ')" "" "$page lists no others"
    grep -q "^\.Xr xfv 7" "$page"; ok $? "$page points to xfv(7)"
    cat "$work/help" >>"$work/all"
    printf '%s\n' "$readme" | grep -q "\`$program\`"; ok $? "README.md mentions $program"
    grep -q "Xr $program 1" man/xfv.7; ok $? "xfv(7) mentions $program"
done
is "$(grep -vxFf "$work/all" "$work/common")" "" "every common option of xfv(7) is an option of some program"
for page in man/*.[157]; do
    is "$(mandoc -T lint -W warning "$page" 2>&1 | grep -v mandoc.db)" "" "$page is sound"
    case $page in *.1)
        for section in "EXIT STATUS" EXAMPLES "SEE ALSO"; do grep -q "^.Sh $section" "$page";
        ok $? "$page has $section"; done ;;
    esac
done
for link in $(grep -oE '\]\([a-z][^)]*\)' README.md | tr -d '()]') \
    $(grep -oE '`(tests|models|man|examples|docs)/[a-zA-Z0-9_./-]*`' README.md | tr -d '`'); do
    [ -e "$link" ]; ok $? "README.md names $link, which is there"
done

# The recipes of docs/recipes.md, run as they stand.
cd "$work" || exit 1
ln -s "$top/examples" examples
mkdir photos
cp "$top"/tests/photos/*.jpg photos
cp photos/anna-1.jpg alice.jpg
cp photos/bella.jpg bob.jpg
"$PYTHON" "$top/tests/onnx/small.py" face.onnx 112 112 3
printf 'photos/anna-1.jpg photos/anna-2.jpg same\nphotos/bella.jpg photos/clara.jpg different\n' >pairs.txt
sed -n '/^```sh$/,/^```$/p' "$top/docs/recipes.md" | sed "s,python3 ,$PYTHON ," |
    awk '/^```sh$/{n++; next} /^```$/{next} {print > sprintf("recipe%02d.sh", n)}'
for recipe in recipe*.sh; do
    runs 0 "$recipe of docs/recipes.md: $(head -1 "$recipe")" sh -e "$recipe"
    cp out "$recipe.out"
done
is "$(wc -l <recipe01.sh.out | tr -d ' ')" 7 "six pairs and a heading"
[ -s why-000.png ] && [ -s rows-1.png ] && [ -s own.png ]; ok $? "figures"
like "$(cat recipe*.sh.out)" '^photos/anna-1.jpg.photos/anna-2.jpg.0\.[0-9]+.0\.[0-9]+.accept' "the same person"
like "$(cat recipe*.sh.out)" '^not the same' "two people"
done_testing
