"""Readers who want something of their own, as their preferences page would write it down."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from click.testing import CliRunner

from pipeline.audience.addresses import make_subscriber
from pipeline.cli import newsletter
from pipeline.errors import NewsletterError
from pipeline.model import Decision, Person, Preferences
from pipeline.project import Project, open_project
from support.letter import CLOCK, SECRET, Letter, Ran


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
