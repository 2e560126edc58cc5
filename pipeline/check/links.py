"""Checks of where links lead and what they say."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from pipeline.check.findings import error, note, warning
from pipeline.check.material import TEMPLATES, Material
from pipeline.check.mend import Ground, Mended, lines, on_line
from pipeline.check.message import LOCAL_HOST
from pipeline.check.texts import levelled, said, short
from pipeline.model import Finding, Link

#: Schemes that run or carry content instead of leading to it.
ACTIVE_SCHEMES = ("javascript", "data", "vbscript", "file", "blob")

#: Texts that say nothing where links are read one after the other (WCAG 2.2, 2.4.4), by language.
GENERIC = {
    "en": "click|click here|here|read more|more|learn more|find out more|see more|this|this link|this page"
    "|this article|this post|link|details|continue|continue reading|source|website|go",
    "de": "hier|hier klicken|klicken sie hier|klick hier|mehr|weiterlesen|mehr lesen|mehr erfahren|link"
    "|dieser link|quelle",
    "fr": "ici|cliquez ici|cliquer ici|lire la suite|en savoir plus|plus|suite|lien|ce lien|source",
    "es": "aquí|haz clic aquí|haga clic aquí|leer más|más|saber más|enlace|este enlace|fuente",
    "it": "qui|clicca qui|leggi di più|continua|continua a leggere|link|questo link|fonte",
    "nl": "hier|klik hier|lees meer|meer|lees verder|link|deze link|bron",
    "pt": "aqui|clique aqui|leia mais|saiba mais|mais|link|este link|fonte",
}
_GENERIC = {language: frozenset(texts.split("|")) for language, texts in GENERIC.items()}


_DEFINITION = re.compile(r" {0,3}\[[^\]\r\n]{1,200}\]:")
#: A page of ours as a server on the editor's machine shows it.
_LOCAL_PAGE = re.compile(
    r"https?://(?P<host>[\w.-]+|\[::1\])(?::\d+)?(?P<path>/(?:posts/(?P<slug>[^/\s()<>\"'#?]+)|issues/\d+)/?)"
)


@dataclass(frozen=True, slots=True)
class _Address:
    url: str
    path: str
    line: int | None
    resolved: bool


def spoken(url: str) -> str:
    """Return an address short enough for a message."""
    return short(url)


def own_page(m: Material, url: str) -> bool:
    """Tell whether an address is one of the newsletter's own pages, or of the site its posts are on."""
    bases = [m.settings.newsletter.url, m.settings.web_url]
    if m.settings.posts.url:
        bases.append(m.settings.posts.url.partition("{")[0])
    return any(url == base.rstrip("/") or url.startswith(base.rstrip("/") + "/") for base in bases)


def link_relative(m: Material) -> Iterator[Finding]:
    """Every link and picture has an absolute address that readers can reach."""
    site = m.settings.newsletter.host
    for kind, item in _addresses(m):
        parts = split(item.url)
        if kind == "link" and not item.resolved:
            message = f"{short(item.url)} leads to no post or file of this newsletter"
            fix = "correct it, or write the whole address"
        elif not item.resolved:
            continue  # image_missing says so
        elif parts is None or not parts.scheme:
            message = f"{short(item.url)} is not an absolute address"
            fix = "write the whole address, https:// included"
        elif LOCAL_HOST.fullmatch(parts.hostname or "") and parts.hostname != site:
            message = f"{short(item.url)} leads to the editor's own machine"
            fix = "write the public address"
        else:
            continue
        yield error("link-relative", message, path=item.path or TEMPLATES, line=item.line, fix=fix)


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
                path=item.path or TEMPLATES,
                line=item.line,
                fix="link to an http(s) page, or remove it",
            )


def link_http(m: Material) -> Iterator[Finding]:
    """Links lead to https, so that nobody on the way reads or changes what a reader is shown."""
    for link in m.links():
        parts = split(link.url)
        if parts and parts.scheme == "http" and link.path and not LOCAL_HOST.fullmatch(parts.hostname or ""):
            yield warning(
                "link-http",
                f"{short(link.url)} is not encrypted",
                path=link.path,
                line=link.line,
                fix="write https://, if the site has it",
            )


def link_text(m: Material) -> Iterator[Finding]:
    """A link's text says where it leads, for those who hear or scan links without what stands around them."""
    languages = {post.path: post.lang for post in m.posts}
    own = m.settings.newsletter.language
    for link in m.links():
        language = (languages.get(link.path) or own).partition("-")[0].lower()
        said_alone = " ".join(link.text.casefold().strip(" \t.…:!»›>→-").split())
        if link.path and said_alone in _GENERIC["en"] | _GENERIC.get(language, frozenset()):
            yield warning(
                "link-text",
                f"“{short(link.text)}” does not say where the link leads",
                path=link.path,
                line=link.line,
                fix="link the words that name what is there",
            )


def link_ambiguous(m: Material) -> Iterator[Finding]:
    """Within a post, one text leads to one place: whoever hears only links cannot tell the two apart."""
    seen: dict[tuple[str, str], Link] = {}
    for link in m.links():
        text = levelled(link.text)
        if not link.path or not text:
            continue
        first = seen.setdefault((link.path, text), link)
        if first.url != link.url:
            yield warning(
                "link-ambiguous",
                f"“{short(link.text)}” leads to {short(link.url)} here"
                f" and to {short(first.url)} in line {first.line}",
                path=link.path,
                line=link.line,
                fix="give each its own words",
            )


def links_unchecked(m: Material) -> Iterator[Finding]:
    """Say how many links nobody has tried."""
    urls = {
        link.url
        for link in m.links()
        if link.url.startswith(("http:", "https:")) and not own_page(m, link.url)
    }
    if urls:
        yield note(
            "links-unchecked",
            f"{said(len(urls), 'link')} not checked: offline, without --online",
            path=m.rendered.issue.path,
            fix="to try them: newsletter check --online",
        )


# --- fixes ---------------------------------------------------------------------


def encrypt_own(finding: Finding, text: str, ground: Ground) -> Mended | None:
    """Write https:// in a link to the newsletter's own site, which is there."""
    base = ground.settings.newsletter.url
    if not base.startswith("https://"):
        return None
    plain = "http://" + base.removeprefix("https://")
    own = re.compile(rf"{re.escape(plain)}(?![\w.:-])")
    mended = _rewritten(text, finding.line, lambda line: own.sub(base, line))
    return Mended(mended, f"{plain} is {base} now")


def publish_own(finding: Finding, text: str, ground: Ground) -> Mended | None:
    """Write the public address of a post's or issue's page that was looked at on the editor's own machine."""
    base = ground.settings.newsletter.url

    def public(found: re.Match[str]) -> str:
        ours = found["slug"] in ground.slugs if found["slug"] else True
        return base + found["path"] if ours and LOCAL_HOST.fullmatch(found["host"]) else found[0]

    mended = _rewritten(text, finding.line, lambda line: _LOCAL_PAGE.sub(public, line))
    return Mended(mended, f"the address leads to {base} now")


def _rewritten(text: str, number: int | None, change: Callable[[str], str]) -> str:
    """Change an address where its link stands, else where the link's reference is defined: `[here]: https://...`."""
    mended = on_line(text, number, change)
    if mended != text:
        return mended
    for place, line in enumerate(lines(text), 1):
        if _DEFINITION.match(line):
            mended = on_line(mended, place, change)
    return mended


def split(url: str) -> SplitResult | None:
    """Take an address apart; None where it is none."""
    try:
        return urlsplit(url)
    except ValueError:
        return None


def _addresses(m: Material) -> Iterator[tuple[str, _Address]]:
    for link in m.links():
        yield "link", _Address(link.url, link.path, link.line, link.resolved)
    for image in m.images():
        yield "image", _Address(image.url, image.path, image.line, image.resolved)
