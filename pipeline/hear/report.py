"""Reads delivery reports as the standards have them: RFC 3464, and RFC 6533 for addresses in any script."""

from __future__ import annotations

import re

from pipeline.discretion import clean
from pipeline.hear.mime import Part, addresses, read_fields, without_addresses
from pipeline.hear.rules import UNEXPLAINED, weigh
from pipeline.model import Fate, News, Nothing

KINDS = ("message/delivery-status", "message/global-delivery-status")
#: Recipients of one report that are read, and characters of what a server said that are weighed.
MOST, WORDS = 100, 2000

_STATUS = re.compile(r"(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?!\.?\d)")
#: An SMTP reply code at the beginning, or behind what introduces one; not the number of a house.
_REPLY = re.compile(
    r"(?:^|said:?|error:?|replied:?|code:?|[;:<>(#])[ \t]{0,8}([245][0-5]\d)(?=[ \-:#)]|$)",
    re.IGNORECASE | re.MULTILINE,
)
#: Which Action means what (RFC 3464, 2.3.3); "error" is OpenSMTPD's.
_QUIET = {
    "delayed": (Nothing.DELAYED, "the server goes on trying"),
    "delivered": (Nothing.DELIVERED, "it was delivered"),
    "relayed": (Nothing.DELIVERED, "it went on to a server that reports nothing"),
    "expanded": (Nothing.DELIVERED, "it went on to several addresses"),
}
_FAILED = ("failed", "error", "failure")


def fates(message: Part) -> tuple[Fate, ...]:
    """Return what a message's report says of each recipient; nothing if it holds no report that can be read."""
    found: list[Fate] = []
    for part in message.own():
        if part.kind in KINDS:
            for group in re.split(rb"\n(?:[ \t]*\n)+", part.decoded()):
                fate = _fate(read_fields(group)) if len(found) < MOST else None
                if fate:
                    found.append(fate)
    return tuple(found)


def _fate(fields: dict[str, list[str]]) -> Fate | None:
    """Read one group of lines; None if it is about the message as a whole."""
    action = re.match(r"[a-z]*", _first(fields, "action").lower())
    if not action or not action[0]:
        return None
    # RFC 3464 names the final recipient; what the sender wrote, if it differs, is the original one.
    named = [_first(fields, name) for name in ("original-recipient", "final-recipient", "x-actual-recipient")]
    recipients = addresses(named)
    diagnostic = _first(fields, "diagnostic-code")
    said = diagnostic.partition(";")[2].strip() if re.match(r"[\w-]+\s*;", diagnostic) else diagnostic
    status = _first(fields, "status")
    if action[0] in _QUIET:
        nothing, why = _QUIET[action[0]]
        code = _STATUS.search(status)
        return Fate(News.NOTHING, nothing, why, recipients, code[0] if code else "", _kept(said, recipients))
    if action[0] not in _FAILED:
        return Fate(News.NOTHING, Nothing.NOT_UNDERSTOOD, "", recipients, "", _kept(said, recipients))
    return failed(recipients, said, status)


def failed(recipients: tuple[str, ...], said: str, status: str = "") -> Fate:
    """Return the fate of recipients who were not reached, from a Status field and what the server said."""
    code = status_of(status, said)
    rule = weigh(code, reply_of(said), without_addresses(said[:WORDS])) or UNEXPLAINED
    nothing = Nothing.ABOUT_US if rule.news is News.NOTHING else None
    return Fate(rule.news, nothing, rule.reason, recipients, code, _kept(said, recipients))


def status_of(status: str, said: str) -> str:
    """Return the enhanced status code that says most: where Status says x.0.0 only, the server's own words may know.

    "" if there is none.
    """
    given, heard = _STATUS.search(status), _STATUS.search(said)
    if given and (not given[0].endswith(".0.0") or not heard or heard[0][0] != given[0][0]):
        return given[0]
    return heard[0] if heard else ""


def reply_of(said: str) -> str:
    """Return the first SMTP reply code in a text; "" if there is none."""
    reply = _REPLY.search(said)
    return reply[1] if reply else ""


def _kept(said: str, recipients: tuple[str, ...]) -> str:
    return clean(said.encode("utf-8", "replace"), [address.rpartition("@")[0] for address in recipients])


def _first(fields: dict[str, list[str]], name: str) -> str:
    return fields.get(name, [""])[0]
