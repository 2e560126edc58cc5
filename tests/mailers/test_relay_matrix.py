"""Every cell of docs/relay-answers.md: a relay that does it, what became of the copy, and how `newsletter send` ends.

The mailer is held to every cell, in the clear and over TLS. The command is held to one cell of each phase, to every
outcome, and to all of them with RELAY_MATRIX=all (some minutes: it waits before it tries again).
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
from contracts.mailer import submission
from support.letter import HERE, Letter
from support.relay import Relay
from support.relay_script import (
    Behaviour,
    Script,
    close,
    closing,
    drip,
    early_354,
    garbage,
    later,
    never,
    odd,
    over_long,
    partial_line,
    partial_reply,
    reset,
    stall,
)

from pipeline.errors import MailerUnusable, RelayRefused, RelayUnfit
from pipeline.mailers.smtp import Smtp, SmtpConfig, Timeouts
from pipeline.model import Answer, Outcome, Submission

# If a client hangs up just before TLS begins, CPython's wrap_socket forgets to close what it made, at the relay's end.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")

BEHAVIOURS = {
    "answers 4yz": later(),
    "answers 5yz": never(),
    "answers 421 and closes": closing(),
    "closes": close(),
    "resets the connection": reset(),
    "says nothing": stall(),
    "answers garbage": garbage(),
    "answers half a line, and closes": partial_line(),
    "answers half a reply, and closes": partial_reply(),
    "answers in a line of 20 kB": over_long(),
    "answers another 2yz": odd(252),
    "answers one octet at a time": drip(0.0005),
    "does so until time is up": drip(0.1),
    "answers 354 before its turn": early_354(),
}
PHASES = {"text": "body", "last chunk": "dot"}
SLOW = ("says nothing", "does so until time is up")
USER = {"letter": "a password"}


class Cell(NamedTuple):
    """One relay that misbehaves in one way at one place."""

    section: str
    does: str
    phase: str
    #: What becomes of the copy, in the page's words.
    outcome: str
    code: int

    @property
    def window(self) -> int:
        return 4 if self.section == "With a window" else 1

    @property
    def behaviour(self) -> Behaviour:
        return BEHAVIOURS[self.does]

    def __str__(self) -> str:
        return f"{self.phase}{' in a window' if self.window > 1 else ''}: {self.does}"


def cells() -> Iterator[Cell]:
    page = (HERE / "docs/relay-answers.md").read_text("utf-8")
    for section in page.split("\n## ")[1:]:
        rows = [
            [cell.strip() for cell in line.strip("|").split("|")]
            for line in section.splitlines()
            if line.startswith("|") and not line.startswith("|-")
        ]
        for does, *told in rows[1:]:
            for phase, cell in zip(rows[0][1:], told, strict=True):
                if cell != "-":
                    outcome, code = re.fullmatch(r"(.+) (\d)", cell).groups()  # type: ignore[union-attr]
                    yield Cell(section.splitlines()[0], does, phase, outcome, int(code))


CELLS = list(cells())


def script(cell: Cell) -> Script:
    return Script().always(PHASES.get(cell.phase, cell.phase.lower()), cell.behaviour)


def config(relay: Relay, cell: Cell) -> SmtpConfig:
    seconds = 0.25 if cell.does in SLOW else 10.0
    return SmtpConfig(
        host="localhost" if relay.tls else relay.host,
        port=relay.port,
        security=relay.tls or "none",
        username="letter",
        password=USER["letter"],
        window=cell.window,
        ca_file=relay.ca_file if relay.tls else None,
        timeouts=Timeouts(10, seconds, seconds, seconds, seconds, seconds),
    )


class Arming:
    """Lets go of everything, and counts."""

    def __init__(self) -> None:
        self.armed = 0

    def __call__(self, submission: Submission) -> bool:
        return all(self.many([submission]))

    def many(self, submissions: list[Submission]) -> list[bool]:
        self.armed += len(submissions)
        return [True] * len(submissions)


def hand_over(mailer: Smtp, arm: Arming, *messages: Submission) -> tuple[list[Answer], MailerUnusable | None]:
    answers = []
    try:
        answers.extend(mailer.submit(messages, arm))
    except MailerUnusable as fault:
        return answers, fault
    return answers, None


OUTCOMES = {
    "accepted": Outcome.ACCEPTED,
    "refused": Outcome.REFUSED,
    "deferred": Outcome.DEFERRED,
    "again, deferred": Outcome.DEFERRED,
    "deferred, paused": Outcome.DEFERRED,
    "in doubt": Outcome.IN_DOUBT,
    "queued": Outcome.NOT_ARMED,
    "stopped": Outcome.NOT_ARMED,
    "paused": Outcome.NOT_ARMED,
}


def test_the_page_leaves_nothing_out():
    assert {cell.does for cell in CELLS} == set(BEHAVIOURS)
    first, then, window = dict.fromkeys(cell.section for cell in CELLS)
    phases = {section: {c.phase for c in CELLS if c.section == section} for section in (first, then, window)}
    assert phases[first] == {"greeting", "EHLO", "STARTTLS", "TLS", "AUTH"}
    assert phases[then] == {"MAIL", "RCPT", "DATA", "text", "dot"}
    assert phases[window] == {"MAIL", "RCPT", "last chunk"}
    assert {cell.outcome for cell in CELLS} == set(OUTCOMES)


@pytest.mark.parametrize("tls", [None, "starttls"], ids=["in the clear", "over TLS"])
@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_the_copy_becomes_what_the_page_says(cell: Cell, tls: str | None) -> None:
    if tls is None and cell.phase in ("STARTTLS", "TLS"):
        tls = "tls"  # the same, from the first octet on
        if cell.phase == "STARTTLS":
            pytest.skip("there is no STARTTLS in the clear")
    message, arm = submission(1), Arming()
    if cell.phase == "text":
        # Larger than all buffers on the way, so that the relay always is in its middle.
        message = replace(message, data=message.data + (b"x" * 70 + b"\r\n") * 200_000)
    with Relay(script(cell), tls, USER, receive_buffer=4096 if cell.phase == "text" else None) as relay:
        answers, fault = hand_over(Smtp(config(relay, cell)), arm, message)
    assert [answer.submission for answer in answers] == [message]
    answer = answers[0]
    assert answer.outcome is OUTCOMES[cell.outcome], answer.reply
    assert (type(fault) is MailerUnusable) is (cell.outcome == "queued"), fault
    assert (type(fault) is RelayUnfit) is (cell.outcome == "stopped"), fault
    assert (type(fault) is RelayRefused) is ("paused" in cell.outcome), fault
    assert answer.connection is (cell.outcome in ("again, deferred", "deferred, paused"))
    asked_for_less = cell.does == "answers 421 and closes" or (
        cell.does == "answers 4yz" and cell.phase == "MAIL"
    )
    if answer.outcome is Outcome.DEFERRED and not fault:
        assert answer.slow_down is asked_for_less
    if cell.window == 1:
        assert arm.armed == (cell.phase == "dot" or cell.outcome == "accepted")
    if answer.outcome is Outcome.ACCEPTED:
        assert relay.taken() == [message.data]
    elif answer.outcome is not Outcome.IN_DOUBT:
        assert relay.taken() == []
    assert relay.violations == []
    for said in (answer.reply, str(fault or "")):
        assert said.isprintable()
        assert not re.search(r"reader1|@|a password", said), said


@pytest.mark.parametrize("tls", [None, "tls"], ids=["in the clear", "over TLS"])
@pytest.mark.parametrize("taken", [True, False], ids=["taken", "not taken"])
@pytest.mark.parametrize("window", [1, 4])
def test_what_may_have_been_taken_is_in_doubt_whether_it_was_or_not(tls, taken, window):
    lost = replace(close(), taken=taken)
    cell = Cell("With a window" if window > 1 else "", "closes", "dot", "in doubt", 5)
    with Relay(Script().always("dot", lost), tls, USER) as relay:
        answers, _ = hand_over(Smtp(config(relay, cell)), Arming(), submission(1))
    assert [answer.outcome for answer in answers] == [Outcome.IN_DOUBT]
    assert bool(relay.taken()) is taken


@pytest.mark.parametrize("certificate", ["stranger", "other name", "expired"])
@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_no_password_and_no_message_goes_to_who_cannot_show_who_it_is(tls, certificate):
    cell, arm = Cell("", "", "TLS", "queued", 7), Arming()
    with Relay(None, tls, USER, certificate=certificate) as relay:
        answers, fault = hand_over(Smtp(config(relay, cell)), arm, submission(1))
    assert type(fault) is RelayUnfit
    assert [answer.outcome for answer in answers] == [Outcome.NOT_ARMED]
    assert not [line for talk in relay.transcript for line in talk.commands if line[:4] in ("AUTH", "MAIL")]


def test_a_relay_that_does_not_offer_starttls_gets_nothing_in_the_clear():
    cell = Cell("", "", "STARTTLS", "queued", 7)
    with Relay(None, "starttls", USER, extensions={"PIPELINING", "AUTH"}) as relay:
        answers, fault = hand_over(Smtp(config(relay, cell)), Arming(), submission(1))
    assert type(fault) is RelayUnfit
    assert [answer.outcome for answer in answers] == [Outcome.NOT_ARMED]
    assert {line[:4].upper() for line in relay.transcript[0].commands} <= {"EHLO", "QUIT"}


# --- the command -------------------------------------------------------------

#: At least one of each phase, and every outcome.
SOME = {
    ("greeting", "answers 5yz"),
    ("EHLO", "answers another 2yz"),
    ("STARTTLS", "answers 4yz"),
    ("STARTTLS", "answers 5yz"),
    ("TLS", "answers garbage"),
    ("AUTH", "answers 5yz"),
    ("MAIL", "answers 5yz"),
    ("RCPT", "answers 5yz"),
    ("DATA", "answers 4yz"),
    ("text", "closes"),
    ("dot", "answers 4yz"),
    ("dot", "answers half a line, and closes"),
    ("dot", "answers 421 and closes"),
    ("last chunk", "answers half a reply, and closes"),
}
SHOWN = [c for c in CELLS if os.environ.get("RELAY_MATRIX") == "all" or (c.phase, c.does) in SOME]
COUNTS = {
    "accepted": "accepted",
    "refused": "refused",
    "in doubt": "in_doubt",
    "queued": "queued",
    "paused": "queued",
    "stopped": "queued",
}
#: An issue whose only loose ends are doubts has nothing left to do: it is sent.
STATES = {"deferred": "sending", "queued": "sending"}


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Letter:
    """A newsletter with one post, one reader, and nothing sent."""
    letter = Letter(tmp_path_factory.mktemp("matrix") / "letter")
    letter.root.mkdir()
    shutil.copy(HERE / "newsletter.toml", letter.root)
    letter.post("snow", "Snow", "2026-01-02")
    letter.write("readers.csv", "email,name\nreader1@example.com,Reader\n")
    assert letter.run("subscribers", "import", str(letter.root / "readers.csv")).code == 0
    return letter


def for_the_command(cell: Cell) -> Script:
    """The command's messages fit into buffers: misbehave in the middle by answering before it begins to write."""
    if cell.phase != "text":
        return script(cell)
    usual, behaviour = b"451 4.3.0 In the middle\r\n", cell.behaviour
    if cell.does in SLOW:
        return Script().always("body", behaviour)
    said = b"354 Go ahead\r\n" + behaviour.say(usual)
    return Script().always("data", replace(behaviour, say=lambda _: said))


@pytest.mark.parametrize("cell", SHOWN, ids=str)
def test_the_command_ends_as_the_page_says(cell: Cell, ready: Letter, tmp_path: Path) -> None:
    shutil.copytree(ready.root, tmp_path / "letter")
    letter = Letter(tmp_path / "letter")
    tls = "tls" if cell.phase == "TLS" else "starttls"
    seconds = 0.3 if cell.does in SLOW else 20.0
    timeouts = {f"timeouts__{name}": seconds for name in ("greeting", "command", "data", "block", "dot")}
    with Relay(for_the_command(cell), tls, USER) as relay:
        environment = relay.environment(window=cell.window, host="localhost", **timeouts)
        if cell.outcome == "queued":
            environment["NEWSLETTER_MAIL__RETRY__RECONNECTS"] = "1"
        ran = letter.run("send", "--yes", "--json", env=environment)
    assert ran.code == cell.code, ran.err
    told, counts = ran.json, {}
    for name in (
        "queued",
        "accepted",
        "refused",
        "deferred",
        "in_doubt",
        "withdrawn",
        "expired",
        "cancelled",
    ):
        counts[name] = told[name]
    stands = COUNTS.get(cell.outcome, "deferred")
    if cell.phase == "text" and cell.does in SLOW and counts["in_doubt"]:
        stands = "in_doubt"  # all of it was in the buffers, and the dot after it
    assert counts == {**dict.fromkeys(counts, 0), stands: 1}
    assert told["state"] == ("paused" if "paused" in cell.outcome else STATES.get(stands, "sent"))
    assert (told["readers"], told["exit"]) == (1, cell.code)
    tries = sum(line.startswith("MAIL") for talk in relay.transcript for line in talk.commands)
    if cell.outcome == "again, deferred" and stands == "deferred":
        assert tries == 4
    elif cell.outcome not in ("queued", "paused", "stopped"):
        assert tries == 1
    if cell.code == 7:
        assert relay.connections == (2 if cell.outcome == "queued" else 1)
    assert not re.search(r"reader1|a password", ran.err)
