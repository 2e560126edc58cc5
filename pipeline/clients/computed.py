"""What an element looks like in the end: colours, the size and weight of its text, whether it is seen."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pipeline.clients.cascade import Declaration, Page
from pipeline.clients.colours import BLACK, WHITE, Colour, css_colour, html_colour
from pipeline.clients.forced_dark import LINK, MARK, dark_background, dark_text
from pipeline.clients.media import Look

#: Chromium's own colours for pages that say they are made for the dark: canvas, text, links (measured).
DARK_CANVAS, DARK_LINK = Colour(18, 18, 18), Colour(158, 158, 255)

#: Sizes by name, and of <font size> from 1 to 7, in pixels (CSS Fonts 4, 2.5; HTML, 15.3.1).
_NAMED = {
    "xx-small": 9.0,
    "x-small": 10.0,
    "small": 13.0,
    "medium": 16.0,
    "large": 18.0,
    "x-large": 24.0,
    "xx-large": 32.0,
    "xxx-large": 48.0,
}
_FONT_SIZES = (10.0, 13.0, 16.0, 18.0, 24.0, 32.0, 48.0)
#: What browsers make of elements: size in em, and bold (HTML, 15.3).
_SIZES = {
    "h1": 2.0,
    "h2": 1.5,
    "h3": 1.17,
    "h5": 0.83,
    "h6": 0.67,
    "small": 5 / 6,
    "sub": 5 / 6,
    "sup": 5 / 6,
    "big": 1.2,
}
_BOLD = frozenset({"b", "strong", "th", "h1", "h2", "h3", "h4", "h5", "h6"})
_UNSEEN = frozenset(
    {"head", "style", "script", "title", "template", "noembed", "iframe", "object", "datalist"}
)
_LENGTH = re.compile(r"(\d++(?:\.\d+)?|\.\d++)(px|pt|em|rem|%)", re.IGNORECASE)
_PIXELS = {"px": 1.0, "pt": 96 / 72, "rem": 16.0}


@dataclass(frozen=True, slots=True)
class Written:
    """Where a colour comes from."""

    #: As it is written; "" where nobody wrote it and the browser's own counts.
    value: str = ""
    #: `color`, `background-color`, or an attribute's name.
    name: str = ""
    #: The rule's selector; "" for a style attribute or an attribute of its own.
    selector: str = ""
    #: The element that has it: tag and classes.
    tag: str = ""
    classes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Looks:
    """How text inside of an element is shown."""

    colour: Colour
    #: What lies behind it, opaque.
    background: Colour
    ink: Written = Written()
    paper: Written = Written()
    #: In pixels; None if it cannot be told.
    size: float | None = 16.0
    bold: bool = False
    seen: bool = True
    #: Why the colours cannot be told: "" if they can.
    problem: str = ""


def first_looks(page: Page, look: Look, width: int) -> Looks:
    """Return what a page starts with: the browser's canvas and text."""
    if look == "forced":
        return Looks(dark_text(BLACK), dark_background(WHITE))
    if look == "dark" and _made_for_dark(page, width):
        return Looks(WHITE, DARK_CANVAS)
    return Looks(BLACK, WHITE)


def _made_for_dark(page: Page, width: int) -> bool:
    """Tell whether the page says so, in a meta element or on its root."""
    for meta in page.root.iter("meta"):
        if (meta.get("name") or "").lower() == "color-scheme" and "dark" in (
            meta.get("content") or ""
        ).lower():
            return True
    numbers = (n for n in page.matches.get(page.root, ()) if page.rules[n].counts("dark", width))
    own = page.winners(numbers, page.root.get("style") or "", ()).get("color-scheme")
    return own is not None and "dark" in own.value.lower()


class Viewer:
    """Works out, element by element, what a page looks like in one way of looking at it."""

    def __init__(self, page: Page, look: Look, width: int) -> None:
        self.page, self.look, self.width = page, look, width
        self.start = first_looks(page, look, width)
        self.link = {"light": LINK, "dark": DARK_LINK, "forced": dark_text(LINK)}[look]
        if look == "dark" and self.start.background != DARK_CANVAS:
            self.link = LINK
        self.counting = [rule.counts(look, width) for rule in page.rules]
        #: Elements that are told alike look alike: most of a mail's are.
        self.known: dict[tuple[Any, ...], Looks] = {}

    def of(self, element: Any, around: Looks) -> Looks:
        """Return how an element shows its text, inside of one that shows it like `around`."""
        numbers = self.page.matches.get(element, ())
        key = (around, element.tag, numbers, *element.attrib.values(), *element.attrib)
        if key not in self.known:
            self.known[key] = self._worked_out(element, around, numbers)
        return self.known[key]

    def _worked_out(self, element: Any, around: Looks, numbers: tuple[int, ...]) -> Looks:
        if element.tag in _UNSEEN or element.get("hidden") is not None:
            return replace(around, seen=False)
        style = element.get("style") or ""
        won = self.page.winners((n for n in numbers if self.counting[n]), style, _hints(element))
        doubtful = [n for n in numbers if self.counting[n] is None and self.page.rules[n].colours]
        mark = Written(tag=element.tag, classes=tuple((element.get("class") or "").split()))
        looks = replace(
            around,
            size=self._size(element, won, around.size),
            bold=_is_bold(element, won, around.bold),
            seen=around.seen and _is_seen(won),
            problem=around.problem or next((self._doubt(n) for n in doubtful), ""),
        )
        looks = self._inked(element, won, around, looks, mark)
        return self._papered(element, won, looks, mark)

    def _doubt(self, number: int) -> str:
        rule = self.page.rules[number]
        return f"it hangs on {rule.unresolved or '@media ' + ' and '.join(rule.media)}"

    def _inked(
        self, element: Any, won: Mapping[str, Declaration], around: Looks, looks: Looks, mark: Written
    ) -> Looks:
        """Settle the text's colour."""
        declared = won.get("-webkit-text-fill-color") or won.get("color")
        if declared is None:
            if element.tag == "a" and element.get("href") is not None:
                return replace(looks, colour=self.link, ink=mark)
            if element.tag == "mark":
                return replace(looks, colour=dark_text(BLACK) if self.look == "forced" else BLACK, ink=mark)
            return looks
        value = declared.value.lower()
        if value in ("inherit", "unset", "currentcolor"):
            return replace(looks, colour=around.colour, ink=around.ink)
        ink = replace(mark, value=declared.value, name=declared.name, selector=declared.selector)
        if value == "initial":
            return replace(looks, colour=self.start.colour, ink=ink)
        colour = (
            html_colour(declared.value) if declared.selector == _ATTRIBUTE else css_colour(declared.value)
        )
        if colour is None:
            return replace(looks, ink=ink, problem=looks.problem or f"its colour is {declared.value}")
        return replace(looks, colour=dark_text(colour) if self.look == "forced" else colour, ink=ink)

    def _papered(self, element: Any, won: Mapping[str, Declaration], looks: Looks, mark: Written) -> Looks:
        """Settle what lies behind the text."""
        problem = looks.problem
        own = won.get("background-image")
        picture = own is not None and own.value.lower() not in ("none", "initial", "unset", "inherit")
        if picture:
            problem = problem or "it lies on a picture or gradient"
        elif element.get("background"):
            problem = problem or "it lies on a picture"
        picture = picture or bool(element.get("background"))
        for name in ("mix-blend-mode", "filter"):
            if name in won and won[name].value.lower() not in ("none", "normal"):
                problem = problem or f"it hangs on {name}"
        if "opacity" in won and 0 < _fraction(won["opacity"].value) < 1:
            problem = problem or f"its opacity is {won['opacity'].value}"
        declared = won.get("background-color")
        if declared is None and element.tag == "mark":
            yellow = dark_background(MARK) if self.look == "forced" else MARK
            return replace(looks, background=yellow, paper=mark, problem=problem)
        if declared is None or declared.value.lower() in ("transparent", "initial", "unset", "inherit"):
            # Inheriting what lies behind anyway changes nothing, unless it lets through.
            return replace(looks, problem=problem)
        colour = (
            html_colour(declared.value) if declared.selector == _ATTRIBUTE else css_colour(declared.value)
        )
        paper = replace(
            mark,
            value=declared.value,
            name=declared.name,
            selector=declared.selector.removeprefix(_ATTRIBUTE),
        )
        if colour is None:
            return replace(looks, paper=paper, problem=problem or f"its background is {declared.value}")
        if colour.alpha == 0:
            return replace(looks, problem=problem)
        if colour.alpha == 1:
            problem = "" if problem.startswith("it lies on") and not picture else problem
        colour = dark_background(colour) if self.look == "forced" else colour
        return replace(looks, background=colour.over(looks.background), paper=paper, problem=problem)

    def _size(self, element: Any, won: Mapping[str, Declaration], around: float | None) -> float | None:
        declared = won.get("font-size")
        if declared is None:
            factor = _SIZES.get(element.tag, 1.0)
            return around * factor if around is not None else None
        value = declared.value.lower()
        if value in _NAMED:
            return _NAMED[value]
        if value in ("inherit", "unset"):
            return around
        found = _LENGTH.fullmatch(value)
        if value == "0":
            return 0.0
        if found is None:
            factor = {"smaller": 5 / 6, "larger": 1.2}.get(value, 0)
            return around * factor if around is not None and factor else None
        number, unit = float(found[1]), found[2]
        if unit in _PIXELS:
            return number * _PIXELS[unit]
        return around * number / (100 if unit == "%" else 1) if around is not None else None


#: Stands for a selector where an HTML attribute says it.
_ATTRIBUTE = "\0"


def _hints(element: Any) -> Iterator[Declaration]:
    """Yield what old HTML attributes say, which is weaker than any sheet (HTML, 15.2 and 15.3)."""
    if element.tag in ("body", "table", "thead", "tbody", "tfoot", "tr", "td", "th") and element.get(
        "bgcolor"
    ):
        yield Declaration("background-color", element.get("bgcolor"), False, _ATTRIBUTE)
    colour = (
        element.get("text")
        if element.tag == "body"
        else element.get("color")
        if element.tag == "font"
        else None
    )
    if colour:
        yield Declaration("color", colour, False, _ATTRIBUTE)
    size = (element.get("size") or "").strip() if element.tag == "font" else ""
    if size in set("1234567"):
        yield Declaration("font-size", f"{_FONT_SIZES[int(size) - 1]:g}px", False, _ATTRIBUTE)


def _is_bold(element: Any, won: Mapping[str, Declaration], around: bool) -> bool:
    declared = won.get("font-weight")
    if declared is None:
        return around or element.tag in _BOLD
    value = declared.value.lower()
    if value in ("inherit", "unset"):
        return around
    return value in ("bold", "bolder") or (value.isdigit() and int(value) >= 700)


def _is_seen(won: Mapping[str, Declaration]) -> bool:
    if "display" in won and won["display"].value.lower() == "none":
        return False
    if "visibility" in won and won["visibility"].value.lower() in ("hidden", "collapse"):
        return False
    if "opacity" in won and _fraction(won["opacity"].value) == 0:
        return False
    squeezed = "max-height" in won and re.fullmatch(r"0(px|em)?", won["max-height"].value)
    return not (squeezed and "overflow" in won and won["overflow"].value.lower() in ("hidden", "clip"))


def _fraction(text: str) -> float:
    try:
        return float(text.rstrip("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        return 1.0
