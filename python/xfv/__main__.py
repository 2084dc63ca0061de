"""python3 -m xfv: a stream's numbers as arrays and tables."""
import argparse
import sys

from . import StreamError, read


def main() -> int:
    p = argparse.ArgumentParser(prog="python3 -m xfv", description=__doc__)
    p.add_argument("stream", help="a stream's file, or - for standard input")
    p.add_argument(
        "output", help="what to write: NAME.npz (all arrays, for numpy.load) or NAME.csv (one row a pair; needs pandas)"
    )
    a = p.parse_args()
    try:
        s = read(a.stream)
        if a.output.endswith(".npz"):
            s.to_npz(a.output)
        elif a.output.endswith(".csv"):
            s.to_pandas().to_csv(a.output, index=False)
        else:
            p.error(f"'{a.output}' ends neither in .npz nor in .csv")
    except StreamError as e:
        print(f"xfv: {e}", file=sys.stderr)
        return 3
    except (OSError, ValueError, ImportError) as e:
        print(f"xfv: {e}", file=sys.stderr)
        return 4 if isinstance(e, OSError) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
