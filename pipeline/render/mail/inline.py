"""Moves a stylesheet into style attributes, as mail clients want it: the only module that knows premailer.

What premailer 3.10.0 and cssutils would do to us is contained here, each at
its place; tests/render/test_inline.py fails if a containment goes. Rules
that cannot be inlined (media queries, attribute selectors) belong into
`<style data-premailer="ignore">`, which stays as it is, `!important` included.
"""

from __future__ import annotations

import logging
import re
from threading import Lock
from typing import Any

import cssutils
from lxml import etree
from premailer import Premailer

# cssutils reports every property it does not know on stderr.
cssutils.log.setLevel(logging.CRITICAL)

#: cssutils keeps its state in module globals and is not safe to run twice at once.
_one_at_a_time = Lock()

#: Rules of sheets that were read, by sheet and its place among them; guarded by the lock too.
_read: dict[tuple[str, int], list[Any]] = {}
_MOST_READ = 16

#: HTML attributes that premailer would derive from styles; the templates write their own.
#: `width` would turn <img width=560> into 100%.
_OWN_ATTRIBUTES = ["width", "height", "align", "valign", "bgcolor"]

#: #abc, but not the beginning of #abcdef.
_SHORT_HEX = re.compile(r"#([0-9a-fA-F])([0-9a-fA-F])([0-9a-fA-F])(?![0-9a-fA-F])")


def inline(html: str, css: str) -> str:
    """Return a complete HTML page with `css` moved into style attributes.

    Classes that no remaining `<style>` names are dropped. Nothing is fetched
    and no file is opened, whatever page and sheet say.
    """
    parser = etree.HTMLParser(huge_tree=True, no_network=True)
    with _one_at_a_time:
        # A parsed page goes in, so that premailer's own parser (which stops
        # at 256 levels) and its serialiser (which loses the doctype) stay out.
        page: Any = etree.fromstring(_proper_comments(html).strip(), parser)
        _drop_linked_sheets(page)
        _Contained(
            css_text=[css],
            allow_network=False,
            allow_loading_external_files=False,
            disable_basic_attributes=_OWN_ATTRIBUTES,
            disable_validation=True,
            cache_css_parsing=False,
            align_floating_images=False,
        ).transform(page)
    _tidy_styles(page)
    _forget_classes(page)
    # libxml2 would choose quirks mode's doctype for a page that wrote it in lower case.
    return f"<!DOCTYPE html>\n{etree.tostring(page, method='html', encoding='unicode')}\n"


class _Contained(Premailer):  # type: ignore[misc]  # premailer is not typed
    """Premailer that cannot reach out."""

    def _parse_style_rules(self, css_body: str, ruleset_index: int) -> Any:
        # The theme's sheet is the same at every look of a preview; reading it is half of all inlining.
        if (css_body, ruleset_index) not in _read:
            rules, leftover = super()._parse_style_rules(css_body, ruleset_index)
            if leftover:  # premailer changes these rules while it writes them out
                return rules, leftover
            if len(_read) >= _MOST_READ:
                _read.clear()
            _read[css_body, ruleset_index] = rules
        return list(_read[css_body, ruleset_index]), []

    def _parse_css_string(self, css_body: str, validate: bool = True) -> Any:
        # @import is fetched by cssutils itself, over http, ftp and from files,
        # whatever `allow_network` says; an empty sheet for each stops that.
        parser = cssutils.CSSParser(fetcher=lambda _url: (None, ""))
        return parser.parseString(css_body, validate=validate)


def _proper_comments(html: str) -> str:
    """Turn `<![if !mso]>` into its form that is a comment: libxml2 mangles the other."""
    html = re.sub(r"(?<!<!--)<!\[(if [^\]>]*)\]>", r"<!--[\1]><!-->", html)
    return html.replace("<![endif]>", "<!--<![endif]-->")


def _drop_linked_sheets(page: Any) -> None:
    """Remove `<link rel=stylesheet>`: premailer without network leaves it in, and a mail client would fetch it."""
    for link in page.iter("link"):
        if "stylesheet" in link.get("rel", "").lower().split():
            link.tag = "dropped"
    etree.strip_elements(page, "dropped", with_tail=False)


def _tidy_styles(page: Any) -> None:
    """Write #222 as #222222 again, and no spaces between declarations.

    cssutils shortens colours, and Word's engine wants six digits; a space at
    every declaration is some five percent of a mail.
    """
    for element in page.iter(etree.Element):
        style = element.get("style")
        if style:
            # Never inside url(...#abc) and texts.
            parts = re.split(r"""(url\([^)]*\)|"[^"]*"|'[^']*')""", style)
            parts[::2] = [_SHORT_HEX.sub(r"#\1\1\2\2\3\3", part).replace("; ", ";") for part in parts[::2]]
            element.set("style", "".join(parts))


def _forget_classes(page: Any) -> None:
    """Drop classes that only the inlined sheet knew; Gmail cuts a mail off by its size."""
    kept = set(re.findall(r"\.([A-Za-z_][\w-]*)", " ".join(page.xpath("//style/text()"))))
    for element in page.xpath("//*[@class]"):
        names = [name for name in element.get("class").split() if name in kept]
        if names:
            element.set("class", " ".join(names))
        else:
            del element.attrib["class"]
