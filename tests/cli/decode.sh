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
        return ((a[..., :3] * a[..., 3:] + 128 * (255 - a[..., 3:]) + 127) // 255).astype(np.uint8)
    return np.asarray(i.convert("RGB"))
for n in names:
    Image.fromarray(want(n)).save("want-" + n + ".ppm")
open("names", "w").write("\n".join(names) + "\n")
PY
"$PYTHON" make.py; ok $? "make the images"
while read -r n; do "$B/unit/decode" "$n" >"got-$n.ppm" 2>err; done <names
"$PYTHON" - >differences <<'PY'
import numpy as np
from PIL import Image
for name in open("names").read().split():
    a, b = (np.asarray(Image.open(f"{of}-{name}.ppm")).astype(int) for of in ("got", "want"))
    print(name, "shape" if a.shape != b.shape else abs(a - b).max())
PY
is "$(cut -d ' ' -f 1 differences)" "$(cat names)" "Pillow compares every image"
while read -r n d; do
    # Two CMYK conversions may round differently by one.
    case $n in cmyk*) most=1 ;; *) most=0 ;; esac
    [ "$d" -le "$most" ] 2>/dev/null; ok $? "$n as Pillow decodes it (largest difference $d)"
done <differences

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
cat >cuts.py <<'PY'
import subprocess, sys
unit, name, step = sys.argv[1], sys.argv[2], int(sys.argv[3])
whole = open(name, "rb").read()
cuts = [f"cut-{at}" for at in range(0, len(whole), step)]
for c in cuts: open(c, "wb").write(whole[:int(c[4:])])
told = [t.split("\t") for t in subprocess.run([unit, "each", *cuts], capture_output=True, text=True, check=True).stdout.splitlines()]
bad = [(c, t) for c, t in zip(cuts, told, strict=True) if t[0] != "10" or t[1] != "0" or not t[3]]
print(*bad, sep="\n")
sys.exit(bool(bad))
PY
cut() { "$PYTHON" cuts.py "$B/unit/decode" "$@" >bad;
ok $? "the decoder refuses $1 cut at every ${2}th byte" || head -3 bad; }
cut progressive.jpg 37
cut grey.jpg 29
cut cmyk.jpg 97
cut lossy.webp 31

# Bursts of wrong bytes in the scans of each kind of JPEG: what djpeg warns of is refused, and nothing else. (djpeg's
# fast path says nothing about a few wrong codes and bytes left over; ours is never on it.)
cat >burst.py <<'PY'
import random, subprocess, sys
kind, unit, rng = sys.argv[1], sys.argv[2], random.Random(5)
args = {"baseline": ["-optimize"], "progressive": ["-progressive"], "arithmetic": ["-arithmetic"], "restart": ["-restart", "1"]}
subprocess.run(["jpegtran", *args[kind], "-outfile", "k.jpg", "big.jpg"], check=True)
good = open("k.jpg", "rb").read()
sos, wrong, warnings = good.index(b"\xff\xda"), [], []
names = [f"burst-{i}.jpg" for i in range(40)]
for name in names:
    n = rng.choice([1, 2, 4, 16, 64, 256])
    at, b = rng.randrange(sos + 14, len(good) - 2 - n), bytearray(good)
    b[at:at + n] = rng.randbytes(n)
    open(name, "wb").write(b)
    warnings.append(subprocess.run(["djpeg", name], capture_output=True).stderr.decode().strip())
told = [t.split("\t") for t in subprocess.run([unit, "each", *names], capture_output=True, text=True, check=True).stdout.splitlines()]
silent = 0
for name, warns, (status, _, _, says) in zip(names, warnings, told, strict=True):
    silent += not warns and status == "10"
    if warns and not (status == "10" and says.startswith("damaged JPEG image: ")) or silent > 2: wrong.append((name, warns, status, says))
print(*wrong, sep="\n")
sys.exit(0 if not wrong and 0 < sum(t[0] == "10" for t in told) < 40 else 1)
PY
for k in baseline progressive arithmetic restart; do
    "$PYTHON" burst.py $k "$B/unit/decode" >wrong; ok $? "bursts in a $k JPEG: djpeg's warnings are our refusals";
    head -3 wrong
done
# libwebp notices none of these: bytes are left over.
cat >webp.py <<'PY'
import random, subprocess, sys
from PIL import Image
rng, missed, wrong = random.Random(9), 0, []
Image.open("big.jpg").save("big.webp", quality=85)
good = open("big.webp", "rb").read()
each = lambda names: [t.split("\t")[0] for t in subprocess.run([sys.argv[1], "each", *names], capture_output=True, text=True, check=True).stdout.splitlines()]
for i in range(25):
    n = rng.choice([1, 4, 16, 64])
    at, b = rng.randrange(len(good) // 4, len(good) - 80 - n), bytearray(good)
    b[at:at + n] = bytes(c ^ rng.randrange(1, 256) for c in b[at:at + n])
    open(f"burst-{i}.webp", "wb").write(b)
statuses = each([f"burst-{i}.webp" for i in range(25)])
missed = 25 - statuses.count("10")
sizes = (((40, 30), 90), ((300, 500), 3), ((610, 470), 100), ((610, 470), 0))
for i, (size, quality) in enumerate(sizes): Image.open("big.jpg").resize(size).save(f"good-{i}.webp", quality=quality)
wrong = [s for s, status in zip(sizes, each([f"good-{i}.webp" for i in range(len(sizes))]), strict=True) if status != "0"]
print(missed, wrong)
sys.exit(len(statuses) != 25 or missed > 2 or bool(wrong))
PY
"$PYTHON" webp.py "$B/unit/decode" >missed; ok $? "bursts in a lossy WebP, and sound ones: $(cat missed)"
# Rows that are all there are used, whatever is missing or stands around them.
cat >whole.py <<'PY'
import subprocess, sys
unit, bad = sys.argv[1], []
for name in sys.argv[2:]:
    b = open(name, "rb").read()
    film = bytes.fromhex("00000018667479706d703432") + b"\xff\xd8film\xff\xda" * 9
    forms = {"as it is": b, "no end marker": b[:-2], "half of it": b[:-1], "zeros": b + bytes(500), "padding before it": b[:-2] + bytes(5) + b[-2:],
             "no end marker but zeros": b[:-2] + bytes(500), "a second picture": b + b, "a maker's trailer": b + b"SEFT" * 30,
             "a film": b + film, "junk at the start": b[:2] + b"junk" + b[2:], "junk after JFIF": b[:20] + b"\0\1junk" + b[20:]}
    forms |= {at: b[:at] for at in range(len(b) - 400, len(b) - 10, 7)}
    for i, c in enumerate(forms.values()): open(f"whole-{i}.jpg", "wb").write(c)
    told = subprocess.run([unit, "each", *(f"whole-{i}.jpg" for i in range(len(forms)))], capture_output=True, text=True, check=True).stdout.splitlines()
    if not told[0].startswith("0\t"): bad.append((name, told[0]))
    for what, t in zip(forms, told, strict=True):
        if t != told[0] and (isinstance(what, str) or t.startswith("0\t")): bad.append((name, what, t))
print(*bad, sep="\n")
sys.exit(1 if bad else 0)
PY
jpegtran -arithmetic -outfile arithmetic.jpg big.jpg
"$PYTHON" whole.py "$B/unit/decode" rgb.jpg progressive.jpg arithmetic.jpg >bad;
ok $? "a JPEG whose rows are all there is used"; head -5 bad
"$PYTHON" - <<'PY'
b = open("rgb.jpg", "rb").read()
at = b.index(b"\xff\xc0")
open("12bit.jpg", "wb").write(b[:at + 4] + b"\x0c" + b[at + 5:])
p = open("rgb.png", "rb").read()
at = p.index(b"IDAT")
open("wrong.png", "wb").write(p[:at + 40] + bytes([p[at + 40] ^ 8]) + p[at + 41:])
open("noend.png", "wb").write(p[:-12])
open("tail.png", "wb").write(p[:-12] + b"whatever follows, is no chunk")
open("half.png", "wb").write(p[:-14])
e = open("exif.png", "rb").read()
at = e.index(b"eXIf")
open("exif-wrong.png", "wb").write(e[:at + 12] + bytes([e[at + 12] ^ 8]) + e[at + 13:])
PY
runs 10 "a 12-bit JPEG" "$B/unit/decode" 12bit.jpg
like "$(cat err)" "^12-bit JPEG is not read: convert" "is named"
for n in wrong half exif-wrong; do
    runs 10 "$n.png: damaged" "$B/unit/decode" $n.png
    like "$(cat err)" "^damaged PNG image: " "and said"
done
for n in noend tail; do "$B/unit/decode" $n.png | cmp -s - rgb.ppm; ok $? "$n.png: every pixel is there and checked";
done
cp 12bit.jpg a.jpg; cp progressive.jpg b.jpg; head -c 900 b.jpg >c.jpg
facecrop --aligned a.jpg b.jpg c.jpg 2>/dev/null >faces.xfv
is "$(xfv-json faces.xfv | jq -r 'select(._ == "err" or ._ == "face") | .code // "face"' | tr '\n' ' ')" \
    "format face damaged " "the word of the err record"

# What is not read is named, with the way out, and never called damaged.
"$PYTHON" - <<'PY'
import struct
tiff = lambda *tags: b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *t) for t in sorted(tags)) + bytes(300)
open("others", "w").write("\n".join(f"{name}\t{says}" for name, (data, says) in {
    "psd": (b"8BPS\0\1" + bytes(40), "a Photoshop document .* export it"), "pdf": (b"%PDF-1.7\n", "a PDF document .*pdfimages"),
    "svg": (b'<?xml version="1.0"?>\n<svg xmlns="x">', "an SVG drawing .*rsvg-convert"), "zip": (b"PK\3\4" + bytes(40), "a ZIP archive .* unpack it"),
    "cr2": (b"II*\0\x10\0\0\0CR\2\0" + bytes(80), "raw file .CR2. .* develop it"), "cr3": (b"\0\0\0\x18ftypcrx \0\0\0\1", "raw file .CR3."),
    "dng": (tiff((256, 4, 1, 64), (257, 4, 1, 64), (50706, 1, 4, 0x401)), "raw file|TIFF image is not read by this build"),
    "nef": (tiff((256, 4, 1, 64), (257, 4, 1, 64), (254, 4, 1, 1), (330, 4, 1, 400)), "raw file|TIFF image is not read by this build"),
    "pfm": (b"PF\n2 2\n-1.0\n" + bytes(48), "a PFM image .*pfmtopam"), "fac": (b"FAC\x00010\0" + bytes(60), "ISO 19794-5 .* take the JPEG"),
    "dg2": (b"\x75\x82\x20\x00\x7f\x61\x82\x20\0\2\1\1\x7f\x60\x82FAC\0", "data group 2"), "jls": (b"\xff\xd8\xff\xf7\0\x0b\x08", "JPEG-LS"),
    "mp4": (b"\0\0\0\x20ftypisom" + bytes(30), "a film .*ffmpeg"), "html": (b"<!DOCTYPE html><html>", "a web page"), "txt": (b"hello\n", "but text")}.items()
    if not open("x." + name, "wb").write(data) < 0) + "\n")
PY
while IFS='	' read -r name says; do
    runs 10 "$name is not read" "$B/unit/decode" "x.$name"
    like "$(cat err)" "$says" "and says what it is"
done <others
done_testing
