"""Reads complaints: feedback reports (RFC 5965), and what came before them."""

from __future__ import annotations

import re

from pipeline.hear.mime import Part, addresses, read_fields, shown
from pipeline.model import Heard, News, Nothing

KIND = "message/feedback-report"
#: Feedback-Type -> what the reader did (RFC 5965, 7.3; the last two are in older drafts, and still sent).
_COMPLAINTS = {
    "abuse": "called it spam",
    "fraud": "called it a fraud",
    "opt-out": "asked their provider to be let out",
    "opt-out-list": "asked their provider to be let out",
}
#: Outlook's junk mail reports before they became RFC 5965's: this subject, and our message attached.
_JUNK_MAIL = re.compile(r"complaint about message from \[?[\da-f.:]+\]?", re.IGNORECASE)


def complaint(message: Part) -> Heard | None:
    """Return what a feedback report says; None if there is none in the message."""
    for part in message.own():
        if part.kind == KIND:
            fields = read_fields(part.decoded())
            kind = fields.get("feedback-type", [""])[0].partition("(")[0].strip().lower()
            named = [*fields.get("original-rcpt-to", ()), *fields.get("removal-recipient", ())]
            if kind in _COMPLAINTS:
                recipients = dict.fromkeys((*addresses(named), *_addressed(message)))
                return Heard(News.COMPLAINT, why=_COMPLAINTS[kind], recipients=tuple(recipients))
            return Heard(News.NOTHING, Nothing.NO_COMPLAINT, why="a feedback report of another kind")
    if _JUNK_MAIL.match(shown(message.first("subject"))) and message.returned():
        return Heard(News.COMPLAINT, why=_COMPLAINTS["abuse"], recipients=_addressed(message))
    return None


def _addressed(message: Part) -> tuple[str, ...]:
    """Return to whom the returned copy says that it went; many reports leave out everything else."""
    return addresses([value for part in message.returned() for value in part.all("to")])
