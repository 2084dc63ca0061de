# Every kind of image file that we read, against an independent decoder (Pillow); and damage.
. "$top/tests/tap.sh"
cat >make.py <<'PY'
import io, random
import numpy as np
from PIL import Image
rng = np.random.default_rng(3)
# A smooth picture with some detail, 61 x 47.
y, x = np.mgrid[0:47, 0:61]
rgb = np.stack([x * 4, y * 5, 255 - x * 2 - y * 2], 2).astype(np.uint8)
rgb[10:20, 15:40] = rng.integers(0, 255, (10, 25, 3))
im = Image.fromarray(rgb)
grey = im.convert("L")
names = []
def put(name, image, **kw):
    image.save(name, **kw)
    names.append(name)
put("rgb.jpg", im, quality=95)
put("444.jpg", im, quality=90, subsampling=0)
put("progressive.jpg", im, quality=80, progressive=True)
put("grey.jpg", grey, quality=90)
put("cmyk.jpg", im.convert("CMYK"), quality=95)
for o in range(1, 9):
    ex = Image.Exif(); ex[0x0112] = o
    put(f"exif{o}.jpg", im, quality=95, exif=ex)
ex = Image.Exif(); ex[0x0112] = 6
put("exif.png", im, exif=ex)
put("rgb.png", im)
put("grey.png", grey)
put("palette.png", im.quantize(50))
put("bilevel.png", im.convert("1"))
put("la.png", Image.merge("LA", (grey, Image.fromarray((x * 4).astype(np.uint8)))))
rgba = im.copy(); rgba.putalpha(Image.fromarray((y * 5).astype(np.uint8)))
put("rgba.png", rgba)
put("paltrns.png", im.quantize(16), transparency=3)
put("grey16.png", Image.fromarray((x * 1000 + y * 77).astype(np.uint16)))
put("lossy.webp", im, quality=80)
put("lossless.webp", im, lossless=True)
put("rgba.webp", rgba, lossless=True)
ex = Image.Exif(); ex[0x0112] = 8
put("exif.webp", im, lossless=True, exif=ex)
put("rgb.ppm", im); put("grey.pgm", grey); put("bilevel.pbm", im.convert("1"))
def want(name):
    i = Image.open(name)
    from PIL import ImageOps
    if name == "grey16.png":
        a = np.asarray(i).astype(np.float64)
        g = np.floor(a * 255 / 65535 + 0.5).astype(np.uint8)
        return np.stack([g] * 3, 2)
    i = ImageOps.exif_transpose(i)
    if "A" in i.getbands() or "transparency" in i.info:
        a = np.asarray(i.convert("RGBA")).astype(int)
        return ((a[..., :3] * a[..., 3:] + 127) // 255).astype(np.uint8)
    return np.asarray(i.convert("RGB"))
for n in names:
    Image.fromarray(want(n)).save("want-" + n + ".ppm")
open("names", "w").write("\n".join(names) + "\n")
PY
$PYTHON make.py; ok $? "make the images"
cat >cmp.py <<'PY'
import sys
import numpy as np
from PIL import Image
a, b = (np.asarray(Image.open(f)).astype(int) for f in sys.argv[1:3])
print("shape" if a.shape != b.shape else abs(a - b).max())
PY
while read -r n; do
    "$B/unit/decode" "$n" >got.ppm 2>err
    # Two CMYK conversions may round differently by one.
    case $n in cmyk*) most=1 ;; *) most=0 ;; esac
    d=$($PYTHON cmp.py got.ppm "want-$n.ppm" 2>&1)
    [ "$d" -le "$most" ] 2>/dev/null; ok $? "$n as Pillow decodes it (largest difference $d)"
done <names

# 16-bit RGB, interlaced, with alpha: made by netpbm, which Pillow cannot read at full depth.
pnmtopng -interlace rgb.ppm >interlaced.png 2>/dev/null
"$B/unit/decode" interlaced.png | cmp - rgb.ppm; ok $? "interlaced PNG"
pamdepth 65535 rgb.ppm >rgb16.ppm
"$B/unit/decode" rgb16.ppm | cmp - rgb.ppm; ok $? "16-bit PPM"
pnmtopng rgb16.ppm >rgb16.png 2>/dev/null
"$B/unit/decode" rgb16.png | cmp - rgb.ppm; ok $? "16-bit RGB PNG"
pnmtoplainpnm rgb.ppm >plain.ppm
"$B/unit/decode" plain.ppm | cmp - rgb.ppm; ok $? "plain PPM"
pngtopam -alphapam rgba.png >rgba.pam

"$B/unit/decode" rgba.pam | cmp - want-rgba.png.ppm; ok $? "PAM with opacity"

# A big JPEG decoded at a reduced scale keeps its shorter side at least as asked.
pamscale -width 610 -height 470 rgb.ppm | pnmtojpeg >big.jpg
is "$("$B/unit/decode" big.jpg 112 | pamfile -size)" "153 118" "reduced decoding: a quarter is enough for 112"
is "$("$B/unit/decode" big.jpg 300 | pamfile -size)" "610 470" "and full size for 300"

# Damage: a JPEG cut anywhere is refused with a sentence, never half a photograph.
cat >cut.sh <<'SH'
size=$(wc -c <"$1"); bad=0; at=0
while [ $at -lt "$size" ]; do
    head -c $at "$1" >cut; "$B/unit/decode" cut >cut.out 2>cut.err
    [ $? -eq 10 ] && [ ! -s cut.out ] && [ -s cut.err ] || { bad=$((bad + 1)); echo "cut at $at"; cat cut.err; }
    at=$((at + $2))
done
exit $bad
SH
sh cut.sh progressive.jpg 37 >cuts; ok $? "progressive JPEG cut at every 37th byte"
sh cut.sh grey.jpg 29 >>cuts; ok $? "baseline JPEG cut at every 29th byte"
sh cut.sh cmyk.jpg 97 >>cuts; ok $? "CMYK JPEG cut at every 97th byte"
sh cut.sh lossy.webp 31 >>cuts; ok $? "WebP cut at every 31st byte"
printf 'GIF89a' >x.gif
runs 10 "another format" "$B/unit/decode" x.gif
like "$(cat err)" "^a GIF image: convert it to JPEG, PNG, WebP or PPM first$" "says what it is and what is read"
done_testing
