"""Runs at work: claims an issue, clears up after runs that died, lets others join, gives it back."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import tzinfo
from socket import gethostname
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, or_, select, update

from pipeline.errors import Busy, Refused
from pipeline.model import RunRecord
from pipeline.store.engine import Part
from pipeline.store.moments import NOW, zone
from pipeline.store.moves import move
from pipeline.store.tables import deliveries, issues, runs
from pipeline.store.witness import generation, next_generation

_ALL = select(runs).order_by(runs.c.since, runs.c.owner)


class Runs(Part):
    """The part of the store that knows who is at work."""

    def claim(self, number: int, owner: str, *, join: bool = False, only_copy: bool = False) -> None:
        """Make `owner` a run at work on this issue, and clear up after dead ones.

        Their leased deliveries go back to queued, their armed ones become in
        doubt. Raises Busy, naming since when, if another run still lives,
        unless this one joins it on the same issue; StoreError if there is no
        such issue; Refused if it was frozen with another secret (its copies
        would be others now), if the ledger is older than what was sent from
        it, or if it is a copy of one that began to send the issue: unless a
        person said that it is the `only_copy` left to send from.
        """
        locks = self._database.locks
        again = locks is not None and locks.holds(owner)
        try:
            # Nobody else can claim while this goes on, so whoever is found dead stays dead.
            with self._database.write() as connection:
                row = connection.execute(select(issues).where(issues.c.number == number)).first()
                if row is None:
                    raise self._error(f"there is no issue {number} in it. See: newsletter status")
                self._demand_same_secret(row)
                self._demand_newest(connection)
                self._demand_same_file(connection, row, only_copy)
                others = [run for run in connection.execute(_ALL) if run.owner != owner]
                live = {run.owner for run in others if self._alive(run.owner)}
                _demand_room([run for run in others if run.owner in live], number, zone(row.zone), join)
                self._take_lock(owner)
                self._bury(
                    [run for run in others if run.owner not in live], connection, number, live | {owner}
                )
                if locks is not None:
                    locks.sweep(live | {owner})
                at_work = {"issue": number, "process": os.getpid(), "host": gethostname()}
                connection.execute(delete(runs).where(runs.c.owner == owner))
                connection.execute(insert(runs).values(owner=owner, since=NOW, **at_work))
                taken = next_generation(connection)
            self._database.note(taken)
        except BaseException:
            if locks is not None and not again:
                locks.drop(owner)
            raise

    def release(self, number: int, owner: str) -> None:
        """Give the issue back: what is still leased goes back to queued, what is armed becomes in doubt.

        After a failure of the store it only lets go of the lock; the next claim clears up.
        """
        locks = self._database.locks
        try:
            if not self._database.broken:
                with self._database.write() as connection:
                    _clear_up(connection, number, deliveries.c.owner == owner)
                    connection.execute(delete(runs).where(runs.c.owner == owner))
        finally:
            if locks is not None:
                locks.drop(owner)

    def runs(self, number: int) -> Sequence[RunRecord]:
        """Runs at work on an issue, the first one first; dead ones do not count."""
        with self._database.read() as connection:
            here = connection.scalar(select(issues.c.zone).where(issues.c.number == number))
            rows = connection.execute(_ALL.where(runs.c.issue == number)).all()
        return [
            RunRecord(row.owner, row.process, row.host, row.since.astimezone(zone(here or "UTC")))
            for row in rows
            if self._alive(row.owner)
        ]

    def _demand_same_secret(self, issue: Row[Any]) -> None:
        if issue.seal != self._seal(issue.number):
            raise Refused(
                f"issue {issue.number} was frozen with another installation secret. Put that secret back "
                "(NEWSLETTER_SECRET or .newsletter/secret) to go on with it"
            )

    def _demand_newest(self, connection: Connection) -> None:
        witness = self._database.witness
        if witness is not None and witness.generation() > generation(connection):
            raise Refused(
                f"the ledger {self._database.place} is older than what was already sent from it: it was restored "
                "from a copy, and readers whom it does not know to have their copy would get it twice. Put the "
                f"newer one back; or, if nothing was sent since the copy was made, delete {witness.path} and run "
                "the command again"
            )

    def _demand_same_file(self, connection: Connection, issue: Row[Any], only_copy: bool) -> None:
        witness = self._database.witness
        if witness is None or issue.started is None or issue.finished is not None:
            return
        file = witness.file()
        if issue.file not in (None, file) and not only_copy:
            raise Refused(
                f"the ledger {self._database.place} is a copy of another that had begun to send issue "
                f"{issue.number}; readers could get it twice. If the other one will never send again: "
                f"newsletter resume {issue.number} --only-copy"
            )
        if issue.file != file:
            connection.execute(update(issues).where(issues.c.number == issue.number).values(file=file))

    def _alive(self, owner: str) -> bool:
        locks = self._database.locks
        try:
            # In memory there is one process, and what died took the store with it.
            return locks is None or locks.alive(owner)
        except OSError as fault:
            raise self._no_lock(fault) from fault

    def _take_lock(self, owner: str) -> None:
        try:
            if self._database.locks is not None:
                self._database.locks.take(owner)
        except OSError as fault:
            raise self._no_lock(fault) from fault

    def _no_lock(self, fault: OSError) -> Exception:
        return self._error(
            f"no lock can be set beside it: {fault.strerror}. Look at the rights of its folder and of runs/ in it"
        )

    def _bury(self, dead: Sequence[Row[Any]], connection: Connection, number: int, living: set[str]) -> None:
        for run in dead:
            _clear_up(connection, run.issue, deliveries.c.owner == run.owner)
            connection.execute(delete(runs).where(runs.c.owner == run.owner))
        # And whatever nobody at work answers for.
        nobodys = or_(deliveries.c.owner.is_(None), deliveries.c.owner.not_in(living))
        _clear_up(connection, number, nobodys)


def _demand_room(live: Sequence[Row[Any]], number: int, here: tzinfo, join: bool) -> None:
    """Raise Busy if a run that lives leaves no room for another."""
    elsewhere = [run for run in live if run.issue != number]
    if elsewhere or (live and not join):
        run = (elsewhere or live)[0]
        where = f"issue {run.issue} of this newsletter" if elsewhere else "this newsletter"
        way_out = "or stop it" if elsewhere else "stop it, or work beside it with --join"
        raise Busy(
            f"a run is at work on {where} since {run.since.astimezone(here):%H:%M:%S} (process {run.process}). "
            f"Let it finish, {way_out}"
        )


def _clear_up(connection: Connection, number: int, whose: ColumnElement[bool]) -> None:
    here = deliveries.c.issue == number
    connection.execute(move("give back", owner=None, leased_until=None).where(here, whose))
    # Its answer, if there was one, died with the run; what is known is when it may have been handed over.
    lost = move(
        "doubt",
        reply="",
        attempts=deliveries.c.attempts + 1,
        first_tried=func.coalesce(deliveries.c.first_tried, deliveries.c.updated),
        answered=deliveries.c.updated,
    )
    connection.execute(lost.where(here, whose))
