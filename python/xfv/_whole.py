"""Whole streams, as arrays and tables."""
from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import Any, Union

import numpy as np

from ._pack import Map
from ._records import Face, Pair, Record
from ._stream import Path, Reader, Writer, open_file


class Stream:
    """All records of a stream in memory. Iterates over them; faces, pairs and errors are those of a kind."""

    def __init__(self, records: Iterable[Record], heads: Iterable[Map] = ()) -> None:
        self.records, self.heads = list(records), list(heads)

    @property
    def faces(self) -> list[Face]:
        return [r for r in self.records if isinstance(r, Face)]

    @property
    def pairs(self) -> list[Pair]:
        return [r for r in self.records if isinstance(r, Pair)]

    @property
    def errors(self) -> list[Record]:
        return [r for r in self.records if r.kind == "err"]

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, i: int) -> Record:
        return self.records[i]

    def arrays(self) -> dict[str, np.ndarray]:
        """Columns over the pairs, or over the faces where there are no pairs: id, score, ..., a_image, b_embedding, maps_METHOD_a_similarity. A number
        that a record lacks is NaN, a text is empty; arrays of several shapes under one name raise ValueError."""
        pairs = self.pairs
        rows = [dict(_pair_columns(p)) for p in pairs] if pairs else [dict(_columns("", f)) for f in self.faces]
        names = list(dict.fromkeys(name for row in rows for name in row))
        return {name: _column(name, [row.get(name) for row in rows]) for name in names}

    def to_npz(self, path: Path) -> None:
        """Write arrays() for numpy.load."""
        np.savez_compressed(path, **self.arrays())

    def to_pandas(self) -> Any:
        """A DataFrame of what is a number, a text or a truth value, one row a pair (a face where there are no pairs)."""
        import pandas

        return pandas.DataFrame({k: v for k, v in self.arrays().items() if v.ndim == 1 and not k.startswith("maps_")})


def _columns(prefix: str, r: Map) -> Iterator[tuple[str, Any]]:
    for key in r:
        v = r[key]
        if (
            key == "_"
            or isinstance(v, Map)
            or not (
                isinstance(v, (str, bool, int, float, np.ndarray)) or key in ("box", "landmarks", "transform", "size")
            )
        ):
            continue
        yield prefix + key, np.array(v, "f8") if isinstance(v, list) else v


def _pair_columns(p: Pair) -> Iterator[tuple[str, Any]]:
    yield from _columns("", p)
    for side in ("a", "b"):
        yield from _columns(side + "_", p[side])
    for m in p.maps:
        for side in ("a", "b"):
            for name, v in m.get(side, {}).items():
                if isinstance(v, np.ndarray):
                    yield f"maps_{m['method']}_{side}_{name}", v


def _column(name: str, values: list[Any]) -> np.ndarray:
    some = next(v for v in values if v is not None)
    if isinstance(some, str):
        return np.array([v if v is not None else "" for v in values])
    if not isinstance(some, np.ndarray):
        whole = None not in values
        return np.array(values if whole else [np.nan if v is None else float(v) for v in values])
    shapes = {v.shape for v in values if v is not None}
    if len(shapes) > 1:
        raise ValueError(f"'{name}' has arrays of several shapes: {', '.join(map(str, sorted(shapes)))}")
    if any(v is None for v in values):
        missing = np.full(some.shape, np.nan, "f4")
        return np.stack([missing if v is None else v for v in values])
    return np.stack(values)


def read(path: Union[Path, Any]) -> Stream:
    """All records of a file ('-': standard input). StreamError when it is cut or damaged."""
    file, name = open_file(path)
    with file:
        r = Reader(file, name)
        return Stream(list(r), r.heads)


def write(
    path: Path,
    records: Iterable[Union[Record, dict[str, Any]]],
    *,
    name: str = "python",
    version: str = "0",
    **head: Any,
) -> None:
    """Write records as one stream."""
    with open(path, "wb") as f:
        _put_all(f, records, name, version, head)


def stream_bytes(
    records: Iterable[Union[Record, dict[str, Any]]], *, name: str = "", version: str = "0", **head: Any
) -> bytes:
    f = io.BytesIO()
    _put_all(f, records, name, version, head)
    return f.getvalue()


def _put_all(f: Any, records: Iterable[Any], name: str, version: str, head: dict[str, Any]) -> None:
    w = Writer(f)
    w.head(name=name, version=version, **head)
    for r in records:
        w.put(r)
    w.end()
