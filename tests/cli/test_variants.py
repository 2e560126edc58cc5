"""Readers of different choices get just their posts, all from one build, and whoever gets nothing is counted."""

from __future__ import annotations

import os
import re
import shutil
import signal
from dataclasses import replace
from datetime import timedelta
from email.utils import parseaddr
from pathlib import Path

import pytest
from support.choosing import choose, opened, said
from support.letter import CLOCK, HERE, Letter, Ran
from support.messages import HEADERS, by_a_stranger, by_python, demand_a_sound_message

from pipeline import approving, editing, weekly
from pipeline.approve.records import read_seal, write_seal
from pipeline.errors import NotApproved, Refused, SettingsError
from pipeline.model import Skip
from pipeline.papers import folder_of, variant_folder
from pipeline.project import Project

#: Reader -> titles of the posts that their copy has, the lead first.
THEIRS = {
    "all": ["Weather and the head", "A nap", "News of the house", "Snow"],
    "rainy": ["Weather and the head", "Snow"],
    "sleepy": ["A nap"],
    "sleepy2": ["A nap"],
    "most": ["Weather and the head", "A nap", "Snow"],
}
TITLES = THEIRS["all"]


@pytest.fixture(scope="module")
def chosen_once(tmp_path_factory: pytest.TempPathFactory) -> Letter:
    """Four posts, of two categories and of none, and a reader of every kind."""
    made = Letter(tmp_path_factory.mktemp("chosen") / "letter")
    made.root.mkdir()
    shutil.copy(HERE / "newsletter.toml", made.root)
    made.post(
        "weather", TITLES[0], "2026-01-03", "It **rained** all day.", category="Weather", excerpt="It rained."
    )
    made.post("nap", TITLES[1], "2026-01-02", "Twenty minutes.", category="Sleep & rest", excerpt="Lie down.")
    made.post("news", TITLES[2], "2026-01-01", "The roof is new.", excerpt="A roof.")
    made.post("snow", TITLES[3], "2025-12-31", "It snowed.", category="weather", excerpt="White.")
    project = opened(made)
    choose(project, "all@example.com")
    choose(project, "rainy@example.com", "weather")
    choose(project, "sleepy@example.com", "sleep-rest")
    choose(project, "sleepy2@example.com", "sleep-rest", "recipes")
    choose(project, "most@example.com", "sleep-rest", "weather")
    choose(project, "cook@example.com", "recipes")
    choose(project, "feed@example.com", "weather", feed_only=True)
    choose(project, "away@example.com", paused_until=project.now + timedelta(days=1))
    choose(project, "gone@example.com", suppress="complained")
    return made


@pytest.fixture
def chosen(chosen_once: Letter, tmp_path: Path) -> Letter:
    return Letter(shutil.copytree(chosen_once.root, tmp_path / "letter"))


@pytest.fixture(scope="module")
def story(chosen_once: Letter, tmp_path_factory: pytest.TempPathFactory) -> tuple[Letter, dict[str, Ran]]:
    """What every command says of it, from the first look to the report."""
    letter = Letter(shutil.copytree(chosen_once.root, tmp_path_factory.mktemp("story") / "letter"))
    asked = ("status", "status --json", "build", "send --confirm 9", "send --yes -n --json")
    ran = {command: said(letter, *command.split()) for command in asked}
    ran["send"] = letter.run("send", "--confirm", "5")
    ran |= {command: said(letter, *command.split()) for command in ("report", "report --json")}
    return letter, ran


def copies(letter: Letter) -> dict[str, bytes]:
    """Who has a copy, and the copy."""
    mails = letter.files("outbox/0001").values()
    return {parseaddr(by_python(mail).to)[1].partition("@")[0]: mail for mail in mails}


def test_each_reader_has_just_their_posts_in_text_and_html(story: tuple[Letter, dict[str, Ran]]) -> None:
    mails = copies(story[0])
    assert mails.keys() == THEIRS.keys()
    for who, titles in THEIRS.items():
        seen = by_python(mails[who])
        for title in TITLES:
            assert (title in seen.text, title in seen.html) == (title in titles,) * 2, (who, title)
        # The lead at length, the others as cards.
        assert re.search(r"<h1[^>]*>.*?</h1>", seen.html, re.DOTALL)[0].count(titles[0]) == 1  # type: ignore[index]


def test_subject_and_preheader_are_made_of_what_is_in_the_copy(story: tuple[Letter, dict[str, Ran]]) -> None:
    for who, data in copies(story[0]).items():
        seen = by_python(data)
        assert seen.subject == THEIRS[who][0]
        assert seen.text.startswith({"A nap": "Lie down."}.get(THEIRS[who][0], "It rained."))


def test_all_copies_are_sound_messages_of_one_issue(story: tuple[Letter, dict[str, Ran]]) -> None:
    mails = copies(story[0])
    for data in mails.values():
        demand_a_sound_message(data)
        ours, theirs = by_python(data), by_a_stranger(data)
        assert ours.names == theirs.names == HEADERS
        assert (ours.subject, ours.text, ours.html) == (theirs.subject, theirs.text, theirs.html)
        assert "https://letter.example.org/issues/1/" in ours.html
    heads = [
        dict(re.findall(rb"(?m)^([\w-]+):((?:.|\r\n )*)", data.partition(b"\r\n\r\n")[0]))
        for data in mails.values()
    ]
    own = {b"To", b"Subject", b"Message-ID", b"List-Unsubscribe", b"Content-Type"}
    for name in heads[0].keys() - own:
        assert len({head[name] for head in heads}) == 1, name
    assert len({head[b"Message-ID"] for head in heads}) == len(mails)


def test_readers_of_one_choice_differ_in_nothing_but_themselves(story: tuple[Letter, dict[str, Ran]]) -> None:
    one, other = (copies(story[0])[who].decode() for who in ("sleepy", "sleepy2"))
    assert one.count("\n") == other.count("\n")
    different = {
        a.partition(":")[0] for a, b in zip(one.split("\r\n"), other.split("\r\n"), strict=True) if a != b
    }
    assert {"To", "Message-ID"} <= different
    assert not different & {"Subject", "Date", "Content-Type"}


def test_the_page_and_the_papers_hold_the_whole_issue_and_every_variant(
    story: tuple[Letter, dict[str, Ran]],
) -> None:
    letter, _ = story
    page = (letter.root / "public/issues/1/index.html").read_text("utf-8")
    assert all(title in page for title in TITLES)
    papers = letter.files(".newsletter/issues/0001")
    folders = {name.split("/")[1] for name in papers if name.startswith("variants/")}
    assert folders == {"weather", "sleep-rest", "sleep-rest+weather"}
    assert "A nap" not in papers["variants/weather/email.html"].decode()
    assert papers["variants/sleep-rest/email.txt"].decode().startswith("Lie down.")


def test_commands_tell_who_gets_it_and_why_others_do_not(story: tuple[Letter, dict[str, Ran]]) -> None:
    _, ran = story
    why = "1 has chosen nothing that is in it, 1 paused, 1 reads by feed, 1 suppressed"
    assert ran["status"].out.splitlines()[0].endswith("5 readers")
    assert f"confirmed, and not among them: {why}" in ran["status"].out
    assert f"Readers   5 confirmed   ({why})" in ran["send"].err
    assert "Variants  everything 1 · Sleep & rest 2 · Sleep & rest + Weather 1 · Weather 1" in ran["send"].err
    assert ran["send --confirm 9"].code == 1
    assert f"there are 5 (confirmed, and not among them: {why})" in ran["send --confirm 9"].err
    assert "and 3 variants in variants/" in ran["build"].out
    assert f"Confirmed, and not among its readers: {why}." in ran["report"].out
    assert re.search(r"By what they chose\n +sleep-rest +2\n +everything +1\n", ran["report"].out)


def test_for_scripts_everybody_who_is_confirmed_is_counted_once(story: tuple[Letter, dict[str, Ran]]) -> None:
    letter, ran = story
    skipped = dict.fromkeys(("suppressed", "feed-only", "paused", "nothing-chosen"), 1)
    for name in ("status --json", "send --yes -n --json", "report --json"):
        assert (ran[name].json["readers"], ran[name].json["skipped"]) == (5, skipped), name
    variants = {"": 1, "sleep-rest": 2, "sleep-rest weather": 1, "weather": 1}
    assert ran["send --yes -n --json"].json["variants"] == ran["report --json"].json["variants"] == variants
    receipt = (letter.root / ".newsletter/issues/0001/receipt.html").read_text("utf-8")
    assert "1 had chosen nothing that is in it, 1 had paused, 1 read by feed, 1 was suppressed." in receipt
    assert "sleep-rest + weather" in receipt
    confirmed = said(letter, "subscribers", "list", "--state", "confirmed", "--json").json
    assert len(confirmed) == 5 + sum(skipped.values())


# --- the same bytes, whatever happens ---------------------------------------------


def die_at(letter: Letter, statement: str) -> None:
    """Send in a process that is killed when the ledger is about to be told this."""
    child = os.fork()
    if child == 0:
        try:
            project = opened(letter)
            with project.store._database.read() as connection:  # type: ignore[attr-defined]
                ledger = connection.connection.driver_connection
            ledger.set_trace_callback(
                lambda told: (
                    os.kill(os.getpid(), signal.SIGKILL) if told.strip().startswith(statement) else None
                )
            )
            prepared = weekly.prepare_next(project, None, None)
            assert prepared is not None
            weekly.freeze(project, prepared, weekly.build(project, prepared))
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


@pytest.mark.parametrize("statement", ["INSERT INTO deliveries", "DROP TABLE cuts"])
def test_killed_while_freezing_nothing_is_frozen_and_the_next_send_does_it_all(
    story: tuple[Letter, dict[str, Ran]], chosen: Letter, statement: str
) -> None:
    die_at(chosen, statement)
    assert opened(chosen).store.issue(1) is None
    assert said(chosen, "send", "--yes").code == 0
    assert copies(chosen) == copies(story[0])


def test_what_was_frozen_goes_out_whatever_becomes_of_posts_and_choices(
    story: tuple[Letter, dict[str, Ran]], chosen: Letter
) -> None:
    chosen.write("public", "in the way")
    assert said(chosen, "send", "--yes").code == 1
    (chosen.root / "public").unlink()
    project = opened(chosen)
    choose(project, "sleepy@example.com", "weather")
    choose(project, "rainy@example.com", "recipes")
    chosen.replace("posts/nap.md", "Twenty minutes", "Forty minutes")
    chosen.replace("posts/snow.md", "category: weather", "category: Sleep & rest")
    assert said(chosen, "resume", "1").code == 0
    assert copies(chosen) == copies(story[0])


# --- somebody chooses while it is being sent -----------------------------------------


def test_a_choice_saved_a_moment_before_the_freeze_is_heeded(chosen: Letter) -> None:
    project = opened(chosen)
    prepared = weekly.prepare_next(project, None, None)
    assert prepared is not None
    made = weekly.build(project, prepared)
    assert "weather" in {each.name for each in made.frozen.variants}
    choose(project, "all@example.com", "weather", "recipes")
    choose(project, "rainy@example.com", "sleep-rest", "weather")
    choose(project, "sleepy@example.com", "recipes")
    chosen.post("ice", "Ice", "2026-01-03", category="Ice")
    weekly.freeze(project, prepared, made)
    assert project.store.by_variant(1) == {"sleep-rest": 1, "sleep-rest weather": 2, "weather": 1}
    assert project.store.issue(1).skipped[Skip.NOTHING_CHOSEN] == 2  # type: ignore[union-attr]


def test_a_variant_that_nobody_wanted_yet_is_rendered_when_the_freeze_asks_for_it(chosen: Letter) -> None:
    project = opened(chosen)
    for who in ("rainy", "most"):
        choose(project, f"{who}@example.com")
    prepared = weekly.prepare_next(project, None, None)
    assert prepared is not None
    made = weekly.build(project, prepared)
    assert [each.name for each in made.frozen.variants] == ["sleep-rest"]
    choose(project, "all@example.com", "weather")
    frozen = weekly.freeze(project, prepared, made)
    assert project.store.frozen(1) == replace(
        frozen, variants=tuple(sorted(frozen.variants, key=lambda each: each.name))
    )
    assert {each.name: each.posts for each in frozen.variants} == {
        "sleep-rest": ("nap",),
        "weather": ("weather", "snow"),
    }


# --- words ----------------------------------------------------------------------------


def subjects(project: Project) -> dict[str, tuple[str, str]]:
    """Subject and preheader of the issue and of each variant."""
    prepared = weekly.prepare_next(project, None, None)
    assert prepared is not None
    issues = {"": prepared.issue} | {
        name: prepared.variants.rendered(name).issue for name in prepared.variants.names
    }
    return {name: (issue.subject, issue.preheader) for name, issue in issues.items()}


def test_words_that_a_person_wrote_stay_and_so_does_the_note(chosen: Letter) -> None:
    project = opened(chosen)
    before = subjects(project)
    assert before["sleep-rest"] == ("A nap", "Lie down.")
    path = editing.draft(project, None, None)
    assert path is not None
    # A draft that nobody has touched says what the settings say.
    assert subjects(opened(chosen)) == before
    chosen.replace(path, 'subject: "Weather and the head"', 'subject: "What a week"')
    with (chosen.root / path).open("a", encoding="utf-8") as file:
        file.write("\nHello from the *desk*.\n")
    project = opened(chosen)
    assert subjects(project) == {name: ("What a week", preheader) for name, (_, preheader) in before.items()}
    prepared = weekly.prepare_next(project, None, None)
    assert prepared is not None
    for name in prepared.variants.names:
        assert "Hello from the" in prepared.variants.rendered(name).text
        # "View in browser" leads to the issue's page; nobody pays for another.
        assert prepared.variants.rendered(name).page == ""


def test_a_lead_that_somebody_chose_leads_wherever_it_remains(chosen: Letter) -> None:
    path = editing.draft(opened(chosen), None, None)
    assert path is not None
    chosen.replace(path, 'lead: "weather"', 'lead: "snow"')
    prepared = weekly.prepare_next(opened(chosen), None, None)
    assert prepared is not None
    leads = {name: prepared.variants.rendered(name).issue.lead.id for name in prepared.variants.names}
    assert leads == {"sleep-rest": "nap", "sleep-rest weather": "snow", "weather": "snow"}


# --- faults that only a variant has ------------------------------------------------------

NO_SUBJECT = "{% if lead.category == 'Weather' %}{{ lead.title }}{% endif %}"


def test_an_empty_subject_made_anew_is_found_before_anything_leaves(chosen: Letter) -> None:
    chosen.replace("newsletter.toml", 'subject = "{{ lead.title }}"', f'subject = "{NO_SUBJECT}"')
    ran = said(chosen, "send", "--yes")
    assert ran.code == 3
    assert re.search(
        r"newsletter\.toml:\d+ +error +subject +for readers of Sleep & rest: the issue has no subject",
        ran.err,
    )
    assert not (chosen.root / "outbox").exists()
    found = said(chosen, "check", "--json").json
    assert (found["errors"], "subject" in found["passed_ids"]) == (1, False)


def test_an_error_of_a_template_says_in_which_variant(chosen: Letter) -> None:
    chosen.replace("newsletter.toml", 'subject = "{{ lead.title }}"', 'subject = "{{ posts[1].title }}"')
    project = opened(chosen)
    prepared = weekly.prepare_next(project, None, None)
    assert prepared is not None
    with pytest.raises(
        SettingsError, match=r"^newsletter\.toml: for readers of Sleep & rest: issue\.subject: "
    ):
        _ = prepared.report


def test_what_is_wrong_with_the_whole_issue_is_said_once(chosen: Letter) -> None:
    chosen.replace("newsletter.toml", 'subject = "{{ lead.title }}"', 'subject = "{# none #}"')
    chosen.write("templates/mail/mail.txt", "{{ issue.subject }}")
    prepared = weekly.prepare_next(opened(chosen), None, None)
    assert prepared is not None
    ids = [finding.id for finding in prepared.report.findings if finding.severity == "error"]
    assert sorted(set(ids)) == ["postal-address", "subject", "text-part", "unsubscribe"]
    assert not [finding for finding in prepared.report.findings if "for readers of" in finding.message]


def test_a_theme_that_loses_the_way_out_where_there_are_no_cards_is_found(chosen: Letter) -> None:
    theme = (HERE / "templates/mail/mail.txt").read_text("utf-8")
    chosen.write("templates/mail/mail.txt", f"{{% if cards %}}{theme}{{% else %}}A nap{{% endif %}}")
    prepared = weekly.prepare_next(opened(chosen), None, None)
    assert prepared is not None
    told = [finding for finding in prepared.report.findings if "for readers of" in finding.message]
    assert {finding.id for finding in told} == {"postal-address", "unsubscribe"}
    assert all("Sleep & rest: the text part" in finding.message for finding in told)


# --- approval ---------------------------------------------------------------------------


def send_now(letter: Letter, clock: str = CLOCK) -> dict[str, bytes]:
    """Take the steps of `send` up to where it asks whether it may; return the variants' templates."""
    project = opened(letter, clock)
    prepared = weekly.prepare_next(project, None, None)
    assert prepared is not None
    made = weekly.build(project, prepared)
    assert approving.demand(project, prepared, made) is not None
    return {each.name: each.template for each in made.frozen.variants}


@pytest.fixture
def approved(chosen: Letter) -> Letter:
    approving.approve(opened(chosen), "Ana")
    return chosen


def test_the_variants_of_an_approved_issue_are_sealed_and_go_out_as_they_were(approved: Letter) -> None:
    project = opened(approved)
    draft = weekly.collect(project).draft
    assert draft is not None
    assert draft.approval is not None
    seal = read_seal(folder_of(project, 1), draft.approval)
    assert seal is not None
    sealed = {name: digest for name, digest in seal.exact.items() if name.startswith("variant ")}
    assert sealed.keys() == {"variant sleep-rest", "variant sleep-rest weather", "variant weather"}
    later = send_now(approved, "2026-01-06T08:00")
    assert later.keys() == {"sleep-rest", "sleep-rest weather", "weather"}


def test_a_choice_that_nobody_had_at_the_approval_does_not_hold_the_issue_up(approved: Letter) -> None:
    project = opened(approved)
    choose(project, "rainy@example.com")
    choose(project, "sleepy@example.com", "weather")
    choose(project, "most@example.com", "recipes")
    assert send_now(approved, "2026-01-06T08:00").keys() == {"sleep-rest", "weather"}


@pytest.mark.parametrize("gone", [True, False])
def test_a_variant_that_is_not_as_it_was_approved_is_named(approved: Letter, gone: bool) -> None:
    project = opened(approved)
    draft = weekly.collect(project).draft
    assert draft is not None
    assert draft.approval is not None
    folder = folder_of(project, 1)
    seal = read_seal(folder, draft.approval)
    assert seal is not None
    # As it would be if another program rendered it.
    write_seal(folder, replace(seal, exact=dict(seal.exact) | {"variant weather": "0" * 64}))
    if gone:
        # Nobody is left who would get it.
        choose(project, "rainy@example.com")
        assert "weather" not in send_now(approved)
    else:
        with pytest.raises(NotApproved, match="the mail for readers of weather is another"):
            send_now(approved)


def test_the_hash_of_a_build_does_not_depend_on_who_reads(chosen: Letter) -> None:
    def build() -> str:
        project = opened(chosen)
        prepared = weekly.prepare_next(project, None, None)
        assert prepared is not None
        return weekly.build(project, prepared).hash

    before = build()
    choose(opened(chosen), "all@example.com", "weather")
    assert build() == before


# --- test copies, papers ------------------------------------------------------------------


def test_a_test_copy_can_be_what_readers_of_some_categories_get(chosen: Letter) -> None:
    ran = said(chosen, "test", "--to", "ana@example.org", "--categories", "recipes,sleep-rest")
    assert ran.code == 0, ran
    (mail,) = chosen.files("outbox/mail").values()
    seen = by_python(mail)
    assert (seen.subject, "Snow" in seen.text) == ("[TEST] A nap", False)
    with pytest.raises(Refused, match=r"nothing in issue 1 is for readers of recipes.*sleep-rest, weather"):
        approving.try_out(opened(chosen), ["ana@example.org"], None, choice="recipes")


def test_a_build_leaves_no_variant_behind_that_nobody_would_get_any_more(chosen: Letter) -> None:
    folder = ".newsletter/issues/0001/variants"
    assert editing.build(opened(chosen), None, None, None).variants == 3
    project = opened(chosen)
    for who in ("rainy", "most", "sleepy"):
        choose(project, f"{who}@example.com")
    assert editing.build(project, None, None, None).variants == 1
    assert {name.split("/")[0] for name in chosen.files(folder)} == {"sleep-rest"}


def test_a_variant_with_a_name_that_no_folder_can_have_gets_one_of_its_own() -> None:
    assert variant_folder("a b-c") == "a+b-c"
    one, other = (variant_folder(" ".join([*["天气" * 20] * 3, end])) for end in "ab")
    assert one != other
    assert max(len(one.encode()), len(other.encode())) < 255


def test_nobody_gets_an_issue_in_which_nothing_is_for_anybody(chosen: Letter) -> None:
    project = opened(chosen)
    for who in THEIRS:
        choose(project, f"{who}@example.com", "recipes")
    prepared = weekly.prepare_next(opened(chosen), None, None)
    assert prepared is not None
    with pytest.raises(Refused, match=r"nobody would get it.*6 have chosen nothing that is in it"):
        weekly.guard(opened(chosen), prepared, attended=True)
