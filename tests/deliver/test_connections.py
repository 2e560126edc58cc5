"""Several connections of one run: what they share, and what becomes of the rest when one has bad luck."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.deliver import backoff, connection
from pipeline.deliver.message import Splicer
from pipeline.deliver.plan import Plan
from pipeline.deliver.run import deliver
from pipeline.edges import Arm, Store
from pipeline.errors import MailerUnusable, RelayRefused, RelayUnfit
from pipeline.model import Answer, Counts, Delivery, IssueState, Outcome, Submission, Verdict

EVERYBODY = Counts(readers=20, accepted=20)
DEFERRED = Outcome.DEFERRED


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(backoff, "QUICK", 0.01)


class Lines:
    """A mailer with several connections; subclasses say what happens on one."""

    name = "lines"

    def __init__(self, connections: int = 4) -> None:
        self.connections = connections
        self.took: list[int] = []
        self.opened = 0
        self.abandoned = threading.Event()
        self._lock = threading.Lock()

    def submit(self, submissions: Iterable[Submission | None], arm: Arm) -> Iterator[Answer]:
        with self._lock:
            self.opened += 1
            number = self.opened
        yield from self.line(number, submissions, arm)

    def line(self, number: int, submissions: Iterable[Submission | None], arm: Arm) -> Iterator[Answer]:
        for submission in submissions:
            assert submission is not None
            yield self.hand_over(submission, arm)

    def hand_over(self, submission: Submission, arm: Arm) -> Answer:
        if not arm(submission):
            return Answer(submission, Outcome.NOT_ARMED)
        with self._lock:
            self.took.append(submission.delivery.id)
        return Answer(submission, Outcome.ACCEPTED, "250 ok")

    def abandon(self) -> None:
        self.abandoned.set()

    def look_up(self, submission: Submission) -> Outcome | None:
        return None


def nobody_twice(mailer: Lines) -> bool:
    return len(mailer.took) == len(set(mailer.took)) == 20


def test_all_connections_are_at_work_beside_each_other(store: Store, splicer: Splicer) -> None:
    class Together(Lines):
        meeting = threading.Barrier(4)

        def line(self, number: int, submissions: Iterable[Submission | None], arm: Arm) -> Iterator[Answer]:
            self.meeting.wait(10)
            yield from super().line(number, submissions, arm)

    mailer = Together()
    assert deliver(store, mailer, splicer, 1, "run-1") == EVERYBODY
    assert nobody_twice(mailer)


def test_what_waited_too_long_for_its_turn_is_leased_anew(store: Store, splicer: Splicer) -> None:
    class Slow(Lines):
        def hand_over(self, submission: Submission, arm: Arm) -> Answer:
            if not self.took:
                # The others are fresh for half as long.
                time.sleep(0.2)
            return super().hand_over(submission, arm)

    mailer = Slow(connections=1)
    assert deliver(store, mailer, splicer, 1, "run-1", plan=Plan(lease=0.2)) == EVERYBODY
    assert nobody_twice(mailer)


def test_there_are_no_more_connections_than_copies(store: Store, splicer: Splicer) -> None:
    mailer = Lines(connections=100)
    assert deliver(store, mailer, splicer, 1, "run-1") == EVERYBODY
    assert mailer.opened <= 20


def test_what_gathers_while_a_commit_lasts_is_one_commit(
    store: Store, splicer: Splicer, monkeypatch: pytest.MonkeyPatch
) -> None:
    class AtOnce(Lines):
        meeting = threading.Barrier(10)

        def hand_over(self, submission: Submission, arm: Arm) -> Answer:
            self.meeting.wait(10)
            return super().hand_over(submission, arm)

    commit, sizes = store.commit, []

    def slow(owner: str, verdicts: Sequence[Verdict], arms: Sequence[Delivery], give_up: timedelta) -> Any:
        sizes.append(len(arms))
        threading.Event().wait(0.05)
        return commit(owner, verdicts, arms, give_up)

    monkeypatch.setattr(store, "commit", slow)
    assert deliver(store, AtOnce(connections=10), splicer, 1, "run-1") == EVERYBODY
    assert sum(sizes) == 20
    assert max(sizes) > 4


def test_an_answer_is_written_no_later_than_the_arm_that_follows_it_on_its_connection(
    store: Store, splicer: Splicer, monkeypatch: pytest.MonkeyPatch
) -> None:
    last_of_line: dict[int, int] = {}
    before: dict[int, int] = {}

    class Watched(Lines):
        def hand_over(self, submission: Submission, arm: Arm) -> Answer:
            me, mine = threading.get_ident(), submission.delivery.id
            if me in last_of_line:
                before[mine] = last_of_line[me]
            last_of_line[me] = mine
            return super().hand_over(submission, arm)

    commit, written = store.commit, set[int]()

    def watched(owner: str, verdicts: Sequence[Verdict], arms: Sequence[Delivery], give_up: timedelta) -> Any:
        written.update(verdict.answer.submission.delivery.id for verdict in verdicts)
        assert all(before[delivery.id] in written for delivery in arms if delivery.id in before)
        return commit(owner, verdicts, arms, give_up)

    monkeypatch.setattr(store, "commit", watched)
    assert deliver(store, Watched(), splicer, 1, "run-1") == EVERYBODY
    assert len(before) >= 16


def test_a_cut_connection_costs_its_message_one_try_and_is_opened_again(
    store: Store, splicer: Splicer
) -> None:
    class Cut(Lines):
        def line(self, number: int, submissions: Iterable[Submission | None], arm: Arm) -> Iterator[Answer]:
            for count, submission in enumerate(submissions):
                assert submission is not None
                if count == 3:
                    yield Answer(submission, DEFERRED, "the connection was cut", connection=True)
                    return
                yield self.hand_over(submission, arm)

    mailer = Cut(connections=2)
    assert deliver(store, mailer, splicer, 1, "run-1") == EVERYBODY
    assert nobody_twice(mailer)
    assert mailer.opened >= 6


def test_one_connection_that_is_not_to_be_had_is_not_missed(store: Store, splicer: Splicer) -> None:
    class OneOnly(Lines):
        def line(self, number: int, submissions: Iterable[Submission | None], arm: Arm) -> Iterator[Answer]:
            if number > 1:
                raise MailerUnusable("421 too many connections")
            yield from super().line(number, submissions, arm)

    assert deliver(store, OneOnly(connections=3), splicer, 1, "run-1") == EVERYBODY


def test_a_relay_that_is_away_is_tried_again_and_then_named(store: Store, splicer: Splicer) -> None:
    class Away(Lines):
        def line(self, number: int, submissions: Iterable[Submission | None], arm: Arm) -> Iterator[Answer]:
            if number <= self.away:
                raise MailerUnusable("nobody answers")
            yield from super().line(number, submissions, arm)

        away = 100

    mailer = Away(connections=1)
    with pytest.raises(MailerUnusable, match="nobody answers"):
        deliver(store, mailer, splicer, 1, "run-1")
    assert mailer.opened == 1 + Plan().reconnects
    assert store.counts(1) == Counts(readers=20, queued=20)
    record = store.issue(1)
    assert record
    assert record.state is IssueState.SENDING
    mailer.away = mailer.opened + 2
    assert deliver(store, mailer, splicer, 1, "run-2") == EVERYBODY


def test_a_relay_that_is_not_to_be_trusted_is_not_asked_again(store: Store, splicer: Splicer) -> None:
    class Stranger(Lines):
        def line(self, number: int, submissions: Iterable[Submission | None], arm: Arm) -> Iterator[Answer]:
            raise RelayUnfit("its certificate is not to be trusted")
            yield

    mailer = Stranger(connections=2)
    with pytest.raises(RelayUnfit):
        deliver(store, mailer, splicer, 1, "run-1")
    assert mailer.opened == 2
    record = store.issue(1)
    assert record
    assert (record.state, record.counts.queued) == (IssueState.SENDING, 20)


def test_a_relay_that_hangs_up_on_every_message_is_named(store: Store, splicer: Splicer) -> None:
    class HangsUp(Lines):
        def line(self, number: int, submissions: Iterable[Submission | None], arm: Arm) -> Iterator[Answer]:
            for submission in submissions:
                assert submission is not None
                yield Answer(submission, DEFERRED, "the connection was closed", connection=True)
                return

    mailer = HangsUp(connections=1)
    with pytest.raises(MailerUnusable, match="in a row"):
        deliver(store, mailer, splicer, 1, "run-1")
    counts = store.counts(1)
    assert counts.open == 20
    assert mailer.opened < 10


def test_a_relay_that_refuses_us_pauses_the_issue_and_fails_nobody(store: Store, splicer: Splicer) -> None:
    class Refuses(Lines):
        def line(self, number: int, submissions: Iterable[Submission | None], arm: Arm) -> Iterator[Answer]:
            for submission in submissions:
                assert submission is not None
                yield Answer(submission, Outcome.NOT_ARMED)
                raise RelayRefused("relay.example.org refuses the sender: 550 who are you")

    with pytest.raises(RelayRefused, match="who are you"):
        deliver(store, Refuses(), splicer, 1, "run-1")
    record = store.issue(1)
    assert record
    assert record.counts == Counts(readers=20, queued=20)
    assert (record.state, record.why) == (
        IssueState.PAUSED,
        "relay.example.org refuses the sender: 550 who are you",
    )
    store.set_issue_state(1, IssueState.SENDING)
    assert deliver(store, Lines(), splicer, 1, "run-2") == EVERYBODY


def test_five_refusals_in_the_same_words_pause_the_issue(store: Store, splicer: Splicer) -> None:
    class Spam(Lines):
        def hand_over(self, submission: Submission, arm: Arm) -> Answer:
            arm(submission)
            return Answer(submission, Outcome.REFUSED, "554 5.7.1 message looks like spam")

    with pytest.raises(RelayRefused, match="looks like spam"):
        deliver(store, Spam(connections=1), splicer, 1, "run-1")
    assert store.counts(1) == Counts(readers=20, refused=5, queued=15)
    record = store.issue(1)
    assert record
    assert record.state is IssueState.PAUSED
    store.set_issue_state(1, IssueState.SENDING)
    assert deliver(store, Lines(), splicer, 1, "run-2").accepted == 15


def test_what_is_due_again_soon_is_tried_in_the_same_run(store: Store, splicer: Splicer) -> None:
    class Greylists(Lines):
        def hand_over(self, submission: Submission, arm: Arm) -> Answer:
            if submission.delivery.attempts == 0:
                return Answer(submission, DEFERRED, "450 4.2.0 come back later")
            return super().hand_over(submission, arm)

    mailer = Greylists(connections=2)
    assert deliver(store, mailer, splicer, 1, "run-1", plan=Plan(first=0.2)) == EVERYBODY
    assert nobody_twice(mailer)


def test_what_rests_longer_is_left_to_the_next_run_unless_this_one_is_to_wait(
    store: Store, splicer: Splicer
) -> None:
    class Busy(Lines):
        def hand_over(self, submission: Submission, arm: Arm) -> Answer:
            return Answer(submission, DEFERRED, "450 4.2.0 come back later")

    assert deliver(store, Busy(), splicer, 1, "run-1") == Counts(readers=20, deferred=20)
    assert deliver(store, Lines(), splicer, 1, "run-2") == Counts(readers=20, deferred=20)
    assert store.hurry(1) == 20
    assert deliver(store, Lines(), splicer, 1, "run-3") == EVERYBODY


def test_deferred_for_too_long_is_expired_and_said_so(store: Store, splicer: Splicer) -> None:
    class Busy(Lines):
        def hand_over(self, submission: Submission, arm: Arm) -> Answer:
            return Answer(submission, DEFERRED, "450 4.2.0 come back later")

    plan = Plan(first=0.01, longest=0.02, give_up=timedelta(seconds=0.3))
    assert deliver(store, Busy(), splicer, 1, "run-1", plan=plan) == Counts(readers=20, expired=20)
    assert [(refusal.reply, refusal.count) for refusal in store.refusals(1)] == [
        ("450 4.2.0 come back later", 20)
    ]


def test_told_to_stop_it_waits_for_what_is_under_way_and_then_cuts(store: Store, splicer: Splicer) -> None:
    class Silent(Lines):
        def hand_over(self, submission: Submission, arm: Arm) -> Answer:
            assert arm(submission)
            self.took.append(submission.delivery.id)
            if len(self.took) == 2:
                stop.set()
            assert self.abandoned.wait(10)
            return Answer(submission, Outcome.IN_DOUBT, "no answer came")

    stop = threading.Event()
    counts = deliver(
        store, Silent(connections=2), splicer, 1, "run-1", plan=Plan(drain=0.2), should_stop=stop.is_set
    )
    assert counts == Counts(readers=20, in_doubt=2, queued=18)


def test_a_mailer_that_does_not_even_heed_that_leaves_a_named_doubt(store: Store, splicer: Splicer) -> None:
    class Deaf(Lines):
        def hand_over(self, submission: Submission, arm: Arm) -> Answer:
            assert arm(submission)
            stop.set()
            hold.wait(10)
            return Answer(submission, Outcome.IN_DOUBT)

    stop, hold = threading.Event(), threading.Event()
    deliver(store, Deaf(connections=1), splicer, 1, "run-1", plan=Plan(drain=0.1), should_stop=stop.is_set)
    assert store.counts(1) == Counts(readers=20, in_doubt=1, queued=19)
    assert len(store.doubts(1)) == 1
    hold.set()


def test_a_paused_issue_is_not_pulled_any_further(store: Store, splicer: Splicer) -> None:
    class Pauses(Lines):
        pulled = 0

        def hand_over(self, submission: Submission, arm: Arm) -> Answer:
            self.pulled += 1
            if self.pulled == 4:
                store.set_issue_state(1, IssueState.PAUSED)
            return super().hand_over(submission, arm)

    mailer = Pauses(connections=1)
    assert deliver(store, mailer, splicer, 1, "run-1") == Counts(readers=20, accepted=3, queued=17)
    assert mailer.pulled == 4


def test_each_copy_has_a_return_path_of_its_own_where_that_is_asked_for(filled: Path) -> None:
    from support.sending import SomeTokens, carried, delivery, rendered, settings

    from pipeline.deliver.freeze import freeze

    asked = settings()
    mail = asked.mail.model_copy(update={"verp": True, "return_path": "bounces@example.org"})
    frozen = freeze(rendered(), asked.model_copy(update={"mail": mail}), carried())
    made = [Splicer(frozen, SomeTokens()).submission(delivery(f"reader{n}@example.com")) for n in (1, 2)]
    assert [s.sender for s in made] == [f"bounces+{s.message_id.partition('@')[0]}@example.org" for s in made]
    assert made[0].sender != made[1].sender
