"""Reads reports of undelivered mail that are written for people: qmail's, Exim's, old Exchange's, providers' own.

Who was not reached is found by flufl.bounce, which knows how dozens of
servers put it; why, by the first code in the text, or by its words
(rules.py).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from email.message import Message

from pipeline.errors import NewsletterError, installing
from pipeline.hear import phrases
from pipeline.hear.mime import Part, addresses, shown
from pipeline.hear.report import failed, reply_of, status_of
from pipeline.hear.rules import weigh
from pipeline.model import Fate, News, Nothing

#: Characters of a text that flufl.bounce is shown, and of a word in it: some of its patterns take the square of either.
MOST, LONGEST_WORD = 16 * 1024, 254
#: Recipients of one report, and paragraphs of its text, that are looked into.
RECIPIENTS, PARAGRAPHS = 20, 100

_SENDER, _SUBJECT, _DELAYED = map(phrases.any_of, (phrases.SERVERS, phrases.REPORTS, phrases.DELAYED))
_RETURNED = re.compile("|".join(phrases.RETURNED), re.IGNORECASE | re.MULTILINE)


def ready() -> None:
    """Raise NewsletterError, which says what to install, if undelivered mail could not be read."""
    try:
        import flufl.bounce  # noqa: F401
    except ImportError as fault:
        raise NewsletterError(
            f"reading bounces needs the package `flufl.bounce`. {installing('deliverability')}"
        ) from fault


def from_a_server(message: Part) -> bool:
    """Tell whether a message looks like a mail server's word about another message."""
    return bool(
        message.all("x-failed-recipients")
        or message.parameters.get("report-type", "").lower() == "delivery-status"
        or _SENDER.search(shown(message.first("from"))[:500])
        or _SUBJECT.search(shown(message.first("subject"))[:500])
    )


def to_nobody(message: Part) -> bool:
    """Tell whether a message wants no answer, as reports do and answering programs should (RFC 5321, 4.5.5)."""
    return any(value.replace(" ", "") == "<>" for value in message.all("return-path"))


def fates(message: Part) -> tuple[Fate, ...]:
    """Return what a report in words says of each recipient; nothing if it is none that anybody knows."""
    text = message.words()
    own = _RETURNED.split(text, 1)[0]
    delayed, bounced = _named(message, text)
    if delayed and not bounced:
        return tuple(_delayed((address,)) for address in delayed)
    if bounced:
        return tuple(_failed(address, own) for address in bounced)
    if _DELAYED.search(own):
        return (_delayed(()),)
    said = telling(own)
    return (failed((), said),) if weigh(status_of("", own), reply_of(own), own[:2000]) else ()


def telling(text: str) -> str:
    """Return the part of a text that says why: from the line with a code on, else the first that a row is about."""
    paragraphs = re.split(r"\n[ \t]*\n", text, maxsplit=PARAGRAPHS)[:PARAGRAPHS]
    for paragraph in paragraphs:
        if status_of("", paragraph) or reply_of(paragraph):
            lines = paragraph.split("\n")
            first = next((at for at, line in enumerate(lines) if status_of("", line) or reply_of(line)), 0)
            return " ".join(" ".join(lines[first:]).split())
    return next((" ".join(each.split()) for each in paragraphs if weigh("", "", each)), text[:2000])


def _failed(address: str, text: str) -> Fate:
    """Return one recipient's fate: by the lines behind the address, or if they say nothing, by the whole text."""
    at = text.find(address)
    block = re.split(r"\n[ \t]*\n", text[at + len(address) :], maxsplit=1)[0] if at >= 0 else ""
    said = " ".join(block.split()).lstrip(">: ")
    known = status_of("", said) or reply_of(said) or weigh("", "", said)
    return failed((address,), said if known else telling(text))


def _delayed(recipients: tuple[str, ...]) -> Fate:
    return Fate(News.NOTHING, Nothing.DELAYED, "the server goes on trying", recipients)


def _named(message: Part, text: str) -> tuple[list[str], list[str]]:
    """Return addresses that were not reached yet, and those that never will be."""
    named = addresses(message.all("x-failed-recipients"))[:RECIPIENTS]
    if named:
        return [], list(named)
    ready()
    from flufl.bounce import all_failures

    # Its log would show addresses.
    logging.getLogger("flufl.bounce").disabled = True
    try:
        delayed, bounced = all_failures(_rewritten(message, text))
    except Exception:  # strangers' patterns on strangers' text: whatever they trip over is not understood
        return [], []
    return _addresses(delayed), _addresses(bounced)


def _addresses(found: Iterable[bytes]) -> list[str]:
    return sorted(each.decode("ascii", "replace") for each in found if b"@" in each)[:RECIPIENTS]


def _rewritten(message: Part, text: str) -> Message:
    """Return what a message says itself as the kind of message that flufl.bounce reads, small and flat."""
    words = re.sub(rf"\S{{{LONGEST_WORD},}}", "…", text[:MOST])
    rewritten, leaf = Message(), Message()
    for name in ("From", "Subject"):
        rewritten[name] = shown(message.first(name.lower()))[:500]
    # Some of it looks only into reports, some only at the part before the last.
    rewritten["Content-Type"] = 'multipart/report; boundary="="'
    leaf["Content-Type"] = "text/plain; charset=utf-8"
    leaf.set_payload(words)
    last = Message()
    last["Content-Type"] = "text/plain"
    last.set_payload("")
    rewritten.set_payload([leaf, last])
    return rewritten
