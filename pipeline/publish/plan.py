"""Decides what has to be written and removed, and puts what is written aside."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.model import SiteFile
from pipeline.publish.manifest import Record
from pipeline.publish.paths import LIST, Standing, kept


class Stage:
    """A folder where changed files wait; it is made when the first comes."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, path: str, data: bytes, old: os.stat_result | None) -> os.stat_result:
        """Write a file here, with the mode and owner of the one it replaces; not synced yet."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as file:
            file.write(data)
            if old is not None and os.name != "nt":
                with contextlib.suppress(PermissionError):
                    os.fchown(file.fileno(), old.st_uid, old.st_gid)
                os.fchmod(file.fileno(), stat.S_IMODE(old.st_mode))
        return os.lstat(target)


@dataclass
class Plan:
    """What is to become of the tree."""

    #: Path -> whether a file stands there already; their new bytes are in the stage.
    written: dict[str, bool] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)
    unchanged: int = 0
    #: The next manifest.
    records: dict[str, Record] = field(default_factory=dict)
    #: True if only the tree's own list has to be put right.
    relisted: bool = False

    @property
    def changes(self) -> bool:
        """False if the tree can stay exactly as it is."""
        return bool(self.written or self.removed or self.relisted)


def make_plan(
    standing: Standing,
    files: Sequence[SiteFile],
    records: Mapping[str, Record],
    keep: Sequence[str],
    stage: Stage,
) -> Plan:
    """Compare what is wanted with what stands, make what may differ, stage what does."""
    plan = Plan()
    for file in files:
        _settle(file, standing, records.get(file.path), stage, plan)
    wanted = {file.path for file in files}
    before = standing.ours()
    stale = (before if before is not None else set(records)) - wanted
    ours = set(wanted)
    for path in sorted(stale):
        if standing.file(path) is None:
            continue
        if kept(path, keep):
            ours.add(path)
            if path in records:
                plan.records[path] = records[path]
        else:
            plan.removed.append(path)
    if before != ours:
        listing = "".join(f"{path}\n" for path in sorted(ours)).encode()
        stage.write(LIST, listing, standing.file(LIST))
        plan.relisted = True
    return plan


def _settle(file: SiteFile, standing: Standing, record: Record | None, stage: Stage, plan: Plan) -> None:
    """Find out whether one file stands as it should; stage it if not."""
    old = standing.file(file.path)
    if old is not None and record is not None and record.inputs == file.inputs and record.fits(old):
        plan.unchanged += 1
        plan.records[file.path] = record
        return
    data = file.make()
    if old is not None and old.st_size == len(data) and standing.read(file.path) == data:
        plan.unchanged += 1
        plan.records[file.path] = Record.of(file.inputs, data, old)
        return
    plan.written[file.path] = old is not None
    plan.records[file.path] = Record.of(file.inputs, data, stage.write(file.path, data, old))
