# xfv-explain: the pipeline it prints is the one it runs; names of every kind; the status of the first program that
# failed.
. "$top/tests/tap.sh"
cp "$top"/tests/photos/*.jpg .
plan() { xfv-explain --dry-run "$@"; }
is "$(plan a.jpg b.jpg)" "facecrop a.jpg b.jpg | embed | verify | path-grad | ablate | heatmap --say words -o why.png" \
    "two photographs"
is "$(plan a.jpg b.jpg c.jpg)" \
    "facecrop a.jpg b.jpg c.jpg | embed | verify --all | path-grad | ablate | heatmap --say words -o why-%03d.png" \
    "three: all pairs, a picture each"
is "$(plan -o x.html a b c)" \
    "facecrop a b c | embed | verify --all | path-grad | ablate | report --say words -o x.html" "or one page"
is "$(plan -o x%d.png a b c)" \
    "facecrop a b c | embed | verify --all | path-grad | ablate | heatmap --say words -o x%d.png" \
    "a number of one's own"
is "$(plan --method fggb,path --method=control -m my.xfvm -j 2 --at eer -f central a b -v)" \
    "facecrop -f central -m my.xfvm -j 2 -v a b | embed -m my.xfvm -j 2 -v | verify --at eer -m my.xfvm -v | fggb-grad -m my.xfvm -j 2 -v | path-grad -m my.xfvm -j 2 -v | control-map -j 2 -v | ablate -m my.xfvm -j 2 -v | heatmap --say words -j 2 -o why.png -v" "options go where they are taken"
is "$(plan --method 'control-map -k centre' -t -0.1 --progress=never a b)" \
    "facecrop --progress=never a b | embed --progress=never | verify -t -0.1 --progress=never | control-map -k centre | ablate --progress=never | heatmap --say words -o why.png --progress=never" "a command as a method"
is "$(plan -- -a "it's b" 'c
d' '$e`f`\')" "facecrop -- -a 'it'\\''s b' \"\$(printf '\\143\\012\\144')\" '\$e\`f\`\\' | embed | verify --all | path-grad | ablate | heatmap --say words -o why-%03d.png" "names are quoted"

cp -- anna-1.jpg "./-an 'na.jpg"
runs 0 "a picture" xfv-explain --method 'control-map -k centre' -- "-an 'na.jpg" bella.jpg
is "$(head -c 4 why.png | tail -c 3)$(wc -l <out)" PNG1 "is made"
like "$(cat out)" \
    "^Rejected: -0.08, threshold 0.40. With the other photograph.s pixels in the 10 % of either face that control-centre marks.* .20 places.*other places: do not read it.$" "and the answer is one line"
mv why.png first.png
sh -e err 2>err2
cmp -s why.png first.png; ok $? "what it printed makes the same one"
runs 0 "-q" xfv-explain -q --method control -o 'a page.html' anna-1.jpg anna-2.jpg bella.jpg
is "$(wc -c <err)-$(grep -c 'class="card"' 'a page.html')" 0-3 "prints nothing; a page of three pairs"

runs 0 "--json" xfv-explain -q --json --method control,path -o x.png anna-1.jpg anna-2.jpg
is "$(jq -c '[.a, .b, .accept, .words, (.trials | map(.method, .map, .stands))]' out)" \
    '["anna-1.jpg","anna-2.jpg",true,"Accepted: 0.76, threshold 0.40.",["control-random","similarity",false,"path-grad","similarity",true]]' "for programs"
runs 1 "-e: status 1 when a pair is rejected" xfv-explain -q -e --method control -o x.html anna-1.jpg bella.jpg
like "$(cat out)" "^anna-1.jpg, bella.jpg: Rejected: " "with the names, beside a page"
runs 0 "-e: status 0 when it is accepted" xfv-explain -q --exit-status --method control -o x.png anna-1.jpg anna-2.jpg
echo 'no photograph' >bad.jpg
runs 1 "no photograph: status 1" xfv-explain --method control bad.jpg anna-1.jpg
like "$(cat err)" "^facecrop: bad.jpg: no image of a format" "by facecrop"
runs 1 "no such file: status 1" xfv-explain --method control none.jpg anna-1.jpg
like "$(cat err)" "^facecrop: none.jpg: cannot open" "by facecrop"
runs 5 "no such model: status 5" xfv-explain -m nosuch anna-1.jpg anna-2.jpg
like "$(tail -n 1 err)" "^xfv-explain: facecrop failed with status 5" "and who failed first"
runs 2 "no such threshold: status 2" xfv-explain --at nosuch anna-1.jpg anna-2.jpg
like "$(cat err)" "^verify: .*it has: default, eer" "in verify's words"
like "$(tail -n 1 err)" "^xfv-explain: verify failed with status 2" "who failed first"
runs 4 "a folder that is not there: status 4" xfv-explain --method control -o no/why.png anna-1.jpg anna-2.jpg
like "$(tail -n 1 err)" "^xfv-explain: heatmap failed with status 4" "the last one"
runs 3 "a stage that is killed: status of a signal, or of what follows" sh -c \
    'xfv-explain --method "sh -c \"cat >/dev/null; exit 3\"" anna-1.jpg anna-2.jpg'
like "$(tail -n 1 err)" "^xfv-explain: method failed with status 3" "a command of one's own"
runs 137 "one that is killed" xfv-explain --method 'sh -c "kill -9 \$\$"' anna-1.jpg anna-2.jpg
for wrong in "a.jpg" "-o why.gif a b" "--method nosuch a b" "-t 1 --at eer a b" "--face all a b" "-j x a b" "-x a b" \
    "--method"; do
    runs 2 "xfv-explain $wrong: status 2" xfv-explain $wrong
    is "$(wc -l <err)$(wc -c <out)" 10 "one line: $(cat err)"
done
(PATH=/usr/bin:/bin; "$B/bin/xfv-explain" --dry-run a b) >out
like "$(cat out)" "^PATH=.*bin:[$]PATH; facecrop a b " "the programs beside it, when they are not on the PATH"
# A name cannot forge a line of what is printed, and the printed pipeline still runs.
evil=$(printf 'an\033[2Jna\nxfv: all is well.jpg')
cp anna-1.jpg "$evil"
runs 0 "a name with control characters" xfv-explain --method 'control-map -k centre' -o evil.png "$evil" anna-2.jpg
is "$(wc -l <err)-$(LC_ALL=C tr -d '\n' <err | LC_ALL=C grep -c '[[:cntrl:]]')" 1-0 "is printed as numbers, in one line"
rm evil.png && PATH="$B/bin:$PATH" sh -c "$(cat err)" 2>/dev/null; [ -s evil.png ]; ok $? "the line runs"
runs 2 "a misspelt option with control characters" xfv-explain "--$evil" a b
is "$(wc -l <err)" 1 "one line"
cp evil.png photo.png
was=$(cksum <photo.png)
runs 2 "a photograph as the picture's name: status 2" xfv-explain -o ./photo.png photo.png anna-1.jpg
is "$(cksum <photo.png)" "$was" "and it stays"
done_testing
