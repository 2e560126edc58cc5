"""SARIF as another program reads it: every finding at its line, known again when lines above change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import BaseModel
from sarif_pydantic import Sarif

from pipeline import inspection
from pipeline.check import catalogue

from .conftest import SNOW, Edits, Letter

SPOILT = SNOW.replace("category", "catgory").replace(
    "Last line.", "TK\n[a](http://x.example/)\n[a](http://x.example/)"
)


def document(letter: Letter) -> dict[str, Any]:
    project = letter.open()
    return inspection.sarif(project, letter.check())


def unknown(model: BaseModel) -> Iterator[str]:
    """Yield every key that the other implementation does not know."""
    yield from model.model_extra or {}
    for value in vars(model).values():
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, BaseModel) and type(each).__name__ not in ("PropertyBag",):
                yield from unknown(each)


@pytest.fixture
def read(letter: Callable[[Edits], Letter]) -> Callable[[Edits], Any]:
    def through(edits: Edits) -> Any:
        return Sarif.model_validate(document(letter(edits))).runs[0]

    return through


def test_another_program_reads_all_of_it(letter: Callable[[Edits], Letter]) -> None:
    edits: Edits = {"posts/snow.md": SPOILT, "newsletter.toml": (("letter@example.org>", "a@mail.example>"),)}
    sarif = Sarif.model_validate(document(letter(edits)))
    assert sarif.version == "2.1.0"
    # The standard has it (3.14.17), their model does not.
    assert set(unknown(sarif)) == {"columnKind"}


def test_every_check_is_a_rule_and_every_finding_a_result(read: Callable[[Edits], Any]) -> None:
    run = read(
        {"posts/snow.md": SPOILT, "newsletter.toml": (("[checks]", '[checks]\nplaceholder = "error"'),)}
    )
    rules = run.tool.driver.rules
    assert [rule.id for rule in rules] == list(catalogue.texts())
    assert all(rule.short_description.text and rule.help.text for rule in rules)
    found = []
    for result in run.results:
        assert rules[result.rule_index].id == result.rule_id
        place = result.locations[0].physical_location
        assert place.artifact_location.uri_base_id == "%SRCROOT%"
        found.append(
            (
                result.rule_id,
                str(getattr(result.level, "value", result.level)),
                place.artifact_location.uri,
                place.region.start_line,
            )
        )
    assert found == [
        ("links-unchecked", "note", "newsletter.toml", 1),
        ("reading-time", "note", "newsletter.toml", 1),
        ("front-matter-key", "warning", "posts/snow.md", 5),
        ("placeholder", "error", "posts/snow.md", 23),
        ("link-http", "warning", "posts/snow.md", 24),
        ("link-http", "warning", "posts/snow.md", 25),
    ]


def test_fingerprints_stay_when_lines_above_change(
    read: Callable[[Edits], Any], letter: Callable[[Edits], Letter]
) -> None:
    marks = [result.partial_fingerprints for result in read({"posts/snow.md": SPOILT}).results]
    moved = Letter(letter({}).root)
    moved.edit({"posts/snow.md": SPOILT.replace("Since Friday", "One more.\n\nSince Friday")})
    later = [result["partialFingerprints"] for result in document(moved)["runs"][0]["results"]]
    kept = [mark for mark in marks if mark in later]
    assert len({str(mark) for mark in marks}) == len(marks)
    assert len(kept) == len(marks) - 1  # how long it takes to read has changed


def test_a_fix_is_the_lines_that_go_and_those_that_come(read: Callable[[Edits], Any]) -> None:
    results = {result.rule_id: result for result in read({"posts/snow.md": SPOILT}).results}
    (fix,) = results["front-matter-key"].fixes
    change = fix.artifact_changes[0].replacements[0]
    assert (change.deleted_region.start_line, change.deleted_region.end_line) == (5, 6)
    assert change.inserted_content.text == "category: Weather\n"
    assert not results["link-http"].fixes
