"""Makes HTML from posts harmless; nothing reaches a reader without passing here last.

Two doors. `normalise` turns whatever a post holds into well-formed HTML and
drops what acts by itself, but leaves addresses and lines for us to read.
`sanitise` is the last word: an allow-list of elements, attributes, schemes,
classes and styles, and nothing else.
"""

from __future__ import annotations

import re
from html import unescape

import nh3

from pipeline.render.addresses import ID_PREFIX, SCHEMES
from pipeline.render.content.highlight import ROLES, style


def names(text: str) -> frozenset[str]:
    """Split a list of element names."""
    return frozenset(text.split())


#: What posts may be made of.
TAGS = names(
    "a abbr b blockquote br caption cite code col colgroup dd del details dfn div dl dt em figcaption"
    " figure h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q s samp small span strong sub"
    " summary sup table tbody td tfoot th thead time tr u ul var wbr bdi ruby rt rp"
)
#: Removed with all they hold: what they hold is not text for readers.
SWALLOWED = names(
    "applet audio button canvas dialog embed form frameset iframe math noembed noframes noscript"
    " object plaintext script select slot style svg template textarea title video xmp"
)
#: Attributes of the last door; `class` is given by CLASSES.
ATTRIBUTES = {
    "*": {"id", "lang", "dir"},
    "a": {"href", "title", "role"},
    "abbr": {"title"},
    "col": {"span"},
    "colgroup": {"span"},
    "del": {"datetime"},
    "details": {"open"},
    "dfn": {"title"},
    "div": {"style", "tabindex"},
    "img": {"src", "alt", "title", "width", "height"},
    "ins": {"datetime"},
    "li": {"value"},
    "ol": {"start", "type", "reversed"},
    "p": {"style"},
    "pre": {"tabindex"},
    "span": {"style"},
    "td": {"style", "colspan", "rowspan"},
    "th": {"style", "colspan", "rowspan", "scope"},
    "time": {"datetime"},
} | {f"h{level}": {"style"} for level in range(1, 7)}
CLASSES = {
    "a": {"c-backref"},
    "div": {"c-footnotes", "c-scroll"},
    "span": {f"tok-{role}" for role in ROLES},
    "sup": {"c-footnote-ref"},
}
#: What `normalise` leaves for us to read besides; none of it passes the last door.
NOTES = (
    {
        "a": {"data-line", "data-to", "name"},
        "img": {"data-line", "data-to", "align"},
    }
    | {tag: {"align"} for tag in ("p", "div", "td", "th", "tr")}
    | {f"h{n}": {"align", "data-line"} for n in range(1, 7)}
)

_STYLES = re.compile(
    "|".join([r"text-align:(?:left|right|center)", *(re.escape(style(role)) for role in ROLES)])
)
#: Attribute -> what its value must be.
_VALUES = {
    "style": _STYLES,
    "id": re.compile(r"[\w.:-]{1,200}"),
    "lang": re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*"),
    "dir": re.compile(r"ltr|rtl|auto"),
    "role": re.compile(r"doc-noteref|doc-backlink"),
    "tabindex": re.compile("0"),
    "width": re.compile(r"\d{1,4}"),
    "height": re.compile(r"\d{1,4}"),
    "colspan": re.compile(r"\d{1,2}"),
    "rowspan": re.compile(r"\d{1,3}"),
    "span": re.compile(r"\d{1,2}"),
    "scope": re.compile(r"(?:row|col)(?:group)?"),
    "start": re.compile(r"-?\d{1,6}"),
    "value": re.compile(r"-?\d{1,6}"),
    "type": re.compile(r"[1aAiI]"),
    "datetime": re.compile(r"[\dTZPWDHMS:.+ -]{1,40}"),
}


def _keep(_tag: str, attribute: str, value: str) -> str | None:
    allowed = _VALUES.get(attribute)
    return value if allowed is None or allowed.fullmatch(value) else None


_LAST = nh3.Cleaner(
    tags=set(TAGS),
    clean_content_tags=set(SWALLOWED),
    attributes=ATTRIBUTES,
    attribute_filter=_keep,
    allowed_classes=CLASSES,
    url_schemes=set(SCHEMES),
    # Mail has no page that a relative address could be relative to; whatever is still one now is a mistake.
    url_relative="deny",
    link_rel=None,
    id_prefix=ID_PREFIX,
)


def sanitise(html: str) -> str:
    """Return only what is allowed of an HTML fragment; sanitising twice changes nothing more."""
    return _LAST.clean(html)


def normalise(html: str) -> str:
    """Return well-formed HTML without what acts by itself; addresses stay as written, whatever their scheme.

    Not safe to show: what comes of it goes through `sanitise`.
    """
    own = {tag: set(names) for tag, names in ATTRIBUTES.items()}
    for tag, names in NOTES.items():
        own[tag] = own.get(tag, set()) | names
    return nh3.clean(
        html,
        tags=set(TAGS) | {"center", "strike", "tt"},
        clean_content_tags=set(SWALLOWED),
        attributes=own,
        allowed_classes=CLASSES,
        url_schemes=_schemes(html),
        link_rel=None,
    )


def _schemes(html: str) -> set[str]:
    """Everything in a text that could be a scheme, so that a forbidden one can be named with its line."""
    plain = re.sub(r"[\t\n\r]", "", unescape(html))
    found = re.findall(r"(?<![a-zA-Z0-9+.-])[a-zA-Z][a-zA-Z0-9+.-]{0,30}(?=:)", plain)
    return {scheme.lower() for scheme in found} | SCHEMES
