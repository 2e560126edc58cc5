"""Which declarations win for which element of a page: sheets, style attributes, `!important`, specificity, order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import tinycss2
from cssselect import HTMLTranslator, SelectorError, parse
from lxml import etree

from pipeline.clients.longhands import longhands
from pipeline.clients.media import Look, applies

#: What decides over a text's colours and its size, and whether it is seen at all.
PROPERTIES = frozenset(
    "color background background-color background-image font font-size font-weight color-scheme "  # noqa: SIM905
    "display visibility opacity max-height overflow -webkit-text-fill-color mix-blend-mode filter".split()
)

#: tinycss2 stumbles over a number that Python refuses to read (more than 4,300 digits).
_LONG_NUMBER = re.compile(r"\d{300,}")


@dataclass(frozen=True, slots=True)
class Declaration:
    """One property's value, as it is written."""

    name: str
    value: str
    important: bool
    #: The rule's selector; "" in a style attribute.
    selector: str = ""
    #: The media query around it, if any.
    media: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One selector of a sheet with those of its declarations that matter here."""

    selector: str
    #: Empty if it cannot be told which elements it matches.
    xpath: str
    specificity: tuple[int, int, int]
    #: All that must be true for it to count, outermost first.
    media: tuple[str, ...]
    declarations: tuple[Declaration, ...]
    #: Why it cannot be told whether it counts: "" if it can.
    unresolved: str = ""

    @property
    def colours(self) -> bool:
        """Tell whether it can change a text's colours, or whether the text is seen."""
        return any(not each.name.startswith("font") for each in self.declarations)

    def counts(self, look: Look, width: int) -> bool | None:
        """Tell whether its media queries are true; None if that is not known here."""
        answers = [applies(query, look, width) for query in self.media]
        return False if False in answers else None if None in answers or self.unresolved else True


def parsed(html: str) -> Any:
    """Return a page as a tree. Nothing is fetched, whatever it says."""
    page = etree.fromstring(html or "<html>", etree.HTMLParser(huge_tree=True, no_network=True))
    return etree.Element("html") if page is None else page


@lru_cache(maxsize=64)
def rules(css: str) -> tuple[Rule, ...]:
    """Return a sheet's rules, in their order, one for each selector."""
    css = _LONG_NUMBER.sub("9" * 30, css)
    try:
        return tuple(_rules(tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True), (), ""))
    except RecursionError:
        doubt = "a sheet whose blocks lie too deep in each other"
        return (Rule("", "", (0, 0, 0), (), (Declaration("color", "", False),), doubt),)


def _rules(nodes: Iterable[Any], media: tuple[str, ...], doubt: str) -> Iterator[Rule]:
    for node in nodes:
        if node.type == "qualified-rule":
            yield from _of_rule(node, media, doubt)
        elif node.type == "at-rule" and node.content is not None:
            inner = tinycss2.parse_rule_list(node.content, skip_comments=True, skip_whitespace=True)
            prelude = tinycss2.serialize(node.prelude).strip()
            if node.lower_at_keyword == "media":
                yield from _rules(inner, (*media, prelude), doubt)
            elif node.lower_at_keyword in ("supports", "layer", "container", "scope"):
                yield from _rules(inner, media, f"@{node.lower_at_keyword} {prelude}".strip())


def _of_rule(node: Any, media: tuple[str, ...], doubt: str) -> Iterator[Rule]:
    text = tinycss2.serialize(node.prelude).strip()
    kept = tuple(_declarations(node.content, text, " and ".join(media)))
    if not kept:
        return
    try:
        selectors = parse(text)
    except (SelectorError, RecursionError):
        yield Rule(text, "", (0, 0, 0), media, kept, f"the selector {text}")
        return
    for selector in selectors:
        if selector.pseudo_element is not None:
            continue  # text that a sheet makes up is no text of the mail
        name = selector.canonical()
        try:
            xpath = HTMLTranslator().selector_to_xpath(selector, prefix="descendant-or-self::")
        except (SelectorError, RecursionError):
            yield Rule(name, "", (0, 0, 0), media, kept, f"the selector {text}")
        else:
            own = tuple(replace(each, selector=name) for each in kept)
            yield Rule(name, xpath, selector.specificity(), media, own, doubt)


@lru_cache(maxsize=2048)
def in_attribute(style: str) -> tuple[Declaration, ...]:
    """Return the declarations of a style attribute that matter here."""
    return tuple(_declarations(_LONG_NUMBER.sub("9" * 30, style), "", ""))


def _declarations(content: Any, selector: str, media: str) -> Iterator[Declaration]:
    for node in tinycss2.parse_blocks_contents(content, skip_comments=True, skip_whitespace=True):
        if node.type == "declaration" and node.lower_name in PROPERTIES:
            for name, value in longhands(node.lower_name, node.value):
                yield Declaration(name, value, node.important, selector, media)


@lru_cache(maxsize=512)
def _path(xpath: str) -> Any:
    return etree.XPath(xpath)


class Page:
    """A parsed page, and which rules of its sheets match which of its elements."""

    def __init__(self, html: str) -> None:
        self.root = parsed(html)
        #: Alive as long as the page is, so that each is known by its identity.
        self.elements: Sequence[Any] = list(self.root.iter(etree.Element))
        self.rules: list[Rule] = []
        for style in self.root.iter("style"):
            media = style.get("media")
            for rule in rules(style.text or ""):
                self.rules.append(replace(rule, media=(media, *rule.media)) if media else rule)
        #: Element -> numbers of the rules that match it, in their order.
        self.matches: dict[Any, tuple[int, ...]] = {}
        for number, rule in enumerate(self.rules):
            for element in _path(rule.xpath)(self.root) if rule.xpath else ():
                self.matches[element] = (*self.matches.get(element, ()), number)

    def winners(
        self, numbers: Iterable[int], style: str, hints: Iterable[Declaration]
    ) -> dict[str, Declaration]:
        """Return the winning declaration of each property (CSS Cascade 4, 6.1), `hints` being the weakest."""
        found: list[tuple[tuple[bool, bool, tuple[int, int, int], int], Declaration]] = [
            ((False, False, (-1, 0, 0), 0), hint) for hint in hints
        ]
        for number in numbers:
            rule = self.rules[number]
            found += (((d.important, False, rule.specificity, number), d) for d in rule.declarations)
        found += (((d.important, True, (0, 0, 0), 0), d) for d in in_attribute(style))
        found.sort(key=lambda each: each[0])
        return {declaration.name: declaration for _, declaration in found}
