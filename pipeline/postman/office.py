"""One open newsletter's letters: who asked is answered, what is due is handed over, what is old is cleared away."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from threading import Event
from typing import TYPE_CHECKING

from pipeline import subscribing
from pipeline.deliver import points
from pipeline.deliver.backoff import after_a_lost_connection, backoff
from pipeline.deliver.pace import Pace
from pipeline.deliver.plan import Plan
from pipeline.deliver.points import Point
from pipeline.errors import NewsletterError, SettingsError, StoreError, ThemeError
from pipeline.letters import ERASE_AFTER, Letters, wanted
from pipeline.model import Answer, Decision, EventKind, Letter, Outcome, Submission
from pipeline.model import Event as Happened
from pipeline.postman.memory import Memory, reason

if TYPE_CHECKING:
    from pipeline.project import Project

#: Requests answered, letters brought to the relay in one session, and people erased in one transaction.
BATCH = 100
#: A letter that was deferred for longer is given up. Who misses it asks again.
GIVE_UP = timedelta(days=1)
#: A letter armed so long ago is a dead process's: longer than any relay may take to answer (RFC 5321, 4.5.3.2.6).
OVERDUE = timedelta(hours=1)
DAY = timedelta(days=1)
#: Seconds between two looks when nobody calls, since another process may have written something down.
IDLE = 30.0
#: What is due but not to be had now is looked at again after so many seconds.
SOON = 1.0

#: What an operator hears of letters that did not simply go.
_SAID = {
    Outcome.DEFERRED: "is tried again later",
    Outcome.REFUSED: "was refused",
    Outcome.IN_DOUBT: "may have gone or not, and is not sent again",
}
#: What stays on record of one that is done with.
_SHOWN = _SAID | {Outcome.DEFERRED: "was deferred until it was given up"}


class Office:
    """What a postman does with one opening of the newsletter."""

    def __init__(self, project: Project, clock: Callable[[], datetime], memory: Memory) -> None:
        self.project, self._clock, self._memory = project, clock, memory
        self._store = project.store
        self._plan = Plan.from_settings(project.settings.mail)
        self._pace = Pace(self._plan.per_second, self._plan.per_hour)
        self._letters: Letters | None = None
        #: Something in its files has to be mended by a person, so that it should be opened anew.
        self.stale = False

    def round(self, stop: Event) -> float:
        """Do what is waiting, a batch of each kind; return the seconds until another round is worth it."""
        more = self._answer(stop)
        sent = not self._memory.rests and self._send(stop)
        self._tidy(stop)
        if more:
            return 0.0
        if self._memory.rests:
            return min(self._memory.rests, IDLE)
        if sent:
            return 0.0
        due = self._store.next_letter()
        return IDLE if due is None else min(max(due.total_seconds(), SOON), IDLE)

    def _answer(self, stop: Event) -> bool:
        """Answer who asked, a batch of them; True if there may be more."""
        waiting = self._store.requests(BATCH)
        for request in waiting:
            if stop.is_set():
                break
            try:
                subscribing.answer(self.project, request, self._clock())
            except (StoreError, SettingsError):
                raise
            except Exception as fault:  # one that cannot be answered must not keep the others waiting
                self._memory.log(f"request {request.id} cannot be answered, and is dropped: {reason(fault)}")
                self._store.answer(request, lambda _: Decision())
        return len(waiting) == BATCH

    def _send(self, stop: Event) -> bool:
        """Bring letters that are due to the relay, a batch of them; True if that moved anything."""
        due = self._store.letters(BATCH)
        if not due:
            return False
        session = _Session(self, due, stop)
        try:
            self._letters = self._letters or Letters(self.project)
            for answer in self.project.single_mailer.submit(session.submissions(), session):
                points.reach(Point.HANDED_OVER)
                session.settle(answer)
                points.reach(Point.RECORDED)
        except StoreError:
            raise
        except NewsletterError as fault:
            if session.spoke:
                self._memory.answered()
            # Settings, or what the relay makes of them, may be mended meanwhile.
            self.stale = True
            self._memory.unusable(str(fault))
            return False
        if session.spoke:
            self._memory.answered()
        return session.moved

    def message(self, letter: Letter) -> Submission | None:
        """Return a letter's message; None if it is not to be sent now, or never."""
        assert self._letters is not None  # noqa: S101 -- for the type checker
        try:
            known = self._store.everything(letter.email)
            if wanted(letter, known, self._clock()):
                return self._letters.message(letter, known)
            self._store.withdraw_letter(letter)
        except StoreError:
            raise
        except (ThemeError, SettingsError) as fault:
            self._put_off(letter, fault)
        except Exception as fault:  # one that cannot be made must not keep the others waiting
            self._memory.log(f"{_named(letter)} cannot be made, and is dropped: {reason(fault)}")
            self._store.withdraw_letter(letter)
        return None

    def _put_off(self, letter: Letter, fault: NewsletterError) -> None:
        """Let a letter rest until a person has mended what it is made from."""
        self.stale = True
        self._memory.once(f"letters ({letter.kind}) wait, and are tried again by themselves: {fault}")
        if self._store.arm_letter(letter):
            given_up = Happened(self._clock(), EventKind.LETTER, f"{letter.kind} was given up: {fault}")
            self._store.settle_letter(letter, self._backoff(letter), GIVE_UP, given_up)

    def may_go(self, stop: Event) -> bool:
        """Wait until the next message may go; False if that is not soon."""
        while pause := self._pace.wait():
            if pause > SOON:
                self._memory.leave_alone(pause)
                return False
            if stop.wait(pause):
                return False
        return True

    def arm(self, letter: Letter) -> bool:
        """Write down that a letter may be on the wire."""
        points.reach(Point.BODY_WRITTEN)
        armed = self._store.arm_letter(letter)
        if armed:
            points.reach(Point.ARMED)
        return armed

    def settle(self, letter: Letter, answer: Answer) -> None:
        """Write down what became of a letter; one that was not armed is as it was before."""
        if answer.outcome is Outcome.NOT_ARMED:
            return
        deferred = answer.outcome is Outcome.DEFERRED
        rest = self._backoff(letter, lost=answer.connection) if deferred else None
        self._store.settle_letter(letter, rest, GIVE_UP, self._remembered(letter, answer))
        if answer.slow_down:
            self._pace.slow_down()
        elif answer.outcome is Outcome.ACCEPTED:
            self._pace.went_well()
        if answer.outcome in _SAID:
            self._memory.log(f"{_named(letter)} {_SAID[answer.outcome]}: {answer.reply}")

    def _remembered(self, letter: Letter, answer: Answer) -> Happened | None:
        """Return what `subscribers show` tells of a letter that did not go: the log has a number only.

        No more than that: a relay's word about one letter drops nobody.
        """
        if answer.outcome not in _SHOWN:
            return None
        words = f"{letter.kind} {_SHOWN[answer.outcome]}: {answer.reply}"
        return Happened(self._clock(), EventKind.LETTER, words)

    def _backoff(self, letter: Letter, *, lost: bool = False) -> timedelta:
        rest = after_a_lost_connection if lost else backoff
        return rest(letter.attempts, str(letter.id), self._plan.first, self._plan.longest)

    def _tidy(self, stop: Event) -> None:
        """Once a day, drop what dead processes left and erase whom nobody confirmed."""
        now, before = self._clock(), self._memory.tidied
        if before is not None and abs(now - before) < DAY:
            return
        lost = self._store.sweep_letters(OVERDUE)
        if lost:
            self._memory.log(f"{lost} letter(s) were under way when a process died, and are not sent again.")
        erased, last = 0, BATCH
        while last == BATCH and not stop.is_set():
            last = self._store.erase_unconfirmed(now - ERASE_AFTER, BATCH)
            erased += last
        if erased:
            self._memory.log(
                f"{erased} address(es) that nobody confirmed in {ERASE_AFTER.days} days were erased."
            )
        self._memory.tidied = now


class _Session:
    """A batch of letters on its way; also what the mailer asks before it lets go of one."""

    def __init__(self, office: Office, due: Sequence[Letter], stop: Event) -> None:
        self._office, self._stop = office, stop
        self._due = {letter.id: letter for letter in due}
        #: The relay answered for one; and whether any of these now stands elsewhere than before.
        self.spoke = self.moved = False

    def submissions(self) -> Iterator[Submission]:
        """Yield the messages of those that can be sent."""
        for letter in self._due.values():
            if self._stop.is_set():
                return
            submission = self._office.message(letter)
            if submission is None:
                self.moved = True
                continue
            if not self._office.may_go(self._stop):
                return
            points.reach(Point.SPLICED)
            yield submission

    def __call__(self, submission: Submission) -> bool:
        """Arm one."""
        return self._office.arm(self._due[submission.delivery.id])

    def many(self, submissions: Sequence[Submission]) -> Sequence[bool]:
        """Arm several."""
        return [self(submission) for submission in submissions]

    def settle(self, answer: Answer) -> None:
        """Write down what became of one."""
        heard = answer.outcome is not Outcome.NOT_ARMED
        self.moved, self.spoke = self.moved or heard, self.spoke or heard
        self._office.settle(self._due[answer.submission.delivery.id], answer)


def _named(letter: Letter) -> str:
    return f"letter {letter.id} ({letter.kind})"
