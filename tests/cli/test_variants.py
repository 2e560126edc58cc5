"""Readers of different choices get just their posts, all from one build, and whoever gets nothing is counted."""

from __future__ import annotations

import os
import re
import shutil
import signal
from dataclasses import replace

import pytest
from support.choosing import THEIRS, TITLES, choose, copies, opened, said
from support.letter import CLOCK, Letter, Ran
from support.messages import HEADERS, by_a_stranger, by_python, demand_a_sound_message

from pipeline import approving, weekly
from pipeline.approve.records import read_seal, write_seal
from pipeline.errors import NotApproved
from pipeline.model import Skip
from pipeline.papers import folder_of


@pytest.fixture(scope="module")
def story(chosen_once: Letter, tmp_path_factory: pytest.TempPathFactory) -> tuple[Letter, dict[str, Ran]]:
    """What every command says of it, from the first look to the report."""
    letter = Letter(shutil.copytree(chosen_once.root, tmp_path_factory.mktemp("story") / "letter"))
    asked = ("status", "status --json", "build", "send --confirm 9", "send --yes -n --json")
    ran = {command: said(letter, *command.split()) for command in asked}
    ran["send"] = letter.run("send", "--confirm", "5")
    ran |= {command: said(letter, *command.split()) for command in ("report", "report --json")}
    return letter, ran


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


# --- the same bytes, whatever happens ----------------------------------------------


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


# --- somebody chooses while it is being sent ---------------------------------------


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


# --- approval ----------------------------------------------------------------------


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
