"""Several messages under way: armed together, written without waiting, every one of them accounted for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from contracts.mailer import Arming, Source, remember, submission
from support.relay import ALL, Relay
from support.relay_script import Script, close, closing, later, lose, never, odd, reply, reset, stall

from pipeline.errors import RelayRefused
from pipeline.mailers.smtp import Smtp, SmtpConfig, Timeouts
from pipeline.model import Answer, Outcome, Submission

HASTY = Timeouts(*[0.5] * 6)


def smtp(relay: Relay, window: int = 8, timeouts: Timeouts = HASTY) -> Smtp:
    return Smtp(SmtpConfig(relay.host, relay.port, "none", window=window, timeouts=timeouts))


def some(count: int, first: int = 1) -> list[Submission]:
    return [submission(n) for n in range(first, first + count)]


def outcomes(answers: Sequence[Answer]) -> dict[int, str]:
    return {answer.submission.delivery.id: answer.outcome.value for answer in answers}


def test_the_ledger_is_asked_for_half_a_window_at_a_time() -> None:
    with Relay() as relay:
        arming = Arming(relay)
        answers = list(smtp(relay).submit(some(80), arming))
        assert [a.outcome for a in answers] == [Outcome.ACCEPTED] * 80
        assert arming.questions <= 80 / 4
        assert relay.transcript[0].round_trips < 80
        assert relay.violations == []


def test_no_more_than_the_window_is_under_way() -> None:
    with Relay(latency=0.001) as relay:
        pulled = answered = 0

        def source() -> Iterator[Submission]:
            nonlocal pulled
            for one in some(60):
                pulled += 1
                assert pulled - answered <= 8
                yield one

        for _ in smtp(relay).submit(source(), Arming(relay)):
            answered += 1
        assert answered == 60


def test_one_refused_does_not_touch_the_others() -> None:
    script = (
        Script().to({"reader3@example.com"}, "rcpt", never()).to({"reader5@example.com"}, "rcpt", later())
    )
    script.to({"reader6@example.com"}, "dot", never())
    with Relay(script) as relay:
        answers = list(smtp(relay).submit(some(10), Arming(relay)))
        accepted = dict.fromkeys(range(1, 11), "accepted")
        assert outcomes(answers) == accepted | {3: "refused", 5: "deferred", 6: "refused"}
        assert relay.connections == 1
        assert sorted(relay.taken()) == sorted(s.data for s in some(10) if s.delivery.id not in (3, 5, 6))


def test_one_that_is_held_back_leaves_the_connection_to_the_others() -> None:
    with Relay() as relay:
        answers = list(smtp(relay).submit(some(10), Arming(relay, lambda s: s.delivery.id != 4)))
        assert outcomes(answers) == dict.fromkeys(range(1, 11), "accepted") | {4: "not_armed"}
        assert relay.connections == 1


@pytest.mark.parametrize(
    "fault", [close(), reset(), lose(taken=True), stall(), reply("354 Go on")], ids=lambda fault: fault.name
)
def test_whatever_was_written_and_not_answered_is_in_doubt(fault: object) -> None:
    with Relay(Script().nth("dot", 3, fault)) as relay:  # type: ignore[arg-type]
        source = Source(some(20))
        answers = list(smtp(relay).submit(source, Arming(relay)))
        assert outcomes(answers) == {1: "accepted", 2: "accepted"} | dict.fromkeys(range(3, 9), "in_doubt")
        assert len(source.pulled) == 8


def test_a_relay_that_will_take_no_more_on_this_connection_is_believed_for_the_one_it_says_so_of() -> None:
    with Relay(Script().nth("mail", 3, closing())) as relay:
        answers = list(smtp(relay).submit(some(8), Arming(relay)))
        assert outcomes(answers) == {1: "accepted", 2: "accepted", 3: "deferred"} | dict.fromkeys(
            range(4, 9), "in_doubt"
        )
        assert answers[2].slow_down
        assert answers[2].connection


def test_a_refused_sender_is_about_nobody_and_what_is_under_way_is_heard_out() -> None:
    with Relay(Script().nth("mail", 3, never("550 5.7.1 Not you"))) as relay:
        answers = list[Answer]()
        source = Source(some(20))
        with pytest.raises(RelayRefused, match=r"550 5\.7\.1 Not you"):
            remember(smtp(relay).submit(source, Arming(relay)), answers)
        assert outcomes(answers) == dict.fromkeys(range(1, 9), "accepted") | {3: "deferred"}
        assert answers[2].connection
        assert len(source.pulled) == 8


def test_an_answer_under_another_number_is_an_answer() -> None:
    with Relay(Script().always("dot", odd(252))) as relay:
        assert set(outcomes(list(smtp(relay).submit(some(9), Arming(relay)))).values()) == {"accepted"}


def test_full_buffers_on_both_sides_block_nobody() -> None:
    long_winded = reply("\r\n".join(["250-" + "x" * 400] * 150 + ["250 Ok"]))
    script = Script().always("dot", long_winded).always("rcpt", long_winded)
    sent = [replace(one, data=one.data + b"\r\n" + b"y" * 100_000) for one in some(120)]
    with Relay(script, receive_buffer=4096, strict=False) as relay:
        answers = list(smtp(relay, 60, Timeouts(*[10.0] * 6)).submit(sent, Arming(relay)))
        assert [a.outcome for a in answers] == [Outcome.ACCEPTED] * 120
        assert sorted(relay.taken()) == sorted(one.data for one in sent)


def test_what_was_never_written_to_its_end_is_not_in_doubt() -> None:
    sent = [replace(one, data=one.data + b"y" * 8_000_000) for one in some(4)]
    with Relay(Script().nth("body", 2, reset()), receive_buffer=4096) as relay:
        answers = list(smtp(relay).submit(sent, Arming(relay)))
        told = outcomes(answers)
        # The first was heard to its end; the last was still ours when the connection broke.
        assert told[1] in ("accepted", "in_doubt")
        assert told[4] == "deferred"
        assert answers[3].connection
        assert len(answers) == 4


def test_a_message_whose_connection_rested_too_long_is_begun_on_another() -> None:
    with Relay(Script().nth("dot", 2, reply("250 2.0.0 Ok", "close"))) as relay:

        def after_a_rest() -> Iterator[Submission | None]:
            yield from some(2)
            yield None
            while not relay.transcript[0].over:
                pass
            yield from some(2, first=3)

        answers = list(smtp(relay).submit(after_a_rest(), Arming(relay)))
        assert outcomes(answers) == dict.fromkeys(range(1, 5), "accepted")
        assert relay.connections == 2


def test_one_that_is_too_large_stops_what_comes_after_it() -> None:
    sent = some(8)
    sent[4] = replace(sent[4], data=sent[4].data * 10)
    with Relay(size=5_000) as relay:
        answers = list[Answer]()
        with pytest.raises(RelayRefused, match="at most 5,000 octets"):
            remember(smtp(relay).submit(sent, Arming(relay)), answers)
        assert outcomes(answers) == dict.fromkeys(range(1, 5), "accepted") | dict.fromkeys(
            range(5, 9), "not_armed"
        )


@pytest.mark.parametrize("missing", ["CHUNKING", "PIPELINING"])
def test_without_what_it_takes_messages_go_one_by_one(missing: str) -> None:
    with Relay(extensions=ALL - {missing}) as relay:
        assert len(list(smtp(relay).submit(some(5), Arming(relay)))) == 5
        assert not any(c.startswith("BDAT") for c in relay.transcript[0].commands)
