"""A post moves by one place in a draft's list, and no other character of the file changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.compose import draft as drafts
from pipeline.errors import DraftError

DRAFT = """\
---
number: 1   # the first
lead: "rain"  # leads
# In my order:
posts:
  - "rain"  # Rain, and a comment
  # then the lighter things
  - wind
  - 'snow'   # with two # signs
subject: Ours
---

- rain
- wind
"""


def moved(tmp_path: Path, text: str, post: str, step: int) -> str:
    """What the file holds after a move; its bytes are compared, so line ends count."""
    file = tmp_path / "issues/0001.md"
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(text.encode())
    drafts.reorder(tmp_path, 1, post, step)
    return file.read_bytes().decode()


def test_two_lines_change_places_with_the_comments_at_their_ends(tmp_path: Path) -> None:
    wanted = DRAFT.replace(
        "  - wind\n  - 'snow'   # with two # signs", "  - 'snow'   # with two # signs\n  - wind"
    )
    assert moved(tmp_path, DRAFT, "wind", 1) == wanted
    assert moved(tmp_path, DRAFT, "snow", -1) == wanted


def test_the_lead_follows_if_it_named_the_first(tmp_path: Path) -> None:
    text = moved(tmp_path, DRAFT, "rain", 1)
    assert text == DRAFT.replace('lead: "rain"', 'lead: "wind"').replace(
        '"rain"  # Rain, and a comment\n  # then the lighter things\n  - wind',
        'wind\n  # then the lighter things\n  - "rain"  # Rain, and a comment',
    )
    other = DRAFT.replace('lead: "rain"', "lead: snow")
    assert "lead: snow  # leads" in moved(tmp_path, other, "rain", 1)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('posts: [rain, "wind, too", snow]  # all', 'posts: ["wind, too", rain, snow]  # all'),
        ("posts: [ rain,\n  'wind, too', snow ]", "posts: [ 'wind, too',\n  rain, snow ]"),
        ("posts:\n-\n  rain\n-   wind, too\n- snow", "posts:\n-\n  wind, too\n-   rain\n- snow"),
    ],
)
def test_other_ways_of_writing_a_list_keep_their_shape(tmp_path: Path, before: str, after: str) -> None:
    head = "---\nnumber: 1\n{}\n---\nA note.\n"
    assert moved(tmp_path, head.format(before), "wind, too", -1) == head.format(after)


@pytest.mark.parametrize("ends", ["\r\n", "\n"])
def test_line_ends_marks_and_letters_stay(tmp_path: Path, ends: str) -> None:
    text = ("\ufeff" + DRAFT.replace("Ours", "Cafe\u0301 ☂")).replace("\n", ends)
    after = moved(tmp_path, text, "snow", -1)
    assert sorted(after.split(ends)) == sorted(text.split(ends))
    assert after != text


def test_what_cannot_be_moved_is_refused_and_stays(tmp_path: Path) -> None:
    for post, step in (("rain", -1), ("snow", 1), ("nobody", 1)):
        with pytest.raises(DraftError, match="cannot be moved there"):
            moved(tmp_path, DRAFT, post, step)
        assert (tmp_path / "issues/0001.md").read_text() == DRAFT
    # Line ends of the old Macintosh: libraries count these lines otherwise than we do.
    old = DRAFT.replace("\n", "\r")
    with pytest.raises(DraftError, match=r"issues/0001.md:5: .* by hand"):
        moved(tmp_path, old, "wind", 1)
    assert (tmp_path / "issues/0001.md").read_bytes() == old.encode()
