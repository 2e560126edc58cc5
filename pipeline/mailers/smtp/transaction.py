"""Hands messages over one after the other, each with DATA: the way that every relay knows.

With PIPELINING (RFC 2920) a message costs one round trip: its final dot
travels together with MAIL, RCPT and DATA of the next.

    text k                         ->
    arm k
    dot k, MAIL RCPT DATA of k+1   ->
                                   <-  reply to dot k, which the caller records
                                   <-  replies to MAIL, RCPT, DATA of k+1
    text k+1                       ->
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace

from pipeline.edges import Arm
from pipeline.mailers.smtp.config import Timeouts
from pipeline.mailers.smtp.envelope import mail_from, rcpt_to
from pipeline.mailers.smtp.session import Session
from pipeline.mailers.smtp.submissions import Pull
from pipeline.mailers.smtp.verdicts import (
    CLOSING,
    GO_AHEAD,
    Phase,
    Refusal,
    Verdict,
    early,
    judge,
    lost,
    obstacle,
)
from pipeline.mailers.smtp.wire import Lost
from pipeline.model import Answer, Outcome, Submission

#: A usual message and more: then its text is written in one go, and many connections have their next message
#: armed together instead of one after the other as the relay takes the text in.
ROOM = 256 * 1024
_DOT = b".\r\n"
_UNARMED = Verdict(Outcome.NOT_ARMED, "", ends=True)


class OneByOne:
    """The messages of one session."""

    def __init__(self, session: Session, timeouts: Timeouts) -> None:
        self._wire = session.wire
        self._wire.make_room(ROOM)
        self._relay = session.extensions
        self._timeouts = timeouts
        #: A transaction was begun and not ended, so the relay has to forget it first.
        self._unfinished = False

    def run(self, pull: Pull, arm: Arm) -> Generator[Answer, None, bool]:
        """Hand over what `pull` has. Returns whether the session may go on; raises Refusal if the relay refuses us.

        If the relay has hung up while nothing was under way, what was just
        pulled is put back.
        """
        begun, upcoming = False, pull.first()
        while upcoming:
            current = upcoming
            if not begun and self._wire.restless():
                pull.waiting.append(current)
                return False
            verdict = self._up_to_the_dot(current, begun)
            if verdict:
                begun, upcoming = False, None
            else:
                upcoming = pull.next() if self._relay.pipelining else None
                # One with an obstacle has its turn when nothing is under way.
                begun = upcoming is not None and not obstacle(upcoming, self._relay)
                verdict = self._dot(current, upcoming if begun else None, arm)
            yield verdict.answer(current)
            if verdict.ends or verdict.about_us:
                if upcoming:
                    yield Answer(upcoming, Outcome.NOT_ARMED)
                if verdict.about_us:
                    raise Refusal(verdict.reply)
                return False
            upcoming = upcoming or pull.first()
        return True

    def _up_to_the_dot(self, submission: Submission, begun: bool) -> Verdict | None:
        """Do all that can be taken back by closing the connection; None if only the dot is missing."""
        if begun:
            return self._replies(submission, (Phase.MAIL, Phase.RCPT, Phase.DATA)) or self._text(submission)
        return (
            obstacle(submission, self._relay)
            or (self._envelope(submission) if self._relay.pipelining else self._step_by_step(submission))
            or self._text(submission)
        )

    def _envelope(self, submission: Submission) -> Verdict | None:
        commands = self._commands(submission)
        try:
            self._wire.send(b"".join(line for _, line in commands), self._timeouts.command)
        except Lost as fault:
            return lost(Phase.MAIL, str(fault))
        return self._replies(submission, [phase for phase, _ in commands])

    def _step_by_step(self, submission: Submission) -> Verdict | None:
        for phase, line in self._commands(submission):
            try:
                self._wire.send(line, self._timeouts.command)
            except Lost as fault:
                return lost(phase, str(fault))
            verdict = self._reply(submission, phase)
            if verdict:
                return verdict
        return None

    def _commands(self, submission: Submission) -> Sequence[tuple[Phase, bytes]]:
        commands = [
            (Phase.MAIL, mail_from(submission, self._relay)),
            (Phase.RCPT, rcpt_to(submission)),
            (Phase.DATA, b"DATA\r\n"),
        ]
        if self._unfinished:
            self._unfinished = False
            commands.insert(0, (Phase.RSET, b"RSET\r\n"))
        return commands

    def _replies(self, submission: Submission, phases: Sequence[Phase]) -> Verdict | None:
        """Read the replies to commands that went out together."""
        for phase in phases:
            verdict = self._reply(submission, phase)
            if verdict and phase is Phase.RCPT and not verdict.ends:
                return verdict if self._data_was_refused() else replace(verdict, ends=True)
            if verdict:
                return verdict
        return None

    def _reply(self, submission: Submission, phase: Phase) -> Verdict | None:
        try:
            reply = self._wire.reply(self._timeouts.data if phase is Phase.DATA else self._timeouts.command)
        except Lost as fault:
            return lost(phase, str(fault))
        verdict = judge(phase, reply, submission)
        self._unfinished = verdict is not None and not verdict.ends
        return verdict

    def _data_was_refused(self) -> bool:
        """Read the reply to a DATA that followed a refused RCPT; False if only hanging up is left.

        A relay may say 354 all the same and expect a lone dot (RFC 2920, 3.1);
        but no dot leaves here that nobody armed.
        """
        try:
            reply = self._wire.reply(self._timeouts.data)
        except Lost:
            return False
        return reply.code > GO_AHEAD and reply.code != CLOSING

    def _text(self, submission: Submission) -> Verdict | None:
        data = submission.data
        # Looking for them costs more than anything else that is done with a message here.
        if not submission.no_dots and (b"\r\n." in data or data.startswith(b".")):
            data = (b"\r\n" + data).replace(b"\r\n.", b"\r\n..")[2:]
        if not data.endswith(b"\r\n"):
            data += b"\r\n"
        try:
            if self._wire.send(data, self._timeouts.block, heed=True):
                return None
        except Lost as fault:
            return early(self._wire, submission, str(fault))
        return early(self._wire, submission)

    def _dot(self, submission: Submission, following: Submission | None, arm: Arm) -> Verdict:
        """Arm, end the message and begin the next in one write, and wait for what became of it."""
        if self._wire.restless():
            return early(self._wire, submission)
        if not arm(submission):
            return _UNARMED
        # Arming took its time. Until the dot is written nothing is in doubt.
        if self._wire.restless():
            return early(self._wire, submission)
        commands = self._commands(following) if following else ()
        try:
            self._wire.send(b"".join((_DOT, *(line for _, line in commands))), self._timeouts.block)
        except Lost as fault:
            if not self._wire.sent:
                return early(self._wire, submission, str(fault))
        try:
            reply = self._wire.reply(self._timeouts.dot)
        except Lost as fault:
            return lost(Phase.DOT, str(fault))
        return judge(Phase.DOT, reply, submission) or lost(Phase.DOT, "no answer")
