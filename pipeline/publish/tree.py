"""Publishes the site: a run killed anywhere leaves the old site or the new one, never half.

    plan      compare what is wanted with what stands; stage what differs
    beside    build the next tree from the stage and links, exchange the two trees at once
    inplace   where that cannot be (a mount point, a closed parent): file by file, with a journal
    manifest  remember what each file was made from

Whoever has the public folder itself open (a shell in it, a container that
mounts it) holds the old tree after an exchange, and has to open it again.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import PublishError
from pipeline.model import SiteFile
from pipeline.publish import beside, inplace, manifest
from pipeline.publish.lock import locked
from pipeline.publish.paths import Standing, demand_safe
from pipeline.publish.plan import Plan, Stage, make_plan


@dataclass(frozen=True, slots=True)
class Published:
    """What a run did to the public folder."""

    written: int
    unchanged: int
    removed: int
    #: Paths written, then paths removed, relative to public/.
    changed: tuple[str, ...] = ()


def publish(
    public: Path, files: Sequence[SiteFile], manifest_path: Path, keep: Sequence[str] = ()
) -> Published:
    """Make `public` hold `files`, touching only what differs, and remember them in the manifest.

    Our stale files go, with folders that they leave empty, except those that a
    glob of `keep` names. Files of others (CNAME, .git) stay as they are.
    A symbolic link at `public` is followed, one inside it never.
    Raises PublishError; the old site stands, except where a folder is changed file by file and the
    message says that the next run completes it.
    """
    demand_safe([file.path for file in files])
    public = Path(os.path.realpath(public))
    try:
        with locked(manifest_path.parent / "publish.lock"):
            return _publish(public, files, manifest_path, keep)
    except OSError as fault:
        begun = _journal(manifest_path).exists()
        raise PublishError(_advice(fault, public, begun)) from fault


def _publish(public: Path, files: Sequence[SiteFile], memory: Path, keep: Sequence[str]) -> Published:
    journal = _journal(memory)
    public.parent.mkdir(parents=True, exist_ok=True)
    beside.heal(public)
    inplace.heal(public, journal)
    if os.path.lexists(public) and not public.is_dir():
        raise PublishError(f"{public.name} is a file, and the site needs a folder there; move it away")
    records, standing = manifest.load(memory), Standing(public)
    plan = None
    if not public.exists() or _exchangeable(public):
        try:
            plan = make_plan(standing, files, records, keep, Stage(beside.next_of(public)))
            if plan.changes:
                beside.put_in_place(public, plan)
        except beside.CannotExchangeError:
            plan = None
        finally:
            beside.clear(public)
    if plan is None:
        try:
            plan = make_plan(standing, files, records, keep, Stage(inplace.stage_of(public)))
            if plan.changes:
                inplace.put_in_place(public, plan, journal)
        finally:
            if not journal.exists():
                inplace.clear(public)
    return _remember(plan, records, memory)


def _exchangeable(public: Path) -> bool:
    """False where two renames beside each other cannot work; what this misses, the exchange itself says."""
    return not os.path.ismount(public) and os.access(public.parent, os.W_OK | os.X_OK)


def _journal(memory: Path) -> Path:
    return memory.parent / "publish.journal"


def _remember(plan: Plan, records: dict[str, manifest.Record], memory: Path) -> Published:
    if plan.records != records:
        # The site is in place by now; a memory that cannot be written costs the next run time, no more.
        with contextlib.suppress(OSError):
            manifest.save(memory, plan.records)
    return Published(
        written=len(plan.written),
        unchanged=plan.unchanged,
        removed=len(plan.removed),
        changed=(*plan.written, *plan.removed),
    )


def _advice(fault: OSError, public: Path, begun: bool) -> str:
    """Say what to do about what the operating system said."""
    what = {
        errno.ENOSPC: "the disk is full: free some space",
        errno.EDQUOT: "the disk quota is used up: free some space",
        errno.EFBIG: "a file is larger than this process may write: raise its limit",
        errno.EACCES: "it may not be written: give this user the right to",
        errno.EPERM: "it may not be written: give this user the right to",
        errno.EROFS: "it is on a read-only file system: make it writable",
        errno.EIO: "the disk reports an error: look at its health before anything else",
        errno.ENAMETOOLONG: "a page's address is too long for a file name: shorten its slug",
    }.get(fault.errno or 0, f"{fault.strerror or fault}: mend that")
    stands = "Part of the new site stands; the next run completes it." if begun else "The old site stands."
    return f"{public.name}/ could not be published: {what}, then run this again. {stands}"
