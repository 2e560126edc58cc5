"""Mailboxes on a real server: Dovecot, over IMAP and POP3, with and without TLS."""

from __future__ import annotations

import itertools
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from contracts.mailbox import MailboxContract, letter, read
from support import dovecot
from support.boxes import MaildirBox
from support.certificates import ca_file
from support.daemons import public_folder

from pipeline.edges import Mailbox
from pipeline.errors import MailboxUnusable, SettingsError
from pipeline.hear.mailbox import Imap, Pop3, ServerConfig

#: Owner of the Maildirs: a number, so that no account is needed.
OWNER = 5000
_count = itertools.count(1)


@pytest.fixture(scope="module")
def maildirs() -> Iterator[Path]:
    folder = public_folder("maildirs")
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def server(maildirs) -> Iterator[dovecot.Dovecot]:
    if why := dovecot.missing():
        pytest.skip(why)
    with dovecot.started(maildirs, OWNER) as started:
        yield started


class ServerBox(MaildirBox):
    """One account on the Dovecot, delivered into behind its back."""

    def __init__(self, maildirs: Path, config: ServerConfig, protocol: str) -> None:
        local = f"user{next(_count)}"
        super().__init__(maildirs / "mail.example" / local, OWNER)
        (maildirs / "mail.example").chmod(0o777)
        self.config = replace(config, username=f"{local}@mail.example")
        self.protocol = protocol

    def mailbox(self, after: str = "delete") -> Mailbox:
        return Imap(self.config, after=after) if self.protocol == "imap" else Pop3(self.config)


class Accounts:
    protocol = "imap"
    security = "tls"

    @pytest.fixture
    def box(self, server, maildirs) -> ServerBox:
        if self.protocol == "pop3" and (why := dovecot.lacks_pop3()):
            pytest.skip(why)
        port = getattr(server, self.protocol + ("s" if self.security == "tls" else ""))
        config = ServerConfig(
            "localhost",
            port,
            "",
            dovecot.PASSWORD,
            self.security,
            None if self.security == "none" else str(ca_file()),
        )
        return ServerBox(maildirs, config, self.protocol)


class ServerContract(Accounts, MailboxContract):
    def test_a_killed_session_leaves_everything_or_takes_out_what_is_done(self, box):
        for number in range(3):
            box.put(letter(number))
        mailbox = box.mailbox().__enter__()
        mailbox.done(next(mailbox.messages()))
        mailbox._server.sock.shutdown(socket.SHUT_RDWR)
        mailbox._server.sock.close()
        with box.mailbox() as again:
            left = [read(each) for each in again.messages()]
        assert left in ([letter(0), letter(1), letter(2)], [letter(1), letter(2)])

    def test_a_wrong_password_is_said_without_it(self, box):
        box.config = replace(box.config, password="a-wrong-secret")
        with pytest.raises(MailboxUnusable, match=r"\(login\).* hear.mailbox.password") as fault:
            box.mailbox().__enter__()
        assert "a-wrong-secret" not in str(fault.value)
        assert box.config.username not in str(fault.value)
        assert "a-wrong-secret" not in repr(box.config)


class TestImap(ServerContract):
    def test_what_is_left_for_a_person_is_starred_and_unread(self, box):
        box.put(letter(1))
        with box.mailbox() as mailbox:
            mailbox.leave(next(mailbox.messages()))
        assert [path.name.rpartition(",")[2] for path in (box.path / "cur").iterdir()] == ["F"]

    def test_more_messages_than_are_asked_about_in_one_go(self, box, monkeypatch):
        monkeypatch.setattr("pipeline.hear.mailbox.imap.PAGE", 3)
        for number in range(8):
            box.put(letter(number))
        with box.mailbox() as mailbox:
            for each in mailbox.messages():
                mailbox.done(each)
        assert box.holds() == []

    def test_a_folder_other_than_the_inbox(self, box):
        folder = MaildirBox(box.path / ".Berichte & Co", OWNER)
        folder.path.rename(box.path / ".Berichte &- Co")
        folder.path = box.path / ".Berichte &- Co"
        folder.put(letter(1))
        with Imap(box.config, "Berichte & Co") as mailbox:
            assert [read(each) for each in mailbox.messages()] == [letter(1)]

    def test_a_folder_that_is_not_there_is_named(self, box):
        with pytest.raises(MailboxUnusable, match="the folder Nowhere of localhost"):
            Imap(box.config, "Nowhere").__enter__()


class TestPop3(ServerContract):
    protocol = "pop3"
    remembers = folders = False


class Once:
    """The way there is another; what happens then is the same."""

    def test_a_message_is_read_and_taken_out(self, box):
        box.put(letter(1))
        with box.mailbox() as mailbox:
            [only] = mailbox.messages()
            mailbox.done(only)
        assert box.holds() == []


class TestImapStartTls(Accounts, Once):
    security = "starttls"


class TestImapInTheClearOnThisMachine(Accounts, Once):
    security = "none"


class TestPop3StartTls(Accounts, Once):
    protocol, security = "pop3", "starttls"


class TestImapOfFewWords(Accounts):
    """A server that can neither move nor take out single messages."""

    test_gone = MailboxContract.test_what_is_done_with_is_gone_and_the_rest_stays
    test_moved = MailboxContract.test_what_is_done_with_goes_into_the_folder_that_settings_name
    folders = True

    @pytest.fixture(autouse=True)
    def few_words(self, monkeypatch):
        monkeypatch.setattr(Imap, "_can", lambda self, what: False)


@pytest.mark.parametrize("kind", [Imap, Pop3])
def test_a_server_that_nobody_vouches_for_is_told_no_password(server, kind):
    config = ServerConfig("localhost", server.imaps if kind is Imap else server.pop3s, "ana", "secret")
    with pytest.raises(MailboxUnusable, match="certificate is not to be trusted"):
        kind(config).__enter__()


@pytest.mark.parametrize("kind", [Imap, Pop3])
@pytest.mark.parametrize("security", ["none", "tls"])
def test_a_server_that_says_nothing_is_not_waited_for_for_ever(kind, security):
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        config = ServerConfig("127.0.0.1", silent.getsockname()[1], "ana", "secret", security, timeout=0.2)
        with pytest.raises(MailboxUnusable, match="no answer in time"):
            kind(config).__enter__()


@pytest.mark.parametrize("kind", [Imap, Pop3])
@pytest.mark.parametrize(
    "said",
    [b"", b"554 go away\r\n", b"\0\xff\r\n" * 50, b"* BYE\r\n", b"-ERR no\r\n", b"* OK ready\r\n+OK\r\n"],
)
def test_a_server_that_talks_nonsense_is_a_sentence_not_a_traceback(kind, said):
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def answer():
            client, _ = server.accept()
            with client:
                client.sendall(said)
                client.settimeout(0.3)
                for _ in range(3):
                    try:
                        client.recv(1000)
                        client.sendall(said)
                    except OSError:
                        return

        talker = threading.Thread(target=answer)
        talker.start()
        config = ServerConfig("127.0.0.1", server.getsockname()[1], "ana", "secret", "none", timeout=0.5)
        with pytest.raises(MailboxUnusable, match="What was not decided about stays in it"):
            kind(config).__enter__()
        talker.join()


@pytest.mark.parametrize("kind", [Imap, Pop3])
def test_nobody_there_is_said(kind):
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
    with pytest.raises(MailboxUnusable, match="Connection refused"):
        kind(ServerConfig("127.0.0.1", port, "ana", "secret", "none")).__enter__()


def test_a_password_never_goes_over_the_network_in_the_clear():
    with pytest.raises(SettingsError, match="in the clear"):
        ServerConfig("mail.example.org", 143, "ana", "secret", "none")
