"""Group commit: answers of all connections, then their arms, in one durable transaction.

What a commit costs hardly depends on how much is in it, so whatever has
gathered is written together: one statement for each kind of answer and one
for all arms, whose rows come as one parameter (given.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import BigInteger, BindParameter, Connection, bindparam, case, exists, func, select

from pipeline.model import Delivery, DeliveryState, IssueState, Outcome, Verdict
from pipeline.store.engine import Part
from pipeline.store.given import Number, Prepared, Words, parameters
from pipeline.store.moments import NOW, microseconds
from pipeline.store.moves import move, still_reads
from pipeline.store.tables import deliveries, issues, runs

#: Longer answers of a relay are cut.
REPLY = 1000

# What is given of each delivery: its id and epoch, of an answer the relay's words and the rest as well.
_owner: BindParameter[str] = bindparam("run")
_same = (deliveries.c.id == Number(0), deliveries.c.epoch == Number(1))
#: What tells one lease of a delivery from the next.
_lease = (deliveries.c.id, deliveries.c.epoch)
#: The very lease a delivery was taken under.
_ours = (*_same, deliveries.c.owner == _owner)


def _answer(name: str, **values: object) -> Prepared:
    answered = move(
        name,
        # Of somebody who was forgotten meanwhile no words are kept: they may name them.
        reply=case((deliveries.c.email == "", ""), else_=Words(2)),
        attempts=deliveries.c.attempts + 1,
        first_tried=func.coalesce(deliveries.c.first_tried, NOW),
        answered=NOW,
        **values,
    )
    return Prepared(answered.where(*_ours).returning(*_lease))


_GIVE_BACK = Prepared(move("give back", owner=None, leased_until=None).where(*_ours).returning(*_lease))
_ANSWERS = {
    Outcome.ACCEPTED: _answer("accept"),
    Outcome.REFUSED: _answer("refuse"),
    Outcome.DEFERRED: _answer("defer", not_before=NOW + Number(3), leased_until=None),
    Outcome.IN_DOUBT: _answer("doubt"),
    Outcome.NOT_ARMED: _GIVE_BACK,
}
_EXPIRE = Prepared(
    move("expire").where(*_ours, deliveries.c.first_tried <= NOW - bindparam("give_up", type_=BigInteger))
)
#: This run is at work on the issue, and it is being sent. Asked of each delivery: as one number for all of them
#: it would lure SQLite into going through everything that is leased, for each row again.
_at_work = exists().where(
    runs.c.owner == _owner,
    runs.c.issue == deliveries.c.issue,
    issues.c.number == deliveries.c.issue,
    issues.c.state == IssueState.SENDING,
)
_ARM = Prepared(
    move("arm").where(*_ours, deliveries.c.leased_until >= NOW, _at_work, still_reads()).returning(*_lease)
)
_WITHDRAW = Prepared(move("withdraw").where(*_ours, ~still_reads()))
_IN_DOUBT = Prepared(select(*_lease).where(*_ours, deliveries.c.state == DeliveryState.IN_DOUBT))


class GroupCommit(Part):
    """The part of the store that writes answers down and lets deliveries go."""

    def commit(
        self, owner: str, verdicts: Sequence[Verdict], arms: Sequence[Delivery], give_up: timedelta
    ) -> Sequence[bool]:
        """Write verdicts down, then move `arms` from leased to armed, all in one transaction.

        For each of `arms`: True if it is armed; False if its lease is lost, the
        reader left (they are withdrawn), or the issue is paused or cancelled. A
        verdict of DEFERRED expires a delivery that was first tried longer than
        `give_up` ago. An answer of "no" to a lease that was lost meanwhile
        changes nothing. Raises StoreError if the relay took what the ledger did
        not let go: the other answers are written, nothing is armed, and the run
        must stop.
        """
        with self._database.write() as connection:
            unexplained = _write_down(connection, owner, verdicts, give_up)
            armed = set() if unexplained else _arm(connection, owner, arms)
        if unexplained:
            wrong = unexplained[0]
            raise self._database.stop(
                f"the relay was handed delivery {wrong.id} of issue {wrong.issue}, which the ledger "
                "did not let go. Stop every run, then look at: newsletter report"
            )
        return _each(arms, armed)


def _write_down(
    connection: Connection, owner: str, verdicts: Sequence[Verdict], give_up: timedelta
) -> list[Delivery]:
    """Write answers down; return what the relay may have although it was not armed."""
    unexplained: list[Delivery] = []
    groups: dict[Outcome, list[Verdict]] = {}
    for verdict in verdicts:
        groups.setdefault(verdict.answer.outcome, []).append(verdict)
    for outcome, group in groups.items():
        given = parameters(map(_row, group), run=owner)
        written = set(_ANSWERS[outcome].rows(connection, given))
        if outcome is Outcome.DEFERRED:
            _EXPIRE.rows(connection, given | {"give_up": microseconds(give_up)})
        elif outcome in (Outcome.ACCEPTED, Outcome.IN_DOUBT) and len(written) < len(group):
            if outcome is Outcome.IN_DOUBT:
                # Taken for dead meanwhile, and put in doubt then.
                written.update(_IN_DOUBT.rows(connection, given))
            handed = [verdict.answer.submission.delivery for verdict in group]
            found = _each(handed, written)
            unexplained += [one for one, well in zip(handed, found, strict=True) if not well]
    return unexplained


def _arm(connection: Connection, owner: str, arms: Sequence[Delivery]) -> set[Any]:
    if not arms:
        return set()
    given = parameters(map(_key, arms), run=owner)
    armed = set(_ARM.rows(connection, given))
    if len(armed) < len(arms):
        _WITHDRAW.rows(connection, given)
    return armed


def _each(asked: Sequence[Delivery], done: set[Any]) -> list[bool]:
    """Say of each whether it was done; of two that are the same, the first was."""
    left = set(done)
    answers = []
    for one in asked:
        # By epoch as well: the one that overslept its lease may stand beside the one that was leased again.
        answers.append(_key(one) in left)
        left.discard(_key(one))
    return answers


def _key(delivery: Delivery) -> tuple[int, int]:
    return delivery.id, delivery.epoch


def _row(verdict: Verdict) -> tuple[int, int, str, int]:
    answer, rest = verdict.answer, 0
    if answer.outcome is Outcome.DEFERRED:
        if verdict.retry_in is None:
            raise ValueError("a deferred delivery needs a time to rest")
        rest = max(microseconds(verdict.retry_in), 0)
    return *_key(answer.submission.delivery), _told(answer.reply), rest


def _told(reply: str) -> str:
    """Return a relay's words as every database takes them."""
    return reply[:REPLY].replace("\0", "").encode("utf-8", "replace").decode()
