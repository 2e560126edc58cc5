"""Decisions about one person, each written down whole; all that is known of one; and forgetting one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from secrets import token_hex

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Exists,
    delete,
    exists,
    func,
    insert,
    select,
    type_coerce,
    update,
)

from pipeline.model import (
    CAME_BY_FORM,
    Copy,
    Decision,
    DeliveryState,
    Event,
    EventKind,
    Everything,
    Forgotten,
    Person,
    Request,
    Subscriber,
    SubscriberState,
    address_key,
)
from pipeline.store.audience import as_subscriber, people
from pipeline.store.engine import Part
from pipeline.store.letters import as_letter, put_event, put_letter, waiting
from pipeline.store.moments import NOW, microseconds
from pipeline.store.moves import move
from pipeline.store.tables import (
    deliveries,
    events,
    forgotten,
    issues,
    letters,
    preferences,
    requests,
    subscribers,
    suppressions,
)

#: Events of one person that a decision is shown, the newest ones.
REMEMBERED = 500
#: Addresses read in one go.
PAGE = 5000
#: Ids of nobody that are remembered; and how long before it is there somebody may have been written down.
MISSES = 10_000
SKEW = microseconds(timedelta(minutes=10))
#: What of a relay's words says nothing of a person: the reply code and the enhanced one (RFC 3463).
_CODES = re.compile(r"\d{3}(?!\d)(?: \d\.\d{1,3}\.\d{1,3}(?!\S))?")


class People(Part):
    """The part of the store that knows one person at a time."""

    @cached_property
    def _missed(self) -> dict[str, int]:
        """Ids that nobody had, and nobody would have had, up to which moment, in microseconds since 1970."""
        return {}

    def decide(self, email: str, decision: Callable[[Person], Decision]) -> Decision:
        """Show a decision what is known of an address, and write down what it decides, in one transaction.

        `decision` is pure: it may be asked again.
        """
        with self._database.write() as connection:
            return self._decide(connection, email, decision)

    def decide_by_uid(self, uid: str, decision: Callable[[Person], Decision]) -> Decision | None:
        """The same for a subscriber by their id; None if there is nobody (any more)."""
        with self._database.write() as connection:
            email = _email(connection, subscribers.c.uid == uid)
            if email is not None:
                return self._decide(connection, email, decision)
        # Not while everybody else waits to write.
        email = self._renamed(uid)
        if email is None:
            return None
        with self._database.write() as connection:
            there = _email(connection, subscribers.c.email_key == address_key(email))
            return None if there is None else self._decide(connection, there, decision)

    def decide_together(self, decisions: Iterable[tuple[str, Callable[[Person], Decision]]]) -> None:
        """Decide about some subscribers by their ids, all in one transaction; about who is there no more, nothing."""
        with self._database.write() as connection:
            for uid, decision in decisions:
                email = _email(connection, subscribers.c.uid == uid)
                if email is not None:
                    self._decide(connection, email, decision)

    def answer(self, request: Request, decision: Callable[[Person], Decision]) -> Decision | None:
        """The same for somebody who asked by the form; None if another process has answered them meanwhile."""
        # Once it is done with, its number may be another's.
        this = (
            requests.c.id == request.id,
            requests.c.email_key == address_key(request.email),
            requests.c.at == request.at,
        )
        with self._database.write() as connection:
            if connection.execute(delete(requests).where(*this)).rowcount != 1:
                return None
            return self._decide(connection, request.email, decision)

    def person(self, uid: str) -> Person | None:
        """Return what is known of a subscriber by their id; None if there is nobody (any more)."""
        with self._database.read() as connection:
            email = _email(connection, subscribers.c.uid == uid)
            if email is not None:
                return self._person(connection, email)
        email = self._renamed(uid)
        if email is None:
            return None
        with self._database.read() as connection:
            person = self._person(connection, email)
        return person if person.subscriber else None

    def everything(self, email: str) -> Everything:
        """Return all that is kept about an address."""
        key = address_key(email)
        with self._database.read() as connection:
            person = self._person(connection, email)
            copies = connection.execute(
                select(deliveries)
                .where(deliveries.c.issue.in_(select(issues.c.number)), deliveries.c.uid == person.uid)
                .order_by(deliveries.c.issue)
            )
            asked = select(requests).where(requests.c.email_key == key).order_by(requests.c.id)
            return Everything(
                person,
                tuple(Copy(row.issue, DeliveryState(row.state), row.reply, row.updated) for row in copies),
                tuple(map(as_letter, connection.execute(waiting().where(letters.c.email_key == key)))),
                tuple(Request(row.id, row.email, row.name, row.at) for row in connection.execute(asked)),
                _forgotten(connection, self._tokens.marks(email)),
            )

    def forget(self, email: str, now: datetime) -> Forgotten:
        """Erase an address wherever it stands, but for a mark that says: do not import.

        Their deliveries stay, without saying whose they are, so that every
        issue still adds up; what was not armed is withdrawn.
        """
        key, marks = address_key(email), self._tokens.marks(email)
        with self._database.erase() as connection:
            uids = connection.scalars(select(subscribers.c.uid).where(subscribers.c.email_key == key)).all()
            found = _make_anonymous(connection, [*uids, *self._tokens.uids(email)])
            known = found.known
            for table in (subscribers, preferences, suppressions, events, requests, letters):
                known |= connection.execute(delete(table).where(table.c.email_key == key)).rowcount > 0
            if _forgotten(connection, marks) is None:
                connection.execute(insert(forgotten).values(mark=marks[0], since=now))
            return replace(found, known=known)

    def erase_unconfirmed(self, before: datetime, limit: int) -> int:
        """Erase up to `limit` people who came by the form, asked the last time before that moment, and never confirmed.

        Returns how many. Nothing of them stays, but a suppression if there is
        one; whoever was imported, or came by any other way, is not among them,
        also if their address was typed into the form since.
        """

        def happened(*kinds: EventKind) -> Exists:
            return exists().where(events.c.email_key == subscribers.c.email_key, events.c.kind.in_(kinds))

        found = (
            select(subscribers.c.email_key)
            .where(
                subscribers.c.state == SubscriberState.UNCONFIRMED,
                happened(EventKind.ASKED).where(events.c.words == CAME_BY_FORM),
                ~happened(EventKind.ASKED).where(events.c.at > before),
                ~happened(EventKind.CONFIRMED, EventKind.ADDED),
            )
            .limit(limit)
        )
        with self._database.write() as connection:
            keys = connection.scalars(found).all()
            for table in (subscribers, preferences, events, letters):
                connection.execute(delete(table).where(table.c.email_key.in_(keys)))
            return len(keys)

    def _renamed(self, uid: str) -> str | None:
        """Return the address of a subscriber who had, or would have had, an id under an earlier secret.

        Who was forgotten and came back has another one since the secret was
        changed, and old mails of theirs still bear the first. All are looked
        through for it, which is seldom: only for an id that nobody has now.
        """
        if len(self._tokens.uids("")) == 1:
            return None
        with self._database.read() as connection:
            looked = int(connection.scalar(select(NOW)) or 0)
            # Whoever asks again and again with the same link must not have all of them looked through each time.
            newer = type_coerce(subscribers.c.created, BigInteger) >= self._missed.get(uid, 0)
            everybody = connection.execution_options(yield_per=PAGE).scalars(
                select(subscribers.c.email).where(newer)
            )
            with closing(everybody):
                found = next((one for one in everybody if uid in self._tokens.uids(one)), None)
        if found is None:
            if len(self._missed) >= MISSES:
                self._missed.clear()
            self._missed[uid] = looked - SKEW
        return found

    def _decide(self, connection: Connection, email: str, decision: Callable[[Person], Decision]) -> Decision:
        decided = decision(self._person(connection, email))
        key = address_key(email)
        if decided.allow:
            connection.execute(delete(suppressions).where(suppressions.c.email_key == key))
            connection.execute(delete(forgotten).where(forgotten.c.mark.in_(self._tokens.marks(email))))
        if decided.suppress and not _suppression(connection, key):
            since = decided.events[-1].at if decided.events else NOW
            connection.execute(
                insert(suppressions).values(email_key=key, reason=decided.suppress, since=since)
            )
        if decided.subscriber:
            _put(connection, key, decided.subscriber)
        for event in decided.events:
            put_event(connection, key, event)
        for kind, at in decided.letters:
            put_letter(connection, key, kind, at)
        return decided

    def _person(self, connection: Connection, email: str) -> Person:
        key = address_key(email)
        row = connection.execute(people().where(subscribers.c.email_key == key)).first()
        subscriber = None if row is None else as_subscriber(row)
        happened = connection.execute(
            select(events)
            .where(events.c.email_key == key)
            .order_by(events.c.at.desc(), events.c.id.desc())
            .limit(REMEMBERED)
        )
        return Person(
            uid=subscriber.uid if subscriber else self._tokens.uid(email),
            subscriber=subscriber,
            suppressed=_suppression(connection, key),
            events=tuple(
                Event(one.at, EventKind(one.kind), one.words, one.issue, one.stood_since) for one in happened
            ),
        )


def _email(connection: Connection, which: ColumnElement[bool]) -> str | None:
    email: str | None = connection.scalar(select(subscribers.c.email).where(which))
    return email


def _suppression(connection: Connection, key: str) -> str | None:
    return connection.scalar(select(suppressions.c.reason).where(suppressions.c.email_key == key))


def _put(connection: Connection, key: str, person: Subscriber) -> None:
    """Write somebody down as they stand from now on."""
    stands = {"name": person.name, "state": person.state, "since": person.since, "updated": NOW}
    mine = update(subscribers).where(subscribers.c.email_key == key)
    if connection.execute(mine.values(**stands)).rowcount == 0:
        domain = person.email.rpartition("@")[2]
        connection.execute(
            insert(subscribers).values(
                email_key=key, uid=person.uid, email=person.email, domain=domain, created=NOW, **stands
            )
        )
    connection.execute(delete(preferences).where(preferences.c.email_key == key))
    wants = person.preferences
    if wants.categories or wants.feed_only or wants.paused_until:
        connection.execute(
            insert(preferences).values(
                email_key=key,
                choice=wants.choice,
                feed_only=wants.feed_only,
                paused_until=wants.paused_until,
            )
        )


def _forgotten(connection: Connection, marks: Sequence[str]) -> datetime | None:
    """Return when somebody with one of these marks was forgotten."""
    since: datetime | None = connection.scalar(
        select(func.min(forgotten.c.since)).where(forgotten.c.mark.in_(marks))
    )
    return since


def _make_anonymous(connection: Connection, uids: Sequence[str]) -> Forgotten:
    """Take out of the ledger whose deliveries these are; withdraw what may still be."""
    theirs = (deliveries.c.issue.in_(select(issues.c.number)), deliveries.c.uid.in_(set(uids)))
    withdrawn = connection.execute(move("withdraw").where(*theirs)).rowcount
    columns = (deliveries.c.id, deliveries.c.state, deliveries.c.reply)
    rows = connection.execute(select(*columns).where(*theirs)).all()
    for one, state, reply in rows:
        # Nobody's: an id that no secret made. Words may name somebody, if only by a number in the relay's own log.
        codes = _CODES.match(reply)
        nobody = {
            "uid": token_hex(16),
            "email": "",
            "domain": "",
            "name": "",
            "reply": codes[0] if codes else "",
        }
        if state == DeliveryState.ACCEPTED:
            nobody["reply"] = ""
        connection.execute(update(deliveries).where(deliveries.c.id == one).values(**nobody))
    under_way = sum(row.state == DeliveryState.ARMED for row in rows)
    return Forgotten(bool(rows), withdrawn, under_way, len(rows))
