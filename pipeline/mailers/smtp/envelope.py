"""Writes MAIL and RCPT with what the relay understands, or says why a message cannot go (RFC 5321, 4.1.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.model import Submission

#: What would end a path, or begin another command.
_UNFIT = re.compile(r"[\x00-\x20\x7f<>]")


@dataclass(frozen=True, slots=True)
class Extensions:
    """What the relay offered after EHLO."""

    pipelining: bool = False
    chunking: bool = False
    eight_bit: bool = False
    smtputf8: bool = False
    #: Whether it takes SIZE with MAIL, and the largest message it takes; 0: it does not say (RFC 1870).
    size: bool = False
    largest: int = 0

    @classmethod
    def offered(cls, keywords: Mapping[str, str]) -> Extensions:
        """Read EHLO's keywords, in lower case, with their parameters."""
        limit = keywords.get("size", "").strip()
        return cls(
            pipelining="pipelining" in keywords,
            chunking="chunking" in keywords,
            eight_bit="8bitmime" in keywords,
            smtputf8="smtputf8" in keywords,
            size="size" in keywords,
            largest=int(limit) if limit.isascii() and limit.isdigit() and len(limit) < 20 else 0,
        )


def unfit(submission: Submission, relay: Extensions) -> str | None:
    """Return why this message can never be handed to this relay; None if it can."""
    for address in (submission.sender, submission.recipient):
        if _UNFIT.search(address):
            return "the address has characters that would end it too early (RFC 5321, 4.1.2)"
    if "@" not in submission.recipient:
        return "the address has no domain"
    if not relay.smtputf8 and not (submission.recipient.isascii() and submission.sender.isascii()):
        return "the relay cannot take addresses with non-ASCII letters (SMTPUTF8)"
    if not relay.eight_bit and not submission.data.isascii():
        return "the message has 8-bit text, which the relay cannot take (8BITMIME)"
    return None


def too_large(submission: Submission, relay: Extensions) -> str | None:
    """Return both sizes if the relay takes none so large; every copy of an issue is as large."""
    size = len(submission.data)
    if not relay.largest or size <= relay.largest:
        return None
    return (
        f"it takes messages of at most {relay.largest:,} octets, and this one has {size:,}. "
        "Shorten the issue, or have the relay's limit raised"
    )


def mail_from(submission: Submission, relay: Extensions) -> bytes:
    """Return the MAIL command with its line end."""
    line = f"MAIL FROM:<{submission.sender}>"
    if relay.size:
        line += f" SIZE={len(submission.data)}"
    if relay.eight_bit and not submission.data.isascii():
        line += " BODY=8BITMIME"
    if not (submission.recipient.isascii() and submission.sender.isascii()):
        line += " SMTPUTF8"
    return f"{line}\r\n".encode()


def rcpt_to(submission: Submission) -> bytes:
    """Return the RCPT command with its line end."""
    return f"RCPT TO:<{submission.recipient}>\r\n".encode()
