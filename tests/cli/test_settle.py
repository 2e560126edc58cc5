"""Copies in doubt: a person says what became of them."""

from __future__ import annotations

import json
import shutil
from collections import Counter

import pytest
from support.letter import Letter
from support.relay import Relay
from support.relay_script import Script, later, lose
from support.running import READERS, address
from support.tutorial import on_a_terminal

LOST = (address(1), address(2))


def lose_two(crowd: Letter) -> Letter:
    with Relay(Script().to(set(LOST), "dot", lose(taken=True))) as relay:
        ran = crowd.run("send", "--yes", env=relay.environment())
    assert ran.code == 5
    assert "2 in doubt" in ran.out
    return crowd


@pytest.fixture
def doubtful(crowd: Letter) -> Letter:
    """Issue 1 is out, but of two copies nobody knows."""
    return lose_two(crowd)


@pytest.fixture(scope="module")
def left_alone(crowd_once: Letter, tmp_path_factory: pytest.TempPathFactory) -> Letter:
    """The same for all who settle nothing, and look whether that is so."""
    return lose_two(Letter(shutil.copytree(crowd_once.root, tmp_path_factory.mktemp("doubts") / "letter")))


def standing(letter: Letter) -> tuple[str, int, int, int]:
    report = letter.run("report", "1", "--json").json
    return report["state"], report["accepted"], report["in_doubt"], report["queued"]


def test_the_report_names_doubts_and_the_files_name_nobody(left_alone: Letter) -> None:
    ran = left_alone.run("report", "1")
    for email in LOST:
        assert f"  {email}\n" in ran.out
    assert "newsletter settle 1 --accepted" in ran.out
    assert sorted(left_alone.run("report", "1", "--json").json["doubts"]) == sorted(LOST)
    for file in ("receipt.json", "receipt.html"):
        assert "@" not in (left_alone.root / ".newsletter/issues/0001" / file).read_text().replace(
            "@media", ""
        )


def test_settled_as_accepted_means_no_more_copies(doubtful: Letter) -> None:
    ran = doubtful.run("settle", "1", "--accepted")
    assert (ran.code, "2 copies settled as accepted" in ran.out) == (0, True)
    assert standing(doubtful) == ("sent", READERS, 0, 0)
    receipt = json.loads((doubtful.root / ".newsletter/issues/0001/receipt.json").read_text())
    assert (receipt["accepted"], receipt["exit"]) == (READERS, 0)
    again = doubtful.run("settle", "1", "--accepted")
    assert (again.code, "Nothing is in doubt" in again.out) == (0, True)


def test_once_more_opens_the_issue_again_for_that_reader_alone(doubtful: Letter) -> None:
    ran = doubtful.run("settle", "1", "--again", LOST[0].upper())
    assert ran.code == 0
    assert "1 copy settled as to be handed over once more" in ran.out
    assert "Next: newsletter resume 1" in ran.out
    assert standing(doubtful) == ("sending", READERS - 2, 1, 1)
    assert "\nsent:" not in (doubtful.root / "issues/0001.md").read_text()
    with Relay() as relay:
        # A schedule goes on with it as well as `resume`.
        assert doubtful.run("send", "--yes", env=relay.environment()).code == 5
        assert Counter(each.recipient for each in relay.deliveries) == {LOST[0]: 1}
    assert standing(doubtful) == ("sent", READERS - 1, 1, 0)
    assert "\nsent:" in (doubtful.root / "issues/0001.md").read_text()


@pytest.mark.parametrize("wrong", [address(3), "nobody@example.com", "not an address"])
def test_an_address_that_is_not_in_doubt_is_named_and_nothing_is_settled(
    left_alone: Letter, wrong: str
) -> None:
    ran = left_alone.run("settle", "1", "--accepted", LOST[0], wrong)
    assert (ran.code, ran.out) == (1, "")
    assert wrong in ran.err
    assert LOST[0] not in ran.err
    assert standing(left_alone) == ("sent", READERS - 2, 2, 0)


@pytest.mark.parametrize("words", [(), ("--accepted", "--again")])
def test_one_of_the_two_must_be_said(left_alone: Letter, words: tuple[str, ...]) -> None:
    ran = left_alone.run("settle", "1", *words)
    assert (ran.code, "--again" in ran.err) == (2, True)
    assert standing(left_alone) == ("sent", READERS - 2, 2, 0)


def test_a_person_is_shown_whom_it_is_about(doubtful: Letter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("support.tutorial.PROMPT", b"[y/N]: ")
    stopped = on_a_terminal(doubtful, "newsletter settle 1 --again", "n")
    assert "nothing has changed" in stopped
    assert all(email in stopped for email in LOST)
    assert standing(doubtful) == ("sent", READERS - 2, 2, 0)
    assert "2 copies settled" in on_a_terminal(doubtful, "newsletter settle 1 --accepted", "y")
    assert standing(doubtful) == ("sent", READERS, 0, 0)


def test_doubts_of_an_issue_called_off_can_only_be_accepted(crowd: Letter) -> None:
    script = (
        Script().to({LOST[0]}, "dot", lose()).to({address(n) for n in range(2, READERS)}, "rcpt", later())
    )
    with Relay(script) as relay:
        crowd.run("send", "--yes", env=relay.environment())
    ran = crowd.run("cancel", "1", "--yes")
    assert (ran.code, "1 is in doubt" in ran.out) == (5, True)
    refused = crowd.run("settle", "1", "--again")
    assert (refused.code, "called off" in refused.err) == (1, True)
    assert crowd.run("settle", "1", "--accepted").code == 0
    assert crowd.run("report", "1", "--json").json["exit"] == 0


def test_the_doubt_of_somebody_who_was_forgotten_can_be_ended_but_sends_nothing(doubtful: Letter) -> None:
    assert doubtful.run("subscribers", "forget", LOST[0], "--yes").code == 0
    told = doubtful.run("report", "1").out
    assert f"  {LOST[1]}\n  1 copy of people who were forgotten since\n" in told
    assert doubtful.run("settle", "1", "--accepted", LOST[1]).code == 0
    told = doubtful.run("report", "1").out
    assert "newsletter settle 1 --accepted (they have it)\n" in told
    again = doubtful.run("settle", "1", "--again")
    assert (again.code, "nothing can go to them" in again.out) == (0, True)
    assert standing(doubtful) == ("sent", READERS - 1, 1, 0)
    assert doubtful.run("settle", "1", "--accepted").code == 0
    assert standing(doubtful) == ("sent", READERS, 0, 0)
    assert doubtful.run("report", "1").code == 0
