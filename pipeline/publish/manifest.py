"""Remembers what each published file was made from, so that the next run makes only what has changed.

A memory, never a truth: lost, damaged or older than the tree, it costs time
(files are made and compared by their bytes) and nothing else.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from hashlib import sha256
from pathlib import Path

from pipeline.atomic import write_atomic

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Record:
    """One published file."""

    #: SiteFile.inputs it was made from.
    inputs: str
    #: Of its bytes, hexadecimal.
    sha256: str
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, inputs: str, data: bytes, found: os.stat_result) -> Record:
        """Describe a file that holds `data`."""
        return cls(inputs, sha256(data).hexdigest(), len(data), found.st_mtime_ns)

    def fits(self, found: os.stat_result) -> bool:
        """True if the file on disk is still the one described, as far as its stat tells."""
        return (self.size, self.mtime_ns) == (found.st_size, found.st_mtime_ns)


def load(path: Path) -> dict[str, Record]:
    """Read the manifest; empty if it is missing or cannot be understood."""
    try:
        data = json.loads(path.read_bytes())
        if data["version"] != _VERSION:
            return {}
        return {name: _record(row) for name, row in data["files"].items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}


def save(path: Path, records: Mapping[str, Record]) -> None:
    """Write the manifest atomically, unless it says the same already. Raises OSError."""
    if records and load(path) == records:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    files = {name: astuple(records[name]) for name in sorted(records)}
    write_atomic(path, json.dumps({"version": _VERSION, "files": files}, indent=0).encode() + b"\n")


def _record(row: list[object]) -> Record:
    inputs, digest, size, mtime_ns = row
    if not (isinstance(inputs, str) and isinstance(digest, str)):
        raise TypeError
    if not (isinstance(size, int) and isinstance(mtime_ns, int)):
        raise TypeError
    return Record(inputs, digest, size, mtime_ns)
