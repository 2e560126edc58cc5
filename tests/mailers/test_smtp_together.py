"""Several connections served by one thread: what one has to suffer, and what that means for the others."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Iterator

import pytest
from contracts.mailer import Arming, submission
from support.relay import Relay
from support.relay_script import Script, closing, never, stall

from pipeline.edges import Arm
from pipeline.errors import RelayRefused, StoreError
from pipeline.mailers.smtp import Smtp, SmtpConfig, Timeouts
from pipeline.mailers.smtp.together import Line, Together, wait
from pipeline.model import Answer, Outcome, Submission


def smtp(relay: Relay, connections: int = 3, **timeouts: float) -> Smtp:
    return Smtp(
        SmtpConfig(relay.host, relay.port, "none", connections=connections, timeouts=Timeouts(**timeouts))
    )


def wait_until_all_are_closed(relay: Relay, connections: int) -> None:
    """A relay on a busy machine may come to the last one when its caller has gone."""
    until = time.monotonic() + 20
    while not (relay.connections == connections and all(each.over for each in relay.transcript)):
        assert time.monotonic() < until, "a connection was left open"
        time.sleep(0.01)


def test_all_connections_are_used_and_their_questions_are_one() -> None:
    def slowly(_: Submission) -> bool:
        """Let those gather that come to ask meanwhile, as a disk does that is slow to flush."""
        time.sleep(0.02)
        return True

    with Relay() as relay:
        arming = Arming(relay, slowly)
        answers = list(smtp(relay, 4).submit([submission(n) for n in range(1, 21)], arming))
        assert [answer.outcome for answer in answers] == [Outcome.ACCEPTED] * 20
        assert relay.connections == 4
        assert arming.questions < 20


def test_a_relay_that_is_silent_on_one_connection_does_not_hold_up_the_others() -> None:
    with Relay(Script().nth("dot", 1, stall())) as relay:
        answers = list(smtp(relay, dot=0.5).submit([submission(n) for n in range(1, 12)], Arming(relay)))
        # The last to be answered are the one that got no answer, and the one that was begun together with its dot.
        assert [answer.outcome for answer in answers[:9]] == [Outcome.ACCEPTED] * 9
        assert [answer.outcome for answer in answers[9:]] == [Outcome.IN_DOUBT, Outcome.NOT_ARMED]


def test_a_deadline_is_seen_though_something_always_happens_elsewhere() -> None:
    begun = time.monotonic()
    woken: list[float] = []
    silent, far = socket.socketpair()
    busy, talking = socket.socketpair()

    def waits(_: Arm) -> Iterator[Answer]:
        wait(silent, select.POLLIN, begun + 0.2)
        woken.append(time.monotonic() - begun)
        yield from ()

    def never_waits(_: Arm) -> Iterator[Answer]:
        while not woken and time.monotonic() < begun + 10:
            wait(busy, select.POLLIN, begun + 10)
        yield from ()

    with silent, far, busy, talking:
        talking.send(b"there is always something to read")
        together = Together(Arming(None))  # type: ignore[arg-type]
        together.begin(Line(waits))
        together.begin(Line(never_waits))
        assert list(together.serve()) == []
    assert 0.2 <= woken[0] < 10


def test_what_goes_wrong_with_the_run_ends_all_connections() -> None:
    def alarmed() -> Iterator[Submission]:
        for number in range(1, 6):
            yield submission(number)
        raise StoreError("this cannot be true")

    with Relay() as relay:
        arming = Arming(relay)
        with pytest.raises(StoreError, match="cannot be true"):
            list(smtp(relay).submit(alarmed(), arming))
        wait_until_all_are_closed(relay, 3)
        assert len(relay.taken()) <= len(arming.asked) <= 5


def test_a_run_that_looks_away_leaves_no_connection_open() -> None:
    with Relay() as relay:
        answers = smtp(relay).submit([submission(n) for n in range(1, 20)], Arming(relay))
        next(iter(answers))
        del answers
        wait_until_all_are_closed(relay, 3)


def test_where_the_relay_refuses_us_once_nobody_pulls_any_more() -> None:
    pulled = 0

    def endless() -> Iterator[Submission]:
        nonlocal pulled
        while pulled < 500:
            pulled += 1
            yield submission(pulled)

    with Relay(Script().nth("mail", 4, never("550 5.7.1 Who are you"))) as relay:
        answers: list[Answer] = []
        with pytest.raises(RelayRefused, match="Who are you"):
            answers.extend(smtp(relay).submit(endless(), Arming(relay)))
        assert pulled < 30
        assert len(answers) == pulled
        assert {answer.outcome for answer in answers} == {Outcome.ACCEPTED, Outcome.NOT_ARMED}


def test_a_good_connection_that_comes_to_its_end_is_followed_by_another() -> None:
    with Relay(Script().nth("mail", 8, closing())) as relay:
        answers = list(smtp(relay, 2).submit([submission(n) for n in range(1, 31)], Arming(relay)))
        outcomes = [answer.outcome for answer in answers]
        assert len(outcomes) == 30
        assert outcomes.count(Outcome.ACCEPTED) >= 28
        assert relay.connections == 3
