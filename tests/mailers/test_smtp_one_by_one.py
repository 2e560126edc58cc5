"""One message after the other: what travels together, what a reply means where, what is never begun."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from contracts.mailer import Arming, Source, hand_over, remember, submission
from support.relay import ALL, Relay
from support.relay_script import Script, close, closing, drip, later, lose, never, odd, reply, reset, stall

from pipeline.errors import MailerUnusable, RelayRefused
from pipeline.mailers.smtp import Smtp, SmtpConfig, Timeouts
from pipeline.model import Answer, Outcome, Submission

HASTY = Timeouts(*[0.5] * 6)


def smtp(relay: Relay, **settings: object) -> Smtp:
    return Smtp(SmtpConfig(relay.host, relay.port, "none", **{"timeouts": HASTY} | settings))  # type: ignore[arg-type]


def three() -> list[Submission]:
    return [submission(n) for n in (1, 2, 3)]


def outcomes(answers: list[Answer]) -> dict[int, str]:
    return {answer.submission.delivery.id: answer.outcome.value for answer in answers}


def test_a_message_costs_one_round_trip() -> None:
    with Relay() as relay:
        list(smtp(relay).submit([submission(n) for n in range(1, 21)], Arming(relay)))
        # Greeting, EHLO, the first envelope, and QUIT.
        assert relay.transcript[0].round_trips == 20 + 4


def test_without_pipelining_nothing_is_said_out_of_turn() -> None:
    with Relay(extensions=ALL - {"PIPELINING"}) as relay:
        assert len(list(smtp(relay).submit(three(), Arming(relay)))) == 3
        assert relay.transcript[0].round_trips == 4 * 3 + 3
        assert relay.violations == []


def test_a_lull_sends_the_dot_alone_and_keeps_the_connection() -> None:
    one, two, _ = three()
    with Relay() as relay:
        assert len(list(smtp(relay).submit([one, None, two], Arming(relay)))) == 2
        assert relay.connections == 1


def test_nothing_to_submit_opens_no_connection() -> None:
    with Relay() as relay:
        assert list(smtp(relay).submit([], Arming(relay))) == []
        assert relay.connections == 0


@pytest.mark.parametrize("extensions", [ALL, ALL - {"PIPELINING"}], ids=["pipelined", "step by step"])
@pytest.mark.parametrize("phase", ["rcpt", "data", "dot"])
def test_one_refused_does_not_cost_the_next_its_connection(phase: str, extensions: frozenset[str]) -> None:
    script = Script().to({"reader2@example.com"}, phase, never("550 5.1.1 No such person"))
    with Relay(script, extensions=extensions) as relay:
        answers = list(smtp(relay).submit(three(), Arming(relay)))
        assert outcomes(answers) == {1: "accepted", 2: "refused", 3: "accepted"}
        assert answers[1].reply == "550 5.1.1 No such person"
        assert relay.connections == 1
        assert relay.violations == []


def test_where_a_refused_recipients_text_is_asked_for_all_the_same_no_dot_is_sent() -> None:
    script = Script().to({"reader2@example.com"}, "rcpt", never("550 5.1.1 No such person"))
    with Relay(script, empty_data=True) as relay:
        arming = Arming(relay)
        answers = hand_over(smtp(relay), three(), arming)
        assert outcomes(answers) == {1: "accepted", 2: "refused", 3: "accepted"}
        assert [s.delivery.id for s in arming.asked] == [1, 3]
        assert [c.commands.count(".") for c in relay.transcript] == [1, 1]


@pytest.mark.parametrize(
    ("last_words", "outcome"),
    [
        (close(), "in_doubt"),
        (reset(), "in_doubt"),
        (lose(taken=True), "in_doubt"),
        (stall(), "in_doubt"),
        (drip(0.1), "in_doubt"),
        (reply("354 Go on"), "in_doubt"),
        (closing(), "deferred"),
        (later(), "deferred"),
        (never(), "refused"),
        (odd(200), "accepted"),
        (odd(252), "accepted"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_what_follows_the_dot_decides(last_words: object, outcome: str) -> None:
    with Relay(Script().nth("dot", 1, last_words)) as relay:  # type: ignore[arg-type]
        answers = list(smtp(relay).submit(three(), Arming(relay)))
        assert answers[0].outcome == outcome
        # 421 is about the relay, so its message may be tried again soon.
        assert answers[0].connection is (answers[0].reply.startswith("421"))
        if len(answers) == 2:
            # Begun together with the dot, and nothing of its text was written.
            assert answers[1].outcome is Outcome.NOT_ARMED


@pytest.mark.parametrize("phase", ["mail", "rcpt", "data"])
@pytest.mark.parametrize("fault", [close(), stall(), closing()], ids=["close", "stall", "421"])
def test_a_connection_that_fails_before_the_dot_is_not_the_readers_fault(phase: str, fault: object) -> None:
    with Relay(Script().nth(phase, 2, fault)) as relay:  # type: ignore[arg-type]
        arming = Arming(relay)
        answers = list(smtp(relay).submit(three(), arming))
        assert outcomes(answers) == {1: "accepted", 2: "deferred"}
        assert answers[1].connection
        assert [s.delivery.id for s in arming.asked] == [1]


@pytest.mark.parametrize(
    ("words", "slow"),
    [
        ("421 4.3.2 Closing", True),
        ("454 Throttling failure: Maximum sending rate exceeded.", True),
        ("451 4.7.500 Server busy", True),
        ("450 4.7.1 Greylisted, come again", False),
        ("452 4.2.2 Mailbox full", False),
    ],
)
def test_throttling_is_told_from_a_full_mailbox(words: str, slow: bool) -> None:
    with Relay(Script().always("rcpt", later(words))) as relay:
        (answer,) = list(smtp(relay).submit([submission(1)], Arming(relay)))
        assert answer.outcome is Outcome.DEFERRED
        assert answer.slow_down is slow


@pytest.mark.parametrize("pipelining", [True, False])
def test_a_relay_that_refuses_our_sender_stops_the_run_and_fails_nobody(pipelining: bool) -> None:
    script = Script().nth("mail", 2, never("550 5.7.1 <letter@example.org> may not send here"))
    with Relay(script, extensions=ALL if pipelining else ALL - {"PIPELINING"}) as relay:
        arming, source, answers = Arming(relay), Source(three()), list[Answer]()
        with pytest.raises(RelayRefused, match=r"550 5\.7\.1 \[\.\.\.\] may not send") as told:
            remember(smtp(relay).submit(source, arming), answers)
        assert outcomes(answers) == {1: "accepted", 2: "not_armed"}
        assert "@" not in str(told.value)
        assert f"{relay.host}:{relay.port}" in str(told.value)


def test_what_is_held_back_is_cut_off_before_its_end() -> None:
    with Relay() as relay:
        answers = list(smtp(relay).submit(three(), Arming(relay, lambda s: s.delivery.id != 2)))
        assert outcomes(answers) == {1: "accepted", 2: "not_armed", 3: "not_armed"}
        assert relay.taken() == [submission(1).data]


def large(number: int = 1, octets: int = 8_000_000) -> Submission:
    one = submission(number)
    return replace(one, data=one.data + (b"x" * 998 + b"\r\n") * (octets // 1000))


@pytest.mark.parametrize(
    ("fault", "slow"), [(closing(), True), (never(), False), (close(), False), (stall(), False)]
)
def test_a_relay_that_does_not_hear_the_text_out_has_not_taken_it(fault: object, slow: bool) -> None:
    with Relay(Script().always("body", fault), receive_buffer=4096) as relay:  # type: ignore[arg-type]
        arming = Arming(relay)
        (answer,) = list(smtp(relay).submit([large()], arming))
        assert (answer.outcome, answer.connection, answer.slow_down) == (Outcome.DEFERRED, True, slow)
        assert arming.asked == []


def test_a_relay_that_hangs_up_while_the_ledger_writes_leaves_no_doubt() -> None:
    with Relay(Script().always("body", closing())) as relay:

        def slowly(_: Submission) -> bool:
            _until(lambda: relay.transcript[0].over)
            return True

        (answer,) = list(smtp(relay).submit([submission(1)], Arming(relay, slowly)))
        assert (answer.outcome, answer.connection, answer.slow_down) == (Outcome.DEFERRED, True, True)


def test_a_connection_that_was_closed_while_it_rested_is_opened_again_in_silence() -> None:
    with Relay(Script().nth("dot", 1, reply("250 2.0.0 Ok", "close"))) as relay:

        def after_a_rest() -> Iterator[Submission | None]:
            yield submission(1)
            yield None
            _until(lambda: relay.transcript[0].over)
            yield submission(2)

        answers = list(smtp(relay).submit(after_a_rest(), Arming(relay)))
        assert outcomes(answers) == {1: "accepted", 2: "accepted"}
        assert relay.connections == 2


def test_a_relay_that_hangs_up_every_time_is_not_asked_for_ever() -> None:
    with Relay(Script().always("ehlo", reply("250 hello", "close"))) as relay:
        mailer = smtp(relay)
        (answer,) = _late(mailer, relay)
        assert (answer.outcome, answer.connection) == (Outcome.DEFERRED, True)
        assert relay.connections <= 2


def _late(mailer: Smtp, relay: Relay) -> list[Answer]:
    return list(mailer.submit([submission(1)], Arming(relay)))


def _until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not true():
        assert time.monotonic() < end
        time.sleep(0.002)


@pytest.mark.parametrize("phase", ["greeting", "ehlo", "mail", "rcpt", "data", "dot"])
def test_a_run_that_is_stopped_does_not_wait_for_a_silent_relay(phase: str) -> None:
    with Relay(Script().always(phase, stall(20))) as relay:
        mailer = smtp(relay, timeouts=Timeouts())
        source, answers = Source(three()), list[Answer]()
        thread = threading.Thread(target=lambda: answers.extend(mailer.submit(source, Arming(relay))))
        thread.start()
        commands = {"greeting": 0, "ehlo": 1, "mail": 4, "rcpt": 4, "data": 4, "dot": 5}[phase]
        _until(lambda: bool(relay.transcript) and len(relay.transcript[0].commands) >= min(commands, 2))
        if phase == "dot":
            _until(lambda: "." in relay.transcript[0].commands)
        mailer.abandon()
        thread.join(5)
        assert not thread.is_alive()
        assert [a.submission for a in answers] == source.pulled
        assert answers[0].outcome is {
            "greeting": Outcome.NOT_ARMED,
            "ehlo": Outcome.NOT_ARMED,
            "dot": Outcome.IN_DOUBT,
        }.get(phase, Outcome.DEFERRED)


def test_several_connections_work_beside_each_other() -> None:
    with Relay(latency=0.02) as relay:
        mailer, answers = smtp(relay), list[Answer]()

        def work(first: int) -> None:
            answers.extend(mailer.submit([submission(first + n) for n in range(20)], Arming(relay)))

        threads = [threading.Thread(target=work, args=(100 * n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert sorted(a.submission.delivery.id for a in answers if a.outcome is Outcome.ACCEPTED) == sorted(
            100 * t + n for t in range(8) for n in range(20)
        )
        assert relay.connections == 8


def test_look_up_knows_nothing() -> None:
    with Relay() as relay:
        mailer = smtp(relay)
        list(mailer.submit([submission(1)], Arming(relay)))
        assert mailer.look_up(submission(1)) is None


def test_a_relay_that_takes_none_so_large_stops_the_run_before_anything_is_armed() -> None:
    with Relay(size=1000) as relay:
        arming, answers = Arming(relay), list[Answer]()
        with pytest.raises(RelayRefused, match=r"at most 1,000 octets, and this one has 1,\d\d\d"):
            remember(smtp(relay).submit(three(), arming), answers)
        assert outcomes(answers) == {1: "not_armed"}
        assert arming.asked == []


def test_one_that_is_larger_than_the_others_does_not_take_them_along() -> None:
    with Relay(size=10_000) as relay:
        answers = list[Answer]()
        with pytest.raises(MailerUnusable):
            remember(smtp(relay).submit([submission(1), large(2, 20_000)], Arming(relay)), answers)
        assert outcomes(answers) == {1: "accepted", 2: "not_armed"}


def test_letters_outside_ascii_need_a_relay_that_takes_them() -> None:
    one = replace(submission(1), recipient="jörg@example.com")
    with Relay(extensions=ALL - {"SMTPUTF8"}) as relay:
        (answer,) = list(smtp(relay).submit([one], Arming(relay)))
        assert answer.outcome is Outcome.REFUSED
        assert answer.reply == "the relay cannot take addresses with non-ASCII letters (SMTPUTF8)"
        assert relay.taken() == []
    with Relay() as relay:
        assert outcomes(list(smtp(relay).submit([one], Arming(relay)))) == {1: "accepted"}
        assert relay.deliveries[0].recipient == "jörg@example.com"
        assert relay.transcript[0].commands[1].endswith(" SMTPUTF8")


def test_eight_bit_text_needs_a_relay_that_takes_it() -> None:
    one = replace(submission(1), data="Subject: x\r\n\r\nGrüße\r\n".encode())
    with Relay(extensions=ALL - {"8BITMIME"}) as relay:
        (answer,) = list(smtp(relay).submit([one], Arming(relay)))
        assert (answer.outcome, "8BITMIME" in answer.reply) == (Outcome.REFUSED, True)
    with Relay() as relay:
        assert outcomes(list(smtp(relay).submit([one, submission(2)], Arming(relay)))) == {
            1: "accepted",
            2: "accepted",
        }
        assert [" BODY=8BITMIME" in c for c in relay.transcript[0].commands if c.startswith("MAIL")] == [
            True,
            False,
        ]


@pytest.mark.parametrize(
    "evil",
    [
        "a@example.com>\r\nRCPT TO:<b@example.com",
        "a@example.com\nX",
        "a\0@example.com",
        "a b@example.com",
        "<a@example.com>",
        "nobody",
    ],
)
@pytest.mark.parametrize("end", ["recipient", "sender"])
def test_an_address_never_becomes_a_command(evil: str, end: str) -> None:
    if end == "sender" and evil == "nobody":
        return
    one = replace(submission(1), **{end: evil})
    with Relay() as relay:
        answers = list(smtp(relay).submit([one, submission(2)], Arming(relay)))
        assert outcomes(answers) == {1: "refused", 2: "accepted"}
        assert [each.recipient for each in relay.deliveries] == ["reader2@example.com"]
        assert "example.com" not in answers[0].reply


def test_what_a_relay_says_of_a_reader_is_not_repeated() -> None:
    words = 'reader1@example.com: user READER1 <reader1@example.com> unknown, see "a b"@x.test \x07'
    with Relay(
        Script().always("rcpt", never(f"550-5.1.1 {words}\r\n550 5.1.1 reader12 is somebody else"))
    ) as relay:
        (answer,) = list(smtp(relay).submit([submission(1)], Arming(relay)))
        assert answer.reply == (
            "550 5.1.1 [...]: user [...] [...] unknown, see [...] \N{REPLACEMENT CHARACTER} "
            "5.1.1 reader12 is somebody else"
        )


def test_the_mailbox_behind_a_tag_is_not_named_either() -> None:
    tagged = replace(submission(1), recipient="jane+news@example.com")
    with Relay(Script().always("rcpt", never("550 5.1.1 no user jane here; jane+news is none"))) as relay:
        (answer,) = list(smtp(relay).submit([tagged], Arming(relay)))
        assert answer.reply == "550 5.1.1 no user [...] here; [...] is none"
