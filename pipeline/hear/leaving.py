"""Recognises readers who leave by mail: a message to the address of List-Unsubscribe's `mailto:` (RFC 2369, 3.2)."""

from __future__ import annotations

import re

from pipeline.hear.mime import Part, shown
from pipeline.model import Evidence

#: Lines of a message's beginning that are looked at.
LINES = 50

#: What mail programs put before a subject when somebody answers or forwards.
_ANSWER = re.compile(
    r"\s*(?:(?:re|fwd?|aw|wg|sv|vs|antw|tr|rv|r|i|odp|ynt|回复|答复|转发)\s*[:：]\s*)+", re.IGNORECASE
)
#: The word and its token, however a program wrote the space between them.
_WITH_TOKEN = re.compile(r"\W*unsubscribe(?:\s|%20|[+:=])+<?([A-Za-z0-9_-]{36})>?\W*", re.IGNORECASE)
_ALONE = re.compile(r"\W*(?:please )?(?:unsubscribe|unsubscribe me)(?: please)?\W*", re.IGNORECASE)


def leaving(message: Part, evidence: Evidence) -> tuple[str, ...] | None:
    """Return the tokens of a message by which somebody leaves; None if it is none.

    The word alone will do if the message answers one of ours, which its
    evidence says. The tokens of a quoted mail mean nothing: people quote.
    """
    subject = _ANSWER.sub("", shown(message.first("subject"))[:500], count=1)
    lines = [subject, *_own_lines(message)]
    tokens = tuple(match[1] for line in lines if (match := _WITH_TOKEN.fullmatch(line)))
    if tokens:
        return tokens
    first = next((line for line in lines[1:] if line.strip()), "")
    if evidence.codes and not message.returned() and any(map(_ALONE.fullmatch, (subject, first))):
        return ()
    return None


def _own_lines(message: Part) -> list[str]:
    """Return the lines at the beginning that the sender wrote and did not quote, none of them long."""
    lines = message.words()[: LINES * 200].split("\n")[:LINES]
    return [line for line in lines if len(line) <= 200 and not line.lstrip().startswith((">", "|"))]
