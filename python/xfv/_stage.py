"""A stage in a for loop: everything that a stage owes to the others, but the work."""
from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from ._records import Record
from ._stream import Path, Reader, StreamError, Writer, open_file


def _die(name: str, what: object, status: int) -> NoReturn:
    sys.stdout.flush()
    print(f"{name}: {what}", file=sys.stderr)
    raise SystemExit(status)


def stage(
    name: str,
    version: str = "0",
    *,
    args: Sequence[str] = (),
    kind: str = "pair",
    files: Sequence[Path] = (),
    **head: Any,
) -> Iterator[Any]:
    """Give each record of a kind in turn, and write it, as the loop's body left it, to standard output; all else passes on, byte by byte.

        for pair in xfv.stage("mine", "1"):
            pair.add_map("mine", a=(plus, minus), b=(plus, minus))

    name, version, args: for the head's provenance; args are the options that change the result. files: names of streams; none: standard input.
    head: keys to set in each head (model={"name": ..., "digest": ...}). A body that raises ends the run without an end record, so that every later stage
    fails, too. After the last record SystemExit(1) is raised when there were err records, and SystemExit(3), with a sentence, for a stream that is cut
    or damaged: code after the loop runs only when all went well."""
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # a reader that has seen enough is no error
    if not files and sys.stdin.isatty():
        _die(name, "standard input is a terminal: pipe a stream in, as in 'verify faces.xfv | " + name + "'", 2)
    if sys.stdout.isatty():
        _die(name, "not writing binary data to a terminal: pipe it on, or into a file", 2)
    w = Writer(sys.stdout.buffer)
    for path in files or ["-"]:
        try:
            file, shown = open_file(path)
        except OSError as e:
            _die(name, f"cannot read '{path}': {e.strerror}", 4)
        with file:
            yield from _segment(Reader(file, shown), w, name, kind, {"version": version, "args": args, **head})
    if w.failed:
        raise SystemExit(1)


def _segment(r: Reader, w: Writer, name: str, kind: str, head: dict[str, Any]) -> Iterator[Any]:
    records = r.all()
    while True:
        try:
            rec = next(records, None)
        except StreamError as e:
            _die(name, e, 3)
        if rec is None:
            return
        if rec.kind == "head":
            w.head(rec, name=name, **head)
        elif rec.kind == "end":
            w.end()
        elif rec.kind != kind:
            w.put(rec)
        else:
            yield rec
            _emit(w, name, rec, r.no)


def _emit(w: Writer, name: str, rec: Record, no: int) -> None:
    if rec._out is None:
        w.put(rec)
    elif rec._out:
        print(f"{name}: record {no} ({rec.id}): {rec._out['message']}", file=sys.stderr)
        w.put({"_": "err", "id": rec.id or f"record {no}", "tool": name, **rec._out})
