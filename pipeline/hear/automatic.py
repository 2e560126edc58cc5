"""Recognises answers that no person wrote: out of office, read receipts (RFC 3834, RFC 8098)."""

from __future__ import annotations

import re

from pipeline.hear.mime import Part, shown
from pipeline.hear.phrases import AWAY, any_of
from pipeline.model import Nothing

_RECEIPTS = ("message/disposition-notification", "message/global-disposition-notification")
_AWAY = any_of(AWAY)
_ANSWER = re.compile(r"\s*(?:(?:re|aw|sv|antw)\s*:\s*)+", re.IGNORECASE)


def automatic(message: Part) -> Nothing | None:
    """Return what kind of automatic answer a message is; None if nothing says that it is one."""
    if any(part.kind in _RECEIPTS for part in message.own()):
        return Nothing.RECEIPT
    subject = _ANSWER.sub("", shown(message.first("subject"))[:500], count=1)
    return Nothing.OUT_OF_OFFICE if _says_so(message) or _AWAY.match(subject.lstrip(" [(*")) else None


def _says_so(message: Part) -> bool:
    """Tell whether a header says that a program answered, the standard's first, then what came before it."""
    submitted = message.first("auto-submitted").partition(";")[0].strip().lower()
    answers = bool(message.all("in-reply-to", "references"))
    return (
        submitted == "auto-replied"  # RFC 3834, 5
        # Exchange's word for its answers, but also anybody's for a notice that a person may have to read.
        or (submitted.startswith("auto-") and answers)
        or message.first("precedence").strip().lower() in ("auto_reply", "auto-reply")
        or message.first("x-precedence").strip().lower() in ("auto_reply", "auto-reply")
        or bool(
            message.all(
                "x-autoreply", "x-autorespond", "x-autoresponse", "x-mail-autoreply", "x-autoreply-from"
            )
        )
        or message.first("x-ms-exchange-generated-message-source").strip().lower() == "mailbox rules agent"
    )
