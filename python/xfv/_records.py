"""What the records of a stream say, by the names of xfv-stream(5)."""
from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from typing import Any, Optional, Union

import numpy as np

from ._pack import Bytes, List, Map, array, is_map, pack, value

MapOf = Union[np.ndarray, tuple[np.ndarray, np.ndarray], Mapping[str, np.ndarray]]


class Record(Map):
    """Any record. Keys are read and set like a dict's; arrays become tensors."""

    __slots__ = ("_out", "_kind")

    def __init__(self, raw: Bytes = b"\x80") -> None:
        super().__init__(raw)
        self._out: Any = None  # an err record in its place, or False: dropped
        self._kind: Optional[str] = None

    @property
    def kind(self) -> str:
        return self._kind or self["_"]

    @property
    def id(self) -> str:
        return self.get("id", "")

    def fail(self, message: str, code: str = "failed") -> None:
        """In a stage: an err record takes the place of this one, with a sentence for people and a word for programs."""
        self._out = {"code": code, "message": message}

    def drop(self) -> None:
        """In a stage: leave this record out."""
        self._out = False


class Face(Record):
    """One face: its crop `image` u8 [height, width, 3], and what the programs before have found."""

    __slots__ = ()

    @property
    def source(self) -> str:
        return self.get("source", self.id)

    @property
    def image(self) -> np.ndarray:
        return self["image"]

    @property
    def embedding(self) -> Optional[np.ndarray]:
        """f32 [N], not normalised; None before embed."""
        return self.get("embedding")

    @property
    def confidence(self) -> Optional[float]:
        return self.get("confidence")

    @property
    def landmarks(self) -> Optional[np.ndarray]:
        """f64 [5, 2], in pixels of the photograph."""
        return np.array(self["landmarks"], "f8") if "landmarks" in self else None

    @property
    def box(self) -> Optional[np.ndarray]:
        return np.array(self["box"], "f8") if "box" in self else None


class Pair(Record):
    """Two faces, a and b, their score and the decision, and the maps that explain it."""

    __slots__ = ()

    def _child(self, key: str, raw: memoryview) -> Any:
        return Face(raw) if key in ("a", "b") and is_map(raw) else value(raw)

    @property
    def a(self) -> Face:
        return self["a"]

    @property
    def b(self) -> Face:
        return self["b"]

    @property
    def score(self) -> float:
        return self["score"]

    @property
    def threshold(self) -> float:
        return self["threshold"]

    @property
    def accept(self) -> bool:
        return self["accept"]

    @property
    def label(self) -> Optional[bool]:
        """True: the same person in truth; None where no list told."""
        return self.get("label")

    @property
    def maps(self) -> List:
        """The explanations, the oldest first: pair.maps[0]["a"]["similarity"] is an array [height, width]."""
        return self.get("maps", List())

    def map(self, method: str) -> Map:
        """The newest explanation by a method; KeyError where the pair has none."""
        for m in reversed(self.maps):
            if m["method"] == method:
                return m
        raise KeyError(f"the pair '{self.id}' has no map of {method}")

    def add_map(
        self,
        method: str,
        a: Optional[MapOf] = None,
        b: Optional[MapOf] = None,
        params: Optional[Mapping[str, Any]] = None,
    ) -> None:
        """Add an explanation. a, b: (similarity, dissimilarity); or one array with both signs, whose parts above and below 0 they become; or a
        dict of names and arrays. Each array is [height, width] of its face's image, finite, neither rescaled nor blurred.
        """
        entry: dict[str, Any] = {"method": method, "params": dict(params or {})}
        for side, m in (("a", a), ("b", b)):
            if m is not None:
                entry[side] = {k: self._map_of(side, k, v) for k, v in _named(m).items()}
        if len(entry) == 2:
            raise ValueError("a map needs an array for a or b")
        maps = self.get("maps")
        if not isinstance(maps, List):
            maps = List()
            maps.append(Map(pack(entry)))
            self["maps"] = maps
        else:
            maps.append(Map(pack(entry)))

    def _map_of(self, side: str, name: str, v: Any) -> np.ndarray:
        v = np.asarray(v, "<f4")
        want = self[side]["image"].shape[:2] if "image" in self[side] else v.shape
        if v.shape != want:
            raise ValueError(f"{name} of {side} is {list(v.shape)}; its face's image is {list(want)}")
        if not np.isfinite(v).all():
            raise ValueError(f"{name} of {side} holds numbers that are not finite")
        return v

    def figure(self, *options: str) -> bytes:
        """The picture of heatmap(1) as PNG; options are heatmap's ("--layout=maps"). RuntimeError with heatmap's sentence."""
        from ._whole import stream_bytes

        if not shutil.which("heatmap"):
            raise RuntimeError("heatmap is not on the PATH: install xfv-tools, or add its build/bin")
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "pair.png")
            p = subprocess.run(["heatmap", *options, "-o", path], input=stream_bytes([self]), capture_output=True)
            if p.returncode:
                raise RuntimeError(p.stderr.decode("utf-8", "replace").strip())
            with open(path, "rb") as f:
                return f.read()

    def _repr_png_(self) -> Optional[bytes]:
        try:
            return self.figure()
        except (RuntimeError, OSError):
            return None  # Jupyter then shows the text

    def __repr__(self) -> str:
        decision = "" if "accept" not in self else " accepted" if self.accept else " rejected"
        score = f" score {self.score:.4g}" if "score" in self else ""
        methods = ", ".join(str(m.get("method", "?")) if isinstance(m, Mapping) else "?" for m in self.maps)
        return f"<Pair {self.id!r}{score}{decision}, maps: {methods or 'none'}>"


def _named(m: MapOf) -> Mapping[str, Any]:
    if isinstance(m, Mapping):
        return m
    if isinstance(m, tuple):
        return dict(zip(("similarity", "dissimilarity"), m))
    m = np.asarray(m, "<f4")
    return {"similarity": np.maximum(m, 0), "dissimilarity": np.maximum(-m, 0)}


_KINDS = {"face": Face, "pair": Pair}


def record(raw: Bytes) -> Record:
    """A packed record as the class of its kind."""
    if raw[1:3] == b"\xa1_" and raw[3] >> 5 == 5:  # the kind comes first in a map of up to 15 keys: the usual case
        kind = bytes(raw[4 : 4 + (raw[3] & 31)]).decode()
    else:
        kind = Record(raw)["_"]
    r = _KINDS.get(kind, Record)(raw)
    r._kind = kind
    return r


__all__ = ["Face", "List", "Map", "Pair", "Record", "array", "record"]
