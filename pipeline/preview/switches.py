"""The links above the frame: which view, and what is switched on in it; without a script as with one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.preview.options import Options
    from pipeline.preview.places import Places


@dataclass(frozen=True, slots=True)
class Switch:
    """One link."""

    text: str
    href: str
    on: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Switches of one kind, side by side."""

    name: str
    switches: tuple[Switch, ...]


_VIEWS = {
    "html": "HTML",
    "text": "Text",
    "web": "Web page",
    "feed": "Feed entry",
    "source": "Source",
    "outline": "Outline",
}
_WIDTHS = {"320": "320", "375": "375", "600": "600", "full": "Full"}
_SCHEMES = {"light": "Light", "dark": "Dark (ours)", "forced": "Dark (forced)"}
_READERS = {"short": "Short name", "long": "Long name", "none": "No name"}
#: Views whose text a reader's name can stand in, that have pictures, and that are a page of the newsletter's.
ADDRESSED = frozenset({"html", "text", "source"})
PICTURED = frozenset({"html", "web", "feed"})


def views(options: Options, places: Places) -> Group:
    """Return the six views."""
    return _group("View", "view", _VIEWS, options, places)


def groups(options: Options, places: Places) -> list[Group]:
    """Return the switches that change something in this view."""
    view = options.view
    schemes = _SCHEMES if view == "html" else {"light": "Light", "dark": "Dark"}
    made = [
        _group("Width", "width", _WIDTHS, options, places),
        _group("Colours", "scheme", schemes, replace(options, scheme=options.colours), places),
    ]
    made.append(Group("Client", tuple(_flips(options, places))))
    if view in ADDRESSED:
        made.append(_group("Sample reader", "reader", _READERS, options, places))
    return made


def _flips(options: Options, places: Places) -> Iterator[Switch]:
    """Yield those that are on or off by themselves."""
    if options.view in PICTURED:
        yield _flip("Images off", options, places, images=not options.images)
    if options.view == "html":
        yield _flip("No <style>", options, places, style=not options.style)
    yield _flip("Text 200%", options, places, zoom=100 if options.zoom == 200 else 200)


def _flip(text: str, options: Options, places: Places, **change: Any) -> Switch:
    on = change in ({"images": True}, {"style": True}, {"zoom": 100})
    return Switch(text, places.page(replace(options, **change)), on)


def _group(name: str, field: str, texts: dict[str, str], options: Options, places: Places) -> Group:
    chosen = getattr(options, field)
    return Group(
        name,
        tuple(
            Switch(text, places.page(_with(options, field, value)), value == chosen)
            for value, text in texts.items()
        ),
    )


def _with(options: Options, field: str, value: Any) -> Options:
    return replace(options, **{field: value})
