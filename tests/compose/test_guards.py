"""What a send refuses, with the reason and the way on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline.compose import guards
from pipeline.errors import Busy, Refused
from pipeline.model import (
    Choice,
    Circulation,
    Counts,
    IssueRecord,
    IssueState,
    LeftOut,
    Reason,
    RunRecord,
    Skip,
)
from pipeline.settings import Settings

NOW = datetime(2026, 1, 4, 8, tzinfo=UTC)


def settings(**guard: Any) -> Settings:
    return Settings.model_validate({"guards": guard, "issue": {"max_posts": 20}})


def last(readers: int = 1000, ago: timedelta = timedelta(days=7)) -> IssueRecord:
    return IssueRecord(4, "s", IssueState.SENT, NOW - ago, Counts(readers=readers), "h")


def going(readers: int) -> Circulation:
    return Circulation({"": readers}, {Skip.SUPPRESSED: 3})


def test_an_archive_is_refused_and_a_full_issue_is_not() -> None:
    guards.too_many(20, settings(), "send")
    with pytest.raises(Refused, match="21 posts are new") as refused:
        guards.too_many(21, settings(), "draft")
    assert "newsletter draft --since DATE" in str(refused.value)


def test_an_audience_that_jumped_is_refused() -> None:
    with pytest.raises(Refused, match=r"6,001 readers, where issue 4 had 1,000.*--confirm 6001"):
        guards.audience_jumped(going(6001), last(), settings())
    guards.audience_jumped(going(5000), last(), settings())
    guards.audience_jumped(going(6001), last(), settings(audience_growth=0))
    guards.audience_jumped(going(900), last(readers=3), settings())
    guards.audience_jumped(going(10**6), None, settings())


def test_an_issue_for_few_is_no_sign_that_the_next_ones_readers_multiplied() -> None:
    few = replace(last(readers=10), skipped={Skip.NOTHING_CHOSEN: 5990})
    guards.audience_jumped(going(6001), few, settings())
    with pytest.raises(Refused, match=r"6,001 readers, where issue 4 had 1,000.*--confirm 2`"):
        guards.audience_jumped(Circulation({"weather": 2}, {Skip.NOTHING_CHOSEN: 5999}), last(), settings())


def test_an_issue_that_nobody_would_get_is_refused_with_the_reason() -> None:
    guards.no_readers(going(1))
    with pytest.raises(Refused, match=r"no confirmed readers\. Import some"):
        guards.no_readers(Circulation({}, {Skip.PAUSED: 0}))
    with pytest.raises(Refused, match="2 have chosen nothing that is in it, 1 paused"):
        guards.no_readers(Circulation({}, {Skip.PAUSED: 1, Skip.NOTHING_CHOSEN: 2}))


def test_a_schedule_that_fires_twice_sends_once() -> None:
    with pytest.raises(Refused, match="issue 4 went out 03 Jan 2026"):
        guards.too_recent(NOW, last(ago=timedelta(hours=20)), settings(hours_between=72))
    guards.too_recent(NOW, last(), settings(hours_between=72))
    guards.too_recent(NOW, last(ago=timedelta(hours=20)), settings())


def test_all_files_that_stop_an_issue_are_named_at_once() -> None:
    files = (
        LeftOut("posts/a.md", None, Reason.UNREADABLE, "date is missing", stops=True, line=2),
        LeftOut("posts/b.md", None, Reason.UNREADABLE, "broken, but known", stops=False),
        LeftOut("posts/c.md", None, Reason.UNREADABLE, "title is missing", stops=True, line=1),
    )
    with pytest.raises(Refused) as refused:
        guards.stops(Choice((), files))
    assert "posts/a.md:2: date is missing\nposts/c.md:1: title is missing" in str(refused.value)
    assert "posts/b.md" not in str(refused.value)
    guards.stops(Choice((), files[1:2]))


def standing(state: IssueState, why: str = "") -> IssueRecord:
    return IssueRecord(4, "s", state, NOW, Counts(readers=5, accepted=2, queued=3), "h", why=why)


def test_what_a_person_paused_is_not_gone_on_with_and_what_a_relay_paused_is() -> None:
    with pytest.raises(Refused, match=r"2 have it, 3 do not.*newsletter resume 4.*newsletter cancel 4"):
        guards.paused(standing(IssueState.PAUSED))
    guards.paused(standing(IssueState.PAUSED, why="535 no"))
    guards.paused(standing(IssueState.SENDING))


def test_what_was_called_off_stays_so() -> None:
    with pytest.raises(Refused, match="newsletter report 4"):
        guards.cancelled(standing(IssueState.CANCELLED))
    guards.cancelled(standing(IssueState.PAUSED))


def test_a_run_at_work_is_named() -> None:
    guards.at_work([], 4)
    with pytest.raises(Busy, match=r"08:00:00 \(process 77 on here\).*newsletter resume 4 --join"):
        guards.at_work([RunRecord("o", 77, "here", NOW), RunRecord("p", 78, "here", NOW)], 4)
