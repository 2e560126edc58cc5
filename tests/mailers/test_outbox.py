"""The outbox: files that appear whole, once, and for their owner's eyes only."""

from __future__ import annotations

import errno
import os
import resource
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from contracts.mailer import Arming, MailerContract, submission

from pipeline.errors import MailerUnusable
from pipeline.mailers.outbox import Outbox
from pipeline.model import Answer, Outcome, Submission


class Folder:
    """An outbox folder as the relay that it stands for."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def taken(self) -> Sequence[bytes]:
        return [path.read_bytes() for path in sorted(self.root.rglob("*.eml"))]


class TestOutbox(MailerContract):
    knows_what_it_took = True

    @pytest.fixture
    def mailer(self, tmp_path: Path) -> Outbox:
        return Outbox(tmp_path / "outbox")

    @pytest.fixture
    def relay(self, tmp_path: Path) -> Folder:
        return Folder(tmp_path / "outbox")

    @pytest.fixture
    def unusable(self, tmp_path: Path) -> Outbox:
        (tmp_path / "a-file").write_text("where a folder should be")
        return Outbox(tmp_path / "a-file" / "outbox")


def file(outbox: Outbox, *submissions: Submission) -> list[Answer]:
    return list(outbox.submit(submissions, Arming(Folder(Path()))))


@contextmanager
def full_disk(octets: int) -> Iterator[None]:
    """Make every file end after so many octets, as the kernel says it for a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (octets, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_message_is_named_after_its_message_id_in_its_issues_folder(tmp_path: Path) -> None:
    answer = file(Outbox(tmp_path / "outbox"), submission(1, issue=42))[0]
    assert [p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*.eml")] == [
        "outbox/0042/00000000000000000000000000000001.eml"
    ]
    assert answer.reply == "0042/00000000000000000000000000000001.eml"


def test_single_messages_go_to_a_folder_of_their_own(tmp_path: Path) -> None:
    file(Outbox(tmp_path / "outbox", "mail"), submission(1))
    assert [p.parent.name for p in tmp_path.rglob("*.eml")] == ["mail"]


def test_a_message_id_can_never_lead_out_of_the_outbox(tmp_path: Path) -> None:
    for wild in (
        "../../evil@example.org",
        "/etc/evil@example.org",
        ".hidden@example.org",
        "@example.org",
        "a\0b@x",
    ):
        file(Outbox(tmp_path / "outbox"), replace(submission(1), message_id=wild))
    found = [p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()]
    assert len(found) == 5
    assert all(name.startswith("outbox/0007/") and name.endswith(".eml") for name in found)


def test_only_the_owner_can_read_what_names_readers(tmp_path: Path) -> None:
    file(Outbox(tmp_path / "outbox"), submission(1))
    modes = {
        p.name: stat.S_IMODE(p.stat().st_mode)
        for p in [tmp_path / "outbox", *(tmp_path / "outbox").rglob("*")]
    }
    assert modes == {"outbox": 0o700, "0007": 0o700, f"{1:032x}.eml": 0o600}


def test_a_message_that_is_there_already_is_not_filed_twice(tmp_path: Path) -> None:
    file(Outbox(tmp_path), submission(1))
    path = next(tmp_path.rglob("*.eml"))
    before = path.stat()
    assert [a.outcome for a in file(Outbox(tmp_path), submission(1))] == [Outcome.ACCEPTED]
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_another_message_under_the_same_name_is_never_replaced(tmp_path: Path) -> None:
    file(Outbox(tmp_path), submission(1))
    other = replace(submission(1), data=b"Subject: another\r\n\r\n")
    assert [a.outcome for a in file(Outbox(tmp_path), other)] == [Outcome.REFUSED]
    assert [p.read_bytes() for p in tmp_path.rglob("*.eml")] == [submission(1).data]
    assert Outbox(tmp_path).look_up(other) is Outcome.DEFERRED


def test_a_full_disk_arms_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    outbox, arming = Outbox(tmp_path), Arming(Folder(tmp_path))
    file(outbox, submission(1))
    with full_disk(200), pytest.raises(MailerUnusable, match="newsletter resume 7"):
        list(outbox.submit([submission(2)], arming))
    assert arming.asked == []
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == [f"{1:032x}.eml"]
    assert file(outbox, submission(2))[0].outcome is Outcome.ACCEPTED


def test_what_a_killed_run_left_unfinished_is_cleared_by_the_next(tmp_path: Path) -> None:
    file(Outbox(tmp_path), submission(1))
    left = tmp_path / "0007" / f".{2:032x}.123.unfinished"
    left.write_bytes(b"From: half a mess")
    file(Outbox(tmp_path), submission(3))
    assert not left.exists()
    assert len(list(tmp_path.rglob("*.eml"))) == 2


def test_an_interrupted_question_leaves_no_file(tmp_path: Path) -> None:
    def interrupted(_: Submission) -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(Outbox(tmp_path).submit([submission(1)], Arming(Folder(tmp_path), interrupted)))
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


def test_a_disk_without_links_works_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    assert file(Outbox(tmp_path), submission(1))[0].outcome is Outcome.ACCEPTED
    other = replace(submission(1), data=b"Subject: another\r\n\r\n")
    assert file(Outbox(tmp_path), other)[0].outcome is Outcome.REFUSED
    assert [p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()] == [submission(1).data]


def test_a_name_that_could_not_be_given_means_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "link", full)
    answer = file(Outbox(tmp_path), submission(1))[0]
    assert answer.outcome is Outcome.DEFERRED
    assert "No space left" in answer.reply
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


def test_a_name_that_may_not_last_is_a_doubt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outbox, sync = Outbox(tmp_path), os.fsync
    file(outbox, submission(1))

    def folders_fail(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(errno.EIO, "Input/output error")
        sync(handle)

    monkeypatch.setattr(os, "fsync", folders_fail)
    assert file(outbox, submission(2))[0].outcome is Outcome.IN_DOUBT
    assert outbox.look_up(submission(2)) is Outcome.ACCEPTED
