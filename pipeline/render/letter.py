"""Renders a letter as all its readers share it: a small mail and its text twin, with marks for a reader's fields."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING

from markupsafe import Markup

from pipeline.dates import long_date
from pipeline.errors import ThemeError
from pipeline.model import LetterKind, LetterMarks, RenderedLetter
from pipeline.render.mail.inline import inline
from pipeline.render.mail.sheets import shrink
from pipeline.render.site.cards import direction

if TYPE_CHECKING:
    from pipeline.model import IssueRecord
    from pipeline.render.addresses import Addresses
    from pipeline.render.theme.theme import Theme
    from pipeline.settings import Settings


def render_letter(
    kind: LetterKind,
    addresses: Addresses,
    theme: Theme,
    settings: Settings,
    limits: Mapping[str, int],
    latest: IssueRecord | None = None,
    *,
    above_issue: bool = False,
) -> RenderedLetter:
    """Render one kind of letter; the same arguments give the same bytes.

    `limits`: the `hours` for which its link is good, the `days` after which an
    address is erased that nobody confirmed. `latest`: the issue that a welcome
    names. `above_issue`: that issue follows in the same mail, and brings a
    foot. Raises ThemeError for a template or a word that cannot be used.
    """
    name = settings.newsletter.name
    subject = theme.word(f"{kind}_subject", newsletter=name)
    marks = _marks(kind, theme, settings, latest)
    context = {
        **_context(addresses, settings, theme.speaks, latest, marks),
        # What the mail's own frame knows of an issue.
        "issue": {"subject": subject, "preheader": theme.word(f"{kind}_preheader", newsletter=name)},
        "limits": limits,
        "above_issue": above_issue,
    }
    css = Markup(shrink(theme.source("mail/mail-client.css")))  # noqa: S704 -- the theme's own
    page = theme.render(f"letters/{kind}.html", client_css=css, **context)
    text = theme.render(f"letters/{kind}.txt", **context)
    for made, ending in ((page, "html"), (text, "txt")):
        if not made.strip():
            raise ThemeError(
                "makes an empty letter. Delete it, and the built-in one is used.",
                path=f"templates/letters/{kind}.{ending}",
            )
    return RenderedLetter(subject, inline(page, theme.source("mail/mail.css")), text.strip() + "\n", marks)


def _marks(kind: LetterKind, theme: Theme, settings: Settings, latest: IssueRecord | None) -> LetterMarks:
    """Derive the marks from all that is rendered, so that nothing in the letter can spell one."""
    about = (latest.number, latest.subject) if latest else ()
    seed = f"{kind}\0{about!r}\0{settings.model_dump_json()}\0{theme.digest}".encode("utf-8", "surrogatepass")

    def mark(name: str) -> str:
        return f"nl{name}{sha256(name.encode() + seed).hexdigest()[:24]}"

    return LetterMarks(mark("name"), mark("confirm"), mark("unsubscribe"), mark("preferences"))


def _context(
    addresses: Addresses, settings: Settings, language: str, latest: IssueRecord | None, marks: LetterMarks
) -> dict[str, object]:
    """Build what the templates of letters are filled with; a letter is nothing but words, in that language."""
    newsletter = settings.newsletter
    return {
        "newsletter": {
            "name": newsletter.name,
            "host": newsletter.host,
            "language": language,
            "direction": direction(language),
            "postal_address": newsletter.postal_address,
            "footer_note": newsletter.footer_note,
            "tagline": newsletter.tagline,
        },
        "latest": None
        if latest is None
        else {
            "number": latest.number,
            "subject": latest.subject,
            "date": long_date(latest.date.astimezone(newsletter.zone).date(), language),
            "url": addresses.issue(latest.number),
        },
        "links": {"home": addresses.index, "feeds": addresses.feeds_page},
        "recipient": {
            "name": marks.name,
            "confirm": marks.confirm,
            "unsubscribe": marks.unsubscribe,
            "preferences": marks.preferences,
        },
    }
