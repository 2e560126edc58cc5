"""Readers who want something of their own, as their preferences page would write it down."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import parseaddr
from pathlib import Path

from click.testing import CliRunner

from pipeline.audience.addresses import make_subscriber
from pipeline.cli import newsletter
from pipeline.errors import NewsletterError
from pipeline.model import Decision, Person, Preferences
from pipeline.project import Project, open_project
from support.letter import CLOCK, HERE, SECRET, Letter, Ran
from support.messages import by_python

#: Reader -> titles of the posts that their copy has, the lead first.
THEIRS = {
    "all": ["Weather and the head", "A nap", "News of the house", "Snow"],
    "rainy": ["Weather and the head", "Snow"],
    "sleepy": ["A nap"],
    "sleepy2": ["A nap"],
    "most": ["Weather and the head", "A nap", "Snow"],
}
TITLES = THEIRS["all"]


def opened(letter: Letter, clock: str = CLOCK) -> Project:
    """Open a newsletter in this process."""
    return open_project(letter.root, clock, {"NEWSLETTER_SECRET": SECRET})


def said(letter: Letter, *words: str, clock: str = CLOCK) -> Ran:
    """Run a command in this process, where a start of its own would only cost time."""
    done = CliRunner().invoke(
        newsletter,
        ["-C", str(letter.root), "--clock", clock, *words],
        env={"NEWSLETTER_SECRET": SECRET},
        standalone_mode=False,
    )
    if done.exception is None:
        return Ran(done.return_value or 0, done.stdout, done.stderr)
    if not isinstance(done.exception, NewsletterError):
        raise done.exception
    return Ran(done.exception.exit_code, done.stdout, f"{done.stderr}{done.exception}")


def choose(
    project: Project,
    email: str,
    *categories: str,
    feed_only: bool = False,
    paused_until: datetime | None = None,
    suppress: str = "",
) -> None:
    """Let somebody want just this; who is not there yet subscribes."""
    wants = Preferences(tuple(sorted(categories)), feed_only, paused_until)

    def decision(person: Person) -> Decision:
        known = person.subscriber or make_subscriber(
            email, email.partition("@")[0].title(), project.now, project.tokens
        )
        return Decision(replace(known, preferences=wants), suppress=suppress)

    project.store.decide(email, decision)


def readers_of_every_kind(root: Path) -> Letter:
    """Four posts, of two categories and of none, and a reader of every kind."""
    made = Letter(root)
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


def copies(letter: Letter) -> dict[str, bytes]:
    """Who has a copy, and the copy."""
    mails = letter.files("outbox/0001").values()
    return {parseaddr(by_python(mail).to)[1].partition("@")[0]: mail for mail in mails}
