#!/usr/bin/env python3
"""datasets.py FORM INPUT OUTPUT: images and a list of pairs from a data set's own files, as facecrop and verify read them.

    datasets.py bin lfw.bin lfw/                    InsightFace's .bin (LFW, CFP-FP, AgeDB-30, CALFW, CPLFW): lfw/000000.jpg ..., lfw/pairs.tsv
    facecrop --aligned lfw/*.jpg | embed -o faces.xfv && verify --pairs lfw/pairs.tsv faces.xfv | fggb-grad | delins --tsv
    datasets.py ijb IJBC/meta/ijbc_ ijbc/           IJB-B, IJB-C: ijbc/templates.tsv (name, template, medium) and ijbc/pairs.tsv (of templates)
    datasets.py rfw RFW/txts/African/African_pairs.txt rfw/   RFW, BUPT: names as in the folders below data/
    datasets.py xqlfw xqlfw_pairs.txt xqlfw/        XQLFW: LFW's form, ten folds

The lists have a name, a name and 1 (the same person) or 0, with tabs between. Nothing is left out without a word: a line that is not understood ends the run."""
import io
import os
import pickle
import sys


def write_pairs(folder, pairs):
    with open(os.path.join(folder, "pairs.tsv"), "w", encoding="utf-8", errors="surrogateescape") as f:
        f.writelines(f"{a}\t{b}\t{int(same)}\n" for a, b, same in pairs)
    print(
        f"{len(pairs)} pairs in {os.path.join(folder, 'pairs.tsv')}, {sum(map(bool, (p[2] for p in pairs)))} of them genuine"
    )


def lines_of(path):
    with open(path, encoding="utf-8", errors="surrogateescape") as f:
        return [(i, line.rstrip("\r\n")) for i, line in enumerate(f, 1) if line.strip()]


class Data(pickle.Unpickler):
    """Lists, numbers and bytes alone: a pickle may name any function, and calls it."""

    def find_class(self, module, name):
        known = {
            ("numpy", "ndarray"),
            ("numpy", "dtype"),
            ("numpy.core.multiarray", "_reconstruct"),
            ("numpy.core.multiarray", "scalar"),
            ("_codecs", "encode"),
            ("numpy._core.multiarray", "_reconstruct"),
            ("numpy._core.multiarray", "scalar"),
        }
        if (module, name) not in known:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which no list of images needs: not opened")
        return super().find_class(module, name)


def insightface_bin(path, folder):
    with open(path, "rb") as f:
        images, same = Data(io.BytesIO(f.read()), encoding="bytes").load()
    if len(images) != 2 * len(same):
        sys.exit(f"{path}: {len(images)} images and {len(same)} pairs: two images a pair are expected")
    names = [f"{i:06d}" + (".png" if bytes(v[:4]) == b"\x89PNG" else ".jpg") for i, v in enumerate(images)]
    for name, image in zip(names, images):
        with open(os.path.join(folder, name), "wb") as f:
            f.write(bytes(image))
    write_pairs(
        folder,
        [(os.path.join(folder, names[2 * i]), os.path.join(folder, names[2 * i + 1]), s) for i, s in enumerate(same)],
    )


def ijb(prefix, folder):
    """Templates: NAME TEMPLATE MEDIUM; pairs: TEMPLATE TEMPLATE 0 or 1 (InsightFace's face_tid_mid and template_pair_label)."""
    with open(os.path.join(folder, "templates.tsv"), "w", encoding="utf-8") as f:
        for i, line in lines_of(prefix + "face_tid_mid.txt"):
            parts = line.split()
            len(parts) == 3 or sys.exit(
                f"{prefix}face_tid_mid.txt, line {i}: NAME TEMPLATE MEDIUM is expected, found '{line}'"
            )
            f.write("\t".join(parts) + "\n")
    pairs = []
    for i, line in lines_of(prefix + "template_pair_label.txt"):
        parts = line.split()
        len(parts) == 3 and parts[2] in "01" or sys.exit(
            f"{prefix}template_pair_label.txt, line {i}: TEMPLATE TEMPLATE 0 or 1 is expected, found '{line}'"
        )
        pairs.append((parts[0], parts[1], parts[2] == "1"))
    write_pairs(folder, pairs)


def lfw_form(path, folder, image):
    """NAME N M is a genuine pair, NAME N NAME M an impostor pair; a first line of one or two numbers says how many."""
    pairs = []
    for i, line in lines_of(path):
        parts = line.split("\t") if "\t" in line else line.split()
        if i == 1 and len(parts) <= 2 and all(p.isdigit() for p in parts):
            continue
        if len(parts) == 3 and parts[1].isdigit() and parts[2].isdigit():
            pairs.append((image(parts[0], int(parts[1])), image(parts[0], int(parts[2])), True))
        elif len(parts) == 4 and parts[1].isdigit() and parts[3].isdigit():
            pairs.append((image(parts[0], int(parts[1])), image(parts[2], int(parts[3])), False))
        else:
            sys.exit(f"{path}, line {i}: NAME N M or NAME N NAME M is expected, found '{line}'")
    write_pairs(folder, pairs)


def rfw(path, folder):
    race = os.path.basename(path).split("_")[0]
    lfw_form(path, folder, lambda name, n: f"data/{race}/{name}/{name}_{n:04d}.jpg")


def xqlfw(path, folder):
    lfw_form(path, folder, lambda name, n: f"{name}/{name}_{n:04d}.jpg")


forms = {"bin": insightface_bin, "ijb": ijb, "rfw": rfw, "xqlfw": xqlfw}
if len(sys.argv) != 4 or sys.argv[1] not in forms:
    sys.exit(__doc__)
os.makedirs(sys.argv[3], exist_ok=True)
forms[sys.argv[1]](sys.argv[2], sys.argv[3])
