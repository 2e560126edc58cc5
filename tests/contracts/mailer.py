"""What every mailer promises: the contract that our own pass, and that yours should.

Subclass `MailerContract` and give it three fixtures:

    class TestPigeons(MailerContract):
        window = 4                      # messages it pulls before it must answer one
        knows_what_it_took = False      # True if look_up can always tell

        @pytest.fixture
        def mailer(self): ...           # a mailer with a working relay
        @pytest.fixture
        def relay(self): ...            # that relay; .taken() lists the messages it took
        @pytest.fixture
        def unusable(self): ...         # a mailer whose relay takes nothing at all

The relay is a real one: a server on a socket, a folder on a disk.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from typing import Protocol

import pytest

from pipeline.edges import Mailer
from pipeline.errors import MailerUnusable, StoreError
from pipeline.model import Answer, Delivery, DeliveryState, Outcome, Recipient, Submission


class Relay(Protocol):
    def taken(self) -> Sequence[bytes]:
        """Return every message it took, as the octets that were handed over."""


def always(_: Submission) -> bool:
    return True


class Arming:
    """Lets go of what `let_go` says, and remembers what it was asked about."""

    def __init__(self, relay: Relay, let_go: Callable[[Submission], bool] = always) -> None:
        self.relay, self.let_go = relay, let_go
        self.asked: list[Submission] = []
        #: How many questions there were; `many` is one.
        self.questions = 0
        #: Those that the relay had before it was asked.
        self.too_late: list[Submission] = []

    def __call__(self, submission: Submission) -> bool:
        return self.many([submission])[0]

    def many(self, submissions: Sequence[Submission]) -> Sequence[bool]:
        self.questions += 1
        self.asked += submissions
        taken = self.relay.taken()
        self.too_late += [one for one in submissions if one.data in taken]
        return [self.let_go(one) for one in submissions]


class Source:
    """Gives submissions out, and knows which of them are under way."""

    def __init__(self, submissions: Iterable[Submission | None]) -> None:
        self.left = deque(submissions)
        self.pulled: list[Submission] = []

    def __iter__(self) -> Iterator[Submission | None]:
        while self.left:
            one = self.left.popleft()
            if one:
                self.pulled.append(one)
            yield one


def hand_over(mailer: Mailer, submissions: Iterable[Submission | None], arm: Arming) -> list[Answer]:
    """Submit as a run does: once more after a connection has ended, with those whose turn did not come."""
    source, answers = Source(submissions), []
    for _ in range(50):
        if not source.left:
            break
        for answer in mailer.submit(source, arm):
            if answer.outcome is Outcome.NOT_ARMED and answer.submission not in arm.asked:
                source.left.appendleft(answer.submission)
            else:
                answers.append(answer)
    return answers


def submission(number: int, issue: int = 7) -> Submission:
    """Return a message with everything that a careless hand-over would change."""
    email = f"reader{number}@example.com"
    recipient = Recipient(f"{number:032x}", email, f"Reader {number}", date(2026, 1, 3))
    message_id = f"{number:032x}@example.org"
    lines = [
        "From: The Letter <letter@example.org>",
        f"To: Reader {number} <{email}>",
        "Subject: As it is",
        "Date: Sun, 22 Nov 2026 09:00:00 -0500",
        f"Message-ID: <{message_id}>",
        "MIME-Version: 1.0",
        "Content-Type: text/plain",
        "",
        ".",
        "..",
        ".a dot at the start, and a space at the end ",
        "From the start of a line",
        "\t",
        "",
        "x" * 998,
        "-- ",
        "",
    ]
    data = "\r\n".join(lines).encode()
    delivery = Delivery(number, issue, recipient, DeliveryState.LEASED, epoch=1)
    return Submission(delivery, "letter@example.org", email, message_id, data)


def remember(answers: Iterator[Answer], into: list[Answer]) -> None:
    """Keep every answer, also if an error comes after it."""
    for answer in answers:
        into.append(answer)


class MailerContract:
    """One message, one question, one answer."""

    window = 1
    knows_what_it_took = False

    @pytest.fixture
    def mailer(self) -> Mailer:
        raise NotImplementedError

    @pytest.fixture
    def relay(self) -> Relay:
        raise NotImplementedError

    @pytest.fixture
    def unusable(self) -> Mailer:
        raise NotImplementedError

    def test_it_has_a_name(self, mailer: Mailer) -> None:
        assert mailer.name
        assert mailer.name.isprintable()

    def test_it_says_how_many_may_be_at_work_beside_each_other(self, mailer: Mailer, relay: Relay) -> None:
        assert mailer.connections >= 1
        answers: list[Answer] = []

        def work(first: int) -> None:
            answers.extend(mailer.submit([submission(first + n) for n in range(4)], Arming(relay)))

        threads = [threading.Thread(target=work, args=(100 * n,)) for n in range(mailer.connections)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert [a.outcome for a in answers] == [Outcome.ACCEPTED] * 4 * mailer.connections
        assert sorted(relay.taken()) == sorted(a.submission.data for a in answers)

    def test_the_relay_gets_every_message_byte_for_byte(self, mailer: Mailer, relay: Relay) -> None:
        sent = [submission(n) for n in range(1, 6)]
        answers = list(mailer.submit(sent, Arming(relay)))
        assert [a.outcome for a in answers] == [Outcome.ACCEPTED] * 5
        assert sorted(relay.taken()) == sorted(s.data for s in sent)

    def test_every_submission_has_exactly_one_answer(self, mailer: Mailer, relay: Relay) -> None:
        sent = [submission(n) for n in range(1, 8)]
        answers = list(mailer.submit(iter(sent), Arming(relay)))
        assert sorted(a.submission.delivery.id for a in answers) == [1, 2, 3, 4, 5, 6, 7]
        assert all(a.submission in sent for a in answers)

    def test_it_asks_once_for_each_message_before_the_relay_has_it(
        self, mailer: Mailer, relay: Relay
    ) -> None:
        sent = [submission(n) for n in range(1, 6)]
        arming = Arming(relay)
        list(mailer.submit(sent, arming))
        assert sorted(s.delivery.id for s in arming.asked) == [1, 2, 3, 4, 5]
        assert arming.too_late == []

    def test_what_is_not_let_go_is_not_handed_over(self, mailer: Mailer, relay: Relay) -> None:
        answers = hand_over(mailer, [submission(1), submission(2)], Arming(relay, lambda _: False))
        assert [a.outcome for a in answers] == [Outcome.NOT_ARMED] * 2
        assert relay.taken() == []

    def test_one_that_is_held_back_does_not_hold_back_the_next(self, mailer: Mailer, relay: Relay) -> None:
        arming = Arming(relay, lambda s: s.delivery.id != 2)
        answers = hand_over(mailer, [submission(n) for n in (1, 2, 3)], arming)
        outcomes = {a.submission.delivery.id: a.outcome for a in answers}
        assert outcomes == {1: Outcome.ACCEPTED, 2: Outcome.NOT_ARMED, 3: Outcome.ACCEPTED}
        assert sorted(relay.taken()) == [submission(1).data, submission(3).data]

    def test_no_answer_names_an_address(self, mailer: Mailer, relay: Relay) -> None:
        arming = Arming(relay, lambda s: s.delivery.id != 2)
        for answer in hand_over(mailer, [submission(n) for n in (1, 2, 3)], arming):
            assert "@" not in answer.reply
            assert "reader" not in answer.reply

    def test_it_pulls_no_more_than_it_is_about_to_hand_over(self, mailer: Mailer, relay: Relay) -> None:
        pulled = answered = 0

        def endless() -> Iterator[Submission]:
            nonlocal pulled
            while True:
                pulled += 1
                yield submission(pulled)

        for answered, _ in enumerate(mailer.submit(endless(), Arming(relay)), 1):
            assert pulled - answered < self.window
            if answered == 20:
                break

    def test_between_an_answer_and_the_next_question_nothing_is_handed_over(
        self, mailer: Mailer, relay: Relay
    ) -> None:
        arming = Arming(relay)
        for answered, _ in enumerate(mailer.submit([submission(n) for n in range(1, 6)], arming), 1):
            assert len(relay.taken()) <= len(arming.asked) < answered + self.window

    def test_a_run_that_stops_hands_over_nothing_more(self, mailer: Mailer, relay: Relay) -> None:
        arming = Arming(relay)
        answers = mailer.submit([submission(n) for n in range(1, 6)], arming)
        first = next(answers)
        del answers
        assert first.submission.data in relay.taken()
        assert len(relay.taken()) <= len(arming.asked) <= self.window

    def test_nothing_to_submit_is_nothing_to_answer(self, mailer: Mailer, relay: Relay) -> None:
        assert list(mailer.submit([], Arming(relay))) == []
        assert relay.taken() == []

    def test_when_nothing_more_is_to_be_had_just_now_it_finishes_what_is_under_way(
        self, mailer: Mailer, relay: Relay
    ) -> None:
        answered: set[int] = set()
        pulled: set[int] = set()

        def slow() -> Iterator[Submission | None]:
            for number in range(1, 8):
                pulled.add(number)
                yield submission(number)
                if number % 3 == 0 and pulled - answered:
                    yield None
                    assert answered == pulled

        for answer in mailer.submit(slow(), Arming(relay)):
            assert answer.outcome is Outcome.ACCEPTED
            answered.add(answer.submission.delivery.id)
        assert answered == set(range(1, 8))

    def test_an_unusable_relay_is_said_before_anything_is_armed(self, unusable: Mailer, relay: Relay) -> None:
        arming, source = Arming(relay), Source([submission(1), submission(2)])
        answers: list[Answer] = []
        with pytest.raises(MailerUnusable) as told:
            remember(unusable.submit(source, arming), answers)
        assert arming.asked == []
        assert "@" not in str(told.value)
        # Whoever was pulled is owed an answer, and it is nobody's fault.
        assert [a.submission for a in answers] == source.pulled
        assert {a.outcome for a in answers} <= {Outcome.NOT_ARMED}

    def test_a_ledger_that_fails_stops_it_before_the_step(self, mailer: Mailer, relay: Relay) -> None:
        def broken(_: Submission) -> bool:
            raise StoreError("the disk is full")

        with pytest.raises(StoreError):
            list(mailer.submit([submission(1), submission(2)], Arming(relay, broken)))
        assert relay.taken() == []

    def test_cut_from_outside_it_answers_what_it_has_pulled_and_returns(
        self, mailer: Mailer, relay: Relay
    ) -> None:
        source = Source(submission(n) for n in range(1, 6))

        def cut(_: Submission) -> bool:
            thread = threading.Thread(target=mailer.abandon)
            thread.start()
            thread.join(10)
            return True

        answers = list(mailer.submit(source, Arming(relay, cut)))
        assert sorted(a.submission.delivery.id for a in answers) == [s.delivery.id for s in source.pulled]
        took = relay.taken()
        for answer in answers:
            assert (
                answer.outcome in (Outcome.ACCEPTED, Outcome.IN_DOUBT) or answer.submission.data not in took
            )

    def test_with_nothing_open_there_is_nothing_to_cut(self, mailer: Mailer, relay: Relay) -> None:
        mailer.abandon()
        assert [a.outcome for a in mailer.submit([submission(1)], Arming(relay))] == [Outcome.ACCEPTED]

    def test_the_relay_is_asked_what_it_took_and_tells_the_truth(self, mailer: Mailer, relay: Relay) -> None:
        list(mailer.submit([submission(1)], Arming(relay)))
        told = mailer.look_up(submission(1)), mailer.look_up(submission(2))
        truth = Outcome.ACCEPTED, Outcome.DEFERRED
        assert told == truth or (
            not self.knows_what_it_took and told in {(None, None), (None, truth[1]), (truth[0], None)}
        )
        assert relay.taken() == [submission(1).data]
