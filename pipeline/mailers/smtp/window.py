"""Hands several messages over at a time, each as one chunk (BDAT, RFC 3030), and reads the replies as they come.

A chunk says how long it is, so it needs no dot and no go-ahead: RSET, MAIL,
RCPT and BDAT of many messages are written without waiting. They are armed
together, since each question costs the ledger a trip to the disk. When half
the window is free it is filled again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

from pipeline.edges import Arm
from pipeline.mailers.smtp.config import Timeouts
from pipeline.mailers.smtp.envelope import mail_from, rcpt_to
from pipeline.mailers.smtp.replies import LONGEST_REPLY, Reply
from pipeline.mailers.smtp.session import Session
from pipeline.mailers.smtp.submissions import Pull
from pipeline.mailers.smtp.verdicts import CLOSING, Phase, Refusal, Verdict, judge, lost, obstacle
from pipeline.mailers.smtp.wire import Lost
from pipeline.model import Answer, Outcome, Submission

_PHASES = (Phase.RSET, Phase.MAIL, Phase.RCPT, Phase.DOT)


@dataclass(slots=True)
class _UnderWay:
    """A message that is armed, and whether its last octet may have left."""

    submission: Submission
    written: bool = False


class Window:
    """The messages of one session."""

    def __init__(self, session: Session, timeouts: Timeouts, size: int) -> None:
        self._wire = session.wire
        self._relay = session.extensions
        self._timeouts = timeouts
        self._size = size
        self._wire.most_unread = len(_PHASES) * size * LONGEST_REPLY
        self._under_way: deque[_UnderWay] = deque()
        #: Nothing more was to be had: what is under way is finished before it is asked for again.
        self._resting = False
        #: Why no more is begun: the relay refuses us, or wants to be left alone.
        self._refusal: Verdict | None = None
        self._closing = False
        #: Why nothing more can be written; what has come by then may still be read.
        self._lost = ""
        #: Nothing more can be read either, or nobody knows what it would be an answer to.
        self._deaf = False

    def run(self, pull: Pull, arm: Arm) -> Generator[Answer, None, bool]:
        """Hand over what `pull` has. Returns whether the session may go on; raises Refusal if the relay refuses us.

        If the relay has hung up while nothing was under way, what was just
        pulled is put back.
        """
        while True:
            batch = self._pull(pull)
            if batch and not self._under_way and self._wire.restless():
                pull.waiting.extend(batch)
                return False
            if batch:
                yield from self._begin(batch, arm)
            if self._under_way:
                yield self._finish_one()
            elif self._closing or not batch:
                break
        if self._refusal:
            raise Refusal(self._refusal.reply)
        return not self._lost

    def _pull(self, pull: Pull) -> list[Submission]:
        free = self._size - len(self._under_way)
        if self._closing or (self._under_way and (self._resting or 2 * free < self._size)):
            return []
        self._resting = False
        first = pull.next() if self._under_way else pull.first()
        batch = [first] if first else []
        while batch and len(batch) < free:
            more = pull.next()
            if not more:
                break
            batch.append(more)
        self._resting = len(batch) < free
        return batch

    def _begin(self, batch: Sequence[Submission], arm: Arm) -> Generator[Answer, None, None]:
        """Arm and write those that the relay can take; answer the others."""
        fit: list[Submission] = []
        for submission in batch:
            verdict = obstacle(submission, self._relay)
            if verdict and verdict.about_us:
                self._refusal, self._closing = verdict, True
            if verdict or self._closing:
                yield verdict.answer(submission) if verdict else Answer(submission, Outcome.NOT_ARMED)
            else:
                fit.append(submission)
        if not fit:
            return
        allowed = arm.many(fit)
        let_go = [submission for submission, yes in zip(fit, allowed, strict=True) if yes]
        if let_go:
            self._write(let_go)
        for submission, yes in zip(fit, allowed, strict=True):
            if not yes:
                yield Answer(submission, Outcome.NOT_ARMED)

    def _write(self, submissions: Sequence[Submission]) -> None:
        pieces: list[bytes] = []
        ends, end = [], 0
        for submission in submissions:
            data = submission.data
            head = b"RSET\r\n%b%bBDAT %d LAST\r\n" % (
                mail_from(submission, self._relay),
                rcpt_to(submission),
                len(data),
            )
            pieces += head, data
            end += len(head) + len(data)
            ends.append(end)
        sent = 0
        if not self._under_way and self._wire.restless():
            # It hung up while they were armed: nothing of them has left.
            self._lose("the relay closed the connection")
        else:
            try:
                self._wire.send(b"".join(pieces), self._timeouts.block)
            except Lost as fault:
                self._lose(str(fault))
            sent = self._wire.sent
        self._under_way += (
            _UnderWay(submission, end <= sent) for submission, end in zip(submissions, ends, strict=True)
        )

    def _lose(self, why: str, *, deaf: bool = False) -> None:
        self._lost, self._closing, self._deaf = self._lost or why, True, deaf

    def _finish_one(self) -> Answer:
        """Read what became of the oldest message under way."""
        oldest = self._under_way.popleft()
        submission, verdict = oldest.submission, None
        try:
            for phase in _PHASES:
                reply = self._reply(phase)
                # The first no decides; what the relay makes of the rest follows from it.
                verdict = verdict or self._judge(phase, reply, submission)
                if reply.code == CLOSING:
                    self._lose("the relay closed the connection before this one's turn", deaf=True)
                    break
        except Lost as fault:
            self._lose(str(fault), deaf=True)
            verdict = verdict or lost(Phase.DOT if oldest.written else Phase.MAIL, self._lost)
        verdict = verdict or lost(Phase.DOT, "no answer")
        if verdict.about_us:
            # Others may still be taken; this one was armed, and nothing came of it.
            self._refusal, verdict = verdict, replace(verdict, outcome=Outcome.DEFERRED, connection=True)
        self._closing = self._closing or verdict.ends
        return verdict.answer(submission)

    def _judge(self, phase: Phase, reply: Reply, submission: Submission) -> Verdict | None:
        code = reply.code
        if 300 <= code < 400 or (phase is Phase.RSET and code >= 300 and code != CLOSING):
            # From here on nobody knows which reply belongs to what.
            raise Lost(f"the relay answered out of order: {code}")
        return judge(phase, reply, submission)

    def _reply(self, phase: Phase) -> Reply:
        if not self._lost:
            return self._wire.reply(self._timeouts.dot if phase is Phase.DOT else self._timeouts.command)
        reply = None if self._deaf else self._wire.arrived()
        if not reply:
            raise Lost(self._lost)
        return reply
