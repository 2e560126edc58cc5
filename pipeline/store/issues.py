"""Issues: their bytes as they were frozen, the posts they carry, and what feeds remember of posts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Row, case, delete, func, insert, select, type_coerce, update

from pipeline.errors import Refused, Unrendered
from pipeline.model import (
    CarriedPost,
    Circulation,
    Cut,
    DeliveryState,
    Fingerprint,
    FrozenIssue,
    IssueRecord,
    IssueState,
    Post,
    Skip,
    Variant,
    uncut,
)
from pipeline.store.audience import count_audience
from pipeline.store.engine import Part
from pipeline.store.enrolment import enroll
from pipeline.store.moments import NOW, Moment, zone, zone_name
from pipeline.store.moves import AT_ONCE, DEFERRED, move, tally
from pipeline.store.tables import bodies, carried, deliveries, entry_versions, issues, variants


class Issues(Part):
    """The part of the store that knows issues and posts."""

    def carried(self) -> Sequence[CarriedPost]:
        """Every post an issue carried, or that counts as published before."""
        with self._database.read() as connection:
            rows = connection.execute(select(carried).order_by(carried.c.issue, carried.c.position)).all()
        return [_carried_post(row) for row in rows]

    def last_issue(self) -> IssueRecord | None:
        """The issue with the highest number."""
        with self._database.read() as connection:
            row = connection.execute(select(issues).order_by(issues.c.number.desc()).limit(1)).first()
            return None if row is None else _record(connection, row)

    def issue(self, number: int) -> IssueRecord | None:
        """What is known of one issue, without its bytes."""
        with self._database.read() as connection:
            row = connection.execute(select(issues).where(issues.c.number == number)).first()
            return None if row is None else _record(connection, row)

    def issues(self) -> Sequence[IssueRecord]:
        """All issues, by number."""
        with self._database.read() as connection:
            rows = connection.execute(select(issues).order_by(issues.c.number)).all()
            return [_record(connection, row) for row in rows]

    def frozen(self, number: int) -> FrozenIssue | None:
        """An issue's bytes as they were frozen."""
        whole = select(issues, bodies).join(bodies, bodies.c.issue == issues.c.number)
        posts = select(carried).where(carried.c.issue == number).order_by(carried.c.position)
        cut = select(variants).where(variants.c.issue == number).order_by(variants.c.name)
        with self._database.read() as connection:
            row = connection.execute(whole.where(issues.c.number == number)).first()
            if row is None:
                return None
            return FrozenIssue(
                number=row.number,
                subject=row.subject,
                date=row.date.astimezone(zone(row.zone)),
                template=row.template,
                html=row.html,
                text=row.text,
                page=row.page,
                sender=row.sender,
                posts=tuple(_carried_post(post) for post in connection.execute(posts)),
                language=row.language,
                variants=tuple(_variant(one) for one in connection.execute(cut)),
            )

    def pages(self) -> Iterator[tuple[int, str, datetime, str]]:
        """Number, subject, date and page hash of every frozen issue, by number."""
        columns = (issues.c.number, issues.c.subject, issues.c.date, issues.c.page_hash, issues.c.zone)
        with self._database.read() as connection:
            rows = connection.execute(select(*columns).order_by(issues.c.number)).all()
        for row in rows:
            yield row.number, row.subject, row.date.astimezone(zone(row.zone)), row.page_hash

    def entry_updates(
        self, seen: Sequence[Post], now: datetime, *, remember: bool = True
    ) -> dict[str, datetime]:
        """Return when each post's text last really changed, remembering texts not seen before.

        A post seen first counts as unchanged since `published`; a later call
        with another exact fingerprint makes it `now`. Writes only what changed,
        and nothing without `remember`.
        """
        with self._database.read() as connection:
            updates, news = _compare(connection, seen, now)
        if news and remember:
            with self._database.write() as connection:
                # Looked at again: only now is nobody else writing.
                updates, news = _compare(connection, seen, now)
                stale = delete(entry_versions).where(entry_versions.c.post.in_([row["post"] for row in news]))
                connection.execute(stale)
                if news:
                    connection.execute(insert(entry_versions), news)
        return updates

    def freeze(
        self, issue: FrozenIssue, before: Sequence[CarriedPost], now: datetime, cut: Cut = uncut
    ) -> int:
        """Write the issue's bytes, its posts, `before` and one queued delivery per reader, in one transaction.

        `cut` is pure, and asked for every choice that there is at this moment.
        Returns how many were enrolled. Raises StoreError if the number exists
        or the store is damaged, Refused if another issue carries one of its
        posts by now, Unrendered if a choice wants a variant that the issue does
        not have.
        """
        with self._database.write() as connection:
            self._database.demand_sound(connection)
            if connection.execute(select(issues.c.number).where(issues.c.number == issue.number)).first():
                raise self._error(
                    f"issue {issue.number} is in it already. Go on with: newsletter resume {issue.number}"
                )
            known = {
                row.post: row.issue for row in connection.execute(select(carried.c.post, carried.c.issue))
            }
            twice = [post.id for post in issue.posts if known.get(post.id) is not None]
            if twice:
                raise Refused(
                    f"another issue carries {', '.join(twice)} by now. Look again: newsletter status"
                )
            audience = count_audience(connection, issue.date)
            circulation = audience.circulation(cut)
            missing = circulation.variants.keys() - {"", *(variant.name for variant in issue.variants)}
            if missing:
                raise Unrendered(missing)
            self._write_issue(connection, issue, circulation, now)
            mine = {post.id for post in issue.posts}
            if mine & known.keys():
                connection.execute(delete(carried).where(carried.c.post.in_(mine & known.keys())))
            rows = [_post_row(post, issue.number, place) for place, post in enumerate(issue.posts)]
            rows += [
                _post_row(post, None, 0) for post in before if post.id not in mine and post.id not in known
            ]
            if rows:
                connection.execute(insert(carried), rows)
            return enroll(
                connection, issue.number, issue.date, {choice: cut(choice) for choice in audience.choices}
            )

    def published(self, number: int) -> None:
        """Note that the site that goes with the issue is in place."""
        with self._database.write() as connection:
            connection.execute(update(issues).where(issues.c.number == number).values(published=True))

    def set_issue_state(self, number: int, state: IssueState, why: str = "") -> None:
        """Pause, cancel or go on with an issue. What was not handed over of a cancelled one is cancelled with it.

        `why` is for people, and forgotten when the issue goes on. Raises
        StoreError if there is no such issue, Refused if it is at its end.
        """
        with self._database.write() as connection:
            current = connection.scalar(select(issues.c.state).where(issues.c.number == number))
            if current is None:
                raise self._error(f"there is no issue {number} in it. See: newsletter status")
            if current != state and current not in (IssueState.SENDING, IssueState.PAUSED):
                raise Refused(f"issue {number} is {current} and stays so")
            why = "" if state is IssueState.SENDING else why
            connection.execute(update(issues).where(issues.c.number == number).values(state=state, why=why))
            if state is IssueState.CANCELLED:
                connection.execute(move("cancel").where(deliveries.c.issue == number))

    def _write_issue(
        self, connection: Connection, issue: FrozenIssue, circulation: Circulation, now: datetime
    ) -> None:
        connection.execute(
            insert(issues).values(
                number=issue.number,
                subject=issue.subject,
                state=IssueState.SENDING,
                date=issue.date,
                zone=zone_name(issue.date),
                sender=issue.sender,
                language=issue.language,
                hash=issue.hash,
                page_hash=sha256(issue.page).hexdigest(),
                seal=self._seal(issue.number),
                frozen_at=now,
                skipped=json.dumps(circulation.skipped),
            )
        )
        connection.execute(
            insert(bodies).values(
                issue=issue.number,
                template=issue.template,
                html=issue.html,
                text=issue.text,
                page=issue.page,
            )
        )
        # Those that nobody gets (any more) are not part of what was sent.
        rows = [
            _variant_row(issue.number, variant)
            for variant in issue.variants
            if variant.name in circulation.variants
        ]
        if rows:
            connection.execute(insert(variants), rows)


def _record(connection: Connection, row: Row[Any]) -> IssueRecord:
    here = zone(row.zone)
    return IssueRecord(
        number=row.number,
        subject=row.subject,
        state=IssueState(row.state),
        date=row.date.astimezone(here),
        counts=tally(connection, row.number),
        hash=row.hash,
        started=row.started and row.started.astimezone(here),
        finished=row.finished and row.finished.astimezone(here),
        published=row.published,
        why=row.why,
        due=_due(connection, row.number, here),
        skipped={Skip(reason): count for reason, count in json.loads(row.skipped).items()},
    )


def _due(connection: Connection, number: int, here: tzinfo) -> datetime | None:
    """Return when the first deferred delivery is tried again."""
    first = func.min(deliveries.c.not_before)
    # What was hurried names no moment of its own.
    due = type_coerce(case((first == AT_ONCE, NOW), else_=first), Moment)
    resting = (deliveries.c.issue == number, deliveries.c.state == DeliveryState.QUEUED, DEFERRED)
    found = connection.scalar(select(due).where(*resting))
    return found and found.astimezone(here)


def _compare(
    connection: Connection, seen: Sequence[Post], now: datetime
) -> tuple[dict[str, datetime], list[dict[str, Any]]]:
    """Return when each post last changed, and the rows to write for those that are new or changed."""
    known = {row.post: row for row in connection.execute(select(entry_versions))}
    updates, news = {}, []
    for post in seen:
        row, exact = known.get(post.id), post.fingerprint.exact
        changed = None if row is None else row.updated if row.exact == exact else now
        updates[post.id] = changed or post.published
        if row is None or row.exact != exact:
            news.append({"post": post.id, "exact": exact, "updated": changed})
    return updates, news


def _post_row(post: CarriedPost, issue: int | None, place: int) -> dict[str, Any]:
    mark = post.fingerprint
    return {
        "post": post.id,
        "issue": issue,
        "position": place,
        "path": post.path,
        "exact": mark and mark.exact,
        "sketch": mark and mark.sketch,
    }


def _variant_row(issue: int, variant: Variant) -> dict[str, Any]:
    return {
        "issue": issue,
        "name": variant.name,
        "template": variant.template,
        "html": variant.html,
        "text": variant.text,
        "posts": json.dumps(variant.posts),
    }


def _variant(row: Row[Any]) -> Variant:
    return Variant(row.name, row.template, row.html, row.text, tuple(json.loads(row.posts)))


def _carried_post(row: Row[Any]) -> CarriedPost:
    mark = None if row.exact is None else Fingerprint(row.exact, row.sketch)
    return CarriedPost(id=row.post, issue=row.issue, fingerprint=mark, path=row.path)
