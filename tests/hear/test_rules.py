"""The table of statuses, and when small refusals add up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.hear import News
from pipeline.hear.report import failed, status_of
from pipeline.hear.rules import RULES, SOFT_ISSUES, SOFT_OVER, SOFT_WITHIN, SoftBounce, judge, weigh

HARD, SOFT, NOTHING = News.HARD_BOUNCE, News.SOFT_BOUNCE, News.NOTHING
NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "news"),
    [
        *(
            (each, HARD)
            for each in ["5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1", "5.4.4", "5.7.17", "5.7.18"]
        ),
        *(
            (each, SOFT)
            for each in [
                "5.0.0",
                "5.1.0",
                "5.1.4",
                "5.2.2",
                "5.2.4",
                "5.3.0",
                "5.3.2",
                "5.4.1",
                "5.4.6",
                "5.4.7",
                "5.9.9",
            ]
        ),
        *((each, SOFT) for each in ["4.0.0", "4.1.1", "4.2.1", "4.2.2", "4.3.2", "4.4.1", "4.4.7"]),
        *(
            (each, NOTHING)
            for each in ["5.1.7", "5.1.8", "5.2.3", "5.3.4", "5.5.2", "5.6.1", "5.7.1", "5.7.26", "4.7.0"]
        ),
    ],
)
def test_what_a_status_means(status, news):
    rule = weigh(status, "", "")
    assert rule is not None
    assert rule.news is news


@pytest.mark.parametrize(
    ("said", "news"),
    [
        ("550 no such user here", HARD),
        ("550-5.1.1 mailbox is full", SOFT),
        ("550 5.2.1 account over quota", SOFT),
        ("551 user not local", HARD),
        ("556 domain takes no mail", HARD),
        ("552 too much mail data", SOFT),
        ("550 go away", SOFT),
        ("450 user unknown", SOFT),
        ("450 4.1.1 user unknown", SOFT),
        ("550 5.7.1 user unknown", HARD),
        ("550 5.1.1 user unknown; your reputation is bad", NOTHING),
        ("550 5.1.0 sender address rejected: domain not found", NOTHING),
        ("550 5.1.1 <spam@reader.example> unknown", HARD),
        ("550 <unknown@reader.example> not today", SOFT),
        ("550 5.2.0 the mailbox has been disabled", HARD),
        ("421 too many connections", NOTHING),
        ("", SOFT),
    ],
)
def test_what_servers_say_in_words(said, news):
    assert failed((), said).news is news


@pytest.mark.parametrize(
    ("status", "said", "wanted"),
    [
        ("5.0.0", "550 5.1.1 unknown", "5.1.1"),
        ("5.0.0 (permanent)", "550 unknown", "5.0.0"),
        ("5.1.1", "550 5.7.1 blocked", "5.1.1"),
        ("4.0.0", "550 5.1.1 unknown", "4.0.0"),
        ("", "host 192.5.1.1 said 550", ""),
        ("", "see RFC 5.1.1.2", ""),
        ("", "(#5.1.2)", "5.1.2"),
        ("", "550-5.1.1.", "5.1.1"),
    ],
)
def test_the_code_that_says_most_is_the_one_that_counts(status, said, wanted):
    assert status_of(status, said) == wanted


def test_every_row_gives_its_reason_and_can_be_reached():
    assert all(rule.reason and (rule.status or rule.reply or rule.words) for rule in RULES)
    samples = [
        f"{kind}.{subject}.{detail}" for kind in "45" for subject in range(10) for detail in (*range(40), 310)
    ]
    replies = [str(code) for code in (*range(421, 460), *range(500, 560))]
    for rule in RULES:
        # The rows with words are reached by the tests above.
        assert rule.words or any(
            weigh(status, reply, "") is rule
            for status in ([""] if rule.reply else samples)
            for reply in (replies if rule.reply else [""])
        ), rule


def bounces(*days: int, same_issue: bool = False) -> list[SoftBounce]:
    return [SoftBounce(NOW - timedelta(days=day), 7 if same_issue else 1000 - day) for day in days]


def test_a_mailbox_that_is_full_over_a_holiday_of_four_weeks_keeps_its_reader():
    *before, new = bounces(28, 21, 14, 7, 0)
    assert not judge(before, new, NOW)


def test_a_mailbox_that_takes_nothing_for_longer_loses_its_reader():
    *before, new = bounces(35, 28, 21, 14, 7, 0)
    assert judge(before, new, NOW)
    *monthly, new = bounces(92, 61, 30, 0)
    assert judge(monthly, new, NOW)


def test_now_and_then_is_not_enough():
    *before, new = bounces(98, 50, 0)
    assert not judge(before, new, NOW)
    *before, new = bounces(300, 250, 200, 150, 101, 0)
    assert not judge(before, new, NOW)


def test_one_issue_counts_once_however_often_it_is_reported():
    *before, new = bounces(40, 30, 20, 10, 0, same_issue=True)
    assert not judge(before, new, NOW)


def test_without_an_issue_a_day_counts_as_one():
    days = [SoftBounce(NOW - timedelta(days=day, hours=hour)) for day in (40, 20, 0) for hour in (0, 1)]
    assert not judge(days[:-1], days[-1], NOW)
    assert judge([*days, SoftBounce(NOW - timedelta(days=10))], days[-1], NOW)


def test_what_lies_in_the_future_of_a_wrong_clock_does_not_count():
    later = [SoftBounce(NOW + timedelta(days=day), day) for day in (1, 50, 90)]
    assert not judge(later, SoftBounce(NOW, 1000), NOW)


def test_the_numbers_fit_each_other():
    assert SOFT_OVER < SOFT_WITHIN
    assert SOFT_ISSUES * timedelta(days=7) <= SOFT_WITHIN
