"""What every mailbox promises: the contract that our own pass, and that yours should.

Subclass `MailboxContract` and give it one fixture:

    class TestShoebox(MailboxContract):
        remembers = False           # True if what was left for a person is not read again

        @pytest.fixture
        def box(self): ...          # a Box: a real one, with a real server in front of it if it needs one

"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import pytest

from pipeline.edges import Mailbox
from pipeline.errors import StoreError
from pipeline.hear.mime import LIMIT
from pipeline.model import Incoming


class Box(Protocol):
    def put(self, message: bytes) -> None:
        """Deliver a message, with CRLF, as a mail server would."""

    def holds(self) -> Sequence[bytes]:
        """Return every message in it, with CRLF, however it is marked."""

    def moved(self) -> Sequence[bytes]:
        """Return every message in the folder that `mailbox(after=...)` was given."""

    def mailbox(self, after: str = "delete") -> Mailbox:
        """Return our door to it; `after` is "delete" or a folder's name, if it knows folders."""


def letter(number: int, body: str = "") -> bytes:
    """Return a message with everything that a careless reader would change."""
    lines = [
        f"Subject: {number}",
        "Content-Transfer-Encoding: 8bit",
        "",
        body,
        ".",
        "..",
        "From the start of a line",
        ">From the start of another",
        "ü and a space ",
        "",
        "x" * 5000,
        "",
    ]
    return "\r\n".join(lines).encode()


def read(incoming: Incoming) -> bytes:
    """Return a message as it was delivered, whatever line ends the mailbox keeps."""
    assert incoming.data is not None
    return incoming.data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n").rstrip() + b"\r\n"


class MailboxContract:
    #: Whether it can keep what is left for a person from being read again.
    remembers = True
    #: Whether it knows folders.
    folders = True

    def test_every_message_is_read_as_it_came_the_oldest_first(self, box: Box):
        letters = [letter(number) for number in range(5)]
        for each in letters:
            box.put(each)
        with box.mailbox() as mailbox:
            found = list(mailbox.messages())
        assert [read(each) for each in found] == letters
        assert len({each.id for each in found}) == 5
        assert all(each.size >= len(read(each).replace(b"\r", b"")) for each in found)

    def test_an_empty_one_has_nothing_to_say(self, box: Box):
        with box.mailbox() as mailbox:
            assert list(mailbox.messages()) == []

    def test_what_is_done_with_is_gone_and_the_rest_stays(self, box: Box):
        for number in range(4):
            box.put(letter(number))
        with box.mailbox() as mailbox:
            for each in mailbox.messages():
                if read(each) in (letter(0), letter(2)):
                    mailbox.done(each)
        assert list(map(clean, box.holds())) == [letter(1), letter(3)]

    def test_what_nobody_was_done_with_is_there_the_next_time(self, box: Box):
        box.put(letter(1))
        for _ in range(2):
            with box.mailbox() as mailbox:
                assert [read(each) for each in mailbox.messages()] == [letter(1)]

    def test_a_run_that_fails_midway_loses_nothing_and_keeps_what_is_done(self, box: Box):
        for number in range(3):
            box.put(letter(number))

        def decide(mailbox: Mailbox) -> None:
            with mailbox:
                for number, each in enumerate(mailbox.messages()):
                    if number:
                        raise StoreError("disk full")
                    mailbox.done(each)

        with pytest.raises(StoreError, match="disk full"):
            decide(box.mailbox())
        assert list(map(clean, box.holds())) == [letter(1), letter(2)]

    def test_what_is_too_large_is_not_read_and_stays(self, box: Box):
        box.put(letter(1, "y" * LIMIT))
        box.put(letter(2))
        with box.mailbox() as mailbox:
            first, second = mailbox.messages()
            assert (first.data, first.size > LIMIT) == (None, True)
            assert read(second) == letter(2)
            mailbox.leave(first)
            mailbox.done(second)
        assert [len(each) > LIMIT for each in box.holds()] == [True]

    def test_what_is_left_for_a_person_is_still_there(self, box: Box):
        box.put(letter(1))
        box.put(letter(2))
        with box.mailbox() as mailbox:
            for each in mailbox.messages():
                mailbox.leave(each)
        assert sorted(map(clean, box.holds())) == [letter(1), letter(2)]
        with box.mailbox() as mailbox:
            assert len(list(mailbox.messages())) == (0 if self.remembers else 2)

    def test_what_comes_meanwhile_is_not_lost(self, box: Box):
        box.put(letter(1))
        with box.mailbox() as mailbox:
            for each in mailbox.messages():
                box.put(letter(2))
                mailbox.done(each)
        assert list(map(clean, box.holds())) == [letter(2)]
        with box.mailbox() as mailbox:
            assert [read(each) for each in mailbox.messages()] == [letter(2)]

    def test_what_is_done_with_goes_into_the_folder_that_settings_name(self, box: Box):
        if not self.folders:
            pytest.skip("it knows no folders")
        for number in range(3):
            box.put(letter(number))
        with box.mailbox(after="Gehört") as mailbox:
            for each in mailbox.messages():
                mailbox.done(each)
        assert list(map(clean, box.holds())) == []
        assert sorted(map(clean, box.moved())) == [letter(number) for number in range(3)]

    def test_neither_its_name_nor_what_it_shows_of_itself_holds_a_secret(self, box: Box):
        assert "what-every-reader-has" not in box.mailbox().name + repr(box.mailbox())


def clean(message: bytes) -> bytes:
    return message.rstrip() + b"\r\n"
