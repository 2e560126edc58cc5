"""Turns a rendered issue into the bytes that are sent: headers, both bodies, fields for the recipient.

What the editor looked at is what is sent: from here on nothing renders again.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from pipeline.dates import long_date
from pipeline.deliver import headers, multipart
from pipeline.deliver.encode import SOFT_BREAK, one_line, quoted_printable, writable
from pipeline.deliver.head import head
from pipeline.deliver.message import VERP, Field, Template
from pipeline.deliver.trial import SAMPLE
from pipeline.errors import SettingsError
from pipeline.model import CarriedPost, FrozenIssue, Marks, RenderedIssue
from pipeline.settings import Settings

#: Characters of a local part (RFC 5321, 4.5.3.1.1), and of what tells deliveries apart in one.
LOCAL_LIMIT, IDENTITY = 64, 32


def freeze(
    rendered: RenderedIssue, settings: Settings, posts: Sequence[CarriedPost], *, nameless: str = "reader"
) -> FrozenIssue:
    """Write an issue down as bytes; the same rendered issue and settings give the same bytes.

    `nameless` is the theme's word for a reader who gave no name. Raises
    Refused for a subject that no message can have.
    """
    issue, marks = rendered.issue, rendered.marks
    site = headers.uri(settings.web_url)
    text = _body(rendered.text, _in_text(marks, site, nameless))
    page = _body(rendered.html, _in_html(marks, site, nameless))
    boundary = multipart.make_boundary(text, page)
    fields = head(issue, settings, boundary)
    template = multipart.write(fields, text, page, boundary)
    _prove(Template(template, settings.newsletter.language), fields, boundary)
    shown = _sample(rendered, settings, nameless)
    return FrozenIssue(
        number=issue.number,
        subject=one_line(issue.subject),
        date=issue.date,
        template=template,
        html=_shown(rendered.html, {mark: html.escape(value) for mark, value in shown.items()}),
        text=_shown(rendered.text, shown),
        page=writable(rendered.page).encode(),
        sender=return_path(settings),
        posts=tuple(posts),
        language=settings.newsletter.language,
    )


def return_path(settings: Settings) -> str:
    """Return the envelope's return path (RFC 5321, 2.3.1), with VERP in it where each copy has its own.

    Raises SettingsError if its local part would be too long.
    """
    mail = settings.mail
    address = headers.address(mail.return_path or settings.newsletter.mailbox.addr_spec)
    if not mail.verp:
        return address
    local, _, domain = address.rpartition("@")
    if len(local) > LOCAL_LIMIT - 1 - IDENTITY:
        raise SettingsError(
            f"mail.verp: `{local}+` and {IDENTITY} digits are more than the {LOCAL_LIMIT} characters that a local "
            f"part may have. Set mail.return_path to one with at most {LOCAL_LIMIT - 1 - IDENTITY} before the @",
            path="newsletter.toml",
        )
    return f"{local}+{VERP}@{domain}"


def _in_text(marks: Marks, site: str, nameless: str) -> Mapping[str, bytes]:
    """Return what stands for each mark in the plain text, in a template's bytes."""
    return {
        marks.name: Field.NAME_TEXT.between_nuls(nameless),
        marks.unsubscribe: _address(f"{site}/unsubscribe/", Field.UNSUBSCRIBE_BODY),
        marks.preferences: _address(f"{site}/preferences/", Field.PREFERENCES_BODY),
        marks.confirmed: Field.CONFIRMED_TEXT.between_nuls(),
    }


def _in_html(marks: Marks, site: str, nameless: str) -> Mapping[str, bytes]:
    return {
        **_in_text(marks, html.escape(site), nameless),
        marks.name: Field.NAME_HTML.between_nuls(nameless),
        marks.confirmed: Field.CONFIRMED_HTML.between_nuls(),
    }


def _address(beginning: str, token: Field) -> bytes:
    return (quoted_printable(beginning) + SOFT_BREAK).encode() + token.between_nuls()


def _body(text: str, standing: Mapping[str, bytes]) -> bytes:
    """Encode a body with fields standing for its marks.

    Nobody knows how long a field will be, so it has its lines to itself, with
    soft breaks around it; only a hard line end may follow at once.
    """
    encoded = b""
    for piece in filter(None, _any(standing).split(text)):
        following = standing.get(piece) or quoted_printable(piece).encode()
        if encoded and not encoded.endswith(b"\r\n") and not following.startswith(b"\r\n"):
            encoded += SOFT_BREAK.encode()
        encoded += following
    return encoded


def _any(marks: Iterable[str]) -> re.Pattern[str]:
    return re.compile("(" + "|".join(map(re.escape, sorted(marks, key=len, reverse=True))) + ")")


def _sample(rendered: RenderedIssue, settings: Settings, nameless: str) -> Mapping[str, str]:
    """Return values of the marks for a reader who is nobody, for the files that a person looks at."""
    marks, site = rendered.marks, headers.uri(settings.web_url)
    return {
        marks.name: one_line(nameless),
        marks.unsubscribe: f"{site}/unsubscribe/{SAMPLE}",
        marks.preferences: f"{site}/preferences/{SAMPLE}",
        marks.confirmed: long_date(rendered.issue.date.date(), settings.newsletter.language),
    }


def _shown(body: str, values: Mapping[str, str]) -> bytes:
    return writable(_any(values).sub(lambda mark: values[mark[0]], body)).encode()


def _prove(template: Template, fields: Sequence[tuple[str, str]], boundary: str) -> None:
    """Read a sample message again; raise NewsletterError unless it is exactly what was meant."""
    message = template.splice(
        name="Sample Reader",
        address="reader@example.org",
        message_id="sample@example.org",
        unsubscribe=SAMPLE,
        preferences=SAMPLE,
        confirmed=date(2026, 1, 1),
    )
    multipart.demand_as_meant(message, fields, boundary, "the issue")
