"""Mailboxes on this machine: a Maildir, an mbox, a pipe; each beside others who deliver into it."""

from __future__ import annotations

import fcntl
import io
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from contracts.mailbox import MailboxContract, letter, read
from support.boxes import MaildirBox, MboxBox

from pipeline.errors import MailboxUnusable
from pipeline.hear.mailbox import Maildir, Mbox, Pipe
from pipeline.hear.mime import LIMIT


class TestMaildir(MailboxContract):
    @pytest.fixture
    def box(self, tmp_path: Path) -> MaildirBox:
        return MaildirBox(tmp_path / "Maildir")


class TestMbox(MailboxContract):
    remembers = False

    @pytest.fixture
    def box(self, tmp_path: Path) -> MboxBox:
        return MboxBox(tmp_path / "mbox")


# --- a Maildir ------------------------------------------------------------------


@pytest.fixture
def maildir(tmp_path):
    return MaildirBox(tmp_path / "Maildir")


def test_a_link_in_a_maildir_leads_nowhere(maildir, tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(b"Subject: unsubscribe\n\n")
    (maildir.path / "new/1.link").symlink_to(secret)
    (maildir.path / "new/2.folder").mkdir()
    os.mkfifo(maildir.path / "new/3.pipe")
    maildir.put(letter(1))
    with maildir.mailbox() as mailbox:
        assert [read(each) for each in mailbox.messages()] == [letter(1)]
    assert secret.exists()


def test_what_a_person_has_seen_flagged_or_thrown_away_is_theirs(maildir):
    for name in ("1.a:2,S", "2.b:2,F", "3.c:2,RT", "4.d:2,D", "5.e:2,", "6.f:2,P", "7.g"):
        (maildir.path / "cur" / name).write_bytes(letter(int(name[0])))
    with maildir.mailbox() as mailbox:
        assert [read(each) for each in mailbox.messages()] == [letter(5), letter(6), letter(7)]


def test_what_is_left_for_a_person_is_flagged_and_unseen(maildir):
    maildir.put(letter(1))
    with maildir.mailbox() as mailbox:
        for each in mailbox.messages():
            mailbox.leave(each)
    assert [path.name.partition(":")[2] for path in (maildir.path / "cur").iterdir()] == ["2,F"]


def test_what_somebody_took_away_meanwhile_is_no_fault(maildir):
    maildir.put(letter(1))
    maildir.put(letter(2))
    with maildir.mailbox() as mailbox:
        messages = mailbox.messages()
        first = next(messages)
        for path in (maildir.path / "new").iterdir():
            path.unlink()
        mailbox.done(first)
        assert list(messages) == []


def test_a_folder_that_is_no_maildir_is_refused_by_its_setting(tmp_path):
    with pytest.raises(MailboxUnusable, match=r"no folders new and cur. Check hear.mailbox.path"):
        Maildir(tmp_path).__enter__()


# --- an mbox --------------------------------------------------------------------


@pytest.fixture
def mbox(tmp_path):
    (tmp_path / "spool").mkdir()
    return MboxBox(tmp_path / "spool/ana")


def take_out(mbox, *, wanted=lambda message: True):
    with mbox.mailbox() as mailbox:
        for each in mailbox.messages():
            if wanted(read(each)):
                mailbox.done(each)


def test_an_mbox_keeps_its_owner_its_mode_and_its_name(mbox):
    mbox.path.chmod(0o660)
    mbox.put(letter(1))
    take_out(mbox)
    assert mbox.path.stat().st_mode & 0o777 == 0o660
    assert mbox.path.read_bytes() == b""
    assert [path.name for path in mbox.path.parent.iterdir()] == ["ana"]


def test_a_link_to_an_mbox_stays_a_link(mbox, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(mbox.path)
    mbox.put(letter(1))
    with Mbox(link) as mailbox:
        for each in mailbox.messages():
            mailbox.done(each)
    assert link.is_symlink()
    assert mbox.path.read_bytes() == b""


def test_an_mbox_that_somebody_is_writing_to_is_waited_for_and_then_left_alone(mbox):
    mbox.put(letter(1))
    lock = mbox.path.with_name("ana.lock")
    lock.touch()
    with pytest.raises(MailboxUnusable, match="another program has locked the mbox"):
        take_out(mbox)
    lock.unlink()
    script = (
        "import fcntl, sys, time; file = open(sys.argv[1], 'r+'); fcntl.lockf(file, fcntl.LOCK_EX); "
        "print(1, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(mbox.path)], stdout=subprocess.PIPE) as other:
        try:
            other.stdout.readline()
            with pytest.raises(MailboxUnusable):
                take_out(mbox)
        finally:
            other.kill()
    take_out(mbox)
    assert mbox.holds() == []


def test_a_lock_that_a_dead_program_left_is_taken_over(mbox):
    mbox.put(letter(1))
    lock = mbox.path.with_name("ana.lock")
    lock.touch()
    os.utime(lock, (time.time() - 2000,) * 2)
    take_out(mbox)
    assert mbox.holds() == []
    assert not lock.exists()


def test_nobody_is_kept_waiting_while_messages_are_decided(mbox):
    mbox.put(letter(1))
    with mbox.mailbox() as mailbox:
        next(mailbox.messages())
        assert not mbox.path.with_name("ana.lock").exists()
        with mbox.path.open("r+b") as other:
            fcntl.lockf(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


#: Takes messages out of a copy of an mbox, again and again, each time killed one system call later than the last.
KILLED = """
import os, shutil, sys
from pathlib import Path
from pipeline.hear.mailbox import Mbox
whole, path = map(Path, sys.argv[1:])
def counted(function):
    def call(*words, **more):
        global left
        left -= 1
        if not left:
            os._exit(9)
        return function(*words, **more)
    return call
for point in range(1, 40):
    for each in path.parent.iterdir():
        each.unlink()
    shutil.copy(whole, path)
    child = os.fork()
    if not child:
        left = point
        for name in ("fsync", "open", "fchmod", "rename", "unlink"):
            setattr(os, name, counted(getattr(os, name)))
        with Mbox(path) as mailbox:
            for each in mailbox.messages():
                if b"Subject: 2" not in each.data:
                    mailbox.done(each)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    now = path.read_bytes()
    print(code, now == whole.read_bytes(), now.count(b"Subject: "), b"Subject: 2" in now)
    if not code:
        break
"""


def test_killed_at_any_moment_an_mbox_is_the_old_or_the_new_one(mbox, tmp_path):
    whole = MboxBox(tmp_path / "whole")
    for number in range(4):
        whole.put(letter(number))
    script = [sys.executable, "-c", KILLED, str(whole.path), str(mbox.path)]
    seen = subprocess.run(script, check=True, capture_output=True, text=True).stdout.splitlines()
    assert set(seen) == {"9 True 4 True", "9 False 1 True", "0 False 1 True"}
    assert len(seen) > 6


def test_what_is_no_mbox_is_never_rewritten(mbox):
    mbox.path.write_bytes(b"a spreadsheet\n\nFrom me\n")
    with pytest.raises(MailboxUnusable, match=r"hear.mailbox.path names is no mbox"):
        take_out(mbox)
    assert mbox.path.read_bytes() == b"a spreadsheet\n\nFrom me\n"
    with pytest.raises(MailboxUnusable, match="is not there"):
        Mbox(mbox.path.with_name("other")).__enter__()


def test_a_message_with_a_line_as_long_as_the_file_is_one_message(mbox):
    mbox.path.write_bytes(
        b"From a b\nSubject: 1\n\n" + b"x" * (LIMIT + 5) + b"From b\n\nFrom c d\nSubject: 2\n\ny\n"
    )
    with mbox.mailbox() as mailbox:
        first, second = mailbox.messages()
        assert (first.data, second.data) == (None, b"Subject: 2\n\ny\n")


# --- a pipe ---------------------------------------------------------------------


def test_a_pipe_has_one_message():
    with Pipe(io.BytesIO(letter(1))) as mailbox:
        [only] = mailbox.messages()
        assert only.data == letter(1)
    with Pipe(io.BytesIO(b"")) as mailbox:
        assert list(mailbox.messages()) == []


def test_a_pipe_that_goes_on_is_drained_and_not_kept():
    stream = io.BytesIO(b"x" * (LIMIT * 3))
    with Pipe(stream) as mailbox:
        [only] = mailbox.messages()
        assert (only.data, only.size) == (None, LIMIT * 3)
    assert stream.read() == b""
