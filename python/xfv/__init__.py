"""Streams of xfv-tools in Python: read, write, and be a stage of the pipeline. The format is xfv-stream(5).

    import xfv
    for pair in xfv.read("pairs.xfv").pairs:
        print(pair.id, pair.score, pair.a.image.shape)

    for pair in xfv.stage("mine", "1"):          # verify faces.xfv | python3 mine.py | heatmap -o why.png
        a, b = my_method(pair.a.image, pair.b.image)
        pair.add_map("mine", a=a, b=b)

Needs msgpack and numpy. Arrays that come from a stream are read-only views of its memory: copy what you change."""
from ._pack import List, Map, tensor
from ._records import Face, Pair, Record
from ._stage import stage
from ._stream import Reader, StreamError, Writer, from_bytes
from ._whole import Stream, read, stream_bytes, write
from ._records import record
import typing as _t

__version__ = "0.1.0"


def open(path: "_t.Any") -> "_t.Iterator[Record]":
    """The records of a file ('-': standard input) as they come."""
    from ._stream import open_file

    file, name = open_file(path)
    with file:
        yield from Reader(file, name)


__all__ = [
    "Face",
    "List",
    "Map",
    "Pair",
    "Reader",
    "Record",
    "Stream",
    "StreamError",
    "Writer",
    "from_bytes",
    "open",
    "read",
    "record",
    "stage",
    "stream_bytes",
    "tensor",
    "write",
]
