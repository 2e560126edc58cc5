"""The checks: one function each, all asked, every finding reported.

To add one, write a generator that takes the Material and yields findings, and
put it into CHECKS. Its id is its name with hyphens; its docstring is what it
demands; a number in it names its source. docs/adding-a-check.md shows one grow.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from pipeline.check.material import Material, short, text_of, where, words
from pipeline.model import Finding, Severity

SETTINGS = "newsletter.toml"

#: Gmail cuts a message off at about 102 kB of HTML and hides the rest, the
#: unsubscribe link included (github.com/hteumeuleu/email-bugs, issue 41).
CLIP_BYTES = 102_000

#: Hosts that mean "this machine" (RFC 6761, 6.3) or a network of one's own (RFC 6762, 3).
LOCAL_HOST = re.compile(
    r"(localhost|.*\.localhost|.*\.local|127(\.\d+){3}|0\.0\.0\.0|\[?::1\]?)", re.IGNORECASE
)

#: Schemes that run or carry content instead of leading to it.
ACTIVE_SCHEMES = ("javascript", "data", "vbscript", "file", "blob")

#: Labels under which strangers register: co.uk, com.au, or.jp (after publicsuffix.org's list).
SHARED_SECOND_LEVELS = frozenset(
    "ac co com edu go gov gv id ltd me mil ne net nom or org plc sch".split()  # noqa: SIM905 -- read as a list
)

#: Jinja, Liquid, Handlebars and provider merge tags: `{{ name }}`, `{% if %}`.
TEMPLATE_SYNTAX = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{\{|\{%")

Check = Callable[[Material], Iterator[Finding]]


def error(id: str, message: str, *, path: str = "", line: int | None = None, fix: str = "") -> Finding:
    """Return a finding that stops the issue."""
    return Finding(id, Severity.ERROR, message, path, line, fix)


def warning(id: str, message: str, *, path: str = "", line: int | None = None, fix: str = "") -> Finding:
    """Return a finding that a person should look at."""
    return Finding(id, Severity.WARNING, message, path, line, fix)


def subject(m: Material) -> Iterator[Finding]:
    """The issue has a subject."""
    if not m.rendered.issue.subject.strip():
        yield error(
            "subject",
            "the issue has no subject",
            path=m.rendered.issue.path or SETTINGS,
            fix="write `subject:` in the draft, or mend [issue] subject",
        )


def unsubscribe(m: Material) -> Iterator[Finding]:
    """HTML and text both hold the reader's own unsubscribe address."""
    for part, body in (("HTML", m.rendered.html), ("text", m.rendered.text)):
        if m.rendered.marks.unsubscribe not in body:
            yield error(
                "unsubscribe",
                f"the {part} part has no unsubscribe link",
                path=f"templates/mail/mail.{'html' if part == 'HTML' else 'txt'}",
                fix="put {{ recipient.unsubscribe }} back into the template's footer",
            )


def postal_address(m: Material) -> Iterator[Finding]:
    """The mail names a postal address (in the US demanded by 15 U.S.C. 7704(a)(5))."""
    address = m.settings.newsletter.postal_address.strip()
    if not address:
        yield error(
            "postal-address",
            "there is no postal address",
            path=SETTINGS,
            fix="set postal_address under [newsletter]",
        )
    elif words(address) not in words(text_of(m.rendered.html)) or words(address) not in words(
        m.rendered.text
    ):
        yield error(
            "postal-address",
            "the mail does not show the postal address",
            path="templates/mail/",
            fix="put {{ newsletter.postal_address }} back into the footers",
        )


def from_alignment(m: Material) -> Iterator[Finding]:
    """From is an address of the newsletter's own domain, as DMARC wants it (RFC 7489, 3.1)."""
    sender, host = m.settings.newsletter.mailbox.domain.lower(), m.settings.newsletter.host.lower()
    if LOCAL_HOST.fullmatch(sender) or not _aligned(sender, host):
        yield error(
            "from-alignment",
            f"From is at {sender}, the newsletter at {host}",
            path=SETTINGS,
            fix="use a From address of the newsletter's own domain, so that SPF, DKIM and DMARC can vouch for it",
        )


def site_address(m: Material) -> Iterator[Finding]:
    """Readers can reach the newsletter's address from where they are."""
    for key, url in (("newsletter.url", m.settings.newsletter.url), ("web.url", m.settings.web_url)):
        if LOCAL_HOST.fullmatch(urlsplit(url).hostname or ""):
            yield error(
                "site-address",
                f"{key} is {url}, which leads nowhere from a reader's machine",
                path=SETTINGS,
                fix="set url under [newsletter] to where public/ is hosted",
            )
            return


def image_alt(m: Material) -> Iterator[Finding]:
    """Every picture has a description for those who do not see it (WCAG 2.2, 1.1.1)."""
    for image in m.rendered.images:
        if image.alt is None:
            yield error(
                "image-alt",
                f"{short(image.url)} has no description",
                path=image.path,
                line=image.line,
                fix='write one: ![a chart of ...](file.png); alt="" in HTML for mere decoration',
            )


def image_missing(m: Material) -> Iterator[Finding]:
    """Every picture beside the posts is there; else its description stands in for it."""
    for image in m.rendered.images:
        if not image.resolved:
            yield warning(
                "image-missing",
                f"{short(image.url)} is not there; its description stands in its place",
                path=image.path,
                line=image.line,
                fix="put the file beside the post or into static/, or correct the name",
            )


def link_relative(m: Material) -> Iterator[Finding]:
    """Every link and picture has an absolute address that readers can reach."""
    site = m.settings.newsletter.host
    for kind, item in _addresses(m):
        parts = _split(item.url)
        if kind == "link" and not item.resolved:
            yield error(
                "link-relative",
                f"{short(item.url)} leads to no post or file of this newsletter",
                path=item.path,
                line=item.line,
                fix="correct it, or write the whole address",
            )
        elif not item.resolved:
            continue  # image_missing says so
        elif parts is None or not parts.scheme:
            yield error(
                "link-relative",
                f"{short(item.url)} is not an absolute address",
                path=item.path,
                line=item.line,
                fix="write the whole address, https:// included",
            )
        elif LOCAL_HOST.fullmatch(parts.hostname or "") and parts.hostname != site:
            yield error(
                "link-relative",
                f"{short(item.url)} leads to the editor's own machine",
                path=item.path,
                line=item.line,
                fix="write the public address",
            )


def link_active(m: Material) -> Iterator[Finding]:
    """No link runs a script or carries its own content."""
    for _, item in _addresses(m):
        scheme = re.match(
            r"\s*([a-z][a-z0-9+.-]*):", item.url.replace("\t", "").replace("\n", ""), re.IGNORECASE
        )
        if scheme and scheme[1].lower() in ACTIVE_SCHEMES:
            yield error(
                "link-active",
                f"{short(item.url)} does not lead anywhere; it was left out",
                path=item.path,
                line=item.line,
                fix="link to an http(s) page, or remove it",
            )


def template_left(m: Material) -> Iterator[Finding]:
    """No template variable is left for readers to see, except in code."""
    issue = m.rendered.issue
    for key, value in (("subject", issue.subject), ("preheader", issue.preheader)):
        if found := TEMPLATE_SYNTAX.search(value):
            yield error(
                "template-left",
                f"{key} holds `{short(found[0])}`",
                path=issue.path or SETTINGS,
                fix="write the words themselves",
            )
    seen = [found[0] for found in TEMPLATE_SYNTAX.finditer(text_of(m.rendered.html, code=False))]
    for text in dict.fromkeys(seen):
        path, line = where(m, text)
        yield error(
            "template-left",
            f"readers would see `{short(text)}`",
            path=path,
            line=line,
            fix="write the words themselves, or put it between backticks as code",
        )


def clipping(m: Material) -> Iterator[Finding]:
    """The HTML stays under the size at which Gmail clips it."""
    size = len(m.rendered.html.encode())
    if size > CLIP_BYTES:
        yield error(
            "clipping",
            f"the HTML is {size:,} bytes; Gmail clips at {CLIP_BYTES:,}",
            path=m.rendered.issue.path or SETTINGS,
            fix='carry fewer posts, or set [issue] show = "lead" or "cards"',
        )


def text_part(m: Material) -> Iterator[Finding]:
    """The text part tells as much as the HTML: no title of a post is missing from it."""
    told = words(m.rendered.text)
    for post in m.rendered.issue.posts:
        if words(post.title) not in told:
            yield error(
                "text-part",
                f"the text part does not hold “{short(post.title)}”",
                path="templates/mail/mail.txt",
                fix="loop over all posts in the template",
            )


#: Every check, in the order an editor meets what they look at.
CHECKS: tuple[Check, ...] = (
    subject,
    from_alignment,
    site_address,
    postal_address,
    unsubscribe,
    template_left,
    link_relative,
    link_active,
    image_alt,
    image_missing,
    text_part,
    clipping,
)


@dataclass(frozen=True, slots=True)
class _Address:
    url: str
    path: str
    line: int | None
    resolved: bool


def _addresses(m: Material) -> Iterator[tuple[str, _Address]]:
    marks = {m.rendered.marks.unsubscribe, m.rendered.marks.preferences}
    for link in m.rendered.links:
        if link.url not in marks:
            yield "link", _Address(link.url, link.path, link.line, link.resolved)
    for image in m.rendered.images:
        yield "image", _Address(image.url, image.path, image.line, image.resolved)


def _split(url: str) -> SplitResult | None:
    try:
        return urlsplit(url)
    except ValueError:
        return None


def _aligned(sender: str, host: str) -> bool:
    """One is the other or lies under it, or both lie under one registered name of two labels."""
    if sender == host or host.endswith(f".{sender}") or sender.endswith(f".{host}"):
        return True
    ours, theirs = sender.split(".")[-2:], host.split(".")[-2:]
    return ours == theirs and len(ours) == 2 and ours[0] not in SHARED_SECOND_LEVELS
