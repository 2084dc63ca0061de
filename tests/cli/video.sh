# A film against one enrolled face, explained frame by frame: the recipe of docs/recipes.md on frames made here, and
# none of them waits for the next.
. "$top/tests/tap.sh"
cp "$top/tests/photos/anna-1.jpg" me.jpg
cat >frames.py <<'PY'
import sys
from PIL import Image
photo = Image.open(sys.argv[1]).convert("RGB")
photo.thumbnail((420, 420))
for i in range(5):  # the face moves; in the fourth frame there is none
    frame = Image.new("RGB", (640, 480), (90, 100, 110))
    if i != 3: frame.paste(photo, (60 + 40 * i, 10 + 5 * i))
    frame.save("%d.ppm" % i)
PY
$PYTHON frames.py "$top/tests/photos/anna-2.jpg"
mkdir bin
printf '#!/bin/sh\nexec cat 0.ppm 1.ppm 2.ppm 3.ppm 4.ppm\n' >bin/ffmpeg # in ffmpeg's place: the test needs no film
chmod +x bin/ffmpeg
PATH=$PWD/bin:$PATH
recipe=$(sed -n '/^ffmpeg .*image2pipe/,/^```/p' "$top/docs/recipes.md" | sed '/^```/d')
like "$(echo $recipe)" 'facecrop - .*verify --probe me.jpg .*path-grad' "docs/recipes.md has the recipe"
facecrop me.jpg | embed -o me.xfv
printf '%s\n' "$recipe" >recipe.sh
sh recipe.sh 2>err
is "$(ls frame-*.png | wc -l | tr -d ' ')" 4 "a picture for each frame with a face"
like "$(cat err)" '^facecrop: [^:]*: no face' "the frame without one is told"
cat 0.ppm 1.ppm 2.ppm 3.ppm 4.ppm | facecrop -q - | embed | cat me.xfv - | verify --probe me.jpg | path-grad -o film.xfv
is "$(xfv-json film.xfv | jq -r 'select(._ == "pair") | [.a.id, .b.id, .accept, (.maps | length)] | @tsv' |
    tr '\t\n' ' ;')" \
   'me.jpg -#0 true 1;me.jpg -#1 true 1;me.jpg -#2 true 1;me.jpg -#4 true 1;' "pairs in the frames' order"
# Live: the second frame is sent only once the first one has been explained.
(cat 0.ppm; while [ ! -e seen ] && [ $((n = ${n:-0} + 1)) -lt 300 ]; do sleep 0.1; done; cat 1.ppm) |
    facecrop -q - | embed | cat me.xfv - | verify --probe me.jpg | path-grad >live.xfv &
live=$!
while [ "$(wc -c <live.xfv 2>/dev/null || echo 0)" -lt 200000 ] && [ $((n = ${n:-0} + 1)) -lt 300 ]; do sleep 0.1; done
ok "$([ "$(wc -c <live.xfv)" -ge 200000 ]; echo $?)" "the first frame is explained before there is a second"
: >seen
wait $live
is "$(xfv-json live.xfv | grep -c '"_":"pair"')" 2 "and then the second"
done_testing
