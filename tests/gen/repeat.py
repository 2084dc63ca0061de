"""repeat.py STREAM N >out: the stream's pairs over and over, N in all, with ids of their own."""
import os, sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from streams import records, stream

with open(sys.argv[1], "rb") as f:
    pairs = [r for r in records(f.read()) if r["_"] == "pair"]
n = int(sys.argv[2])
sys.stdout.buffer.write(
    stream([pairs[i % len(pairs)] | {"id": "%s %d" % (pairs[i % len(pairs)]["id"], i)} for i in range(n)])
)
