"""Each check finds its fault, at its place, and is silent about a sound issue."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.check.material import Material
from pipeline.check.rules import CHECKS, CLIP_BYTES
from pipeline.check.run import READING, run
from pipeline.errors import SettingsError
from pipeline.model import Fingerprint, Image, Issue, Link, Marks, Post, RenderedIssue, Severity
from pipeline.settings import Settings

SETTINGS: dict[str, Any] = {
    "newsletter": {
        "name": "The Letter",
        "from": "The Letter <letter@example.org>",
        "url": "https://letter.example.org",
        "postal_address": "12 Example Street, Exampletown",
    }
}
POST = Post(
    id="snow",
    slug="snow",
    title="Snow & “ice”",
    published=datetime(2026, 1, 1, tzinfo=UTC),
    path="posts/snow.md",
    digest="0" * 64,
    fingerprint=Fingerprint("0" * 32),
    body_line=5,
)
MARKS = Marks(
    name="MARKname", unsubscribe="MARKunsubscribe", preferences="MARKpreferences", confirmed="MARKconfirmed"
)
HTML = (
    "<html><body><h1>Snow &amp; “ice”</h1><p>Words</p><code>{{ in code }}</code>"
    '<a href="MARKunsubscribe">Leave</a><p>12 Example Street,\nExampletown</p></body></html>'
)
TEXT = "Snow & “ice”\n\nWords\n\nMARKunsubscribe\n12 Example Street, Exampletown\n"


def material(settings: dict[str, Any] | None = None, markdown: str = "Words", **changes: Any) -> Material:
    issue = Issue(
        1, "Snow", "All about it", (POST,), POST, "", datetime(2026, 1, 4, tzinfo=UTC), "issues/0001.md"
    )
    rendered = RenderedIssue(
        issue,
        HTML,
        TEXT,
        "<html></html>",
        MARKS,
        links=(Link("https://example.net/", "a page", "posts/snow.md", 6), Link("MARKunsubscribe", "Leave")),
        images=(Image("https://letter.example.org/posts/snow/a.png", "A drift", "posts/snow.md", 7),),
    )
    if "subject" in changes:
        changes["issue"] = replace(issue, subject=changes.pop("subject"))
    table = {"newsletter": SETTINGS["newsletter"] | (settings or {})}
    return Material(replace(rendered, **changes), Settings.model_validate(table), {"snow": markdown})


def test_a_sound_issue_passes_every_check() -> None:
    report = run(material(), {})
    assert report.findings == ()
    assert report.passed == len(CHECKS)


FAULTS = [
    ("subject", {"subject": " "}, ("issues/0001.md", None)),
    ("unsubscribe", {"html": HTML.replace("MARKunsubscribe", "#")}, ("templates/mail/mail.html", None)),
    ("unsubscribe", {"text": TEXT.replace("MARKunsubscribe", "")}, ("templates/mail/mail.txt", None)),
    ("postal-address", {"settings": {"postal_address": ""}}, ("newsletter.toml", None)),
    ("postal-address", {"text": TEXT.replace("12 Example", "")}, ("templates/mail/", None)),
    ("from-alignment", {"settings": {"from": "Me <me@mailbox.example>"}}, ("newsletter.toml", None)),
    (
        "from-alignment",
        {"settings": {"from": "Me <me@shop.co.uk>", "url": "https://x.co.uk"}},
        ("newsletter.toml", None),
    ),
    (
        "site-address",
        {"settings": {"url": "http://localhost:8000", "from": "a@localhost"}},
        ("newsletter.toml", None),
    ),
    (
        "image-alt",
        {"images": (Image("https://x.example/a.png", None, "posts/snow.md", 9),)},
        ("posts/snow.md", 9),
    ),
    (
        "image-missing",
        {"images": (Image("a.png", "A drift", "posts/snow.md", 9, resolved=False),)},
        ("posts/snow.md", 9),
    ),
    (
        "link-relative",
        {"links": (Link("other.md", "x", "posts/snow.md", 8, resolved=False),)},
        ("posts/snow.md", 8),
    ),
    ("link-relative", {"links": (Link("/about", "x", "posts/snow.md", 8),)}, ("posts/snow.md", 8)),
    (
        "link-relative",
        {"links": (Link("http://127.0.0.1:8000/x", "x", "posts/snow.md", 8),)},
        ("posts/snow.md", 8),
    ),
    ("link-active", {"links": (Link("JavaScript:alert(1)", "x", "posts/snow.md", 8),)}, ("posts/snow.md", 8)),
    (
        "link-active",
        {"links": (Link("java\nscript:alert(1)", "x", "posts/snow.md", 8),)},
        ("posts/snow.md", 8),
    ),
    ("link-active", {"links": (Link("data:text/html,x", "x", "posts/snow.md", 8),)}, ("posts/snow.md", 8)),
    ("template-left", {"subject": "Hello {{ name }}"}, ("issues/0001.md", None)),
    (
        "template-left",
        {"html": HTML.replace("Words", "Hello {{ name }}"), "markdown": "One\n\nHello {{ name }}"},
        ("posts/snow.md", 7),
    ),
    ("text-part", {"text": TEXT.replace("Snow", "Rain")}, ("templates/mail/mail.txt", None)),
    ("clipping", {"html": HTML + "x" * CLIP_BYTES}, ("issues/0001.md", None)),
]


@pytest.mark.parametrize(("check", "changes", "place"), FAULTS)
def test_a_fault_is_found_at_its_place(
    check: str, changes: dict[str, Any], place: tuple[str, int | None]
) -> None:
    found = [finding for finding in run(material(**changes), {}).findings if finding.id == check]
    assert [(finding.path, finding.line) for finding in found] == [place]
    assert found[0].fix


def test_every_check_is_proven_by_a_fault_and_says_what_it_demands() -> None:
    assert {check.__name__.replace("_", "-") for check in CHECKS} == {fault[0] for fault in FAULTS}
    assert all(check.__doc__ for check in CHECKS)


def test_settings_make_an_error_a_warning_or_silence_it() -> None:
    bad = material(subject="")
    assert run(bad, {}).fails()
    softer = run(bad, {"subject": "warning"})
    assert not softer.fails()
    assert softer.fails(strict=True)
    assert run(bad, {"subject": "off"}).findings == ()


def test_a_check_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(SettingsError, match=r"checks\.sujbect: there is no such check; there are: .*subject"):
        run(material(), {"sujbect": "off"})


def test_findings_of_reading_can_be_named_in_settings() -> None:
    assert run(material(), dict.fromkeys(READING, "off")).passed == len(CHECKS)


def test_all_faults_of_an_issue_are_reported_at_once() -> None:
    links = tuple(Link("javascript:x", "x", "posts/snow.md", n) for n in range(1, 30))
    report = run(material(links=links, subject=""), {})
    assert report.count(Severity.ERROR) == 30
    assert [finding.line for finding in report.findings if finding.path == "posts/snow.md"] == list(
        range(1, 30)
    )
