"""Reading and writing streams: heads, ends, counts and checksums."""
from __future__ import annotations

import io
import os
import sys
import zlib
from collections.abc import Iterator
from typing import IO, Any, Optional, Union

import msgpack

from ._pack import Map, _head, _unpack, is_map, pack, skip
from ._records import Record, record

Path = Union[str, "os.PathLike[str]"]
MAX_RECORD = 256 << 20


class StreamError(Exception):
    """A stream that is cut, damaged, or no stream: the sentence names the file, the record and what is wrong."""


class _Tee:
    """A file for msgpack's Unpacker that keeps what was read, so that records can be had as they came."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.kept, self.start = file, bytearray(), 0
        self.read1 = getattr(file, "read1", None) or file.read

    def read(self, n: int) -> bytes:
        data = self.read1(n)
        self.kept += data
        return data

    def take(self, end: int) -> bytes:
        """The bytes up to `end` of the stream."""
        data = bytes(memoryview(self.kept)[: end - self.start])
        del self.kept[: end - self.start]
        self.start = end
        return data


class Reader:
    """The records of a stream as they come, heads and ends left out. Damage raises StreamError, after all whole records before it were given.

    heads: the heads met so far; head: that of the segment at hand."""

    def __init__(self, file: IO[bytes], name: str = "standard input", max_record: int = MAX_RECORD) -> None:
        self.name, self.heads, self.no, self.max_record = name, [], 0, max_record
        self._tee = _Tee(file)
        self._u = msgpack.Unpacker(self._tee, read_size=1 << 18, max_buffer_size=max_record + (1 << 18))
        self._open: Optional[list[int]] = None  # records, errors, crc of the segment

    @property
    def head(self) -> Map:
        return self.heads[-1]

    def _fail(self, what: str) -> StreamError:
        return StreamError(f"{self.name}: {what}")

    def _next(self) -> Optional[bytes]:
        try:
            self._u.skip()
        except msgpack.OutOfData:
            if not self._tee.kept and self._open is None and self.heads:
                return None
            what = (
                "the stream was cut"
                if self.heads
                else "no stream of xfv-tools: " + ("it is empty" if not self._tee.kept else "its head was cut")
            )
            raise self._fail(f"{what} (after record {self.no})" if self.heads else what) from None
        except msgpack.BufferFull:
            raise self._fail(f"record {self.no + 1} is too large") from None
        except Exception as e:  # FormatError, StackError
            raise self._fail(f"record {self.no + 1} is damaged: {e or type(e).__name__}") from None
        if self._u.tell() - self._tee.start > self.max_record:
            raise self._fail(f"record {self.no + 1} is too large")
        return self._tee.take(self._u.tell())

    def _begin(self, raw: bytes) -> Record:
        head = record(raw)
        if list(head)[:2] != ["_", "magic"] or head["_"] != "head" or head["magic"] != "xfv":
            raise self._fail(
                "no stream of xfv-tools"
                if not self.heads
                else "something follows the end of the stream that is no other stream"
            )
        if head["version"][0] != 1:
            raise self._fail(f"the stream is of version {head['version'][0]}; this module reads version 1")
        if head.get("need"):
            raise self._fail(f"the stream needs {', '.join(head['need'])}, which this module does not know")
        self.heads.append(head)
        self._open = [0, 0, zlib.crc32(raw)]
        return head

    def _finish(self, end: Record) -> Record:
        records, errors, crc = self._open or [0, 0, 0]
        if (end.get("records"), end.get("errors"), end.get("crc32")) != (records, errors, crc):
            raise self._fail(
                f"the stream is damaged: its end names {end.get('records')} records, {end.get('errors')} errors, checksum "
                f"{end.get('crc32')}; read were {records}, {errors}, {crc}"
            )
        self._open = None
        return end

    def all(self) -> Iterator[Record]:
        """Every record, heads and ends too."""
        while (raw := self._next()) is not None:
            if not is_map(raw):
                raise self._fail("no stream of xfv-tools" if not self.heads else f"record {self.no + 1} is no map")
            try:
                r = self._begin(raw) if self._open is None else record(raw)
            except (KeyError, IndexError, TypeError, ValueError) as e:
                raise self._fail(f"record {self.no + 1} is damaged: {e}") from None
            if r.kind == "end":
                self._finish(r)
            elif r.kind == "head" and r is not self.heads[-1]:
                raise self._fail("the stream was cut, and another one follows")
            elif r.kind != "head" and self._open:
                self.no += 1
                self._open = [self._open[0] + 1, self._open[1] + (r.kind == "err"), zlib.crc32(raw, self._open[2])]
            yield r

    def __iter__(self) -> Iterator[Record]:
        return (r for r in self.all() if r.kind not in ("head", "end"))


class Writer:
    """A stream written to a file: head(), put() for each record, end(). Without end() no later program takes it for a whole one."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.records, self.errors, self.crc = file, 0, 0, 0
        self.failed = 0  # err records of all segments

    def _write(self, data: bytes) -> None:
        self.crc = zlib.crc32(data, self.crc)
        self.file.write(data)
        self.file.flush()

    def head(
        self, like: Optional[Map] = None, *, name: str = "", version: str = "0", args: Any = (), **keys: Any
    ) -> None:
        """Begin a segment: with the keys of another head, and this program's name at the end of its provenance."""
        self.records = self.errors = self.crc = 0
        head = (
            Map(like.pack())
            if like is not None
            else Map(pack({"_": "head", "magic": "xfv", "version": [1, 0], "provenance": []}))
        )
        entry = pack({"tool": name, "version": version, "args": list(args)})
        old = head.raw("provenance") if "provenance" in head else b"\x90"
        n, at = _items(old)
        for key, v in keys.items():
            head[key] = v
        out = [_head(0x80, 15, 0xDE, len(head) + ("provenance" not in head))]
        for key in list(head) + ([] if "provenance" in head else ["provenance"]):
            mine = _head(0x90, 15, 0xDC, n + 1) + old[at:] + entry if name else old
            out += [pack(key), mine if key == "provenance" else head.raw(key)]
        self._write(b"".join(out))

    def put(self, r: Union[Record, dict[str, Any]]) -> None:
        """Write a record: a Record, whose untouched keys keep their bytes, or a dict."""
        data = r.pack() if isinstance(r, Map) else pack(r)
        kind = r["_"]
        self.records += 1
        self.errors += kind == "err"
        self.failed += kind == "err"
        self._write(data)

    def end(self) -> None:
        crc, n, errors = self.crc, self.records, self.errors
        self._write(pack({"_": "end", "records": n, "errors": errors, "crc32": crc}))


def _items(array: bytes) -> tuple[int, int]:
    """How many items a packed array has, and where they begin."""
    n = len(_unpack(array))
    at = 1 if array[0] >> 4 == 9 else 3 if array[0] == 0xDC else 5
    return n, at


def open_file(path: Union[Path, IO[bytes]]) -> tuple[IO[bytes], str]:
    """A file to read, and its name for messages; '-' is standard input."""
    if hasattr(path, "read"):
        return path, getattr(path, "name", "stream")  # type: ignore[return-value, union-attr]
    if path == "-":
        return sys.stdin.buffer, "standard input"
    return open(path, "rb"), os.fspath(path)  # type: ignore[arg-type]


def from_bytes(data: bytes, name: str = "stream") -> Reader:
    return Reader(io.BytesIO(data), name)


__all__ = ["MAX_RECORD", "Reader", "StreamError", "Writer", "from_bytes", "open_file", "skip"]
