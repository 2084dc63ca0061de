"""What a run of make fuzz came to, as a table: results.py FOLDER [TARGET]... reads FOLDER/TARGET.log, as libFuzzer wrote it. Seconds of the fuzzer itself, runs,
branches reached (cov), features (how often and with what values, too), inputs that it kept, findings."""
import re, sys

TARGETS = ["stream", "model", "tflite", "onnx", "tfjs", "image", "lists"]


def row(log):
    last = re.findall(r"^#(\d+)\s+\S+\s+cov: (\d+) ft: (\d+) corp: (\d+)/(\S+)", log, re.M)
    done = re.search(r"^Done (\d+) runs in (\d+) second", log, re.M)
    found = re.findall(r"^SUMMARY: \S+ (.*)$|^SUMMARY: (libFuzzer: .*)$", log, re.M)
    if not last:
        return None
    seconds = done[2] if done else "until the finding"
    return [seconds, done[1] if done else last[-1][0], *last[-1][1:4], "; ".join(a or b for a, b in found) or "none"]


if __name__ == "__main__":
    print("target", "seconds", "runs", "branches", "features", "inputs kept", "findings", sep="\t")
    for t in sys.argv[2:] or TARGETS:
        try:
            cells = row(open(f"{sys.argv[1]}/{t}.log", errors="replace").read())
        except FileNotFoundError:
            continue
        if cells:
            print(t, *cells, sep="\t")
