"""Writes a letter as one reader's complete message: theirs put in for the marks, alone or above the latest issue.

Pure, like the messages of an issue; each letter is a message of its own, so
nothing is frozen. The same letter, theme and settings give the same bytes.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email import message_from_bytes
from email.message import Message

from pipeline.clients.clip import CLIP_BYTES
from pipeline.deliver import headers, multipart
from pipeline.deliver.encode import one_line, quoted_printable
from pipeline.deliver.freeze import return_path
from pipeline.deliver.head import letter_head
from pipeline.deliver.message import VERP, Splicer, shorten
from pipeline.edges import DatedTokens, Tokens
from pipeline.model import (
    Delivery,
    DeliveryState,
    FrozenIssue,
    Letter,
    LetterKind,
    Recipient,
    RenderedLetter,
    Submission,
)
from pipeline.settings import Settings

#: Stands for the issue's number where a Message-ID derives from one; issues begin with 1.
NO_ISSUE = 0
#: A comment, or the opening of a body; one inside a comment is for Word alone.
_BODY = re.compile(r"""<!--.*?-->|<body\b(?:[^>"']|"[^"]*"|'[^']*')*>""", re.DOTALL | re.IGNORECASE)
_HEAD_END = re.compile(r"<!--.*?-->|</head\s*>", re.DOTALL | re.IGNORECASE)
_STYLE = re.compile(r"<!--.*?-->|<style\b[^>]*>(.*?)</style\s*>", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Bodies:
    """What one reader sees: a plain text, and a page."""

    text: str
    html: str


def put_in(
    page: RenderedLetter, letter: Letter, settings: Settings, tokens: DatedTokens, nameless: str
) -> Bodies:
    """Put one reader's name and links in for a letter's marks; `nameless` is a reader who gave no name."""
    site, marks = headers.uri(settings.web_url), page.marks
    values = {
        marks.name: shorten(letter.name) or one_line(nameless),
        marks.confirm: f"{site}/confirm/{tokens.dated('confirm', letter.uid, letter.at)}",
        marks.unsubscribe: f"{site}/unsubscribe/{tokens.token('unsubscribe', letter.uid)}",
        marks.preferences: f"{site}/preferences/{tokens.token('preferences', letter.uid)}",
    }
    escaped = {mark: html.escape(value) for mark, value in values.items()}
    return Bodies(_filled(page.text, values), _filled(page.html, escaped))


def _filled(body: str, values: Mapping[str, str]) -> str:
    return re.sub("|".join(map(re.escape, values)), lambda mark: values[mark[0]], body)


def read_issue(frozen: FrozenIssue, letter: Letter, confirmed: date, tokens: Tokens) -> Bodies:
    """Return an issue as this reader would see it, their own links in it.

    `confirmed` is their day, as in Recipient. Raises AudienceError if no
    message can be addressed to them.
    """
    reader = Recipient(letter.uid, letter.email, letter.name, confirmed)
    copy = Splicer(frozen, tokens).submission(Delivery(0, frozen.number, reader, DeliveryState.QUEUED))
    parts = [part for part in message_from_bytes(copy.data).walk() if not part.is_multipart()]
    return Bodies(*map(_decoded, parts))


def _decoded(part: Message) -> str:
    octets = part.get_payload(decode=True)
    assert isinstance(octets, bytes)  # noqa: S101 -- for the type checker: `decode` gives nothing else
    return octets.decode().replace("\r\n", "\n")


def above(letter: Bodies, issue: Bodies) -> Bodies | None:
    """Put a letter above an issue, in one text and one page; None if Gmail would cut the page off.

    The letter's styles are in its elements, and what only a client can decide
    comes along, so that it fits above an issue of any theme.
    """
    inner, body = _inside(letter.html), _first(_BODY, issue.html)
    if inner is None or body is None:
        return None
    style = _first(_STYLE, letter.html)
    # An issue of the same theme has it already, perhaps with the colours of code after it.
    added = style[0] if style and style[1] not in issue.html else ""
    head = _first(_HEAD_END, issue.html[: body.start()])
    at = head.start() if head else body.start()
    if added and not head:
        added = f"<head>{added}</head>"
    page = "".join(
        [issue.html[:at], added, issue.html[at : body.end()], "\n", inner, issue.html[body.end() :]]
    )
    if len(page.encode()) > CLIP_BYTES:
        return None
    line = "-" * 72
    return Bodies(f"{letter.text.rstrip()}\n\n{line}\n\n{issue.text}", page)


def _inside(page: str) -> str | None:
    """Return what a page's body holds."""
    body, end = _first(_BODY, page), page.rfind("</body>")
    return None if body is None or end < body.end() else page[body.end() : end].strip("\n")


def _first(what: re.Pattern[str], page: str) -> re.Match[str] | None:
    return next((found for found in what.finditer(page) if not found[0].startswith("<!--")), None)


def identity(uid: str, kind: LetterKind, at: datetime) -> str:
    """Return what a letter's Message-ID derives from, besides NO_ISSUE."""
    return f"{uid} {kind} {at.astimezone(UTC).isoformat()}"


def submission(
    letter: Letter, subject: str, bodies: Bodies, settings: Settings, tokens: Tokens
) -> Submission:
    """Return a letter's complete message and its envelope; the same for the same letter on every try.

    Raises AudienceError, without the address, if no message can be addressed
    to the reader; NewsletterError if it would not be read as it is meant.
    """
    address = headers.address(letter.email)
    text, page = (quoted_printable(body).encode() for body in (bodies.text, bodies.html))
    boundary = multipart.make_boundary(text, page)
    left = tokens.message_id(NO_ISSUE, identity(letter.uid, letter.kind, letter.at))
    message_id = f"{left}@{headers.ascii_host(settings.newsletter.mailbox.domain)}"
    leave = tokens.token("unsubscribe", letter.uid) if letter.kind is LetterKind.WELCOME else ""
    fields = letter_head(letter, subject, message_id, settings, boundary, leave)
    data = multipart.write(fields, text, page, boundary)
    multipart.demand_as_meant(data, fields, boundary, "the letter")
    sender = return_path(settings).replace(VERP, left)
    reader = Recipient(letter.uid, letter.email, letter.name, letter.at.date())
    delivery = Delivery(letter.id, NO_ISSUE, reader, DeliveryState.LEASED, attempts=letter.attempts)
    return Submission(delivery, sender, address, message_id, data, no_dots=b"\r\n." not in data)
