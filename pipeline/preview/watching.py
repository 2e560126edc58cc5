"""Watches a newsletter's files: every save of what an issue is made of, told within milliseconds."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

from watchfiles import Change, DefaultFilter
from watchfiles._rust_notify import RustNotify, WatchfilesRustInternalError

if TYPE_CHECKING:
    from pipeline.settings import Settings

#: Milliseconds without a further event after which a save is told: editors make several events of one.
QUIET = 10
#: Milliseconds after which it is told though there is no end of events.
AT_MOST = 100
#: Milliseconds between two looks where the system tells nothing by itself.
POLLING = 250
#: File systems of other machines: what those do there is not told here (inotify(7), "Limitations and caveats").
REMOTE = re.compile(
    r"9p|afs|ceph|cifs|ncpfs|nfs\d?|smb\d?|smbfs|vboxsf|fuse\.(sshfs|rclone|s3fs|vmhgfs-fuse)"
)
#: What the program writes there itself, and no editor does.
OWN = frozenset({".newsletter", "public", "outbox"})
SETTINGS = "newsletter.toml"


class Kind(StrEnum):
    """What a save means for the next look."""

    #: Posts, issues, pictures: read each time anyway.
    TEXT = "text"
    #: Settings, templates: the newsletter is opened anew.
    FRAME = "frame"


class Watcher:
    """Tells of saves in a newsletter's folder, from a thread of its own, until it is stopped."""

    def __init__(
        self,
        root: Path,
        settings: Settings,
        told: Callable[[set[Kind]], None],
        note: Callable[[str], None],
        *,
        polling: bool = False,
    ) -> None:
        """Begin to watch: every save from now on is told.

        `note` is told, once, that files can only be looked at now and then;
        `polling` demands just that.
        """
        self.root, self._told, self._note = root, told, note
        #: Folders below which everything counts, and as what.
        self._folders = {
            Path(os.path.normpath(root / settings.posts.folder)): Kind.TEXT,
            root / settings.posts.static: Kind.TEXT,
            root / "issues": Kind.TEXT,
            root / "templates": Kind.FRAME,
        }
        self._counts = DefaultFilter()
        self._lock = Lock()
        self._demanded, self._polling = polling, False
        self._stopped = False
        self._watches: list[_Watch] = []
        self._begin()

    def stop(self) -> None:
        """Tell nothing any more."""
        with self._lock:
            self._stopped = True
            self._end()

    def _begin(self) -> None:
        """Watch the folders there are with all below them, and the places where others could appear."""
        near = {self.root, *(_standing(folder.parent) for folder in self._folders)}
        below = {folder for folder in self._folders if folder.is_dir()}
        self._watches = [self._watch(near, self._saw_near, recursive=False)]
        if below:
            self._watches.append(self._watch(below, self._saw_below, recursive=True))

    def _end(self) -> None:
        for each in self._watches:
            each.stop.set()

    def _saw_near(self, paths: set[Path]) -> None:
        come = any(folder.is_relative_to(path) for path in paths for folder in self._folders)
        if come:
            # A folder that came, went or was exchanged is another one to the system, whatever its name.
            with self._lock:
                if not self._stopped:
                    self._end()
                    self._begin()
            self._told({Kind.TEXT, Kind.FRAME})
        elif self.root / SETTINGS in paths:
            self._told({Kind.FRAME})

    def _saw_below(self, paths: set[Path]) -> None:
        kinds = {kind for path in paths if (kind := self._kind(path))}
        if kinds:
            self._told(kinds)

    def _kind(self, path: Path) -> Kind | None:
        if path.is_relative_to(self.root) and path.relative_to(self.root).parts[:1] in {
            (own,) for own in OWN
        }:
            return None
        above = [folder for folder in self._folders if path.is_relative_to(folder)]
        return self._folders[max(above, key=lambda folder: len(folder.parts))] if above else None

    def _watch(self, places: Iterable[Path], saw: Callable[[set[Path]], None], *, recursive: bool) -> _Watch:
        names = sorted(map(str, places))
        polling = self._demanded or self._polling or any(map(remote, names))
        try:
            notify = RustNotify(names, False, polling, POLLING, recursive, True)
        except (OSError, WatchfilesRustInternalError):
            # Out of inotify watches, or a system without any such thing.
            polling = True
            notify = RustNotify(names, False, True, POLLING, recursive, True)
        if polling and not self._polling:
            self._polling = True
            self._note(f"This system does not tell of saves here, so files are looked at every {POLLING} ms.")
        return _Watch(notify, saw, self._counts)


class _Watch:
    """One set of places under watch, and the thread that waits for what happens there."""

    def __init__(
        self, notify: RustNotify, saw: Callable[[set[Path]], None], counts: Callable[[Change, str], bool]
    ) -> None:
        self.stop = Event()
        self._notify, self._saw, self._counts = notify, saw, counts
        Thread(target=self._run, name="watch", daemon=True).start()

    def _run(self) -> None:
        with self._notify:
            while True:
                found = self._notify.watch(AT_MOST, QUIET, 0, self.stop)
                if self.stop.is_set() or isinstance(found, str):
                    return
                paths = {Path(path) for change, path in found if self._counts(Change(change), path)}
                if paths:
                    self._saw(paths)


def _standing(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that is there."""
    return next((place for place in (folder, *folder.parents) if place.is_dir()), Path("/"))


def remote(place: str) -> bool:
    """Tell whether a place is on a file system whose changes elsewhere are not told here."""
    found = ("", "")
    with suppress(OSError):
        for line in Path("/proc/self/mounts").read_text("utf-8", "replace").splitlines():
            _, mounted, kind, *_ = line.split(" ")
            mounted = mounted.replace("\\040", " ")
            if Path(place).is_relative_to(mounted) and len(mounted) >= len(found[0]):
                found = (mounted, kind)
    return REMOTE.fullmatch(found[1]) is not None
