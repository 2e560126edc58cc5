"""`.newsletter` lost, or an older one put back: nobody gets an issue twice where something knows better."""

from __future__ import annotations

import re
import shutil

import pytest
from support.letter import Letter


def lose(letter: Letter, *names: str) -> None:
    for name in names:
        shutil.rmtree(letter.root / name)


def readers(letter: Letter) -> None:
    letter.run("subscribers", "import", str(letter.root / "readers.csv"))


def test_a_lost_ledger_is_made_up_for_by_the_issue_files(sent: Letter) -> None:
    lose(sent, ".newsletter")
    readers(sent)
    before = sent.files("outbox")
    ran = sent.run("send", "--yes")
    assert (ran.code, "nothing new" in ran.out) == (0, True)
    assert sent.files("outbox") == before
    sent.post("2026-01-01-new", "Something new", "2026-01-01")
    assert sent.run("status", "--json").json["issue"] == 2
    assert sent.run("send", "--yes").code == 0
    assert set(sent.files("outbox")) > set(before)
    assert {name.split("/")[0] for name in set(sent.files("outbox")) - set(before)} == {"0002"}


def test_a_ledger_lost_between_freeze_and_end_is_asked_for(sent: Letter) -> None:
    issue = (sent.root / "issues/0001.md").read_text("utf-8")
    sent.write("issues/0001.md", re.sub(r"sent: .*\n", "", issue))
    lose(sent, ".newsletter")
    readers(sent)
    sent.post("2026-01-01-new", "Something new", "2026-01-01")
    ran = sent.run("send", "--yes")
    assert ran.code == 1
    assert "issues/0001.md was frozen" in ran.err
    assert "newsletter resume 1" in ran.err
    assert not (sent.root / "outbox/0002").exists()
    # The editor says that it is over.
    line = re.search(r"`(sent: \S+)`", ran.err)
    assert line
    sent.replace("issues/0001.md", "\nfrozen:", f"\n{line[1]}\nfrozen:")
    assert sent.run("send", "--yes").code == 0
    assert len(sent.files("outbox/0002")) == 3


@pytest.mark.parametrize("witness", ["outbox", "public"])
def test_with_ledger_and_issue_files_lost_what_lies_about_still_tells(sent: Letter, witness: str) -> None:
    lose(sent, ".newsletter", "issues", {"outbox": "public", "public": "outbox"}[witness])
    readers(sent)
    ran = sent.run("send", "--yes")
    assert ran.code == 1
    assert f"{witness}/" in ran.err
    assert "move" in ran.err
    assert not (sent.root / "issues").exists()


def test_an_older_ledger_put_back_does_not_send_again(sample: Letter) -> None:
    readers(sample)
    # Frozen, and stopped before anything was handed over: what a backup of that moment holds.
    sample.write("outbox", "in the way")
    assert sample.run("send", "--yes").code == 7
    shutil.copytree(sample.root / ".newsletter", sample.root / "backup")
    (sample.root / "outbox").unlink()
    assert sample.run("send", "--yes").code == 0
    shutil.rmtree(sample.root / "outbox")  # the relay's: gone, as mail is
    lose(sample, ".newsletter")
    shutil.move(sample.root / "backup", sample.root / ".newsletter")
    for words in (("send", "--yes"), ("resume", "1")):
        ran = sample.run(*words)
        assert (ran.code, "an older .newsletter was put back" in ran.err) == (1, True), ran
    assert not (sample.root / "outbox").exists()


def test_a_ledger_from_before_the_issue_knows_it_from_the_files(sample: Letter) -> None:
    readers(sample)
    shutil.copytree(sample.root / ".newsletter", sample.root / "backup")
    assert sample.run("send", "--yes").code == 0
    before = sample.files("outbox")
    lose(sample, ".newsletter")
    shutil.move(sample.root / "backup", sample.root / ".newsletter")
    assert "nothing new" in sample.run("send", "--yes").out
    assert sample.files("outbox") == before
