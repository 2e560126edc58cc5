"""Says what a relay's reply means for one message: one table for both ways of handing over.

| phase         | as expected | 4yz                  | 5yz      | 421                  | lost, garbled        |
|---------------|-------------|----------------------|----------|----------------------|----------------------|
| RSET, MAIL    | go on       | deferred, conn, slow | about us | deferred, conn, slow | deferred, conn       |
| RCPT, DATA    | go on       | deferred             | refused  | deferred, conn, slow | deferred, conn       |
| after the dot | accepted    | deferred             | refused  | deferred, slow       | in doubt (RFC 1047)  |

As expected is 2yz, for DATA 354. The first digit decides (RFC 5321, 4.2.1). "Conn" is about the connection, not
this message; it ends then, and after every 421.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum, auto

from pipeline.discretion import clean
from pipeline.mailers.smtp.envelope import Extensions, too_large, unfit
from pipeline.mailers.smtp.replies import Reply
from pipeline.mailers.smtp.wire import Wire
from pipeline.model import Answer, Outcome, Submission

CLOSING = 421
GO_AHEAD = 354

#: Enhanced codes (RFC 3463): 4.7.x policy, 4.3.2 and 4.4.5 a system too busy. SES says 454 for its rate limit.
_THROTTLED = re.compile(rb"\s*4\.(?:7\.\d+|3\.2|4\.5)\b")
#: Also 4.7.1 with many relays, but about this pair of addresses, not about our speed (RFC 6647).
_GREYLISTED = re.compile(rb"gr[ae]y.?list", re.IGNORECASE)


class Phase(Enum):
    """What a reply is an answer to."""

    RSET = auto()
    MAIL = auto()
    RCPT = auto()
    DATA = auto()
    #: The final dot, or the last octet of a last chunk.
    DOT = auto()


class Refusal(Exception):
    """The relay refuses us, whoever the reader is; says why."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a message, and whether its connection is of any more use."""

    outcome: Outcome
    reply: str
    connection: bool = False
    slow_down: bool = False
    ends: bool = False
    #: The relay refuses us, whoever the reader is.
    about_us: bool = False

    def answer(self, submission: Submission) -> Answer:
        return Answer(submission, self.outcome, self.reply, self.connection, self.slow_down)


def judge(phase: Phase, reply: Reply, submission: Submission) -> Verdict | None:
    """Return what a reply makes of a message; None if it is as expected and there is more to come."""
    code = reply.code
    positive = code == GO_AHEAD if phase is Phase.DATA else code < 300
    if positive and phase is not Phase.DOT:
        return None
    said = f"{code} {clean(reply.text, hidden(submission))}".rstrip()
    if positive:
        return Verdict(Outcome.ACCEPTED, said)
    ours = phase in (Phase.RSET, Phase.MAIL)
    if code < 400 or (phase is Phase.RSET and code >= 500):
        return lost(phase, f"the relay answered out of order: {said}")
    if code >= 500:
        return Verdict(Outcome.NOT_ARMED if ours else Outcome.REFUSED, said, ends=ours, about_us=ours)
    closing = code == CLOSING
    return Verdict(
        Outcome.DEFERRED,
        said,
        # 421 is about the relay (RFC 5321, 4.2.3), also as the answer to a message's end.
        connection=ours or closing,
        slow_down=ours or throttled(reply),
        ends=ours or closing,
    )


def lost(phase: Phase, why: str) -> Verdict:
    """Return what a message became whose reply never came, or was none."""
    if phase is Phase.DOT:
        return Verdict(Outcome.IN_DOUBT, why, ends=True)
    return Verdict(Outcome.DEFERRED, why, connection=True, ends=True)


def early(wire: Wire, submission: Submission, why: str = "") -> Verdict:
    """Return what a message is whose relay spoke, or hung up, before the dot: whatever it said, it was too early."""
    reply = wire.arrived()
    if not reply:
        return lost(Phase.DATA, why or "the relay did not wait for the end of the message")
    said = (
        f"before the end of the message the relay said {reply.code} {clean(reply.text, hidden(submission))}"
    )
    return replace(lost(Phase.DATA, said.rstrip()), slow_down=throttled(reply))


def obstacle(submission: Submission, relay: Extensions) -> Verdict | None:
    """Return what a message is that this relay can never take, before anything of it is written."""
    why = unfit(submission, relay)
    if why:
        return Verdict(Outcome.REFUSED, why)
    why = too_large(submission, relay)
    return Verdict(Outcome.NOT_ARMED, why, about_us=True) if why else None


def throttled(reply: Reply) -> bool:
    """Whether a reply asks for fewer messages at a time."""
    if reply.code in (CLOSING, 454):
        return True
    return bool(_THROTTLED.match(reply.text)) and not _GREYLISTED.search(reply.text)


def hidden(submission: Submission) -> tuple[str, ...]:
    """Return the words that name a reader without being an address."""
    local = submission.recipient.rpartition("@")[0]
    # What stands before a tag (RFC 5233) is the mailbox's own name.
    return local, local.partition("+")[0]
