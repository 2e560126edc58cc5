"""Code keeps its text and gains colours that can be read."""

from __future__ import annotations

import re
from html import unescape

import pytest

from pipeline.render.content.highlight import CODE_BACKGROUND, CODE_INK, LONGEST, ROLES, dark_rules, highlight


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(ink: str, paper: str) -> float:
    light, dark = sorted((luminance(ink), luminance(paper)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("name", [*ROLES, "ink"])
def test_every_colour_can_be_read_on_its_paper(name):
    inks = CODE_INK if name == "ink" else (ROLES[name].light, ROLES[name].dark)
    for ink, paper in zip(inks, CODE_BACKGROUND, strict=True):
        assert contrast(ink, paper) >= 4.5, (name, ink, paper, contrast(ink, paper))


def test_every_role_has_its_dark_rule():
    assert len(dark_rules().splitlines()) == len(ROLES)
    assert all(
        f".tok-{name} {{ color: {role.dark} !important; }}" in dark_rules() for name, role in ROLES.items()
    )


@pytest.mark.parametrize(
    "info", ["rust,ignore", "python", "console", "{.html}", "diff", "no-such-language", "", "text"]
)
def test_no_letter_of_the_code_is_lost(info):
    code = 'fn main() {\n\tlet x = "<b>&amp;"; // note\n}\n\n$ ls -la\n- old\n+ new\n'
    html = highlight(code, info)
    assert html.startswith("<pre")
    assert unescape(re.sub(r"<[^>]*>", "", html)) == code + "\n"


def test_known_languages_are_coloured_and_unknown_ones_are_plain():
    assert 'class="tok-keyword" style="color:' in highlight("fn main() {}", "rust,ignore")
    assert "span" not in highlight("fn main() {}", "klingon")


def test_very_long_code_stays_plain():
    assert "span" not in highlight("x = 1\n" * (LONGEST // 6 + 1), "python")
    assert "span" not in highlight("x = '" + "y" * 2000 + "'", "python")
