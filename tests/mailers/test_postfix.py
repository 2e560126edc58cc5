"""What a real Postfix, with STARTTLS and a password, makes of an issue, and what lies in the Maildirs then."""

from __future__ import annotations

import base64
import imaplib
import os
import re
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parseaddr
from pathlib import Path

import pytest
import trustme
from support import dovecot, postfix
from support.daemons import until
from support.letter import SECRET, Letter, Ran, copy_sample
from support.messages import HEADERS, by_a_stranger, by_python, demand_a_sound_message
from support.running import AtWork
from support.sending import delivery

from pipeline.deliver.message import Splicer
from pipeline.mailers.smtp import Smtp, SmtpConfig
from pipeline.model import Delivery, DeliveryState, Outcome, Recipient, Submission
from pipeline.project import open_project

pytestmark = pytest.mark.slow

THOUSAND = 1000
NAMES = ("", "Ann", 'Zoë "Zo" O’Hara, Jr.', "李小龍", "Maximiliane Gräfin von Österreich-Świętokrzyska")
#: What a virtual(8) delivery writes above a message, and the smtpd before it.
TRACE = re.compile(
    rb"Return-Path: <([^>\r\n]*)>\r\n"
    rb"X-Original-To: ([^\r\n]+)\r\n"
    rb"Delivered-To: ([^\r\n]+)\r\n"
    rb"Received: from [^\r\n]+(?:\r\n\t[^\r\n]+)+\r\n"
)
#: One link over https and nothing else (RFC 8058, 3.1).
ONE_LINK = re.compile(r"<(https://[^<>,\s]+)>")


def people(group: str, count: int) -> list[str]:
    """Addresses of one test's readers, over ten domains."""
    return [f"{group}{n}@d{n % 10}.example" for n in range(count)]


@pytest.fixture(scope="module")
def relay() -> Iterator[postfix.Postfix]:
    """A Postfix; `REQUIRE_POSTFIX=1` turns its absence from a skip into a failure."""
    if why := postfix.missing():
        if os.environ.get("REQUIRE_POSTFIX"):
            pytest.fail(f"REQUIRE_POSTFIX is set: {why}")
        pytest.skip(why)
    many = people("reader", THOUSAND) + people("window", 200) + people("restart", 200)
    few = [address for group in ("login", "doubt", "known", "verp") for address in people(group, 5)]
    with postfix.started([*many, *few, "jörg@d0.example"]) as started:
        yield started


def newsletter(
    folder: Path, relay: postfix.Postfix, readers: Sequence[str], mail: str = "", smtp: str = ""
) -> Letter:
    """The sample newsletter with these readers and this relay."""
    letter = copy_sample(folder)
    rows = "".join(
        f'{address},"{NAMES[n % len(NAMES)].replace(chr(34), chr(34) * 2)}"\n'
        for n, address in enumerate(readers)
    )
    letter.write("readers.csv", f"email,name\n{rows}")
    assert letter.run("subscribers", "import", str(letter.root / "readers.csv")).code == 0
    shutil.copy(relay.ca_file, letter.root / "relay-ca.pem")
    letter.replace(
        "newsletter.toml",
        'mailer = "outbox"                       # writes outbox/0001/*.eml instead of sending\n',
        f"""mailer = "smtp"
{mail}
[mail.smtp]
host = "{postfix.HOST}"
port = {relay.port}
security = "starttls"
username = "{postfix.USERNAME}"
password = {{ env = "RELAY_PASSWORD" }}
ca_file = "relay-ca.pem"
{smtp or "connections = 4"}
""",
    )
    return letter


def run(letter: Letter, *words: str, password: str = postfix.PASSWORD) -> Ran:
    return letter.run(*words, env={"RELAY_PASSWORD": password})


#: The name that Postfix gave a message when it took it (RFC 5321, 4.4: the trace's `id`).
QUEUED = re.compile(rb"\swith \S+ id (\w+)")


def inbox_of_one(relay: postfix.Postfix, address: str) -> tuple[re.Match[bytes], bytes]:
    """The only message a reader has: the trace above it, and it."""
    inbox = relay.inbox(address)
    assert len(inbox) == 1, (address, len(inbox))
    trace = TRACE.match(inbox[0])
    assert trace, inbox[0][:600]
    return trace, inbox[0][trace.end() :]


def read(message: bytes) -> EmailMessage:
    parsed = message_from_bytes(message, policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


@dataclass
class Sent:
    """An issue that a thousand readers were sent."""

    letter: Letter
    ran: Ran
    #: What Postfix logged of it.
    log: str


@pytest.fixture(scope="module")
def sent(relay: postfix.Postfix, tmp_path_factory: pytest.TempPathFactory) -> Sent:
    """One thousand readers, four connections."""
    folder = tmp_path_factory.mktemp("thousand") / "letter"
    letter = newsletter(folder, relay, people("reader", THOUSAND))
    before = len(relay.log)
    ran = run(letter, "send", "--yes", "--json")
    relay.wait_until_delivered()
    return Sent(letter, ran, relay.log[before:])


def test_postfix_takes_a_thousand_copies_over_four_connections(sent: Sent) -> None:
    assert sent.ran.code == 0, sent.ran
    said = sent.ran.json
    assert (said["state"], said["readers"], said["accepted"], said["exit"]) == ("sent", THOUSAND, THOUSAND, 0)
    sessions = [int(taken) for taken in re.findall(r"disconnect from .* auth=1 mail=(\d+) ", sent.log)]
    assert (len(sessions), sum(sessions)) == (4, THOUSAND)
    assert "warning" not in sent.log


def test_every_reader_has_one_message_addressed_to_them(sent: Sent, relay: postfix.Postfix) -> None:
    ids, links = set(), set()
    for address in people("reader", THOUSAND):
        trace, message = inbox_of_one(relay, address)
        assert trace.groups() == (b"letter@example.org", address.encode(), address.encode())
        # Encrypted, and with the password (RFC 3848).
        assert b" with ESMTPSA id " in trace[0]
        demand_a_sound_message(message)
        head = read(message)
        assert parseaddr(head["To"])[1] == address
        (message_id,) = head.get_all("Message-ID")
        (link,) = head.get_all("List-Unsubscribe")
        (post,) = head.get_all("List-Unsubscribe-Post")
        assert ONE_LINK.fullmatch(link.strip()), link
        assert post == "List-Unsubscribe=One-Click"
        ids.add(message_id)
        links.add(link)
    assert len(ids) == len(links) == THOUSAND


def test_two_strangers_read_each_message_alike(sent: Sent, relay: postfix.Postfix) -> None:
    for address in people("reader", THOUSAND):
        _, message = inbox_of_one(relay, address)
        python, stranger = by_python(message), by_a_stranger(message)
        assert python.names == HEADERS
        assert sorted(stranger.names) == sorted(HEADERS)
        assert python.subject == stranger.subject != ""
        assert address in python.to
        assert python.text.replace("\r\n", "\n") == stranger.text.replace("\r\n", "\n") != ""
        assert python.html.replace("\r\n", "\n") == stranger.html.replace("\r\n", "\n") != ""


def test_below_the_relays_trace_every_octet_is_what_was_frozen(sent: Sent, relay: postfix.Postfix) -> None:
    project = open_project(sent.letter.root, environ={"NEWSLETTER_SECRET": SECRET})
    frozen = project.store.frozen(1)
    assert frozen
    splicer = Splicer(frozen, project.tokens)
    people = list(project.store.subscribers())
    assert len(people) == THOUSAND
    for person in people:
        confirmed = person.since.astimezone(project.settings.newsletter.zone).date()
        reader = Recipient(person.uid, person.email, person.name, confirmed)
        made = splicer.submission(Delivery(1, 1, reader, DeliveryState.ACCEPTED))
        trace, message = inbox_of_one(relay, person.email)
        assert message == made.data
        assert trace[1].decode() == made.sender


def test_a_mail_program_finds_the_issue_and_shows_it(sent: Sent, relay: postfix.Postfix) -> None:
    if why := dovecot.missing():
        pytest.skip(why)
    with dovecot.started(relay.maildirs, postfix.OWNER) as mailboxes:
        for address in people("reader", THOUSAND)[:: THOUSAND // 5]:
            _, message = inbox_of_one(relay, address)
            with imaplib.IMAP4("127.0.0.1", mailboxes.imap) as program:
                program.login(address, dovecot.PASSWORD)
                assert program.select(readonly=True) == ("OK", [b"1"])
                _, [(_, shown), _] = program.fetch("1", "(BODY.PEEK[])")
                assert shown.endswith(message)
                _, [structure] = program.fetch("1", "(BODYSTRUCTURE)")
                assert re.search(rb'"text" "plain" .*"text" "html" .*"alternative"', structure, re.I)
                head = "(BODY.PEEK[HEADER.FIELDS (LIST-UNSUBSCRIBE-POST)])"
                _, [(_, one_click), _] = program.fetch("1", head)
                assert one_click == b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n\r\n"


def test_many_messages_under_way_on_one_connection_arrive_once_each(
    relay: postfix.Postfix, tmp_path: Path
) -> None:
    letter = newsletter(
        tmp_path / "letter", relay, people("window", 200), smtp="connections = 1\nwindow = 10"
    )
    before = len(relay.log)
    ran = run(letter, "send", "--yes", "--json")
    assert (ran.code, ran.json["accepted"]) == (0, 200)
    relay.wait_until_delivered()
    for address in people("window", 200):
        trace, message = inbox_of_one(relay, address)
        assert trace[3] == address.encode()
        assert parseaddr(read(message)["To"])[1] == address
        demand_a_sound_message(message)
    # In chunks (RFC 3030), since Postfix takes them.
    assert re.findall(r"disconnect from .* mail=200 rcpt=200 bdat=(\d+)", relay.log[before:]) == ["200"]


def test_a_wrong_password_pauses_the_issue_and_fails_nobody(relay: postfix.Postfix, tmp_path: Path) -> None:
    readers = people("login", 5)
    letter = newsletter(tmp_path / "letter", relay, readers)
    wrong = "not the relay's password"
    ran = run(letter, "send", "--yes", password=wrong)
    assert ran.code == 7, ran
    shown = run(letter, "report", "1", "--json")
    assert (shown.json["state"], shown.json["readers"], shown.json["queued"]) == ("paused", 5, 5)
    assert not any(relay.inbox(address) for address in readers)

    resumed = run(letter, "resume", "1", "--json")
    assert resumed.code == 0, resumed
    assert (resumed.json["state"], resumed.json["accepted"]) == ("sent", 5)
    relay.wait_until_delivered()
    for address in readers:
        inbox_of_one(relay, address)
    said = "".join(
        each.out + each.err for each in (ran, shown, resumed, run(letter, "report", "1", "-v"))
    ).encode()
    written = b"".join(letter.files(".newsletter").values())
    for password in (wrong, postfix.PASSWORD):
        for shape in shapes(password):
            assert shape not in said
            assert shape not in written


def shapes(password: str) -> list[bytes]:
    """A password as it is, and as AUTH LOGIN and AUTH PLAIN write it."""
    plain = password.encode()
    with_name = f"\0{postfix.USERNAME}\0{password}".encode()
    return [plain, base64.b64encode(plain), base64.b64encode(with_name)]


def test_a_certificate_that_nobody_we_trust_vouches_for_stops_the_run(
    relay: postfix.Postfix, tmp_path: Path
) -> None:
    readers = people("doubt", 5)
    letter = newsletter(tmp_path / "letter", relay, readers)
    trustme.CA().cert_pem.write_to_path(str(letter.root / "relay-ca.pem"))
    before = len(relay.log)
    ran = run(letter, "send", "--yes")
    assert ran.code == 7, ran
    assert "certificate" in ran.err
    assert run(letter, "report", "1", "--json").json["queued"] == 5
    assert not re.search(r"sasl_username|from=<", relay.log[before:])
    assert not any(relay.inbox(address) for address in readers)

    shutil.copy(relay.ca_file, letter.root / "relay-ca.pem")
    resumed = run(letter, "resume", "1", "--json")
    assert (resumed.code, resumed.json["accepted"]) == (0, 5)
    relay.wait_until_delivered()
    for address in readers:
        inbox_of_one(relay, address)


def test_a_reader_whom_the_relay_does_not_know_is_refused_alone_and_named_nowhere(
    relay: postfix.Postfix, tmp_path: Path
) -> None:
    letter = newsletter(tmp_path / "letter", relay, [*people("known", 5), "nobody@d1.example"])
    ran = run(letter, "send", "--yes", "--json")
    assert (ran.code, ran.json["accepted"], ran.json["refused"]) == (0, 5, 1), ran
    relay.wait_until_delivered()
    for address in people("known", 5):
        inbox_of_one(relay, address)
    report = run(letter, "report", "1")
    assert "5.1.1" in report.out
    assert "nobody@" not in "".join([ran.out, ran.err, report.out, report.err])


def test_each_copy_can_have_its_own_return_path(relay: postfix.Postfix, tmp_path: Path) -> None:
    readers = people("verp", 5)
    letter = newsletter(
        tmp_path / "letter", relay, readers, 'return_path = "bounces@example.org"\nverp = true'
    )
    assert run(letter, "send", "--yes").code == 0
    relay.wait_until_delivered()
    paths = set()
    for address in readers:
        trace, message = inbox_of_one(relay, address)
        left = read(message)["Message-ID"].strip("<>").partition("@")[0]
        assert trace[1].decode() == f"bounces+{left}@example.org"
        assert b"bounces" not in message
        paths.add(trace[1])
    assert len(paths) == 5


def test_letters_outside_ascii_and_lines_of_dots_arrive_as_they_were_written(relay: postfix.Postfix) -> None:
    config = SmtpConfig(
        postfix.HOST,
        relay.port,
        username=postfix.USERNAME,
        password=postfix.PASSWORD,
        ca_file=str(relay.ca_file),
    )
    address = "jörg@d0.example"
    data = (
        f"Date: Sun, 04 Jan 2026 08:00:00 +0000\r\nMessage-ID: <1@example.org>\r\nFrom: letter@example.org\r\n"
        f"To: {address}\r\nSubject: Grüße\r\n\r\n.\r\n..\r\n.x\r\nText\r\n.\r\n"
    ).encode()
    submission = Submission(delivery(address), "letter@example.org", address, "1@example.org", data)
    (answer,) = Smtp(config).submit([submission], Yes())
    assert answer.outcome is Outcome.ACCEPTED
    relay.wait_until_delivered()
    trace, message = inbox_of_one(relay, address)
    assert trace[3].decode() == address
    # RFC 6531, 3.7.1 names the protocol.
    assert b" with UTF8SMTPSA id " in trace[0]
    assert message == data


def test_a_relay_that_is_restarted_halfway_gives_nobody_a_second_copy(
    relay: postfix.Postfix, tmp_path: Path
) -> None:
    readers = people("restart", 200)
    letter = newsletter(tmp_path / "letter", relay, readers)
    before = len(relay.log)
    with AtWork(letter, "send", "--yes", env={"RELAY_PASSWORD": postfix.PASSWORD}) as work:
        until(lambda: relay.log[before:].count("status=sent") >= 50, "nothing was sent")
        relay.stop()
        relay.start()
        # 5: what was under way when it went has no answer, or rests.
        assert work.ends().code in {0, 5}
    assert run(letter, "resume", "1").code in {0, 5}
    relay.wait_until_delivered()

    with closing(sqlite3.connect(letter.root / ".newsletter/newsletter.db")) as ledger:
        states = dict(ledger.execute("select email, state from deliveries"))
    assert sorted(states) == sorted(readers)
    in_doubt = {address for address, state in states.items() if state == "in_doubt"}
    assert len(in_doubt) <= 4
    assert set(states.values()) <= {"accepted", "in_doubt"}
    for address in readers:
        # By the queue's own names: a Postfix that ends between writing into a mailbox and noting it in its queue
        # writes once more, under the same name. What it took from us twice would have two.
        taken = {found[1] for mail in relay.inbox(address) if (found := QUEUED.search(mail))}
        assert len(taken) == 1 or (not taken and address in in_doubt), (address, states[address], taken)


class Yes:
    """A ledger that lets everything go."""

    def __call__(self, submission: Submission) -> bool:
        return True

    def many(self, submissions: Sequence[Submission]) -> Sequence[bool]:
        return [True] * len(submissions)
