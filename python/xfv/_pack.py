"""MessagePack maps that are read where they lie: a record is decoded key by key, and what nobody touches is written back byte by byte."""
from __future__ import annotations

from collections.abc import Iterator, MutableMapping, MutableSequence
from typing import Any, Optional, Union

import msgpack
import numpy as np

DTYPES = ("|u1", "|i1", "<u2", "<i2", "<i4", "<i8", "<f2", "<f4", "<f8")
Bytes = Union[bytes, bytearray, memoryview]

# From 0xc4 on: (bytes of the length field, bytes that follow in any case, what the length counts)
_DATA, _ITEMS, _PAIRS = 0, 1, 2
_HEADS = {
    0xC4: (1, 0, _DATA),
    0xC5: (2, 0, _DATA),
    0xC6: (4, 0, _DATA),
    0xC7: (1, 1, _DATA),
    0xC8: (2, 1, _DATA),
    0xC9: (4, 1, _DATA),
    0xCA: (0, 4, _DATA),
    0xCB: (0, 8, _DATA),
    0xCC: (0, 1, _DATA),
    0xCD: (0, 2, _DATA),
    0xCE: (0, 4, _DATA),
    0xCF: (0, 8, _DATA),
    0xD0: (0, 1, _DATA),
    0xD1: (0, 2, _DATA),
    0xD2: (0, 4, _DATA),
    0xD3: (0, 8, _DATA),
    0xD4: (0, 2, _DATA),
    0xD5: (0, 3, _DATA),
    0xD6: (0, 5, _DATA),
    0xD7: (0, 9, _DATA),
    0xD8: (0, 17, _DATA),
    0xD9: (1, 0, _DATA),
    0xDA: (2, 0, _DATA),
    0xDB: (4, 0, _DATA),
    0xDC: (2, 0, _ITEMS),
    0xDD: (4, 0, _ITEMS),
    0xDE: (2, 0, _PAIRS),
    0xDF: (4, 0, _PAIRS),
}


def _open(b: Bytes, i: int) -> tuple[int, int]:
    """The object at i: where its contents begin, and how many objects it holds (0 for anything but arrays and maps, whose end is then given)."""
    c = b[i]
    if c < 0x80 or c >= 0xE0 or c in (0xC0, 0xC2, 0xC3):
        return i + 1, 0
    if c < 0x90:
        return i + 1, 2 * (c & 15)
    if c < 0xA0:
        return i + 1, c & 15
    if c < 0xC0:
        return i + 1 + (c & 31), 0
    field, more, counts = _HEADS[c]
    n = int.from_bytes(b[i + 1 : i + 1 + field], "big")
    at = i + 1 + field + more
    return (at + n, 0) if counts == _DATA else (at, n * counts)


def skip(b: Bytes, i: int) -> int:
    """Where the object at i ends."""
    todo = 1
    while todo:
        i, inside = _open(b, i)
        todo += inside - 1
    return i


def is_map(b: Bytes, i: int = 0) -> bool:
    return b[i] >> 4 == 8 or b[i] in (0xDE, 0xDF)


def is_array(b: Bytes, i: int = 0) -> bool:
    return b[i] >> 4 == 9 or b[i] in (0xDC, 0xDD)


def _unpack(b: Bytes) -> Any:
    try:
        return msgpack.unpackb(
            b, unicode_errors="surrogateescape", strict_map_key=False, max_bin_len=len(b), max_str_len=len(b)
        )
    except TypeError as e:  # a map as the key of another
        raise ValueError(str(e)) from e


def tensor(a: np.ndarray) -> dict[str, Any]:
    """An array as the stream's map of dtype, shape and data; ValueError for an element type that the stream does not have."""
    a = np.ascontiguousarray(a).reshape(np.shape(a))  # ascontiguousarray makes one axis of none
    if a.dtype == bool:
        a = a.astype("u1")
    a = a.astype(a.dtype.newbyteorder("<"), copy=False)
    if a.dtype.str not in DTYPES:
        raise ValueError(f"a stream has no elements of type {a.dtype}: convert to one of {', '.join(DTYPES)}")
    return {"dtype": a.dtype.str, "shape": list(a.shape), "data": a.tobytes()}


def pack(v: Any) -> bytes:
    """A value as bytes: what msgpack takes, arrays, NumPy's numbers, Map and List."""
    return msgpack.packb(v, unicode_errors="surrogateescape", default=_default)


def _default(v: Any) -> Any:
    if isinstance(v, np.ndarray):
        return tensor(v)
    if isinstance(v, np.generic):
        return v.item()
    if isinstance(v, (Map, List)):
        return _unpack(v.pack())
    raise TypeError(f"a stream cannot hold a {type(v).__name__}")


def _head(small: int, most: int, wide: int, n: int) -> bytes:
    if n <= most:
        return bytes([small | n])
    return bytes([wide]) + n.to_bytes(2, "big") if n < 1 << 16 else bytes([wide + 1]) + n.to_bytes(4, "big")


class Map(MutableMapping):
    """A map of the stream. Tensors come as read-only arrays that share its memory. Keys keep their order; new ones go to the end."""

    __slots__ = ("_raw", "_places", "_new", "_seen", "_cut")

    def __init__(self, raw: Bytes = b"\x80") -> None:
        self._raw = memoryview(raw)
        self._cut = False
        self._new: dict[str, Any] = {}
        self._seen: dict[str, Any] = {}
        self._places: Optional[dict[str, tuple[int, int, int]]] = None

    @property
    def _at(self) -> dict[str, tuple[int, int, int]]:
        """key -> where it, its value, and what follows begin; found when first asked for."""
        if self._places is None:
            self._places = {}
            i, n = _open(self._raw, 0)
            for _ in range(n // 2):
                v = skip(self._raw, i)
                end = skip(self._raw, v)
                key = _unpack(self._raw[i:v])
                if not isinstance(key, str):
                    raise ValueError(f"the keys of a stream's maps are texts, found {type(key).__name__}")
                self._places[key] = (i, v, end)
                i = end
        return self._places

    def _child(self, key: str, raw: memoryview) -> Any:
        return value(raw)

    def __getitem__(self, key: str) -> Any:
        if key in self._new:
            return self._new[key]
        if key not in self._seen:
            _, start, end = self._at[key]
            self._seen[key] = self._child(key, self._raw[start:end])
        return self._seen[key]

    def __setitem__(self, key: str, v: Any) -> None:
        pack(v)  # a value that cannot be written fails here, where the mistake is
        self._new[key] = v

    def __delitem__(self, key: str) -> None:
        if key not in self:
            raise KeyError(key)
        self._new.pop(key, None)
        self._at.pop(key, None)
        self._seen.pop(key, None)
        self._cut = True

    def __contains__(self, key: object) -> bool:
        return key in self._new or key in self._at

    def __iter__(self) -> Iterator[str]:
        yield from self._at
        yield from (k for k in self._new if k not in self._at)

    def __len__(self) -> int:
        return len(self._at) + sum(k not in self._at for k in self._new)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {', '.join(map(str, self))}>"

    def raw(self, key: str) -> bytes:
        """The bytes of a value, as they came or as they will be written."""
        if key in self._new:
            return pack_any(self._new[key])
        kept = self._seen.get(key)
        if isinstance(kept, (Map, List)) and kept.changed:
            return kept.pack()
        _, start, end = self._at[key]
        return bytes(self._raw[start:end])

    @property
    def changed(self) -> bool:
        return (
            self._cut or bool(self._new) or any(isinstance(v, (Map, List)) and v.changed for v in self._seen.values())
        )

    def pack(self) -> bytes:
        if not self.changed:
            return bytes(self._raw)
        out = [_head(0x80, 15, 0xDE, len(self))]
        for key in self:
            out += [pack(key), self.raw(key)]
        return b"".join(out)


class List(MutableSequence):
    """An array of maps, such as a pair's maps. Entries that nobody touches keep their bytes."""

    __slots__ = ("_items", "changed_items")

    def __init__(self, raw: Bytes = b"\x90") -> None:
        raw = memoryview(raw)
        i, n = _open(raw, 0)
        self._items: list[Any] = []
        self.changed_items = False
        for _ in range(n):
            end = skip(raw, i)
            self._items.append(value(raw[i:end]))
            i = end

    def __getitem__(self, i: Any) -> Any:
        return self._items[i]

    def __setitem__(self, i: Any, v: Any) -> None:
        pack_any(v)
        self._items[i] = v
        self.changed_items = True

    def __delitem__(self, i: Any) -> None:
        del self._items[i]
        self.changed_items = True

    def __len__(self) -> int:
        return len(self._items)

    def insert(self, index: int, value: Any) -> None:
        pack_any(value)
        self._items.insert(index, value)
        self.changed_items = True

    @property
    def changed(self) -> bool:
        return self.changed_items or any(isinstance(v, (Map, List)) and v.changed for v in self._items)

    def pack(self) -> bytes:
        return _head(0x90, 15, 0xDC, len(self._items)) + b"".join(map(pack_any, self._items))


def pack_any(v: Any) -> bytes:
    """pack() that keeps the bytes of a Map or List."""
    return v.pack() if isinstance(v, (Map, List)) else pack(v)


def value(raw: memoryview) -> Any:
    """Decode: a tensor as an array over the same memory, other maps as Map, arrays of maps as List, the rest as msgpack does."""
    if is_map(raw):
        m = Map(raw)
        return array(m) if list(m)[:3] == ["dtype", "shape", "data"] else m
    if is_array(raw):
        first, n = _open(raw, 0)
        return List(raw) if n and is_map(raw, first) else _unpack(raw)
    return _unpack(raw)


def array(m: Map) -> np.ndarray:
    """A tensor's map as a read-only array; ValueError when its parts do not agree."""
    _, start, end = m._at["data"]
    dtype, shape, head = m["dtype"], m["shape"], m._raw[start]
    names = [*DTYPES, *(name[1:] for name in DTYPES)]  # the mark before the letter may be left out
    if dtype not in names or head not in (0xC4, 0xC5, 0xC6) or not isinstance(shape, list):
        raise ValueError(f"not a tensor: dtype {dtype!r}, shape {shape!r}")
    at = start + 1 + (1 << (head - 0xC4))
    return np.frombuffer(m._raw[at:end], np.dtype(dtype).newbyteorder("<")).reshape(shape)
