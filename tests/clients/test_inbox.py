"""What an inbox shows of a mail is cut where there is no more room, and never inside of a letter."""

from __future__ import annotations

import unicodedata

import pytest

from pipeline.clients.glyphs import clusters, cut, width
from pipeline.clients.inbox import rows

SENTENCE = "The quick brown fox jumps over the lazy dog " * 9


def test_there_is_a_row_for_each_way_of_reading() -> None:
    found = rows("The Letter", "Snow on the roofs", "It fell.", "It fell.\n\nTHE LETTER")
    assert [row.client for row in found] == [
        "Gmail",
        "iPhone Mail",
        "Phone notification",
        "Reads the text part",
    ]
    assert {(row.sender, row.subject, row.subject_cut, row.snippet_cut) for row in found} == {
        ("The Letter", "Snow on the roofs", False, False)
    }
    assert [row.snippet for row in found] == ["It fell."] * 3 + ["It fell. THE LETTER"]


def test_the_test_sentence_is_cut_where_people_counted() -> None:
    _, iphone, notification, text = rows("A", SENTENCE, SENTENCE, SENTENCE)
    # The ellipsis takes the room of two or three letters.
    for shown, counted in (
        (iphone.subject, 48),
        (iphone.snippet, 99),
        (notification.snippet, 120),
        (text.snippet, 100),
    ):
        assert counted - 4 <= len(shown) <= counted
        assert shown.endswith("…")
    assert iphone.subject_cut
    assert iphone.snippet_cut


def test_gmail_gives_the_snippet_what_the_subject_leaves() -> None:
    def gmail(subject: str) -> int:
        return len(rows("A", subject, SENTENCE, "")[0].snippet)

    assert gmail("Snow") > gmail("Snow on the roofs of the town") > gmail(SENTENCE[:90])
    assert gmail("Snow") <= 102
    row = rows("A", SENTENCE, SENTENCE, "")[0]
    assert (row.subject_cut, row.snippet, row.snippet_cut) == (True, "", True)


def test_width_counts_not_the_number_of_letters() -> None:
    narrow, wide = rows("A", "ill " * 40, "", "")[1], rows("A", "MWM " * 40, "", "")[1]
    assert len(narrow.subject) > 2 * len(wide.subject)
    assert len(rows("A", "雪が降った" * 20, "", "")[1].subject) == pytest.approx(22, abs=1)


def test_without_a_preheader_the_mails_first_words_are_shown() -> None:
    body = "\u034f\u200c\u00a0" * 60 + "The Letter\n\nIssue 1"
    found = rows("A", "B", "", "text", body_text=body)
    assert [row.snippet for row in found] == ["The Letter Issue 1"] * 3 + ["text"]


FAMILY = "👨\u200d👩\u200d👧\u200d👦"


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("e\u0301x", ["e\u0301", "x"]),
        (FAMILY * 2, [FAMILY, FAMILY]),
        ("🇩🇪🇫🇷", ["🇩🇪", "🇫🇷"]),
        ("👍🏽❤️", ["👍🏽", "❤️"]),
        ("한국", ["한", "국"]),
        (unicodedata.normalize("NFD", "한국"), [unicodedata.normalize("NFD", each) for each in "한국"]),
    ],
)
def test_what_belongs_together_is_one_letter(text: str, whole: list[str]) -> None:
    assert list(clusters(text)) == whole


def test_a_cut_never_tears_a_letter() -> None:
    for room in range(1, 30):
        shown, short = cut(FAMILY * 30, room)
        assert shown.rstrip("…") == FAMILY * (len(shown.rstrip("…")) // len(FAMILY))
        assert width(shown) <= max(room, 1)
        assert short
