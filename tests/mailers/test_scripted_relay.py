"""The relay that other tests lean on: right where it should be right, and wrong exactly as its script says."""

from __future__ import annotations

import json
import os
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import pytest
from support.relay import ALL, Relay
from support.relay_script import (
    SET_UP,
    TRANSACTION,
    Behaviour,
    Script,
    close,
    closing,
    drip,
    early_354,
    faults,
    garbage,
    later,
    lose,
    never,
    odd,
    over_long,
    partial_line,
    partial_reply,
    reset,
    stall,
)

DATA = b"Message-ID: <1@example.org>\r\nSubject: dots\r\n\r\n.\r\n..\r\n.a\r\n\r\nend\r\n"
STUFFED = DATA.replace(b"\r\n.", b"\r\n..")
ENVELOPE = b"MAIL FROM:<letter@example.org>\r\nRCPT TO:<ana@example.com>\r\n"


def client(relay: Relay) -> smtplib.SMTP:
    context = ssl.create_default_context(cafile=relay.ca_file) if relay.tls else None
    if relay.tls == "tls":
        return smtplib.SMTP_SSL("localhost", relay.port, context=context, timeout=5)
    smtp = smtplib.SMTP("localhost", relay.port, timeout=5)
    if relay.tls:
        smtp.starttls(context=context)
    return smtp


class Raw:
    """A client that says what it is told and hears every octet."""

    def __init__(self, relay: Relay) -> None:
        self.socket = socket.create_connection((relay.host, relay.port), timeout=5)

    def __enter__(self) -> Raw:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def say(self, octets: bytes) -> None:
        self.socket.sendall(octets)

    def hear(self, lines: int) -> list[bytes]:
        """Read so many lines, and not one octet more than what came with them."""
        heard = b""
        while heard.count(b"\n") < lines:
            got = self.socket.recv(65536)
            assert got, f"ended after {heard!r}"
            heard += got
        return heard.splitlines()

    def rest(self) -> bytes:
        heard = b""
        while got := self.socket.recv(65536):
            heard += got
        return heard

    def greet(self) -> None:
        self.hear(1)
        self.say(b"HELO me\r\n")
        self.hear(1)


@pytest.mark.parametrize("tls", [None, "starttls", "tls"])
def test_another_client_is_served_byte_for_byte(tls):
    with Relay(tls=tls, users={"letter": "secret"}) as relay:
        with client(relay) as smtp:
            smtp.login("letter", "secret")
            smtp.sendmail("letter@example.org", ["ana@example.com", "ben@example.com"], DATA)
            smtp.sendmail("letter@example.org", ["zoe@example.com"], DATA)
        assert relay.taken() == [DATA] * 3
        assert [each.recipient for each in relay.deliveries] == [
            f"{n}@example.com" for n in ("ana", "ben", "zoe")
        ]
        assert relay.transcript[0].tls is bool(tls)
        assert relay.transcript[0].user == "letter"
        assert relay.connections == 1
        assert relay.violations == []


@pytest.mark.parametrize("method", ["auth_plain", "auth_login"])
def test_only_who_knows_the_password_may_send(method):
    with Relay(tls="tls", users={"letter": "secret"}) as relay, client(relay) as smtp:
        smtp.ehlo()
        assert smtp.docmd("MAIL", "FROM:<a@example.org>")[0] == 530
        smtp.user, smtp.password = "letter", "wrong"
        with pytest.raises(smtplib.SMTPAuthenticationError):
            smtp.auth(method[5:], getattr(smtp, method))
        smtp.password = "secret"
        assert smtp.auth(method[5:], getattr(smtp, method))[0] == 235
        assert smtp.docmd("MAIL", "FROM:<a@example.org>")[0] == 250


@pytest.mark.parametrize("certificate", ["stranger", "other name", "expired"])
def test_a_wrong_certificate_is_one_that_nobody_should_trust(certificate):
    with Relay(tls="tls", certificate=certificate) as relay, pytest.raises(ssl.SSLCertVerificationError):
        client(relay)


def test_what_comes_in_one_write_is_answered_in_one_write():
    with Relay() as relay, Raw(relay) as raw:
        raw.greet()
        before = relay.transcript[0].round_trips
        raw.say(ENVELOPE + b"DATA\r\n")
        assert [line[:3] for line in raw.hear(3)] == [b"250", b"250", b"354"]
        raw.say(STUFFED + b".\r\n" + ENVELOPE + b"DATA\r\n")
        assert [line[:3] for line in raw.hear(4)] == [b"250", b"250", b"250", b"354"]
        assert relay.transcript[0].round_trips - before == 2
        assert relay.taken() == [DATA]
        assert relay.violations == []


def test_chunks_may_follow_each_other_without_waiting():
    with Relay() as relay, Raw(relay) as raw:
        raw.greet()
        first, last = DATA[:10], DATA[10:]
        raw.say(ENVELOPE + b"BDAT 10\r\n" + first + b"BDAT %d LAST\r\n" % len(last) + last)
        large = DATA + (b"x" * 70 + b"\r\n") * 10_000
        raw.say(ENVELOPE + b"BDAT %d LAST\r\n" % len(large) + large)
        assert [line[:3] for line in raw.hear(7)] == [b"250"] * 7
        assert relay.taken() == [DATA, large]


def test_a_refused_transaction_swallows_the_chunks_that_follow_it():
    with Relay(Script().first("rcpt", 1, never())) as relay, Raw(relay) as raw:
        raw.greet()
        raw.say((ENVELOPE + b"BDAT %d LAST\r\n" % len(DATA) + DATA) * 2)
        assert [line[:3] for line in raw.hear(6)] == [b"250", b"554", b"554", b"250", b"250", b"250"]
        assert relay.taken() == [DATA]


@pytest.mark.parametrize(
    ("say", "told"),
    [
        (b"MAIL FROM:<a@b> SMTPUTF8\r\n", "parameters"),
        (ENVELOPE + b"DATA\r\nbare\nline\r\n.\r\n", "bare CR or LF"),
        (ENVELOPE + b"DATA\r\n" + b"x" * 999 + b"\r\n.\r\n", "over 998"),
        (ENVELOPE + b"DATA\r\n\xc3\xa4\r\n.\r\n", "over 127"),
        (b"NOOP\r\nNOOP\r\n", "PIPELINING"),
        (b"NOOP\n", "bare LF"),
        (b"RCPT TO:<a b> X\r\n", "cannot read"),
    ],
)
def test_what_smtp_forbids_is_noticed(say, told):
    offered = {"8BITMIME"} if b"NOOP\r\nNOOP" in say else ALL - {"SMTPUTF8"}
    with Relay(extensions=offered) as relay, Raw(relay) as raw:
        raw.greet()
        raw.say(say + b"QUIT\r\n")
        raw.rest()
        assert any(told in violation for violation in relay.violations), relay.violations


def test_what_is_left_out_is_not_offered():
    with Relay(extensions={"SIZE"}, users={"a": "b"}, size=1000) as relay, client(relay) as smtp:
        smtp.ehlo()
        assert smtp.esmtp_features == {"size": "1000"}


def test_a_message_over_the_limit_is_refused_at_once():
    with Relay(size=1000) as relay, client(relay) as smtp:
        with pytest.raises(smtplib.SMTPSenderRefused) as refused:
            smtp.sendmail("letter@example.org", ["ana@example.com"], b"x" * 2000)
        assert refused.value.smtp_code == 552


SAID = {
    later(): b"451 4.3.0 Not just now\r\n",
    closing(): b"421 4.3.2 Too much, closing\r\n",
    close(): b"",
    garbage("close"): b"\x16\x03\xff\x00 qu\xe9? ~~\r\n",
    partial_line(): b"25",
    partial_reply(): b"250-and\r\n250-",
    odd(200): b"200 2.1.0 Ok\r\n",
    over_long(): b"250 " + b"x" * 20_000 + b"\r\n",
    drip(): b"250 2.1.0 Ok\r\n",
    early_354(): b"354 Go ahead\r\n250 2.1.0 Ok\r\n",
    stall(0.05): b"",
}


@pytest.mark.parametrize(("behaviour", "said"), SAID.items(), ids=lambda x: getattr(x, "name", ""))
def test_it_says_what_the_script_says_octet_for_octet(behaviour, said):
    with Relay(Script().always("mail", behaviour)) as relay, Raw(relay) as raw:
        raw.greet()
        raw.say(b"MAIL FROM:<letter@example.org>\r\n")
        if behaviour.then == "go on":
            raw.socket.shutdown(socket.SHUT_WR)
        assert raw.rest() == said


def test_a_reset_is_a_reset():
    with Relay(Script().always("mail", reset())) as relay, Raw(relay) as raw:
        raw.greet()
        raw.say(b"MAIL FROM:<letter@example.org>\r\n")
        with pytest.raises(ConnectionResetError):
            raw.rest()


def test_a_stall_ends_when_the_client_goes():
    with Relay(Script().always("greeting", stall())) as relay:
        with Raw(relay) as raw:
            raw.socket.settimeout(0.05)
            with pytest.raises(TimeoutError):
                raw.rest()
        ends = time.monotonic() + 2
        while not relay.transcript[0].over and time.monotonic() < ends:
            time.sleep(0.01)
        assert relay.transcript[0].over


@pytest.mark.parametrize("taken", [True, False])
def test_a_lost_answer_says_nothing_of_whether_the_message_was_taken(taken):
    with Relay(Script().always("dot", lose(taken))) as relay, Raw(relay) as raw:
        raw.greet()
        raw.say(ENVELOPE + b"DATA\r\n")
        raw.hear(3)
        raw.say(STUFFED + b".\r\n")
        assert raw.rest() == b""
        assert bool(relay.taken()) is taken


def test_an_answer_in_the_middle_of_a_body_is_the_only_one():
    with Relay(Script().always("body", later())) as relay, Raw(relay) as raw:
        raw.greet()
        raw.say(ENVELOPE + b"DATA\r\n")
        raw.hear(3)
        raw.say(STUFFED)
        assert [line[:3] for line in raw.hear(1)] == [b"451"]
        raw.say(b".\r\nNOOP\r\nQUIT\r\n")
        assert [line[:3] for line in raw.rest().splitlines()] == [b"250", b"221"]
        assert relay.taken() == []


def test_a_script_chooses_by_count_by_recipient_and_by_chance():
    script = Script().nth("mail", 2, later("450 second")).every("mail", 4, later("450 fourth"))
    script.to({"ben@example.com"}, "rcpt", never("550 5.1.1 No Ben")).greylisting()
    with Relay(script) as relay, Raw(relay) as raw:
        raw.greet()
        heard = []
        for name in (b"ana", b"ana", b"ana", b"ana", b"ben", b"ana"):
            raw.say(b"RSET\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<%s@example.com>\r\n" % name)
            heard.append(tuple(line[:3] for line in raw.hear(3)[1:]))
        ok, grey = (b"250", b"250"), (b"250", b"451")
        assert heard == [grey, (b"450", b"503"), ok, (b"450", b"503"), (b"250", b"550"), ok]


def plan(seed: int) -> list[tuple[str, Behaviour | None]]:
    from support.relay_script import Moment

    script = Script.random_faults(0.15, seed)
    happened = []
    for connection in range(40):
        for transaction in range(1, 51):
            moment = Moment(connection, transaction)
            for phase in ("greeting", *SET_UP[1:]) if transaction == 1 else ():
                happened.append((phase, script.decide(phase, Moment(connection))))
            happened += [(phase, script.decide(phase, moment)) for phase in TRANSACTION]
    return happened


def test_random_faults_are_of_every_kind_in_every_phase_and_can_be_repeated():
    names = [(phase, behaviour.name) for phase, behaviour in plan(1) if behaviour]
    assert names == [(phase, behaviour.name) for phase, behaviour in plan(1) if behaviour]
    assert names != [(phase, behaviour.name) for phase, behaviour in plan(2) if behaviour]
    assert 0.12 < sum(1 for phase, _ in names if phase in TRANSACTION) / 2000 < 0.18
    seen = Counter(name for phase, name in names if phase in TRANSACTION)
    for phase in TRANSACTION:
        for each in faults(phase, 1.0, refuse_us=False):
            assert seen[each.name], each.name
    assert not {(p, n) for p, n in names if p in (*SET_UP, "mail") and n == "554"}


def test_as_a_process_it_writes_every_judged_message_down(tmp_path: Path):
    log, ready = tmp_path / "log", tmp_path / "ready"
    command = [sys.executable, "-m", "support.relay", "--log", log, "--ready", ready]
    command += ["--faults", "0.4", "--seed", "3", "--stalls", "0.05"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)
    try:
        ends = time.monotonic() + 10
        while not ready.exists() and time.monotonic() < ends:
            time.sleep(0.02)
        for _ in range(120):
            with (
                suppress(OSError, smtplib.SMTPException),
                smtplib.SMTP("127.0.0.1", int(ready.read_text())) as smtp,
            ):
                smtp.sendmail("letter@example.org", ["ana@example.com"], DATA)
    finally:
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=10)
    assert process.returncode == 0, said
    events = [json.loads(line) for line in log.read_text().splitlines()]
    assert {event["sha256"] for event in events} == {sha256(DATA).hexdigest()}
    assert {event["message_id"] for event in events} == {"1@example.org"}
    assert {(e["answer"] == "lost", e["taken"]) for e in events} >= {
        (False, True),
        (True, True),
        (True, False),
    }
    assert all(event["taken"] for event in events if event["answer"][0] == "2")
    assert not any(event["taken"] for event in events if event["answer"][0] in "45")
