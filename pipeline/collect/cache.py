"""Remembers what each post's file held, so that only changed files are read again.

One JSON file in `.newsletter/cache/`. It is never needed: where it is missing,
damaged, or made by other code or settings, every file is read; where it cannot
be written, nothing is said.
"""

from __future__ import annotations

import gc
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import fields
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from pipeline import __version__
from pipeline.model import Finding, Fingerprint, Post, Severity, Unreadable

#: What a file held; None for one that is no post.
Held = Post | Unreadable | None
#: Size, mtime and ctime in nanoseconds, inode: any change of a file changes one of them.
Stamp = tuple[int, int, int, int]

_SECOND = 1_000_000_000

_FIELDS = tuple(field.name for field in fields(Post))


class Cache:
    """What one folder's files held when they were last read, by path relative to the folder."""

    def __init__(self, file: Path, made_with: Mapping[str, object]) -> None:
        """Open the cache in `file`; entries count only if they were `made_with` the same settings."""
        self.file = file
        self.key = sha256(json.dumps([made_with, _code()], sort_keys=True).encode()).hexdigest()
        self.entries: dict[str, list[Any]] = self._load()

    def get(self, name: str, stamp: Stamp) -> tuple[bool, Held]:
        """Return whether the file is known as it stands, and what it held."""
        entry = self.entries.get(name)
        if entry is None or tuple(entry[0]) != stamp:
            return False, None
        return True, _unpack(entry[1])

    def save(self, found: Mapping[str, tuple[Stamp, Held]], read_at: int) -> None:
        """Keep `found`, read no earlier than `read_at` (nanoseconds of the epoch); all else is forgotten.

        Written beside and renamed. A folder that cannot be written is left alone.
        """
        entries: dict[str, object] = {}
        for name, (stamp, held) in found.items():
            if not (_racy(stamp[1], read_at) or _racy(stamp[2], read_at)):
                known = self.entries.get(name)
                entries[name] = known if known and tuple(known[0]) == stamp else (stamp, _pack(held))
        data = json.dumps({"key": self.key, "entries": entries}, separators=(",", ":")).encode()
        with suppress(OSError):
            self.file.parent.mkdir(parents=True, exist_ok=True)
            handle, beside = tempfile.mkstemp(prefix=self.file.name, dir=self.file.parent)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(data)
                Path(beside).replace(self.file)
            except BaseException:
                Path(beside).unlink()
                raise

    def _load(self) -> dict[str, list[Any]]:
        try:
            stored = json.loads(self.file.read_bytes())
            entries = stored["entries"] if stored["key"] == self.key else {}
            return entries if isinstance(entries, dict) else {}
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return {}


def _racy(changed: int, read_at: int) -> bool:
    """Return whether a file changed so shortly before it was read that it could change once more unseen.

    That is within one tick of its file system's clock: two seconds at worst
    (FAT), and a few milliseconds where times have parts of a second.
    """
    tick = _SECOND // 10 if changed % _SECOND else 2 * _SECOND
    return changed >= read_at - tick


@contextmanager
def kept_for_long() -> Iterator[None]:
    """Spare the garbage collector what is made meanwhile: a great many small objects, none of them garbage.

    Looking through all of an archive's posts again and again would double the time of reading it.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _code() -> list[object]:
    """Return what tells this code from other code: its version, and its files' sizes and times."""
    here = Path(__file__).parent
    sources = sorted([*here.glob("*.py"), *here.with_name("frontmatter").glob("*.py")])
    with suppress(OSError):
        return [
            __version__,
            [[file.name, (stat := file.stat()).st_size, stat.st_mtime_ns] for file in sources],
        ]
    return [__version__]


def _pack(held: Held) -> list[object] | None:
    if held is None:
        return None
    if isinstance(held, Unreadable):
        return [held.path, held.line, held.why]
    packed: list[object] = [getattr(held, name) for name in _FIELDS]
    packed[_FINGERPRINT] = [held.fingerprint.exact, held.fingerprint.sketch]
    for name in ("published", "updated", "expires"):
        moment = getattr(held, name)
        packed[_AT[name]] = moment.isoformat() if moment else None
    packed[_AT["findings"]] = [
        [note.id, note.severity.value, note.message, note.path, note.line, note.fix] for note in held.findings
    ]
    return packed


_AT = {name: place for place, name in enumerate(_FIELDS)}
_FINGERPRINT, _FINDINGS = _AT["fingerprint"], _AT["findings"]
_MOMENTS = tuple(_AT[name] for name in ("published", "updated", "expires"))
_TUPLES = tuple(_AT[name] for name in ("authors", "tags", "references"))
_SEVERITIES = {severity.value: severity for severity in Severity}


def _unpack(packed: list[Any] | None) -> Held:
    if packed is None:
        return None
    if len(packed) != len(_FIELDS):
        return Unreadable(*packed)
    values = packed.copy()
    values[_FINGERPRINT] = Fingerprint(*values[_FINGERPRINT])
    for place in _MOMENTS:
        if values[place]:
            values[place] = datetime.fromisoformat(values[place])
    for place in _TUPLES:
        values[place] = tuple(values[place])
    values[_FINDINGS] = tuple(
        Finding(which, _SEVERITIES[severity], *rest) for which, severity, *rest in values[_FINDINGS]
    )
    return Post(*values)
