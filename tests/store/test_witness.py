"""A ledger put back from a copy, or copied while an issue goes out, would send twice: it is noticed first."""

from __future__ import annotations

import shutil
import stat

import pytest
from sqlalchemy import text
from support.ledger import NOW, TOKENS, URL, answer, arm, frozen, record

from pipeline.errors import Refused, StoreError
from pipeline.model import Outcome
from pipeline.store import open_store
from pipeline.store.driver import DRIVER

FILE = ".newsletter/newsletter.db"


def deliver(store, owner, many):
    for one in store.lease(1, owner, many):
        assert arm(store, one, owner)
        record(store, answer(one, Outcome.ACCEPTED), owner)


def copy_of(database):
    """Return the ledger as it is now; it may be in use, and part of it in a log beside it."""
    path = database.with_name("copy")
    source, copy = DRIVER.connect(database), DRIVER.connect(path)
    source.backup(copy)
    source.close()
    copy.close()
    content = path.read_bytes()
    path.unlink()
    return content


def copy_folder(folder, name):
    """Copy a newsletter while it is in use."""
    shutil.copytree(folder / ".newsletter", folder / name / ".newsletter")
    for log in ("wal", "shm", "journal"):
        (folder / name / f"{FILE}-{log}").unlink(missing_ok=True)
    (folder / name / FILE).write_bytes(copy_of(folder / FILE))


def refused(opened, owner, match):
    """A claim is refused; return with which words."""
    store = opened()
    with pytest.raises(Refused, match=match) as refusal:
        store.claim(1, owner)
    store.close_database()
    return str(refusal.value)


def test_a_ledger_put_back_from_a_copy_refuses_until_a_person_has_seen_to_it(tmp_path, sending, opened):
    older = copy_of(tmp_path / FILE)
    deliver(sending, "run", 2)
    sending.release(1, "run")
    sending.close_database()
    newer = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(older)
    said = refused(opened, "next", "older than what was already sent from it: it was restored")
    assert f"delete {tmp_path / FILE}-witness" in said
    (tmp_path / FILE).write_bytes(newer)
    after = opened()
    after.claim(1, "next")
    assert [one.id for one in after.lease(1, "next", 9)] == [3, 4, 5]


def test_a_person_may_say_that_nothing_was_sent_since(tmp_path, sending, opened):
    sending.release(1, "run")
    older = copy_of(tmp_path / FILE)
    sending.claim(1, "run")
    sending.release(1, "run")
    sending.close_database()
    (tmp_path / FILE).write_bytes(older)
    refused(opened, "next", "older")
    (tmp_path / f"{FILE}-witness").unlink()
    opened().claim(1, "next")


def test_every_lease_makes_copies_older(tmp_path, sending, opened):
    sending.lease(1, "run", 1)
    older = copy_of(tmp_path / FILE)
    sending.lease(1, "run", 1)
    sending.close_database()
    (tmp_path / FILE).write_bytes(older)
    refused(opened, "next", "older")


def test_a_copy_of_a_newsletter_whose_issue_is_going_out_refuses(tmp_path, sending):
    deliver(sending, "run", 2)
    sending.release(1, "run")
    copy_folder(tmp_path, "clone")
    clone = open_store(URL, tmp_path / "clone", TOKENS)
    with pytest.raises(
        Refused, match=r"copy of another that had begun to send issue 1.*resume 1 --only-copy"
    ):
        clone.claim(1, "there")
    sending.claim(1, "here")
    clone.claim(1, "there", only_copy=True)
    clone.release(1, "there")
    clone.claim(1, "again")
    clone.close_database()


def test_a_copy_may_send_what_had_not_begun_or_is_finished(tmp_path, sending):
    sending.release(1, "run")
    copy_folder(tmp_path, "before")
    sending.claim(1, "run")
    deliver(sending, "run", 9)
    assert sending.close(1)
    sending.release(1, "run")
    copy_folder(tmp_path, "after")
    for name in ("before", "after"):
        store = open_store(URL, tmp_path / name, TOKENS)
        store.claim(1, "run")
        store.close_database()


def test_a_newsletter_that_was_moved_goes_on(tmp_path, sending):
    deliver(sending, "run", 2)
    sending.close_database()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / ".newsletter").rename(tmp_path / "elsewhere/.newsletter")
    store = open_store(URL, tmp_path / "elsewhere", TOKENS)
    store.claim(1, "next")
    store.close_database()


@pytest.mark.parametrize("content", [b"", b"\xff", b"no number\n"])
def test_a_witness_that_cannot_tell_is_none(tmp_path, sending, opened, content):
    sending.close_database()
    (tmp_path / f"{FILE}-witness").write_bytes(content)
    opened().claim(1, "next")
    assert int((tmp_path / f"{FILE}-witness").read_bytes()[:21]) == 2


def test_the_witness_is_its_owners_and_says_what_the_ledger_says(tmp_path, sending):
    witness = tmp_path / f"{FILE}-witness"
    assert stat.S_IMODE(witness.stat().st_mode) == 0o600
    for _ in range(3):
        sending.lease(1, "run", 1)
    assert sending.lease(1, "run", 9)
    assert sending.lease(1, "run", 9) == []
    with sending._database.read() as connection:
        value = connection.scalar(text("SELECT value FROM installation WHERE name = 'generation'"))
    assert int(witness.read_bytes()) == int(value) == 5


def test_without_a_witness_nothing_is_taken_up(tmp_path, sending, opened):
    sending.close_database()
    witness = tmp_path / f"{FILE}-witness"
    witness.unlink()
    witness.mkdir()
    store = opened()
    with pytest.raises(StoreError, match=r"newsletter\.db-witness beside it cannot be written"):
        store.claim(1, "next")
    with pytest.raises(StoreError, match="next run"):
        store.freeze(frozen(2), [], NOW)
