"""The receipt: what a person sees at the terminal, and what lies beside the bodies for everybody."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from support.letter import Letter, Ran
from support.relay import Relay
from support.relay_script import Script, later, lose, never

READERS = "email,name\n" + "".join(f"reader{n}@example.com,\n" for n in range(6)) + "far@example.net,\n"


@pytest.fixture(scope="module")
def mixed(imported: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Letter, Ran]:
    """An issue of which one copy is refused, one deferred and one in doubt; look, do not touch."""
    made = Letter(shutil.copytree(imported(READERS), tmp_path_factory.mktemp("mixed") / "letter"))
    made.post("weather", "Weather <b>& storms</b>", "2026-01-01")
    script = (
        Script()
        .to({"reader1@example.com"}, "rcpt", never("550 5.1.1 No such user & < nobody here"))
        .to({"reader2@example.com"}, "rcpt", later("451 4.3.2 Come back"))
        .to({"far@example.net"}, "dot", lose(taken=True))
    )
    with Relay(script) as relay:
        return made, made.run("send", "--yes", env=relay.environment(connections=1))


class Page(HTMLParser):
    """Collects tags with their attributes, and the text between them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_report_tells_everything_in_one_screen(mixed: tuple[Letter, Ran]) -> None:
    letter, sent = mixed
    assert sent.code == 5
    ran = letter.run("report", "1")
    assert ran.code == 5
    assert "4 accepted, 1 refused, 1 deferred (next try " in ran.out
    assert "1 in doubt" in ran.out
    assert re.search(r"example\.com +1 queued, 4 accepted, 1 refused", ran.out)
    assert re.search(r" 1 refused +550 5\.1\.1 No such user & < nobody here\n +example\.com", ran.out)
    assert re.search(r" 1 deferred +451 4\.3\.2 Come back\n +example\.com", ran.out)
    assert "\n  far@example.net\n" in ran.out
    assert "reader1@" not in ran.out
    assert ran.out.endswith("Next: newsletter resume 1\n")
    assert len(ran.out.splitlines()) < 25


def test_json_tells_the_same(mixed: tuple[Letter, Ran]) -> None:
    document = mixed[0].run("report", "1", "--json").json
    refusals = {each["state"]: each for each in document["refusals"]}
    assert refusals["refused"] == {
        "state": "refused",
        "reply": "550 5.1.1 No such user & < nobody here",
        "count": 1,
        "domains": ["example.com"],
    }
    assert (refusals["deferred"]["count"], refusals["in_doubt"]["domains"]) == (1, ["example.net"])
    assert document["doubts"] == ["far@example.net"]
    assert sum(each["accepted"] for each in document["over_time"]) == document["accepted"] == 4
    assert document["due"] > document["started"]


def test_the_files_name_nobody_and_load_nothing(mixed: tuple[Letter, Ran]) -> None:
    letter, _ = mixed
    folder = letter.root / ".newsletter/issues/0001"
    kept = json.loads((folder / "receipt.json").read_text())
    report = letter.run("report", "1", "--json").json
    del report["doubts"]
    assert kept == report
    text = (folder / "receipt.html").read_text()
    for file in (text, json.dumps(kept)):
        assert not re.search(r"[\w.]+@[\w.]+", file)
    page = Page(text)
    assert not {"script", "link", "img", "iframe", "b"} & {tag for tag, _ in page.tags if tag != "b"}
    assert not [attrs for _, attrs in page.tags if {"src", "href", "onclick"} & attrs.keys()]
    assert not re.search(r"url\(|@import|https?://", text)
    assert "No such user & < nobody here" in page.text
    assert "Weather" in page.text


def test_over_time_is_drawn_as_bars(letter: Callable[..., Letter]) -> None:
    made = letter(READERS)
    made.post("weather", "Weather", "2026-01-01")
    assert made.run("send", "--yes", env={"NEWSLETTER_MAIL__PACE__PER_SECOND": "2"}).code == 0
    out = made.run("report").out
    found = re.search(
        r"(\d\d:\d\d:\d\d) ([ ▁▂▃▄▅▆▇█]+) (\d\d:\d\d:\d\d)  \(a bar is 0:01, the highest (\d)", out
    )
    assert found, out
    stretches = made.run("report", "--json").json["over_time"]
    assert len(found[2]) == len(stretches) >= 3
    assert max(each["accepted"] for each in stretches) == int(found[4])
    page = Page((made.root / ".newsletter/issues/0001/receipt.html").read_text())
    assert len([tag for tag, _ in page.tags if tag == "rect"]) == sum(
        bool(each["accepted"]) for each in stretches
    )
