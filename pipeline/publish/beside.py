"""Puts the next tree beside the standing one and exchanges the two: readers see the old site or the new.

The next tree begins as the stage, which holds what changed. All else is
linked in from the standing tree, so unchanged files, and files that are not
ours, keep their inode, their bytes and their times.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from pathlib import Path

from pipeline.atomic import sync_folder
from pipeline.errors import PublishError
from pipeline.publish.disk import exchange, sync_tree
from pipeline.publish.plan import Plan


class CannotExchangeError(Exception):
    """This folder can only be changed file by file."""


def next_of(public: Path) -> Path:
    """Where the next tree is built, and where the old one is after the exchange."""
    return public.parent / f".{public.name}.next"


def _old_of(public: Path) -> Path:
    """Where the old tree is between two renames; always whole."""
    return public.parent / f".{public.name}.old"


def _gone_of(public: Path) -> Path:
    """A whole old tree on its way out; may be half removed."""
    return public.parent / f".{public.name}.gone"


def heal(public: Path) -> None:
    """Put right what a killed run left: finish between its two renames, throw away what was half built."""
    old, following = _old_of(public), next_of(public)
    if not os.path.lexists(public) and old.is_dir():
        # The old tree steps aside only once the next is whole and synced.
        (following if following.is_dir() else old).rename(public)
        sync_folder(public.parent)
    clear(public)


def clear(public: Path) -> None:
    """Remove what lies beside a standing tree. What cannot be removed waits for the next run."""
    _remove(_gone_of(public))
    with contextlib.suppress(OSError):
        if os.path.lexists(public):
            _old_of(public).rename(_gone_of(public))
    _remove(_gone_of(public))
    _remove(next_of(public))


def _remove(path: Path) -> None:
    if path.is_symlink():
        path.unlink()
    shutil.rmtree(path, ignore_errors=True)


def put_in_place(public: Path, plan: Plan) -> None:
    """Complete the staged tree and exchange it with the standing one.

    Raises CannotExchangeError before anything is changed if this folder cannot be exchanged.
    """
    following = next_of(public)
    following.mkdir(exist_ok=True)
    if not public.exists():
        sync_tree(following)
        following.rename(public)
        sync_folder(public.parent)
        return
    _Carrier(public, following, plan).carry("")
    sync_tree(following)
    try:
        if not exchange(following, public):
            _step_aside(public, following)
    except OSError as fault:
        if fault.errno in (errno.EBUSY, errno.EXDEV, errno.EPERM, errno.EACCES) and os.path.lexists(public):
            raise CannotExchangeError from fault
        raise
    sync_folder(public.parent)


def _step_aside(public: Path, following: Path) -> None:
    """Exchange by two renames. Between them there is no site: the one such moment, healed by the next run."""
    public.rename(_old_of(public))
    try:
        following.rename(public)
    except OSError:
        _old_of(public).rename(public)
        raise


class _Carrier:
    """Links into the next tree all that stays."""

    def __init__(self, public: Path, following: Path, plan: Plan) -> None:
        self._old, self._new = str(public), str(following)
        self._device = os.lstat(public).st_dev
        self._replaced = plan.written.keys()
        self._dropped = {*plan.written, *plan.removed}

    def carry(self, folder: str) -> bool:
        """Carry one folder over; False if all that it held has gone, and it with it."""
        if folder in self._replaced:
            self._demand_empty(folder)
            return False
        old, new = f"{self._old}/{folder}", f"{self._new}/{folder}"
        if os.lstat(old).st_dev != self._device:
            raise CannotExchangeError  # another file system is mounted in here
        Path(new).mkdir(parents=True, exist_ok=True)
        dropped = stays = False
        with os.scandir(old) as entries:
            for entry in entries:
                path = f"{folder}/{entry.name}" if folder else entry.name
                if self._carry_one(path, entry.is_dir(follow_symlinks=False)):
                    stays = True
                else:
                    dropped = True
        if folder and dropped and not stays:
            with contextlib.suppress(OSError):  # what was staged may stand in it
                Path(new).rmdir()
                return False
        with contextlib.suppress(PermissionError):
            found = os.lstat(old)
            os.chown(new, found.st_uid, found.st_gid)
        shutil.copystat(old, new)
        return True

    def _carry_one(self, path: str, is_folder: bool) -> bool:
        if is_folder:
            return self.carry(path)
        # What stands in the next tree already replaces it: a page, our list, a folder in place of a file.
        if path in self._dropped or os.path.lexists(f"{self._new}/{path}"):
            return False
        self._link(path)
        return True

    def _demand_empty(self, folder: str) -> None:
        for place, _, names in os.walk(f"{self._old}/{folder}"):
            inner = os.path.relpath(place, self._old).replace(os.sep, "/")
            if any(f"{inner}/{name}" not in self._dropped for name in names):
                raise PublishError(
                    f"a page has to stand where the public folder has the folder {folder}/ with other files in it. "
                    "Move them away, then run this again.",
                    path=folder,
                )

    def _link(self, path: str) -> None:
        new, old = f"{self._new}/{path}", f"{self._old}/{path}"
        try:
            os.link(old, new, follow_symlinks=False)
        except OSError as fault:
            if fault.errno == errno.EXDEV:
                raise CannotExchangeError from fault  # a mount point, by another name
            if fault.errno in (errno.ENOSPC, errno.EIO, errno.EDQUOT):
                raise
            try:  # a file system without hard links, or a file of somebody else's
                shutil.copy2(old, new, follow_symlinks=False)
            except PermissionError as refused:
                raise CannotExchangeError from refused
