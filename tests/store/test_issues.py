"""What is frozen comes back to the byte, all of it or none."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from support.ledger import NOW, arm, frozen, subscriber

from pipeline.errors import Refused, StoreError
from pipeline.model import CarriedPost, Counts, Fingerprint, IssueState
from pipeline.model import SubscriberState as S


def post(name, exact, published=NOW):
    return SimpleNamespace(id=name, fingerprint=Fingerprint(exact), published=published)


def test_an_empty_store_knows_of_nothing(store):
    assert store.last_issue() is None
    assert store.issue(1) is None
    assert store.frozen(1) is None
    assert (list(store.issues()), list(store.carried()), list(store.pages())) == ([], [], [])
    assert store.counts(1) == Counts()
    assert (store.doubts(1), store.by_domain(1), store.close(1)) == ([], {}, False)


@pytest.mark.parametrize(
    "date",
    [
        NOW,
        datetime(2026, 11, 1, 1, 30, tzinfo=ZoneInfo("America/New_York"), fold=1),
        datetime(2026, 11, 1, 1, 30, tzinfo=ZoneInfo("America/New_York"), fold=0),
        datetime(2026, 11, 22, 9, 0, 1, 123456, tzinfo=ZoneInfo("Asia/Kathmandu")),
        datetime(2026, 11, 22, tzinfo=UTC),
        datetime(2026, 11, 22, tzinfo=timezone(timedelta(hours=-9, minutes=-30))),
    ],
)
def test_an_issue_comes_back_as_it_was_frozen_zone_and_all(store, opened, date):
    issue = frozen(date=date, template=bytes(range(256)) * 2000)
    store.freeze(issue, [], NOW)
    again = opened().frozen(1)
    assert again == issue
    assert again.date.isoformat() == date.isoformat()
    assert (again.date.tzname(), again.hash) == (date.tzname(), issue.hash)


def test_only_confirmed_readers_whose_mail_is_not_suppressed_are_enrolled(store):
    store.put_subscribers(
        [
            subscriber("a@example.com"),
            subscriber("b@example.com", state=S.UNCONFIRMED),
            subscriber("c@example.com", state=S.UNSUBSCRIBED),
            subscriber("d@example.com", suppressed="bounced"),
            subscriber("e@example.com"),
        ]
    )
    assert store.freeze(frozen(), [], NOW) == store.readers() == 2
    assert store.counts(1) == Counts(readers=2, queued=2)
    store.put_subscribers([subscriber("f@example.com")])
    assert store.counts(1).readers == 2


def test_the_day_a_reader_confirmed_is_that_of_the_newsletters_zone(store):
    late = datetime(2026, 7, 2, 3, 0, tzinfo=UTC)  # still the first of July in New York
    store.put_subscribers([subscriber("a@example.com", name="A", since=late)])
    store.freeze(frozen(), [], NOW)
    store.claim(1, "run")
    (delivery,) = store.lease(1, "run", 10)
    assert delivery.recipient.confirmed == date(2026, 7, 1)


def test_the_record_of_an_issue(store):
    store.freeze(frozen(), [], NOW)
    record = store.last_issue()
    assert record == store.issue(1) == store.issues()[0]
    assert (record.number, record.subject, record.state) == (1, frozen().subject, IssueState.SENDING)
    assert (record.hash, record.date, record.published) == (frozen().hash, NOW, False)
    assert (record.started, record.finished) == (None, None)
    store.published(1)
    assert store.issue(1).published


def test_pages_are_told_in_order_with_what_they_are_made_of(store):
    for number in (2, 1, 10):
        store.freeze(frozen(number, page=b"page %d" % number), [], NOW)
    pages = list(store.pages())
    assert [page[0] for page in pages] == [1, 2, 10]
    assert len({page[3] for page in pages}) == 3
    assert pages[0][1:3] == (frozen().subject, NOW)
    assert store.last_issue().number == 10


def test_a_number_is_given_once(store):
    store.freeze(frozen(), [], NOW)
    with pytest.raises(StoreError, match="issue 1 is in it already"):
        store.freeze(frozen(posts=()), [], NOW)
    # A guard, not a failure of the disk: the store goes on.
    assert store.last_issue().number == 1


def test_a_post_goes_out_in_one_issue_only_whoever_was_faster(store):
    store.freeze(frozen(1), [], NOW)
    with pytest.raises(Refused, match="weather-1"):
        store.freeze(frozen(2, posts=(CarriedPost("weather-1", 2), CarriedPost("new", 2))), [], NOW)
    assert store.issue(2) is None
    assert {one.id for one in store.carried()} == {"weather-1", "bread-1"}


def test_posts_before_the_first_issue_are_remembered_with_it(store):
    before = [CarriedPost("old", None, Fingerprint("cc"), "posts/old.md"), CarriedPost("older", None)]
    store.freeze(frozen(), [*before, CarriedPost("weather-1", None)], NOW)
    carried = {one.id: one for one in store.carried()}
    assert carried["old"] == before[0]
    assert carried["older"] == before[1]
    assert carried["weather-1"] == frozen().posts[0]
    store.freeze(frozen(2, posts=(replace(before[0], issue=2),)), before, NOW)
    assert {one.id: one.issue for one in store.carried()}["old"] == 2


def test_an_entry_is_updated_by_a_real_edit_only(store, opened):
    later, much_later = NOW + timedelta(days=1), NOW + timedelta(days=9)
    assert store.entry_updates([post("a", "1"), post("b", "1")], NOW) == {"a": NOW, "b": NOW}
    assert opened().entry_updates([post("a", "2"), post("b", "1")], later) == {"a": later, "b": NOW}
    assert store.entry_updates([post("a", "2"), post("c", "1")], much_later) == {"a": later, "c": NOW}


def test_an_issue_is_paused_and_goes_on_and_a_cancelled_one_stays_cancelled(sending):
    sending.set_issue_state(1, IssueState.PAUSED)
    assert sending.lease(1, "run", 5) == []
    sending.set_issue_state(1, IssueState.SENDING)
    first, *_ = sending.lease(1, "run", 2)
    assert arm(sending, first, "run")
    sending.set_issue_state(1, IssueState.CANCELLED)
    assert sending.counts(1) == Counts(readers=5, queued=1, cancelled=4)
    with pytest.raises(Refused, match="cancelled and stays so"):
        sending.set_issue_state(1, IssueState.SENDING)
    with pytest.raises(StoreError, match="no issue 7"):
        sending.set_issue_state(7, IssueState.PAUSED)
