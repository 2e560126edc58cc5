"""A relay that refuses a copy says something of its reader, as a bounce does; or of us."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
from support.letter import CLOCK, SECRET, Letter
from support.relay import Relay
from support.relay_script import Script, later, never
from support.running import READERS, address, slowly

from pipeline import hearing, weekly
from pipeline.errors import StoreError
from pipeline.project import open_project
from pipeline.store.driver import DRIVER

GONE, FULL, SPAM, BUSY = (address(number) for number in range(1, 5))
NO_SUCH = "550 5.1.1 No such user here"


def known(letter: Letter, email: str) -> tuple[str | None, list[tuple[str, int]]]:
    """Why somebody gets no more mail, and which news of them is written down."""
    person: Any = letter.run("subscribers", "show", email, "--json").json
    return person["suppressed"], [
        (event["kind"], event["issue"]) for event in person["events"] if event["kind"] != "added"
    ]


def refusing() -> Script:
    return (
        Script()
        .to({GONE}, "rcpt", never(NO_SUCH))
        .to({FULL}, "rcpt", never("552 5.2.2 Mailbox full"))
        .to({SPAM}, "dot", never("554 5.7.1 This looks like spam"))
    )


@pytest.fixture
def refused(crowd: Letter) -> Letter:
    """Issue 1 is out, and three copies were refused, each for another reason."""
    with Relay(refusing()) as relay:
        ran = crowd.run("send", "--yes", env=relay.environment())
    assert (ran.code, "3 refused" in ran.out) == (0, True)
    assert "No more mail goes to 1 reader whose address does not work any more." in ran.out
    return crowd


def test_what_a_refusal_says_of_its_reader_is_written_down_as_a_bounce_would_be(refused: Letter) -> None:
    assert known(refused, GONE) == ("bounced: there is no such mailbox", [("hard-bounce", 1)])
    assert known(refused, FULL) == (None, [("soft-bounce", 1)])
    assert known(refused, SPAM) == (None, [])
    assert known(refused, BUSY) == (None, [])
    assert "550 5.1.1 No such user here" in refused.run("subscribers", "show", GONE).out
    report = refused.run("report", "1")
    assert "Heard since: 1 hard bounce, 1 soft bounce." in report.out
    assert refused.run("report", "1", "--json").json["heard"] == {
        "hard_bounces": 1,
        "soft_bounces": 1,
        "complaints": 0,
    }


def test_the_next_issue_leaves_the_dead_address_out_and_tries_the_others(refused: Letter) -> None:
    refused.post("news", "News", "2026-01-05")
    with Relay() as relay:
        ran = refused.run("send", "--yes", "--json", clock="2026-01-11T08:00", env=relay.environment())
        assert (ran.code, ran.json["readers"], ran.json["skipped"]["suppressed"]) == (0, READERS - 1, 1)
        got = {each.recipient for each in relay.deliveries}
    assert GONE not in got
    assert {FULL, SPAM} <= got


def test_it_counts_once_however_often_the_issue_is_resumed_and_not_against_a_persons_word(
    refused: Letter,
) -> None:
    assert refused.run("subscribers", "allow", GONE).code == 0
    with Relay() as relay:
        assert refused.run("resume", "1", env=relay.environment()).code == 0
    assert known(refused, GONE) == (None, [("allowed", None), ("hard-bounce", 1)])


def suppressed(letter: Letter) -> list[str]:
    return [one["email"] for one in letter.run("subscribers", "list", "--json").json if one["suppressed"]]


@pytest.mark.parametrize("words", [NO_SUCH, "550 5.1.1 No such user here (session 4711-{})"])
def test_what_a_relay_says_in_a_row_makes_nobody_a_dead_address(crowd: Letter, words: str) -> None:
    numbers = itertools.count()
    says = replace(never(), say=lambda _: words.format(next(numbers)).encode() + b"\r\n")
    with Relay(Script().always("rcpt", says)) as relay:
        assert crowd.run("send", "--yes", env=slowly(relay)).code == 7
        relay.script = Script()
        ended = crowd.run("resume", "1", "--json", env=relay.environment())
        assert (ended.code, ended.json["refused"]) == (0, 5)
    assert suppressed(crowd) == []
    assert not any(crowd.run("report", "1", "--json").json["heard"].values())


def test_a_relay_that_refuses_more_than_it_takes_makes_nobody_a_dead_address(crowd: Letter) -> None:
    takes = {address(number) for number in range(0, READERS, 3)}
    with Relay(Script().to({address(n) for n in range(READERS)} - takes, "rcpt", never(NO_SUCH))) as relay:
        ended = crowd.run("send", "--yes", "--json", env=slowly(relay))
        assert (ended.code, ended.json["accepted"], ended.json["refused"]) == (0, 4, 8)
    assert suppressed(crowd) == []


def test_refusals_of_long_ago_are_not_judged_by_a_later_table(refused: Letter) -> None:
    ledger = DRIVER.connect(refused.root / ".newsletter/newsletter.db")
    with ledger:
        ledger.execute("DELETE FROM suppressions")
        ledger.execute("DELETE FROM events WHERE kind != 'added'")
    ledger.close()
    with Relay() as relay:
        ended = refused.run("resume", "1", clock="2026-03-04T08:00", env=relay.environment())
    assert ended.code == 0
    assert suppressed(refused) == []


def test_an_issue_that_is_not_out_yet_is_judged_when_it_is(crowd: Letter) -> None:
    script = refusing().to({BUSY}, "rcpt", later())
    with Relay(script) as relay:
        assert crowd.run("send", "--yes", env=relay.environment()).code == 5
        assert suppressed(crowd) == []
        relay.script = Script()
        assert crowd.run("resume", "1", env=relay.environment()).code == 0
    assert suppressed(crowd) == [GONE]


def test_a_run_that_ends_before_it_has_judged_is_made_up_for_by_the_next_send(
    crowd: Letter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object) -> None:
        raise StoreError("the disk is gone")

    with Relay(refusing().to({BUSY}, "rcpt", later())) as relay:
        assert crowd.run("send", "--yes", env=relay.environment()).code == 5
        relay.script = Script()
        environ = {"NEWSLETTER_SECRET": SECRET, **relay.environment()}
        project = open_project(crowd.root, CLOCK, environ)
        monkeypatch.setattr(hearing, "refused", dies)
        with pytest.raises(StoreError):
            weekly.resume(project, 1, lambda _: None, lambda: False)
        project.store.close_database()  # type: ignore[attr-defined]
        assert crowd.run("send", "--yes", env=relay.environment()).code == 0
    assert suppressed(crowd) == [GONE]
