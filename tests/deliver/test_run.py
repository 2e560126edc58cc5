"""A run on a real ledger: nobody twice, nobody forgotten, every doubt named."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from support.sending import NOW, SomeTokens, carried, rendered, settings

from pipeline.deliver.freeze import freeze
from pipeline.deliver.message import Splicer
from pipeline.deliver.run import deliver
from pipeline.edges import Arm, Store
from pipeline.errors import MailerUnusable, StoreError
from pipeline.mailers.outbox import Outbox
from pipeline.model import Answer, Counts, IssueState, Outcome, Submission, Subscriber, SubscriberState


def filed(folder: Path) -> list[str]:
    """Addresses that have a copy, as often as they have one."""
    return sorted(
        re.search(rb"\r\nTo: .*<(.*)>\r\n", p.read_bytes())[1].decode() for p in folder.rglob("*.eml")
    )  # type: ignore[index]


EVERYBODY = sorted(f"reader{n}@example.com" for n in range(1, 21))


class Relay:
    """A mailer that answers what it is told to, and keeps what it took."""

    name = "told"

    def __init__(
        self,
        *said: Outcome,
        evidence: Outcome | None = None,
        arms: int = 1,
        connections: int = 1,
        reply: str = "",
    ) -> None:
        self.said, self.evidence, self.arms, self.connections = said, evidence, arms, connections
        self.reply = reply
        self.took: list[Submission] = []
        self.asked = 0

    def submit(self, submissions: Iterable[Submission | None], arm: Arm) -> Iterator[Answer]:
        for submission in submissions:
            assert submission is not None, "given None with nothing under way"
            outcome = self.said[self.asked % len(self.said)]
            self.asked += 1
            for _ in range(self.arms):
                if not arm(submission):
                    outcome = Outcome.NOT_ARMED
            if outcome is Outcome.ACCEPTED:
                self.took.append(submission)
            yield self.answer(submission, outcome)

    def answer(self, submission: Submission, outcome: Outcome) -> Answer:
        return Answer(submission, outcome, self.reply or f"said {outcome}")

    def abandon(self) -> None:
        pass

    def look_up(self, submission: Submission) -> Outcome | None:
        return self.evidence


def test_everybody_gets_one_copy_and_the_issue_is_sent(store: Store, splicer: Splicer, filled: Path) -> None:
    heard: list[Counts] = []
    counts = deliver(store, Outbox(filled / "outbox"), splicer, 1, "run-1", on_progress=heard.append)
    assert counts == Counts(readers=20, accepted=20)
    assert filed(filled) == EVERYBODY
    record = store.issue(1)
    assert record
    assert record.state is IssueState.SENT
    assert [c.accepted for c in heard] == list(range(1, 21))
    assert all(c.queued + c.accepted == 20 for c in heard)


def test_a_second_run_has_nothing_to_do(store: Store, splicer: Splicer, filled: Path) -> None:
    deliver(store, Outbox(filled / "outbox"), splicer, 1, "run-1")
    relay = Relay(Outcome.ACCEPTED)
    assert deliver(store, relay, splicer, 1, "run-2") == Counts(readers=20, accepted=20)
    assert relay.asked == 0


def test_a_stop_ends_after_the_message_under_way_and_the_next_run_takes_the_rest(
    store: Store, splicer: Splicer, filled: Path
) -> None:
    heard: list[Counts] = []
    outbox = Outbox(filled / "outbox")
    stopped = deliver(
        store, outbox, splicer, 1, "run-1", on_progress=heard.append, should_stop=lambda: len(heard) == 7
    )
    assert stopped == Counts(readers=20, accepted=7, queued=13)
    assert len(filed(filled)) == 7
    assert deliver(store, outbox, splicer, 1, "run-2").accepted == 20
    assert filed(filled) == EVERYBODY


def test_every_answer_is_written_down_as_what_it_is(store: Store, splicer: Splicer) -> None:
    relay = Relay(Outcome.ACCEPTED, Outcome.DEFERRED, Outcome.REFUSED, Outcome.IN_DOUBT)
    counts = deliver(store, relay, splicer, 1, "run-1")
    assert counts == Counts(readers=20, accepted=5, deferred=5, refused=5, in_doubt=5)
    again = Relay(Outcome.ACCEPTED)
    assert (
        deliver(store, again, splicer, 1, "run-2") == counts
    )  # deferred ones rest, doubts stay without evidence
    assert again.asked == 0


@pytest.mark.parametrize(("evidence", "left"), [(Outcome.ACCEPTED, 0), (Outcome.DEFERRED, 20)])
def test_evidence_settles_a_doubt_either_way(
    store: Store, splicer: Splicer, evidence: Outcome, left: int
) -> None:
    assert deliver(store, Relay(Outcome.IN_DOUBT), splicer, 1, "run-1").in_doubt == 20
    later = Relay(Outcome.ACCEPTED, evidence=evidence)
    assert deliver(store, later, splicer, 1, "run-2") == Counts(readers=20, accepted=20)
    assert later.asked == left


def test_an_unusable_relay_costs_nobody_anything(store: Store, splicer: Splicer, filled: Path) -> None:
    (filled / "a-file").write_text("")
    with pytest.raises(MailerUnusable):
        deliver(store, Outbox(filled / "a-file"), splicer, 1, "run-1")
    assert store.counts(1) == Counts(readers=20, queued=20)
    assert deliver(store, Outbox(filled / "outbox"), splicer, 1, "run-2").accepted == 20


def test_who_leaves_while_an_issue_goes_out_gets_no_copy(
    store: Store, splicer: Splicer, filled: Path
) -> None:
    left: list[bool] = []

    def leave(counts: Counts) -> None:
        if not left:  # all twenty are leased by now
            left.append(store.unsubscribe("reader20@example.com", NOW))

    counts = deliver(store, Outbox(filled / "outbox"), splicer, 1, "run-1", on_progress=leave)
    assert left == [True]
    assert counts == Counts(readers=20, accepted=19, withdrawn=1)
    assert filed(filled) == [email for email in EVERYBODY if email != "reader20@example.com"]


def test_a_paused_issue_lets_nothing_more_go(store: Store, splicer: Splicer, filled: Path) -> None:
    def pause(counts: Counts) -> None:
        if counts.accepted == 3:
            store.set_issue_state(1, IssueState.PAUSED)

    outbox = Outbox(filled / "outbox")
    counts = deliver(store, outbox, splicer, 1, "run-1", on_progress=pause)
    assert counts == Counts(readers=20, accepted=3, queued=17)
    assert len(filed(filled)) == 3
    store.set_issue_state(1, IssueState.SENDING)
    assert deliver(store, outbox, splicer, 1, "run-2").accepted == 20


def test_an_address_that_no_message_can_carry_is_refused_alone(tmp_path: Path) -> None:
    from pipeline.store import open_store

    store, tokens = open_store("sqlite:///newsletter.db", tmp_path, SomeTokens()), SomeTokens()
    people = ("ana@example.com", 'eve@example.com"\r\nBcc: all@example.org', "bob@example.com")
    store.put_subscribers(Subscriber(tokens.uid(e), e, "", SubscriberState.CONFIRMED, NOW) for e in people)
    store.freeze(freeze(rendered(), settings(), carried()), [], NOW)
    frozen = store.frozen(1)
    assert frozen
    counts = deliver(store, Outbox(tmp_path / "outbox"), Splicer(frozen, tokens), 1, "run-1")
    assert counts == Counts(readers=3, accepted=2, refused=1)
    assert len(list(tmp_path.rglob("*.eml"))) == 2
    store.close_database()


def test_a_mailer_that_hands_over_without_asking_stops_the_run(store: Store, splicer: Splicer) -> None:
    relay = Relay(Outcome.ACCEPTED, arms=0)
    with pytest.raises(StoreError, match="cannot accept"):
        deliver(store, relay, splicer, 1, "run-1")
    assert relay.asked == 1


def test_a_mailer_that_asks_twice_for_one_message_stops_the_run(store: Store, splicer: Splicer) -> None:
    relay = Relay(Outcome.ACCEPTED, arms=2)
    with pytest.raises(StoreError, match="cannot arm"):
        deliver(store, relay, splicer, 1, "run-1")
    assert store.counts(1).in_doubt == 1


def test_a_mailer_that_answers_twice_stops_the_run(store: Store, splicer: Splicer) -> None:
    class Stutter(Relay):
        def submit(self, submissions: Iterable[Submission | None], arm: Arm) -> Iterator[Answer]:
            for answer in super().submit(submissions, arm):
                yield answer
                yield answer

    with pytest.raises(StoreError, match="cannot accept"):
        deliver(store, Stutter(Outcome.ACCEPTED), splicer, 1, "run-1")
    assert store.counts(1) == Counts(readers=20, accepted=1, queued=19)


def test_a_ledger_that_fails_stops_the_run_with_nothing_more_armed(
    store: Store, splicer: Splicer, filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox, commit = Outbox(filled / "outbox"), store.commit

    def lost(*words: Any) -> Sequence[bool]:
        armed = commit(*words)
        if len(filed(filled)) == 4:
            raise StoreError("the disk reports an error")
        return armed

    monkeypatch.setattr(store, "commit", lost)
    with pytest.raises(StoreError, match="disk reports"):
        deliver(store, outbox, splicer, 1, "run-1")
    monkeypatch.undo()
    assert len(filed(filled)) == 4
    assert deliver(store, outbox, splicer, 1, "run-2").accepted == 20
    assert filed(filled) == EVERYBODY


def test_a_name_that_may_not_last_is_looked_up_by_the_next_run(
    store: Store, splicer: Splicer, filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.mailers import outbox

    def fails(folder: Path) -> None:
        if folder.name == "0001":
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(outbox, "sync_folder", fails)
    assert deliver(store, Outbox(filled / "outbox"), splicer, 1, "run-1").in_doubt == 20
    monkeypatch.undo()
    assert deliver(store, Outbox(filled / "outbox"), splicer, 1, "run-2").accepted == 20
    assert filed(filled) == EVERYBODY
