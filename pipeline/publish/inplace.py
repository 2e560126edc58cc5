"""Changes a folder that cannot be exchanged (a mount point, a closed parent) file by file.

The weaker promise: every file is its old self or its new self, never a part,
but a reader may meet both kinds for a moment. Pages and images come first,
then what links to them (the front page, the feeds), and stale pages go last.
A journal is written before the first change, so that a killed run is
completed by the next one, whatever that one is about to publish.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline.atomic import sync_folder, write_atomic
from pipeline.errors import PublishError
from pipeline.publish.disk import sync_tree
from pipeline.publish.paths import INSIDE, LIST, Standing, parents, safe
from pipeline.publish.plan import Plan


def stage_of(public: Path) -> Path:
    """Where changed files wait: inside, because only there are they on the same file system."""
    return public / INSIDE


def put_in_place(public: Path, plan: Plan, journal: Path) -> None:
    """Write down what will be done, then do it."""
    stage = stage_of(public)
    _demand_room(public, plan)
    moves = sorted(plan.written, key=lambda path: (_links(path), plan.written[path], path))
    moves += [LIST] if plan.relisted else []
    if moves:
        sync_tree(stage)
    steps = {"public": str(public), "move": moves, "remove": plan.removed}
    write_atomic(journal, json.dumps(steps, indent=0).encode())
    _complete(public, steps)
    journal.unlink(missing_ok=True)
    clear(public)


def heal(public: Path, journal: Path) -> None:
    """Complete what a killed run had written down; throw away what it had only begun to stage."""
    with contextlib.suppress(FileNotFoundError, ValueError, TypeError, KeyError):
        steps = json.loads(journal.read_bytes())
        if steps["public"] == str(public) and all(map(_listed, (*steps["move"], *steps["remove"]))):
            _complete(public, steps)
    journal.unlink(missing_ok=True)
    clear(public)


def clear(public: Path) -> None:
    """Remove the stage."""
    if not stage_of(public).is_symlink():
        shutil.rmtree(stage_of(public), ignore_errors=True)


def _listed(path: object) -> bool:
    return isinstance(path, str) and (path == LIST or safe(path))


def _links(path: str) -> bool:
    """True for what leads readers to other files, and so comes after them."""
    return path == "index.html" or path.startswith("feeds/")


def _complete(public: Path, steps: Mapping[str, Sequence[str]]) -> None:
    """Do every step that is still to be done; may be called again after a kill."""
    stage, touched = stage_of(public), {public}
    fresh = set(steps["move"])
    # A stale file that stands where a folder is needed, or in a folder where a file is needed, cannot wait.
    early = [path for path in steps["remove"] if not fresh.isdisjoint(parents(path))]
    for path in early:
        _drop(public, path, touched)
    for path in steps["move"]:
        if os.path.lexists(stage / path):
            _make_way(public, path, touched)
            (stage / path).replace(public / path)
            touched.add((public / path).parent)
    for path in steps["remove"]:
        _drop(public, path, touched)
    for folder in sorted(touched):
        if folder.is_dir():
            sync_folder(folder)


def _make_way(public: Path, path: str, touched: set[Path]) -> None:
    """Make the folders above a file; a file or a link in their place goes, what a link led to stays."""
    for folder in parents(path):
        place = public / folder
        if place.is_symlink() or (place.exists() and not place.is_dir()):
            place.unlink()
        if not place.exists():
            place.mkdir()
            touched.add(place.parent)
    if (public / path).is_dir() and not (public / path).is_symlink():
        (public / path).rmdir()


def _drop(public: Path, path: str, touched: set[Path]) -> None:
    if Standing(public).file(path) is None:
        return
    (public / path).unlink()
    touched.add((public / path).parent)
    for folder in reversed(parents(path)):
        try:
            (public / folder).rmdir()
        except OSError:
            return
        touched.add((public / folder).parent)


def _demand_room(public: Path, plan: Plan) -> None:
    """Refuse, before anything is changed, a page in the place of a folder that holds other files."""
    for path in plan.written:
        place = public / path
        if place.is_symlink() or not place.is_dir():
            continue
        for folder, _, names in os.walk(place):
            inner = Path(folder).relative_to(public).as_posix()
            if any(f"{inner}/{name}" not in plan.removed for name in names):
                raise PublishError(
                    f"a page has to stand where the public folder has the folder {path}/ with other files in it. "
                    "Move them away, then run this again.",
                    path=path,
                )
