"""Puts an address and a name in order, or says why they cannot be used."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from typing import TYPE_CHECKING

from pipeline.errors import AudienceError
from pipeline.model import Subscriber, SubscriberState, address_key

if TYPE_CHECKING:
    from pipeline.edges import Tokens

#: RFC 5321, 4.5.3.1.1 and 4.5.3.1.3 (less the angle brackets of a path).
LONGEST_LOCAL, LONGEST = 64, 254
LONGEST_NAME = 200

#: A plain address, which needs no library to say that it is one: labels of 63 at most (RFC 1035, 2.3.4).
_PLAIN = re.compile(
    r"[a-z0-9_]+(?:[.+-][a-z0-9_]+)*@(?:(?=[a-z0-9-]{1,63}\.)[a-z0-9]+(?:-[a-z0-9]+)*\.)+[a-z]{2,24}",
    re.ASCII | re.IGNORECASE,
)
#: What never begins a mailbox's name, and begins a formula in a spreadsheet (OWASP ASVS 1.2.10).
_FORMULA = "=+-@'"
#: Used by mail routes and shells, not by people (RFC 5321, appendix F.2).
_ROUTE = "|!%`"
#: Names end in these on our own machines only (RFC 6761, RFC 6762); email-validator knows the rest.
_OURS = (".localhost", ".local", ".invalid", ".onion", ".arpa")
#: Joiners that some scripts and pictures are written with.
_JOINERS = "\u200c\u200d"


def normalise(text: str) -> tuple[str, str]:
    """Return an address as it goes on the wire, and the key that all its spellings share.

    The part before the @ stays as written; the domain is in lower case and
    punycode (RFC 5891). Raises AudienceError with the reason.
    """
    address = on_the_wire(text)
    return address, address_key(address)


def on_the_wire(text: str) -> str:
    """Return an address as it goes on the wire. Raises AudienceError with the reason."""
    address = text.strip()
    local, _, domain = address.rpartition("@")
    # Most addresses are plain ones, and a list may hold a million.
    if (
        len(address) <= LONGEST
        and _PLAIN.fullmatch(address)
        and len(local) <= LONGEST_LOCAL
        and not domain.lower().endswith(_OURS)
    ):
        address = f"{local}@{domain.lower()}"
    else:
        address = unicodedata.normalize("NFC", address)
        _refuse_oddities(address)
        address = _validated(address)
    if len(address) > LONGEST:
        raise AudienceError(f"the address is longer than {LONGEST} characters")
    return address


def clean_name(text: str) -> str:
    """Return a name as one line in NFC, spaces levelled; "" stays "". Raises AudienceError with the reason."""
    if text.isascii() and text.isprintable() and len(text) <= LONGEST_NAME:
        return " ".join(text.split())
    if "\n" in text.strip() or "\r" in text.strip():
        raise AudienceError("the name takes more than one line")
    name = unicodedata.normalize("NFC", " ".join(text.split()))
    if any(_invisible(letter) for letter in name):
        raise AudienceError("the name holds control or invisible characters")
    if len(name) > LONGEST_NAME:
        raise AudienceError(f"the name is longer than {LONGEST_NAME} characters")
    return name


def make_subscriber(email: str, name: str, since: datetime, tokens: Tokens) -> Subscriber:
    """Return a confirmed subscriber from what somebody typed. Raises AudienceError with the reason."""
    address, _ = normalise(email)
    return Subscriber(tokens.uid(address), address, clean_name(name), SubscriberState.CONFIRMED, since)


def _refuse_oddities(address: str) -> None:
    """Refuse what a mail library lets pass, or explains less well."""
    if not address:
        raise AudienceError("there is no address")
    if len(address) > 4 * LONGEST:
        raise AudienceError(f"the address is longer than {LONGEST} characters")
    if any(_invisible(letter) for letter in address):
        raise AudienceError("the address holds control or invisible characters")
    local, at, _ = address.rpartition("@")
    if not at:
        raise AudienceError("an address has an @ in it, like ana@example.org")
    if len(local.encode()) > LONGEST_LOCAL:
        raise AudienceError(f"the part before the @ is longer than {LONGEST_LOCAL} characters")
    if not local.isascii():
        raise AudienceError("the part before the @ has letters that not every mail server takes (RFC 6531)")
    if local.startswith(tuple(_FORMULA)) or any(letter in _ROUTE for letter in local):
        raise AudienceError(
            "the part before the @ is none that a mailbox has; it looks like a formula or a command"
        )
    if '"' in local or "<" in address or "," in address or ";" in address:
        raise AudienceError("write one bare address, without a name, quotes or brackets")


def _validated(address: str) -> str:
    from email_validator import EmailNotValidError, validate_email

    try:
        # test_environment: names under .test are for trying things (RFC 6761, 6.2).
        valid = validate_email(
            address, check_deliverability=False, allow_smtputf8=False, test_environment=True
        )
    except EmailNotValidError as fault:
        raise AudienceError(f"not an address: {str(fault).rstrip('.')}") from fault
    return f"{valid.local_part}@{valid.ascii_domain.lower()}"


def _invisible(letter: str) -> bool:
    # Cc control, Cf format (right-to-left override, zero width), Zl and Zp line ends, Cs halves of pairs.
    return unicodedata.category(letter) in ("Cc", "Cf", "Zl", "Zp", "Cs") and letter not in _JOINERS
