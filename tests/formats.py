"""Photographs in every format that is read: upright, turned, grey, 16 bit, with alpha, CMYK, a wide profile; and bombs.
formats.py make PHOTOGRAPH: files and their list `names` (a file, TAB, what it must give: same or clear).
formats.py bombs: files and their list `bombs`, and `liars`: those whose header says less than they hold."""
import base64, io, os, shutil, struct, subprocess, sys, zlib

import numpy as np
from PIL import Image, ImageCms


def tool(*a, **kw):
    return subprocess.run(a, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, **kw).stdout


def wide_profile():
    """An ICC profile of Adobe RGB's primaries and a plain power for its curve."""
    fixed = lambda v: struct.pack(">i", round(v * 65536))
    xyz = lambda v: b"XYZ \0\0\0\0" + b"".join(map(fixed, v))
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, int(2.19921875 * 256)) + b"\0\0"
    tags = {
        b"rXYZ": xyz((0.60974, 0.31111, 0.01947)),
        b"gXYZ": xyz((0.20528, 0.62567, 0.06087)),
        b"bXYZ": xyz((0.14919, 0.06322, 0.74457)),
        b"wtpt": xyz((0.9642, 1, 0.8249)),
        b"rTRC": curve,
        b"gTRC": curve,
        b"bTRC": curve,
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", 5) + b"wide\0" + bytes(79),
        b"cprt": b"text\0\0\0\0none",
    }
    table, body, at = b"", b"", 132 + 12 * len(tags)
    for k, v in tags.items():
        v += bytes(-len(v) % 4)
        table += k + struct.pack(">II", at + len(body), len(v))
        body += v
    head = struct.pack(">I4sI4s4s4s", at + len(body), b"none", 0x02400000, b"mntr", b"RGB ", b"XYZ ")
    head += bytes(12) + b"acsp" + bytes(28) + fixed(0.9642) + fixed(1) + fixed(0.8249) + bytes(48)
    return head + struct.pack(">I", len(tags)) + table + body


def with_profile(jp2, icc):
    """A JP2 file whose colour box holds a profile."""
    at = jp2.index(b"colr") - 4
    old = struct.unpack(">I", jp2[at : at + 4])[0]
    box = struct.pack(">I", 11 + len(icc)) + b"colr\2\0\0" + icc
    head = jp2.index(b"jp2h") - 4
    size = struct.unpack(">I", jp2[head : head + 4])[0] + len(box) - old
    return jp2[:head] + struct.pack(">I", size) + jp2[head + 4 : at] + box + jp2[at + old :]


def make(photograph):
    im = Image.open(photograph).convert("RGB")
    grey, icc = im.convert("L"), wide_profile()
    exif = Image.Exif()
    exif[0x112] = 6
    turned = im.rotate(90, expand=True)
    clear = im.copy()
    opacity = np.full((im.height, im.width), 255, np.uint8)
    opacity[: im.height // 10] = 0
    clear.putalpha(Image.fromarray(opacity))
    adobe = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    wide = ImageCms.profileToProfile(im, ImageCms.createProfile("sRGB"), adobe, outputMode="RGB")
    deep = (np.asarray(im).astype(np.uint16) * 257).byteswap().tobytes()
    open("deep.ppm", "wb").write(b"P6 %d %d 65535\n" % im.size + deep)
    names = []

    def put(name, image, gives="same", **kw):
        image.save(name, **kw)
        names.append((name, gives))

    how = {"jpg": {"quality": 92}, "webp": {"quality": 90}, "tif": {"compression": "tiff_lzw"}}
    for ext in ("jpg", "png", "webp", "tif", "bmp", "gif", "jp2"):
        kw = how.get(ext, {})
        put(f"upright.{ext}", im, **kw)
        put(f"grey.{ext}", grey, **kw)
        if ext in ("jpg", "png", "webp", "tif"):
            put(f"turned.{ext}", turned, exif=exif, **kw)
            put(f"wide.{ext}", wide, icc_profile=icc, **kw)
        if ext in ("png", "webp", "tif", "jp2"):
            put(f"clear.{ext}", clear, "clear", **kw)
    open("wide.jp2", "wb").write(with_profile((wide.save("plain.jp2"), open("plain.jp2", "rb").read())[1], icc))
    for name, image in ("upright", im), ("grey", grey), ("clear", clear):
        pixels = (np.asarray(image.convert("RGBA")).astype(">u2") * 257).astype(">u2")
        open(f"{name}.ff", "wb").write(b"farbfeld" + struct.pack(">II", *image.size) + pixels.tobytes())
        names.append((f"{name}.ff", "clear" if name == "clear" else "same"))
    put("cmyk.jpg", im.convert("CMYK"), quality=92)
    put("cmyk.tif", im.convert("CMYK"))
    put("palette.png", im.quantize(200))
    put("progressive.jpg", im, quality=92, progressive=True)
    put("deep-grey.png", Image.fromarray(np.asarray(grey).astype(np.uint16) * 257))
    open("deep.png", "wb").write(tool("pnmtopng", "deep.ppm"))
    open("deep.tif", "wb").write(tool("pamtotiff", "-truecolor", "deep.ppm"))
    names += [(n, "same") for n in ("wide.jp2", "deep.ppm", "deep.png", "deep.tif")]
    wide.save("wide-for.png", icc_profile=icc)
    sources = {n: "wide-for" if n == "wide" else n for n in ("upright", "grey", "clear", "wide", "deep")}
    for ext in ("heic", "avif") if shutil.which("heif-enc") else ():
        for n, of in sources.items():
            a = ["-b", "10"] if n == "deep" else []
            tool("heif-enc", *(["-A"] if ext == "avif" else []), *a, "-q", "85", f"{of}.png", "-o", f"{n}.{ext}")
            names.append((f"{n}.{ext}", "clear" if n == "clear" else "same"))
    for n, of in {**sources, "turned": "turned"}.items() if shutil.which("cjxl") else ():
        tool("cjxl", f"{of}.png", f"{n}.jxl", "-e", "3")
        names.append((f"{n}.jxl", "clear" if n == "clear" else "same"))
    open("names", "w").write("".join(f"{n}\t{g}\n" for n, g in names))


def bombs():
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    def png(w, h, interlace=0):
        rows = zlib.compress(bytes(1 << 20), 9)
        head = chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, 8, 6, 0, 0, interlace))
        return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", rows) + chunk(b"IEND", b"")

    files = {
        "png": png(16000, 16000),
        "interlaced.png": png(16000, 16000, 1),
        "long.png": png(250000000, 1),
        # lossless, 16383 x 16383 of one colour
        "webp": b"RIFF"
        + struct.pack("<I", 30)
        + b"WEBPVP8L"
        + struct.pack("<I", 17)
        + b"\x2f"
        + struct.pack("<I", 16382 | 16382 << 14)
        + b"\x88\x88\x08"
        + bytes(10),
        "bmp": b"BM"
        + struct.pack("<IIIIiiHHIIiiII", 60, 0, 54, 40, 16000, 16000, 1, 8, 1, 0, 0, 0, 0, 0)
        + bytes(1024),
        "gif": b"GIF89a"
        + struct.pack("<HHBBB", 65535, 65535, 0xF0, 0, 0)
        + bytes(6)
        + b","
        + struct.pack("<HHHHB", 0, 0, 65535, 65535, 0)
        + b"\2\1\0\0;",
        "tif": b"II*\0\x08\0\0\0\x06\0"
        + b"".join(
            struct.pack("<HHII", *t)
            for t in (
                (256, 4, 1, 16000),
                (257, 4, 1, 16000),
                (258, 3, 1, 8),
                (262, 3, 1, 1),
                (273, 4, 1, 8),
                (279, 4, 1, 80),
            )
        )
        + bytes(8),
        "j2k": b"\xff\x4f\xff\x51"
        + struct.pack(">HHIIIIIIIIH", 41, 0, 16000, 16000, 0, 0, 16000, 16000, 0, 0, 1)
        + b"\7\1\1\xff\x52\0\x0c\0\0\0\1\0\1\4\4\0\1\xff\x5c\0\7\x40\x40\x48\x48\x50"
        + b"\xff\x90\0\x0a\0\0\0\0\0\0\0\1\xff\x93"
        + bytes(40),
        "ff": b"farbfeld" + struct.pack(">II", 16000, 16001) + bytes(800),
        "ppm": b"P6 1000000 1000000 255\n",
    }
    progressive = io.BytesIO()
    Image.new("L", (15000, 15000)).save(progressive, "JPEG", progressive=True)
    files["jpg"] = progressive.getvalue()[:200000]
    for name, data in files.items():
        open("bomb." + name, "wb").write(data)
    open("bombs", "w").write("".join(f"bomb.{n}\n" for n in files))


# 8000 x 8000 grey pixels by heif-enc -A; the container then made to say 64 x 64.
LYING_AVIF = """
AAAAHGZ0eXBhdmlmAAAAAGF2aWZtaWYxbWlhZgAAAOhtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAAA5waXRtAAAA
AAABAAAAImlsb2MAAAAAREAAAQABAAAAAAEMAAEAAAAAAAABvAAAACNpaW5mAAAAAAABAAAAFWluZmUCAAAAAAEAAGF2MDEAAAAAaGlwcnAAAABJ
aXBjbwAAABNjb2xybmNseAACAAIABoAAAAAMYXYxQ4EfHAAAAAAUaXNwZQAAAAAAAABAAAAAQAAAAA5waXhpAAAAAAEIAAAAF2lwbWEAAAAAAAAA
AQABBIGCA4QAAAHEbWRhdBIACgcf8z5/8/4VMq4DEByB/+IAADT1xyFREbPB+OXTuvkhzzwjimqGGliPVgjTtT6Q4CkOJy53bqjBzFv03lmmzM8F
UBhoGwq/kDP1xyFREbPB+OXTuvkhzzwjimqGGliPVgjTtT6Q4CmvFNDk6XiMso3YNYDHR+JzDJoR2bkwNPXHIVERs8H45dO6+SHPPCOKaoYaWI9W
CNO1PpDgKQ4nLnduqMHMW/TeWabMzwVQGGgbCr+QM/XHIVERs8H45dO6+SHPPCOKaoYaWI9WCNO1PpDgKa8U0OTpeIyyjdg1gMdH4nMMmhHZuTA0
9cchURGzwfjl07r5Ic88I4pqhhpYj1YI07U+kOApDicud26owcxb9N5ZpszPBVAYaBsKv5Az9cchURGzwfjl07r5Ic88I4pqhhpYj1YI07U+kOAp
rxTQ5Ol4jLKN2DWAx0ficwyaEdm5MDL1xyFREbPB+OXTuvkhzzwjimqGGliPVgjTtT6Q4CkOJy53bqjBzFv03lmmzM8FUBhoGvD1xyFREbPB+OXT
uvkhzzwjimqGGliPVgjTtT6Q4CmvFNDk6XiMso3YNYDHR+JzDJoR0A==
"""


def liars():
    # 65535 tiles of one pixel and 100 components: OpenJPEG makes room for all of them before it gives the size
    size = struct.pack(">HIIIIIIIIH", 0, 65535, 1, 0, 0, 1, 1, 0, 0, 100) + b"\7\1\1" * 100
    tiles = (
        b"\xff\x4f\xff\x51"
        + struct.pack(">H", len(size) + 2)
        + size
        + b"\xff\x52\0\x0c\0\0\0\1\0\1\4\4\0\1\xff\x5c\0\7\x40\x40\x48\x48\x50"
    )
    tiles += b"\xff\x90\0\x0a\0\0\0\0\0\0\0\1\xff\x93" + bytes(40)
    open("liar.avif", "wb").write(base64.b64decode(LYING_AVIF))
    open("liar.j2k", "wb").write(tiles)
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    text = chunk(b"zTXt", b"key\0\0" + zlib.compress(bytes(7 << 20), 9)) + chunk(
        b"iTXt", b"key\0\1\0\0\0" + zlib.compress(bytes(7 << 20), 9)
    )
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64)).save(buffer, "PNG")
    whole = buffer.getvalue()
    open("text.png", "wb").write(whole[:33] + 450 * text + whole[33:])  # 6 GB of text


if __name__ == "__main__":
    make(sys.argv[2]) if sys.argv[1] == "make" else (bombs(), liars())
