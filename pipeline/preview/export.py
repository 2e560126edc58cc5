"""The preview as a folder of files: every view, scheme and switch, without a server, to attach to a pull request.

The same state gives the same bytes. One switch at a time: all combinations
would be thousands of pages that nobody opens.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from mimetypes import guess_type
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pipeline.errors import Refused
from pipeline.papers import variant_folder
from pipeline.preview import sample
from pipeline.preview.choices import exported, part_of, with_part
from pipeline.preview.frames import WHOLE, frame_html
from pipeline.preview.options import READERS, SCHEMES, VIEWS, WIDTHS, Options
from pipeline.preview.page import message_name, page_html
from pipeline.preview.switches import ADDRESSED, PICTURED
from pipeline.preview.templating import asset

if TYPE_CHECKING:
    from pipeline.preview.state import Look, State

#: Lists what an export wrote, so that the next one may write over it, and over nothing else.
LIST = "preview-files.txt"
#: A folder that is opened from a disk has no origin of its own, so `file:` is named beside 'self'.
_NOWHERE = "default-src 'none'; form-action 'none'; base-uri 'none'"
PAGE_POLICY = f"{_NOWHERE}; style-src 'self' file:; frame-src 'self' file:; img-src data:"
FRAME_POLICY = f"{_NOWHERE}; style-src 'unsafe-inline'; img-src 'self' file: data:"
#: Switches of which one at a time is set.
_SINGLE = ("width", "images", "style", "zoom", "reader", "categories")
_USUAL = Options()


def export(state: State, folder: Path) -> tuple[str, ...]:
    """Write the preview of a state into a folder; return the names of its files.

    Raises Refused if the folder holds anything but an earlier export.
    """
    _demand_ours(folder)
    made = dict(_files(state))
    for name in _listed(folder):
        (folder / name).unlink(missing_ok=True)
    names = tuple(sorted([*made, LIST]))
    made[LIST] = "".join(f"{name}\n" for name in names).encode()
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(made[name])
    return names


@dataclass(frozen=True, slots=True)
class Folder:
    """Addresses for the links of one exported page."""

    #: How that page looks at the issue.
    current: Options

    def page(self, options: Options) -> str:
        return quote(page_name(_nearest(options, self.current)))

    def frame(self, options: Options) -> str:
        return quote(frame_name(options))

    def source(self, path: str, line: int | None) -> str:  # noqa: ARG002 -- the files themselves are not exported
        return ""

    def message(self, name: str, look: Look, options: Options) -> str:  # noqa: ARG002 -- it is a file here
        return quote(name)

    def asset(self, name: str) -> str:
        return name


def page_name(options: Options) -> str:
    """Return the file of one way of looking: "index.html", "web-dark.html", "html-light-375.html"."""
    name = "-".join([options.view, options.scheme, *_set(options)])
    return "index.html" if options == _USUAL else f"{name}.html"


def frame_name(options: Options) -> str:
    """Return the file of its frame; all widths share one."""
    options = replace(options, width=_USUAL.width)
    if options.view in WHOLE:
        options = replace(options, categories="")
    return f"frames/{'-'.join([options.view, options.scheme, *_set(options)])}.html"


def _set(options: Options) -> Iterator[str]:
    """Yield words for the switches that are set."""
    if options.width != _USUAL.width:
        yield options.width
    if not options.images:
        yield "no-images"
    if not options.style:
        yield "no-style"
    if options.zoom != _USUAL.zoom:
        yield "large"
    if options.reader != _USUAL.reader:
        yield f"{options.reader}-name"
    if options.categories:
        yield f"for-{variant_folder(options.categories)}"


def all_options(variants: Sequence[str] = ()) -> Iterator[Options]:
    """Yield every way of looking that is exported; `variants` are those that have pages."""
    for view in VIEWS:
        for scheme in SCHEMES if view == "html" else SCHEMES[:2]:
            usual = Options(view=view, scheme=scheme)
            yield usual
            for field, value in [*_changes(view), *(("categories", name) for name in variants)]:
                yield _with(usual, field, value)


def _changes(view: str) -> Iterator[tuple[str, Any]]:
    """Yield the switches that a view has, each as it can be set."""
    yield from (("width", width) for width in WIDTHS[1:])
    yield "zoom", 200
    if view in PICTURED:
        yield "images", False
    if view == "html":
        yield "style", False
    if view in ADDRESSED:
        yield from (("reader", reader) for reader in READERS[1:])


def _nearest(options: Options, current: Options) -> Options:
    """Return the exported way of looking that comes next to what a link wants: what it changes stays changed."""
    options = replace(options, scheme=options.colours)
    known = {field for field, _ in _changes(options.view)} | {"categories"}
    different = [name for name in _SINGLE if getattr(options, name) != getattr(_USUAL, name)]
    kept = [name for name in different if name in known]
    if len(kept) > 1:
        kept = [name for name in kept if getattr(options, name) != getattr(current, name)][:1] or kept[:1]
    for name in different:
        if name not in kept:
            options = _with(options, name, getattr(_USUAL, name))
    return options


def _with(options: Options, field: str, value: Any) -> Options:
    return replace(options, **{field: value})


# --- files -----------------------------------------------------------------------


def _files(state: State) -> Iterator[tuple[str, bytes]]:
    """Yield every file of an export."""
    yield "preview.css", asset("preview.css").encode()
    pictures = dict(_pictures(state))
    if state.look is None:
        yield "index.html", _page(state, _USUAL)
        return
    # What was not copied is blocked like any other picture.
    shown = {url: state.look.files[url] for url in pictures}
    state = replace(state, look=replace(state.look, files=shown))
    names = {url: f"files/{name}" for url, (name, _) in pictures.items()}
    variants = exported(state)
    for options in all_options(variants):
        theirs = _for(state, options.categories)
        yield page_name(options), _page(theirs, options)
        if options.width == _USUAL.width and not (options.categories and options.view in WHOLE):
            yield frame_name(options), _frame(theirs, options, names)
    yield from ((f"files/{name}", data) for name, data in pictures.values())
    for name in ("", *variants):
        theirs = _for(state, name)
        if theirs.shown is not None:
            for reader in READERS:
                yield message_name(theirs, reader), sample.copy(theirs.shown.frozen, reader).data


def _for(state: State, variant: str) -> State:
    """Return the state in which a variant is looked at."""
    return with_part(state, part_of(state, variant)) if variant else state


def _page(state: State, options: Options) -> bytes:
    places = Folder(options)
    page = page_html(state, options, token="", live=False, places=places, policy=PAGE_POLICY)
    return _unrooted(state, page)


def _frame(state: State, options: Options, names: dict[str, str]) -> bytes:
    def find(url: str) -> str:
        return f"../{quote(names[url])}"

    return _unrooted(state, frame_html(state, options, find=find, policy=FRAME_POLICY))


def _unrooted(state: State, text: str) -> bytes:
    """Return a page's bytes; where this machine keeps the newsletter is nobody's business."""
    return text.replace(f"{state.root}/", "").encode()


def _pictures(state: State) -> Iterator[tuple[str, tuple[str, bytes]]]:
    """Yield our own pictures by address, each with a name that its bytes give it."""
    files = state.look.files if state.look else {}
    for url, path in sorted(files.items()):
        file = state.root / path
        if (guess_type(path)[0] or "").startswith("image/") and file.is_file():
            data = file.read_bytes()
            yield url, (f"{sha256(data).hexdigest()[:16]}{file.suffix.lower()}", data)


def _listed(folder: Path) -> list[str]:
    """Return what an earlier export wrote into a folder and is still there."""
    there = _there(folder)
    return [name for name in _names(folder) if name in there]


def _names(folder: Path) -> list[str]:
    """Return what an earlier export says that it wrote."""
    try:
        return (folder / LIST).read_text("utf-8").splitlines()
    except (OSError, ValueError):
        return []


def _there(folder: Path) -> set[str]:
    if not folder.is_dir():
        return set()
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if not path.is_dir() or path.is_symlink()
    }


def _strangers(folder: Path) -> set[str]:
    """Return what no export wrote; its own top level first, for a whole disk may hang below that."""
    if not folder.is_dir():
        return set()
    homes = {name.partition("/")[0] for name in _names(folder)}
    return {path.name for path in folder.iterdir()} - homes or _there(folder) - set(_names(folder))


def _demand_ours(folder: Path) -> None:
    """Raise Refused unless a folder is empty, not there yet, or holds an earlier export and nothing else."""
    if folder.exists() and not folder.is_dir():
        raise Refused(f"{folder} is a file. Name a folder for the preview.")
    others = sorted(_strangers(folder))
    if others:
        raise Refused(
            f"{folder} holds other things ({others[0]}), which an export could spoil. Name a new or an empty folder."
        )
