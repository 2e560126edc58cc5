"""Set-up of a session: who is believed, what is said in the clear, how long anything may take, what a person reads."""

from __future__ import annotations

import base64
import socket
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
from contracts.mailer import Arming, remember, submission
from support.relay import ALL, Relay
from support.relay_script import Script, close, closing, drip, garbage, later, never, odd, partial_line, stall

from pipeline.errors import MailerUnusable, RelayRefused, RelayUnfit, SettingsError
from pipeline.mailers.smtp import Smtp, SmtpConfig, Timeouts
from pipeline.model import Outcome

WORD = "s3cret-word"
USERS = {"letter": WORD}
HASTY = Timeouts(*[0.4] * 6)
Security = Literal["starttls", "tls"]


class Nowhere:
    """Stands for a relay that nothing reaches."""

    def taken(self) -> list[bytes]:
        return []


def config(relay: Relay, security: str = "none", **settings: object) -> SmtpConfig:
    """Trust the tests' authority, log in where the relay has users."""
    known = {"ca_file": relay.ca_file, "timeouts": HASTY} | settings
    if relay.users:
        known |= {"username": "letter", "password": WORD}
    return SmtpConfig("localhost", relay.port, security, **known)  # type: ignore[arg-type]


def attempt(relay: Relay, settings: SmtpConfig) -> MailerUnusable:
    """Submit one message that cannot go, and return why; it is answered, nobody is asked, no secret is told."""
    arming, answers, mailer = Arming(relay), [], Smtp(settings)
    with pytest.raises(MailerUnusable) as told:
        remember(mailer.submit([submission(1)], arming), answers)
    assert [a.outcome for a in answers] == [Outcome.NOT_ARMED]
    assert arming.asked == []
    seen = f"{told.value} {mailer!r} {settings!r} {told.value.__cause__!r} {told.value.__suppress_context__}"
    for hidden in (WORD, base64.b64encode(WORD.encode()).decode(), "reader1", "letter@"):
        assert hidden not in seen
    assert seen.endswith("None True")
    assert str(told.value).startswith(f"localhost:{relay.port} cannot be used (")
    assert ".." not in str(told.value).replace("[...]", "")
    return told.value


def accepted(relay: Relay, settings: SmtpConfig) -> bool:
    return [a.outcome for a in Smtp(settings).submit([submission(1)], Arming(relay))] == [Outcome.ACCEPTED]


@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize("window", [1, 8])
def test_in_tls_and_logged_in_all_goes_as_in_the_clear(security: Security, window: int) -> None:
    sent = [replace(one, data=one.data + b"\r\n" + b"y" * 300_000) for one in map(submission, range(1, 21))]
    with Relay(tls=security, users=USERS, receive_buffer=8192, strict=False) as relay:
        mailer = Smtp(config(relay, security, window=window, timeouts=Timeouts()))
        assert [a.outcome for a in mailer.submit(sent, Arming(relay))] == [Outcome.ACCEPTED] * 20
        assert sorted(data.rstrip() for data in relay.taken()) == sorted(one.data for one in sent)
        assert (relay.transcript[0].tls, relay.transcript[0].user, relay.connections) == (True, "letter", 1)


@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize(
    ("certificate", "why"),
    [("stranger", "issuer"), ("other name", "not valid for 'localhost'"), ("expired", "expired")],
)
def test_a_certificate_that_does_not_hold_ends_it(security: Security, certificate: str, why: str) -> None:
    with Relay(tls=security, users=USERS, certificate=certificate) as relay:  # type: ignore[arg-type]
        fault = attempt(relay, config(relay, security))
        assert why in str(fault)
        assert relay.transcript[0].user == ""


def test_only_who_is_trusted_is_trusted() -> None:
    with Relay(tls="tls") as relay:
        fault = attempt(relay, config(relay, "tls", ca_file=None))
        assert "issuer" in str(fault)
        assert type(fault) is RelayUnfit


def test_where_starttls_is_not_offered_nothing_is_said_in_the_clear() -> None:
    with Relay(users=USERS, extensions=ALL - {"STARTTLS"}) as relay:
        fault = attempt(relay, config(relay, "starttls"))
        assert "does not offer STARTTLS" in str(fault)
        assert type(fault) is RelayUnfit
        assert "mail.smtp.security" in str(fault)
        assert relay.transcript[0].commands[1:] == []


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (never("502 5.5.1 Not known"), RelayUnfit),
        (later("454 4.7.0 Not now"), MailerUnusable),
        (close(), MailerUnusable),
        (garbage(), MailerUnusable),
    ],
)
def test_a_starttls_that_is_not_begun_ends_it(answer: object, kind: type[MailerUnusable]) -> None:
    with Relay(Script().always("starttls", answer), tls="starttls", users=USERS) as relay:  # type: ignore[arg-type]
        assert type(attempt(relay, config(relay, "starttls"))) is kind
        assert relay.transcript[0].user == ""


def test_what_came_in_the_clear_before_tls_is_not_believed() -> None:
    injected = never("220 Go ahead\r\n250-somebody\r\n250 AUTH PLAIN")
    with Relay(Script().always("starttls", injected), tls="starttls", users=USERS) as relay:
        assert "in the clear" in str(attempt(relay, config(relay, "starttls")))


@pytest.mark.parametrize("phase", ["greeting", "ehlo", "auth"])
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (never("554 5.7.1 Not you"), RelayRefused),
        (later(), MailerUnusable),
        (closing(), MailerUnusable),
        (close(), MailerUnusable),
        (partial_line(), MailerUnusable),
        (garbage(), MailerUnusable),
        (stall(), MailerUnusable),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_no_for_good_is_told_from_a_no_for_now(
    phase: str, answer: object, kind: type[MailerUnusable]
) -> None:
    with Relay(Script().always(phase, answer), users=USERS) as relay:  # type: ignore[arg-type]
        fault = attempt(relay, config(relay))
        assert type(fault) is kind
        assert f"({phase if phase == 'greeting' else phase.upper()})" in str(fault)


@pytest.mark.parametrize("phase", ["greeting", "ehlo"])
def test_a_relay_that_says_one_octet_a_moment_for_ever_has_not_answered(phase: str) -> None:
    with Relay(Script().always(phase, drip(0.1, "250 " + "x" * 400))) as relay:
        began = time.monotonic()
        assert "within 0.4 s" in str(attempt(relay, config(relay)))
        assert time.monotonic() - began < 20  # and not the 40 seconds that all of it takes


def test_one_that_is_slow_and_in_time_is_answered() -> None:
    with Relay(Script().always("greeting", drip(0.002)).always("ehlo", odd(250))) as relay:
        assert accepted(relay, config(relay))


def test_a_tls_handshake_that_never_ends_ends() -> None:
    with Relay(Script().always("tls", stall()), tls="tls") as relay:
        assert "within 0.4 s" in str(attempt(relay, config(relay, "tls")))


def test_a_relay_that_repeats_the_password_is_not_quoted() -> None:
    twice = base64.b64encode(f"\0letter\0{WORD}".encode()).decode()
    words = f"535 5.7.8 Wrong: {WORD} {twice} letter@example.org"
    with Relay(Script().always("auth", never(words)), users=USERS) as relay:
        fault = attempt(relay, config(relay))
        assert "535 5.7.8 Wrong: [...] [...] [...]" in str(fault)
        assert "mail.smtp.password" in str(fault)


def test_a_relay_without_a_login_is_told_from_a_wrong_password() -> None:
    with Relay(users=USERS, extensions=ALL - {"AUTH"}) as relay:
        assert "offers no AUTH" in str(attempt(relay, config(relay)))


def test_a_relay_that_is_not_there_is_said_with_its_place() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        settings = SmtpConfig("127.0.0.1", free.getsockname()[1], "none", timeouts=HASTY)
        with pytest.raises(MailerUnusable, match=r"127\.0\.0\.1:\d+ .*refused.* Check mail\.smtp\.host"):
            list(Smtp(settings).submit([submission(1)], Arming(Nowhere())))


def _full() -> tuple[socket.socket, list[socket.socket]]:
    """Listen where no more connections can be made: the kernel answers nobody."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    callers = []
    for _ in range(3):
        caller = socket.socket()
        caller.setblocking(False)
        caller.connect_ex(listener.getsockname())
        callers.append(caller)
    return listener, callers


def test_connecting_has_an_end_and_can_be_cut_short() -> None:
    listener, callers = _full()
    try:
        port = listener.getsockname()[1]
        with pytest.raises(MailerUnusable, match="no connection in time"):
            list(
                Smtp(SmtpConfig("127.0.0.1", port, "none", timeouts=HASTY)).submit(
                    [submission(1)], Arming(Nowhere())
                )
            )
        mailer, answers = Smtp(SmtpConfig("127.0.0.1", port, "none", timeouts=Timeouts(connect=60))), []
        arming = Arming(Nowhere())
        thread = threading.Thread(target=lambda: answers.extend(mailer.submit([submission(1)], arming)))
        thread.start()
        while not mailer._open or not next(iter(mailer._open))._handle:
            time.sleep(0.005)
        time.sleep(0.05)
        mailer.abandon()
        thread.join(5)
        assert not thread.is_alive()
        assert [a.outcome for a in answers] == [Outcome.NOT_ARMED]
    finally:
        for each in (listener, *callers):
            each.close()


def test_we_introduce_ourselves_by_a_full_name_or_by_where_we_call_from() -> None:
    with Relay() as relay:
        assert accepted(relay, config(relay, hello="letter.example.org"))
        assert accepted(relay, config(relay))
        given, own = (each.hello for each in relay.transcript)
        assert given == "letter.example.org"
        assert own == "[127.0.0.1]" or "." in own


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"username": "letter"}, "mail.smtp.password: there is a username but no password"),
        ({"password": WORD}, "mail.smtp.username: there is a password but no username"),
        (
            {"username": "letter", "password": WORD, "security": "none"},
            "mail.smtp.security: .* relay.example.org in the clear",
        ),
        ({"username": "letter", "password": f"{WORD}é"}, "outside ASCII"),
        ({"ca_file": "/nowhere/ca.pem"}, "mail.smtp.ca_file: /nowhere/ca.pem cannot be used: No such file"),
    ],
)
def test_settings_that_cannot_work_are_refused_before_anything_is_said(
    settings: dict[str, str], why: str
) -> None:
    with pytest.raises(SettingsError, match=why) as told:
        Smtp(SmtpConfig("relay.example.org", 587, **settings))  # type: ignore[arg-type]
    assert WORD not in str(told.value)


def test_a_file_without_certificates_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(SettingsError, match=r"mail\.smtp\.ca_file: .*ca\.pem cannot be used"):
        Smtp(SmtpConfig("localhost", 587, ca_file=str(tmp_path / "ca.pem")))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.3.2.1", "::1"])
def test_on_this_very_machine_a_password_may_go_in_the_clear(host: str) -> None:
    assert WORD not in repr(SmtpConfig(host, 25, "none", "letter", WORD))
