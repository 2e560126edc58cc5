"""Files that the site takes over as they are, and the rules for every path in public/."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from unicodedata import normalize

from pipeline.errors import PublishError
from pipeline.model import Post, SiteFile
from pipeline.render.site.inputs import digest

if TYPE_CHECKING:
    from pipeline.render.addresses import Addresses

#: Largest picture or other file that is published. Static hosts refuse from 25 MB on (Cloudflare Pages).
MAX_BYTES = 25 * 1000 * 1000
#: What no path holds: a separator on some systems, control characters, bytes that were no UTF-8.
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f\\\ud800-\udfff]")


def attachments(posts: Iterable[Post], addresses: Addresses, root: Path) -> list[SiteFile]:
    """Return the pictures and files that posts point to, each once, in order of path."""
    found: dict[str, str] = {}
    for post in posts:
        targets = [(target, image) for target in post.references for image in (True, False)]
        if post.image:
            targets.append((post.image, True))
        for target, image in targets:
            resolved = addresses.resolve(post, target, image=image)
            if resolved.ok and resolved.target:
                found.setdefault(normalize("NFC", resolved.target), resolved.file)
    return [copied(root, file, target) for target, file in sorted(found.items())]


def static_files(root: Path, folder: str) -> list[SiteFile]:
    """Return everything in the static folder, in order of path; dot files and links that lead out are left."""
    home = root / folder
    inside = home.resolve()
    found = []
    for here, folders, names in os.walk(home):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(here, name)
            if name.startswith(".") or not path.resolve().is_relative_to(inside) or not path.is_file():
                continue
            target = normalize("NFC", path.relative_to(home).as_posix())
            found.append(copied(root, path.relative_to(root).as_posix(), target))
    return found


@dataclass(frozen=True, slots=True)
class Copy:
    """Reads a file that is taken over as it is, when it is asked to."""

    root: Path
    #: Relative to the newsletter's folder.
    file: str

    def __call__(self) -> bytes:
        """Return the file's bytes. Raises PublishError if it has gone or grown."""
        try:
            with (self.root / self.file).open("rb") as stream:
                data = stream.read(MAX_BYTES + 1)
        except OSError as fault:
            raise PublishError(f"cannot be read: {fault.strerror}", path=self.file) from fault
        if len(data) > MAX_BYTES:
            raise PublishError("grew while the site was built. Run the command again.", path=self.file)
        return data


def copied(root: Path, file: str, target: str) -> SiteFile:
    """Return a file that is taken over as it is; known again by its size and times, so it is not read here."""
    file = _as_on_disk(root, file)
    try:
        status = (root / file).stat()
    except OSError as fault:
        raise PublishError(f"cannot be read: {fault.strerror}", path=file) from fault
    if status.st_size > MAX_BYTES:
        raise PublishError(
            f"is {status.st_size / 1e6:.0f} MB; files up to {MAX_BYTES // 1_000_000} MB are published. "
            "Make it smaller, or keep it elsewhere and link to it.",
            path=file,
        )
    # The change time moves with every write, also where a tool puts the old modification time back.
    inputs = digest("copy", file, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    return SiteFile(target, inputs, Copy(root, file))


def _as_on_disk(root: Path, file: str) -> str:
    """Return the spelling of a name that is there: links are composed (NFC), names that macOS made are not."""
    forms = (file, normalize("NFC", file), normalize("NFD", file))
    return next((form for form in forms if (root / form).exists()), file)


def merged(files: Iterable[SiteFile]) -> list[SiteFile]:
    """Return the files with each path once; the same file taken over twice is one.

    Raises PublishError where two files want one place, also on a file system
    that does not tell "A" from "a", or where a path would leave public/.
    """
    places: dict[str, SiteFile] = {}
    for each in files:
        if not _inside(each.path):
            raise PublishError(f"{each.path!r} is no path in the public folder", path=_origin(each))
        other = places.setdefault(_folded(each.path), each)
        if (other.path, other.inputs) != (each.path, each.inputs):
            raise _clash(each, other)
    for place, each in places.items():
        parts = place.split("/")
        for length in range(1, len(parts)):
            above = places.get("/".join(parts[:length]))
            if above is not None:
                raise _clash(above, each)
    return list(places.values())


def _inside(path: str) -> bool:
    """Tell whether a path stays in public/ on every system."""
    unclean = any(part in ("", ".", "..") for part in path.split("/"))
    return not unclean and not _FORBIDDEN.search(path)


def _folded(path: str) -> str:
    return normalize("NFC", normalize("NFKC", path).casefold())


def _origin(file: SiteFile) -> str:
    return file.make.file if isinstance(file.make, Copy) else ""


def _clash(one: SiteFile, other: SiteFile) -> PublishError:
    second = _origin(other) or f"the site's own {other.path}"
    return PublishError(
        f"would lie at {one.path} in the public folder, where {second} goes. Rename the file.",
        path=_origin(one) or one.path,
    )
