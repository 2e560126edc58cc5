"""Which features' absence costs a reader something, and what to write instead.

Much of what a client does not know is decoration: without rounded corners,
shadows, transitions or a second picture size a mail is plainer and says the
same. Those features are not here. What is here carries the layout, a colour,
a distance between words or the content itself, and nothing stands in for it.
"""

from __future__ import annotations

from collections.abc import Mapping

_LAYOUT = "lay it out with table cells, which every client knows"
_PHYSICAL = "write left, right, top and bottom instead of inline and block"
#: Not both in mail.css: premailer keeps the last of two values only.
_PLAIN_VALUE = "write a plain value, and this one with !important in mail-client.css"
_BACKDROP = "give the same element a background-color too"
_CONTENT = "link to a page that has it"
_UNHIDDEN = "use display: none, or leave it out"
_SAID = "say it in aria-label, or in words"

#: Feature -> what to do instead.
LOST: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "css-display-flex",
            "css-display-grid",
            "css-grid-template",
            "css-position",
            "css-left-right-top-bottom",
            "css-inset",
            "css-float",
            "css-column-count",
            "css-column-layout-properties",
            "css-transform",
            "css-writing-mode",
        ),
        _LAYOUT,
    ),
    **dict.fromkeys(
        (
            "css-margin-inline-block",
            "css-margin-inline-start-end",
            "css-margin-block-start-end",
            "css-padding-inline-block",
            "css-padding-inline-start-end",
            "css-padding-block-start-end",
            "css-block-inline-size",
            "css-inline-size",
            "css-max-inline-size",
            "css-min-inline-size",
            "css-max-block-size",
            "css-min-block-size",
            "css-border-inline-block",
            "css-border-inline-block-individual",
            "css-border-inline-block-longhand",
        ),
        _PHYSICAL,
    ),
    **dict.fromkeys(
        (
            "css-variables",
            "css-unit-calc",
            "css-function-clamp",
            "css-function-max",
            "css-function-min",
            "css-function-light-dark",
            "css-modern-color",
            "css-rgba",
            "css-unit-rem",
            "css-unit-vw",
            "css-unit-vh",
            "css-unit-vmin",
            "css-unit-vmax",
            "css-unit-ch",
        ),
        _PLAIN_VALUE,
    ),
    **dict.fromkeys(
        ("css-background-image", "css-linear-gradient", "css-radial-gradient", "css-conic-gradient"),
        _BACKDROP,
    ),
    **dict.fromkeys(
        (
            "html-audio",
            "html-video",
            "html-object",
            "html-svg",
            "html-dialog",
            "html-form",
            "html-select",
            "html-textarea",
            "html-button-submit",
            "html-input-text",
            "html-input-submit",
            "html-input-checkbox",
            "html-input-radio",
            "html-meter",
            "html-progress",
            "html-popover",
        ),
        _CONTENT,
    ),
    "css-visibility": _UNHIDDEN,
    "html-hidden": _UNHIDDEN,
    "html-aria-labelledby": _SAID,
    "html-aria-describedby": _SAID,
    "html-anchor-links": "link to the web page, or leave the link out",
    "html-link": "put the rules into the theme's mail.css, which is written into the elements",
    "html-style": "shorten it, and keep it in the head",
}

#: Where a mail gives the same in a form that every client knows, nothing is lost: property -> others that carry it.
CARRIED_BY: Mapping[str, tuple[str, ...]] = {
    "background-image": ("background-color",),
    "background": ("background-color",),
    "margin-inline": ("margin-left", "margin-right", "margin"),
    "margin-inline-start": ("margin-left", "margin-right", "margin"),
    "margin-inline-end": ("margin-left", "margin-right", "margin"),
    "margin-block": ("margin-top", "margin-bottom", "margin"),
    "margin-block-start": ("margin-top", "margin"),
    "margin-block-end": ("margin-bottom", "margin"),
    "padding-inline": ("padding-left", "padding-right", "padding"),
    "padding-inline-start": ("padding-left", "padding-right", "padding"),
    "padding-inline-end": ("padding-left", "padding-right", "padding"),
    "padding-block": ("padding-top", "padding-bottom", "padding"),
    "padding-block-start": ("padding-top", "padding"),
    "padding-block-end": ("padding-bottom", "padding"),
    "inline-size": ("width",),
    "max-inline-size": ("max-width", "width"),
    "block-size": ("height",),
}
