"""Which links of an issue are asked, and what is remembered of the answers."""

from __future__ import annotations

import json
import signal
import stat
import sys
from datetime import timedelta

import pytest
from support.elsewhere import Site, reply, silent

from pipeline.errors import NewsletterError
from pipeline.links.ask import agent, answers_for, foreign
from pipeline.links.memory import KEPT, Memory
from pipeline.model import LinkAnswer, LinkState
from pipeline.project import open_project

from .conftest import NOW, QUICK
from .test_online import SETTINGS

ALIVE = LinkAnswer(LinkState.ALIVE, "answers 200 (OK)", 200, "https://a.example/")
HOUR = timedelta(hours=1)


@pytest.fixture
def issue(tmp_path):
    """Make an issue whose one post links to these addresses."""
    from pipeline import weekly

    def make(*urls, settings=SETTINGS):
        (tmp_path / "posts").mkdir(exist_ok=True)
        (tmp_path / "newsletter.toml").write_text(settings, "utf-8")
        body = "\n\n".join(f"[Word {n}]({url})" for n, url in enumerate(urls))
        head = "---\ntitle: Snow\ndate: 2026-01-02\nslug: snow\n---\n\n"
        (tmp_path / "posts/snow.md").write_text(f"{head}Text.\n\n{body}\n", "utf-8")
        (tmp_path / "posts/paper.pdf").write_bytes(b"%PDF-1.7\n")
        project = open_project(
            tmp_path, "2026-01-04T08:00", {"NEWSLETTER_SECRET": "a secret, long enough here"}
        )
        return weekly.prepare(project, weekly.collect(project), "check").rendered, project.settings

    return make


def test_only_addresses_of_the_web_that_are_not_made_by_publishing_are_asked(issue):
    asked = [
        "https://a.example/",
        "http://b.example/page?x=1#part",
        "https://letter.example/about",
        "https://letter.example.org/issues/1/",
        "https://letter.example:8443/issues/1/",
        "https://web.example/other",
    ]
    not_asked = [
        "mailto:a@b.example",
        "tel:+123",
        "#part",
        "paper.pdf",
        "nowhere.md",
        "https://letter.example",
        "https://letter.example/issues/1/",
        "https://letter.example/posts/snow/",
        "https://letter.example/feeds/all.rss.xml",
        "https://web.example/subscribe",
    ]
    rendered, settings = issue(*asked, *not_asked, settings=SETTINGS + '[web]\nurl = "https://web.example"\n')
    assert list(foreign(rendered, settings)) == asked


def test_posts_on_another_site_are_asked_since_we_do_not_publish_them(issue):
    elsewhere = SETTINGS + '[posts]\nurl = "https://letter.example/posts/{slug}/"\n'
    assert list(foreign(*issue("paper.pdf", settings=elsewhere))) == ["https://letter.example/posts/snow/"]


def test_a_second_run_asks_nobody_again(issue, doors, tmp_path):
    cache, told = tmp_path / ".newsletter/cache/links.json", []
    with Site({"/gone": reply(404)}) as site:
        rendered, settings = issue(site.url("/here"), site.url("/gone"))

        def run(now):
            return answers_for(
                rendered, settings, cache, now, lambda *args: told.append(args), limits=QUICK, doors=doors
            )

        first = run(NOW)
        assert told == [(1, 2), (2, 2)]
        asked = len(site.asked)
        assert run(NOW + 0.9 * HOUR) == first
        assert len(site.asked) == asked
        run(NOW + 1.1 * HOUR)
        assert site.pages() == ["HEAD /here", "HEAD /gone", "GET /gone", "HEAD /gone", "GET /gone"]
        run(NOW + 25 * HOUR)
        assert site.pages().count("HEAD /here") == 2
    assert [answer.state for answer in first.values()] == [LinkState.ALIVE, LinkState.DEAD]
    assert stat.S_IMODE(cache.stat().st_mode) == 0o600


def test_what_was_found_out_before_a_run_is_stopped_is_remembered(issue, doors, tmp_path):
    cache = tmp_path / "links.json"

    def stop(done, of):
        signal.raise_signal(signal.SIGINT)

    with Site({"/silent": silent}) as site:
        rendered, settings = issue(site.url("/quick", "quick.example"), site.url("/silent"))
        with pytest.raises(KeyboardInterrupt):
            answers_for(rendered, settings, cache, NOW, stop, limits=QUICK, doors=doors)
        assert Memory(cache).get(site.url("/quick", "quick.example"), NOW).state is LinkState.ALIVE


@pytest.mark.parametrize(("state", "kept"), KEPT.items())
def test_an_answer_counts_for_its_time_and_no_longer(tmp_path, state, kept):
    file = tmp_path / "cache/links.json"
    answer = LinkAnswer(state, "why", 200, "https://b.example/")
    Memory(file).keep({"https://a.example/": answer}, NOW)
    again = Memory(file)
    assert again.get("https://a.example/", NOW + kept - timedelta(seconds=1)) == answer
    assert again.get("https://a.example/", NOW + kept) is None
    assert again.get("https://a.example/", NOW - timedelta(seconds=1)) is None
    again.keep({}, NOW + kept)
    assert json.loads(file.read_bytes()) == {}


def test_a_site_that_asked_for_a_rest_gets_it(tmp_path):
    until = NOW + 5 * HOUR
    Memory(tmp_path / "m").keep({"u": LinkAnswer(LinkState.THROTTLED, "why", 429, "u", until)}, NOW)
    again = Memory(tmp_path / "m")
    assert again.get("u", NOW + 4 * HOUR).until == until
    assert again.get("u", until) is None


def test_what_was_not_asked_is_not_remembered(tmp_path):
    Memory(tmp_path / "m").keep({"u": LinkAnswer(LinkState.NOT_CHECKED, "you are offline")}, NOW)
    assert (tmp_path / "m").read_text() == "{}"
    assert Memory(tmp_path / "m").get("u", NOW) is None


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"u": 1}',
        b'{"u": {}}',
        b'{"u": {"asked": "yesterday"}}',
        b"[" * 100_000,
        b'{"u": {"asked": "2026-11-22T12:00:00", "state": "alive", "why": "", "code": 1, "url": "", "until": null}}',
        b'{"u": {"asked": "2026-11-22T12:00:00Z", "state": "alive", "why": 1, "code": 1, "url": "", "until": null}}',
        b'{"u": {"asked": "2026-11-22T12:00:00Z", "state": "lost", "why": "", "code": 1, "url": "", "until": null}}',
    ],
)
def test_a_damaged_memory_is_an_empty_one(tmp_path, damage):
    file = tmp_path / "links.json"
    file.write_bytes(damage)
    memory = Memory(file)
    assert memory.get("u", NOW) is None
    memory.keep({"u": ALIVE}, NOW)
    assert Memory(file).get("u", NOW) == ALIVE


def test_a_memory_that_cannot_be_written_is_no_fault(tmp_path):
    (tmp_path / "file").write_text("in the way")
    Memory(tmp_path / "file/links.json").keep({"u": ALIVE}, NOW)


def test_the_user_agent_names_the_program_and_the_newsletter(issue):
    _, settings = issue(settings=SETTINGS.replace("https://letter.example", "https://lettre.example/été (1)"))
    assert agent(settings).startswith("newsletter-pipeline/")
    assert agent(settings).endswith(" (+https://lettre.example/%C3%A9t%C3%A9%20%281%29)")
    assert agent(settings).isascii()


def test_without_its_package_a_sentence_says_what_to_install(issue, doors, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "httpx2", None)
    rendered, settings = issue("https://a.example/")
    with pytest.raises(NewsletterError, match=r"pip install '\.\[online\]'"):
        answers_for(rendered, settings, tmp_path / "m", NOW, doors=doors)
