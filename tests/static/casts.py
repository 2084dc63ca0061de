"""No cast from a floating-point number to an integer but in base/toint.h, by clang's syntax tree: casts.py FLAG... (what the compiler is given).
Prints each as FILE:LINE, or "none"."""
import concurrent.futures, glob, os, re, subprocess, sys

PLACE = re.compile(r"(line|[^ ,<>]+\.[ch]):(\d+):\d+")
flags = [f for f in sys.argv[1:] if not f.startswith("-ffile-prefix-map")]


def casts(path):
    """The tree names a file or a line only where it differs from the one before."""
    tree = subprocess.run(
        ["clang", "-fsyntax-only", "-w", *flags, "-Xclang", "-ast-dump", path], capture_output=True, text=True
    )
    if tree.returncode:
        return {f"{path}: {tree.stderr[:300]}"}
    file, line, found = path, "0", set()
    for text in tree.stdout.splitlines():
        begin, places = None, PLACE.findall(text.split("'")[0])
        for name, number in places:
            file, line = (file if name == "line" else name), number
            begin = begin or (file, line)
        begin = begin or (file, line)
        if "<FloatingToIntegral>" in text and begin[0].startswith("libcommon") | begin[0].startswith("tools"):
            if begin[0] != "libcommon/base/toint.h":
                found.add(":".join(begin))
    return found


if __name__ == "__main__":
    files = sorted(
        f for d in ("libcommon/*/", "libcommon/*/*/", "tools/") for f in glob.glob(d + "*.c") if "/kern_" not in f
    )
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = sorted(set().union(*pool.map(casts, files)))
    print("\n".join(found) or "none")
    sys.exit(bool(found))
