"""Each check finds its fault, at its very line, and is silent where it only looks like one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from support.pictures import png

from pipeline.check import catalogue
from pipeline.check.online import ONLINE
from pipeline.errors import SettingsError
from pipeline.model import Severity

from .conftest import RAIN, Edits, Letter

SNOW, RAINY, TOML, DRAFT = "posts/snow.md", "posts/rain.md", "newsletter.toml", "issues/0001.md"
PARAGRAPH = "Since Friday, January 2, 2026, it has snowed in the hills."
REPORT = "[report of the weather office](https://weather.example/report)"
PICTURE = "![A drift against a barn door](drift.png)"
LONG = "A word or two. " * 20 + "\n\n"


def snow(old: str, new: str) -> Edits:
    return {SNOW: ((old, new),)}


def toml(old: str, new: str) -> Edits:
    return {TOML: ((old, new),)}


def draft(**keys: str) -> Edits:
    words = {"number": "1", "subject": "Snow on the roofs", "preheader": "And rain in the valley"} | keys
    lines = "\n".join(f"{key}: {value}" for key, value in words.items())
    return {DRAFT: f"---\n{lines}\nposts:\n  - snow\n  - rain\n---\n\nA note.\n"}


@dataclass
class Fault:
    check: str
    edits: Edits
    #: Every place at which it is found.
    places: str
    severity: str = "warning"
    environ: dict[str, str] = field(default_factory=dict)


FOOT = "{% set x = 1 %}\n<tr><td>{{ newsletter.name }}, {{ newsletter.postal_address }}</td></tr>\n"
BARE = "{{ recipient.unsubscribe }}\n{{ newsletter.name }}\n"

FAULTS = [
    # message
    Fault("subject", toml("{{ lead.title }}", "{{ lead.title[:0] }}"), f"{TOML}:10", "error"),
    Fault("subject-length", draft(subject="Snow"), f"{DRAFT}:3"),
    Fault("subject-length", snow("Snow on the roofs", "Snow " * 15 + "falls"), f"{SNOW}:2"),
    Fault("subject-length", toml("{{ lead.title }}", "Snow!"), f"{TOML}:10"),
    Fault("subject-cut", draft(subject="Snow " * 10), f"{DRAFT}:3"),
    Fault("preheader", draft(preheader="Snow on the roofs."), f"{DRAFT}:4"),
    Fault("preheader", toml("[checks]", 'preheader = ""\n[checks]'), f"{TOML}:13"),
    Fault("from-alignment", toml("letter@example.org>", "letter@mail.example>"), f"{TOML}:3", "error"),
    Fault(
        "from-alignment",
        toml("letter@example.org>", "a@shop.co.uk>") | {},
        "NEWSLETTER_NEWSLETTER__FROM",
        "error",
        {"NEWSLETTER_NEWSLETTER__FROM": "a@localhost"},
    ),
    Fault("site-address", toml("https://letter.example.org", "http://localhost:8000"), f"{TOML}:4", "error"),
    # law
    Fault("postal-address", toml("12 Example Street, Exampletown", ""), f"{TOML}:7", "error"),
    Fault(
        "postal-address",
        toml('postal_address = "12 Example Street, Exampletown"\n', ""),
        f"{TOML}:1",
        "error",
    ),
    Fault("postal-address", {"templates/mail/mail.txt": BARE}, "templates/mail/mail.txt:2", "error"),
    Fault("unsubscribe", {"templates/mail/foot.html": FOOT}, "templates/mail/foot.html:2", "error"),
    # words
    Fault("template-left", snow(PARAGRAPH, "\nHello {{ name }}!"), f"{SNOW}:10", "error"),
    Fault(
        "template-left",
        snow("Where it fell, and how long it will stay.", "'{% if snow %}'"),
        f"{SNOW}:6",
        "error",
    ),
    # On the page that a card leads to.
    Fault(
        "template-left",
        {
            "posts/2025-12-30-old.md": "---\ntitle: Old snow\nexcerpt: It fell.\n---\n\nHello {{ name }}, it fell.\n"
        }
        | toml('show = "full"', 'show = "lead"'),
        "posts/2025-12-30-old.md:6",
        "error",
    ),
    Fault("template-left", draft(subject='"Hello {{ name }}, it snows"'), f"{DRAFT}:3", "error"),
    Fault("template-left", toml('"The Letter"', '"The {{ kind }} Letter"'), f"{TOML}:2", "error"),
    Fault("placeholder", snow("Last line.", "Last line.\nTK more"), f"{SNOW}:24"),
    Fault(
        "placeholder",
        {"posts/2026-01-03-bare.md": "\n# A TODO title\n\nSome words."},
        "posts/2026-01-03-bare.md:2",
    ),
    Fault("placeholder", snow("Where it fell", "TODO"), f"{SNOW}:6"),
    Fault("placeholder", snow("Last line.", "> Lorem ipsum\n> dolor"), f"{SNOW}:23"),
    Fault("placeholder", draft(preheader="Something with FIXME in it"), f"{DRAFT}:4"),
    Fault("weekday", snow("Friday, January 2, 2026", "Thursday, January 2, 2026"), f"{SNOW}:9"),
    Fault("weekday", snow("Last line.", "One.\nOn Mon 5th of January and on Tue 5 January."), f"{SNOW}:24"),
    Fault(
        "weekday",
        {SNOW: (("category: Weather", "lang: de"), ("Last line.", "Ab Mittwoch, den 2. Januar 2026"))},
        f"{SNOW}:23",
    ),
    Fault("author", snow("author: Ana Ruiz\n", ""), f"{SNOW}:2"),
    Fault("excerpt-length", snow("Where it fell,", "Where it fell, " + "on and on, " * 20), f"{SNOW}:6"),
    Fault(
        "excerpt-length",
        {
            RAINY: (
                ("excerpt: The river stands high, but the bridge is open.\n", ""),
                ("high.", "high" + " and higher" * 20),
            )
        },
        f"{RAINY}:8",
    ),
    Fault("words-missing", toml('language = "en"', 'language = "ja"'), f"{TOML}:5"),
    Fault(
        "words-missing",
        toml('language = "en"', 'language = "eo"') | {"templates/words/eo.toml": 'subscribe = "Abonu"\n'},
        f"{TOML}:5",
    ),
    # links
    Fault(
        "link-relative",
        snow(PARAGRAPH, "[x](other.md)\n\n<a href='/nowhere.md'>y</a>"),
        f"{SNOW}:9 {SNOW}:11",
        "error",
    ),
    Fault("link-relative", snow("https://weather.example", "http://localhost:8000"), f"{SNOW}:13", "error"),
    Fault(
        "link-relative",
        {**draft(), DRAFT: draft()[DRAFT].replace("A note.", "A note.\n[x](http://127.0.0.1/)")},
        f"{DRAFT}:11",
        "error",
    ),
    Fault(
        "link-active",
        snow(PARAGRAPH, "One\n[x](javascript:alert`1`)\n[y](data:text/html,x)"),
        f"{SNOW}:10 {SNOW}:11",
        "error",
    ),
    Fault("link-http", snow("https://weather.example", "http://weather.example"), f"{SNOW}:13"),
    Fault("link-text", snow("report of the weather office", "Click here"), f"{SNOW}:13"),
    Fault(
        "link-text",
        {SNOW: (("category: Weather", "lang: fr"), ("report of the weather office", "en savoir plus"))},
        f"{SNOW}:13",
    ),
    Fault(
        "link-ambiguous",
        snow("Last line.", "The [Report of the *weather office*](https://other.example/) too."),
        f"{SNOW}:23",
    ),
    # pictures
    Fault("image-alt", snow("A drift against a barn door", ""), f"{SNOW}:15", "error"),
    Fault("image-alt", snow(PICTURE, "Text\n<p><img src='drift.png'></p>"), f"{SNOW}:16", "error"),
    Fault("image-missing", snow("(drift.png)", "(drifts.png)"), f"{SNOW}:15"),
    Fault("image-alt-name", snow("A drift against a barn door", "IMG_2041.jpg"), f"{SNOW}:15"),
    Fault("image-alt-name", snow("A drift against a barn door", "DSC 0042"), f"{SNOW}:15"),
    Fault("image-large", {"posts/drift.png": png(1201, 10)}, f"{SNOW}:15"),
    Fault("image-large", {"posts/drift.png": png(10, 10, padding=200_001)}, f"{SNOW}:15"),
    Fault("image-size", snow("(drift.png)", "(https://pictures.example/drift.png)"), f"{SNOW}:15"),
    Fault(
        "image-format",
        {**snow("drift.png", "drift.svg"), "posts/drift.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>"},
        f"{SNOW}:15",
    ),
    Fault("image-format", snow("(drift.png)", "(https://pictures.example/drift.webp?x=1)"), f"{SNOW}:15"),
    # structure
    Fault("heading-order", snow("## What", "### What"), f"{SNOW}:11"),
    Fault("heading-order", snow("Last line.", "#### Deeper\n\n<h6>Deepest</h6>"), f"{SNOW}:25"),
    Fault(
        "text-part",
        {"templates/mail/mail.txt": BARE + "{{ newsletter.postal_address }}{{ posts[0].title }}\n"},
        "templates/mail/mail.txt:3",
        "error",
    ),
    # weight
    Fault(
        "clipping",
        {
            **snow("Last line.", LONG * 360),
        },
        f"{TOML}:11",
        "error",
    ),
    Fault("weight", snow("Last line.", LONG * 245), f"{TOML}:11"),
    Fault("reading-time", {}, ":None", "note"),
    Fault("links-unchecked", {}, ":None", "note"),
    # of reading, and of comments
    Fault("unreadable", snow("2026-01-02", "tomorow"), f"{SNOW}:3", "error"),
    Fault("unreadable", snow("title: Snow on the roofs\n", ""), f"{SNOW}:1", "error"),
    Fault(
        "unreadable",
        {
            "posts/sleet.md": RAIN.replace("author", "id: rain\nauthor"),
            RAINY: (("author", "id: rain\nauthor"),),
        },
        "posts/sleet.md:4",
        "error",
    ),
    Fault(
        "unreadable",
        {
            "posts/sleet.md": RAIN.replace("author", "slug: rain\nauthor"),
            RAINY: (("author", "slug: rain\nauthor"),),
        },
        "posts/sleet.md:4",
        "error",
    ),
    Fault("front-matter-key", snow("category", "catgory"), f"{SNOW}:5"),
    Fault(
        "excerpt-derived",
        snow("excerpt: Where it fell, and how long it will stay.\n", ""),
        f"{SNOW}:8",
        "note",
    ),
    Fault("ignore-unknown", snow("Last line.", "Last line. <!-- check: ignore link-htp -->"), f"{SNOW}:23"),
]
#: Contrast has tests of its own, and is the most work.
QUICK = {f"NEWSLETTER_CHECKS__{name}": "off" for name in ("CONTRAST", "CONTRAST-UNKNOWN", "CLIENT-CSS")}

#: Proven in test_history.py, since they need issues that are out, in test_appearance.py, and in
#: tests/links/test_online.py, since they need answers.
LATER = {"subject-repeated", "link-repeated", "post-age", "contrast", "contrast-unknown", "client-css"} | {
    catalogue.id_of(check) for check in ONLINE
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.check} {fault.places}")
def test_a_fault_is_found_at_its_very_line(letter: Callable[[Edits], Letter], fault: Fault) -> None:
    report = letter(fault.edits).check(QUICK | fault.environ)
    found = [finding for finding in report.findings if finding.id == fault.check]
    places = [f"{f.path}:{f.line}" if f.line or not f.path else f.path for f in found]
    assert " ".join(places) == fault.places, report.findings
    assert {finding.severity for finding in found} == {Severity(fault.severity)}
    assert all(finding.fix for finding in found) or fault.check == "reading-time"


def test_every_check_has_a_fault_and_says_what_it_demands() -> None:
    texts = catalogue.texts()
    assert {fault.check for fault in FAULTS} | LATER == set(texts)
    assert all(catalogue.title(name).endswith((".", ")")) for name in texts)


def test_a_sound_issue_passes_every_check(letter: Callable[[Edits], Letter]) -> None:
    report = letter({}).check()
    assert {finding.id for finding in report.findings} == {"reading-time", "links-unchecked"}
    assert report.passed == len(catalogue.CHECKS) - 2 == len(report.passed_ids)
    assert report.passed_ids[0] == "subject"


#: What only looks like a fault: none of these is one.
INNOCENT = [
    snow(
        "Last line.",
        "`TODO` and ``{{ x }} ` TK`` <!-- TODO --> TKs, aTK, todo. [a](https://x.example/TODO)\n\n```\nTK {{ x }}\n```",
    ),
    snow("Last line.", "- one\n\n      TODO in code\n\n<pre>\nlorem ipsum {{ x }}\n</pre>"),
    snow(
        "Last line.",
        "On Saturday, we read. Sun 4 January was fine. Sunday, 31 December 2023. In May 2026. Mon, July 41.",
    ),
    snow("Last line.", "The [report of the weather office](https://weather.example/report) again."),
    snow(
        PICTURE,
        '<img src="drift.png" alt=""> ![Ana at school in 2024](https://x.example/a.jpg)'.replace(
            "![Ana at school in 2024](https://x.example/a.jpg)",
            '<img src="https://x.example/a.jpg" width="300" height="200" alt="Ana">',
        ),
    ),
    {"posts/drift.png": png(1200, 900)},
    toml("letter@example.org>", "news@mail.letter.example.org>"),
    {SNOW: (("## What is known", "# What is known"), ("### How", "## How"))},
    draft(subject="谷に雨が降る", preheader="Other words"),
    draft(subject="Snow on roofs", preheader="Other words"),
]


@pytest.mark.parametrize("edits", INNOCENT, ids=range(len(INNOCENT)))
def test_what_only_looks_like_a_fault_is_none(letter: Callable[[Edits], Letter], edits: Edits) -> None:
    report = letter(edits).check(QUICK)
    assert {finding.id for finding in report.findings} <= {"reading-time", "links-unchecked"}


def test_two_posts_of_one_name_are_an_error_with_both_places_beside_all_others(
    letter: Callable[[Edits], Letter],
) -> None:
    head = (("author", "id: one\nauthor"),)
    report = letter({SNOW: (*head, (PICTURE, "![](drift.png)")), RAINY: head}).check(QUICK)
    found = {f.id: (f.path, f.line, f.message) for f in report.findings if f.severity is Severity.ERROR}
    why = f"same id as {RAINY}:4 (`one`); give one of them another `id`."
    assert found == {"unreadable": (SNOW, 4, why)}


def test_settings_make_a_finding_another_or_silence_it_but_no_file_readable(
    letter: Callable[[Edits], Letter],
) -> None:
    levels = 'author = "error"\nlink-http = "off"\nplaceholder = "note"\nunreadable = "off"\n'
    edits = {
        SNOW: (("author: Ana Ruiz\n", ""), ("Last line.", "TK [x](http://x.example/)")),
        "posts/bad.md": "---\ntitle: x\n---\n",
        TOML: (("[checks]\n", f"[checks]\n{levels}"),),
    }
    report = letter(edits).check()
    assert [(f.id, f.severity) for f in report.findings if f.path.endswith(".md")] == [
        ("unreadable", Severity.ERROR),
        ("author", Severity.ERROR),
        ("placeholder", Severity.NOTE),
    ]
    assert "link-http" not in report.passed_ids
    with pytest.raises(SettingsError, match=r"checks\.athor: there is no such check; there are: author, "):
        letter({TOML: (("[checks]\n", '[checks]\nathor = "off"\n'),)}).check()
