"""A comment silences what it names, on one line, and what it silenced is counted."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pipeline.check.run import Report

from .conftest import Edits, Letter


def heard(report: Report) -> list[str]:
    notes = ("links-unchecked", "reading-time")
    return [f"{f.path}:{f.line} {f.id}" for f in report.findings if f.id not in notes]


HTTP = "[Old pages](http://old.example/a)"


@pytest.mark.parametrize(
    ("body", "left", "ignored"),
    [
        (f"{HTTP} <!-- check: ignore link-http -->", [], 1),
        (f"<!-- check: ignore link-http -->\n\n{HTTP}", [], 1),
        (f"<!-- check: ignore link-text, link-http: we know -->\n{HTTP}", [], 1),
        (f"TK {HTTP} <!-- check: ignore link-http,placeholder -->", [], 2),
        (f"<!-- check: ignore placeholder -->\n{HTTP}", ["posts/snow.md:24 link-http"], 0),
        (f"<!-- check: ignore link-http -->\nOne.\n{HTTP}", ["posts/snow.md:25 link-http"], 0),
        (f"{HTTP} `<!-- check: ignore link-http -->`", ["posts/snow.md:23 link-http"], 0),
        (
            f"# check: ignore link-http\n{HTTP}",
            ["posts/snow.md:11 heading-order", "posts/snow.md:24 link-http"],
            0,
        ),
        ("One. <!-- check: ignore link-htp, nonsense -->", ["posts/snow.md:23 ignore-unknown"] * 2, 0),
    ],
)
def test_in_a_body(letter: Callable[[Edits], Letter], body: str, left: list[str], ignored: int) -> None:
    report = letter({"posts/snow.md": (("Last line.", body),)}).check()
    assert heard(report) == left
    assert report.ignored == ignored


@pytest.mark.parametrize(
    "edits",
    [
        {
            "posts/snow.md": (
                ("author: Ana Ruiz\n", ""),
                ("on the roofs", "on the roofs # check: ignore author"),
            )
        },
        {"posts/snow.md": (("author: Ana Ruiz\n", ""), ("title", "# check: ignore author\ntitle"))},
        {"newsletter.toml": (('12 Example Street, Exampletown"', '" # check: ignore postal-address'),)},
        {
            "templates/mail/foot.html": "{# check: ignore unsubscribe #}\n"
            "<tr><td>{{ newsletter.postal_address }}</td></tr>"
        },
    ],
)
def test_in_heads_settings_and_templates(letter: Callable[[Edits], Letter], edits: Edits) -> None:
    report = letter(edits).check()
    assert heard(report) == []
    assert report.ignored == 1


def test_readers_see_nothing_of_it(letter: Callable[[Edits], Letter]) -> None:
    from pipeline import weekly

    project = letter({"posts/snow.md": (("Last line.", "<!-- check: ignore author -->\nLast line."),)}).open()
    rendered = weekly.prepare(project, weekly.collect(project)).rendered
    assert "check:" not in rendered.html + rendered.text + rendered.page
