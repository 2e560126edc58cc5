"""What readers do by themselves: ask, confirm, leave, take it back, choose.

A reader is known by the token in an address of theirs, and by nothing else.
Every verb takes its own `now`: whoever calls may run for weeks.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from pipeline.audience import joining
from pipeline.audience.joining import Stage
from pipeline.model import Decision, Person, Preferences, Request
from pipeline.slugs import slugify

if TYPE_CHECKING:
    from pipeline.project import Project

#: What tokens are for; a token made for one opens none of the others.
UNSUBSCRIBE, PREFERENCES, CONFIRM, UNDO = "unsubscribe", "preferences", "confirm", "undo"


@dataclass(frozen=True, slots=True)
class Joining:
    """Where somebody stands who follows the link of a confirmation."""

    person: Person
    stage: Stage


@dataclass(frozen=True, slots=True)
class Leaving:
    """Where somebody stands who has left."""

    person: Person
    #: Token by which it can be taken back; "" if it cannot (any more).
    undo: str = ""


def ask(project: Project, email: str, name: str, now: datetime) -> None:
    """Note that somebody asks for the newsletter with this address; it is looked at later.

    Costs the same for any address, so that neither answer nor time tell who
    reads. Raises AudienceError for what is no address.
    """
    from pipeline.audience.addresses import clean_name, normalise

    project.store.ask(normalise(email)[0], clean_name(name), _second(now))


def answer(project: Project, request: Request, now: datetime) -> None:
    """Decide about somebody who asked, and have the letter written that follows."""
    now = _second(now)
    project.store.answer(request, lambda person: joining.answer(person, request, now))


def reader(project: Project, purpose: str, token: str) -> Person | None:
    """Return whose token it is; None if it is nobody's (any more)."""
    uid = project.tokens.read(purpose, token)
    return None if uid is None else project.store.person(uid)


def asked(project: Project, token: str, now: datetime) -> Joining | None:
    """Return who is asked to confirm, and whether they still can; None if it is nobody's token (any more)."""
    found = project.tokens.read_dated(CONFIRM, token)
    person = None if found is None else project.store.person(found[0])
    if found is None or person is None:
        return None
    return Joining(person, joining.stage(person, found[1], now))


def confirm(project: Project, token: str, wording: str, now: datetime) -> Joining | None:
    """Take somebody in who confirms, `wording` being what they were shown; None if it is nobody's token."""
    found = project.tokens.read_dated(CONFIRM, token)
    if found is None:
        return None
    uid, at = found
    now, seen = _second(now), list[Person]()

    def decision(person: Person) -> Decision:
        seen[:] = [person]
        return joining.confirm(person, at, wording, now)

    decided = project.store.decide_by_uid(uid, decision)
    if decided is None:
        return None
    if decided.subscriber:
        return Joining(_again(project, uid, seen[0]), Stage.CONFIRMED)
    return Joining(seen[0], joining.stage(seen[0], at, now))


def leave(project: Project, token: str, way: str, now: datetime) -> Leaving | None:
    """Let somebody leave, `way` being how; effective before the next arm. None if it is no token of ours.

    Somebody of whom nothing is known any more has left: there is no subscriber then.
    """
    uid = project.tokens.read(UNSUBSCRIBE, token)
    if uid is None:
        return None
    now = _second(now)
    project.store.decide_by_uid(uid, lambda one: joining.leave(one, way, now))
    return left(project, uid, now)


def left(project: Project, uid: str, now: datetime) -> Leaving:
    """Return where somebody stands who has left, with the way back if there is one."""
    person = project.store.person(uid) or Person(uid)
    at = joining.undoable(person, now)
    return Leaving(person, "" if at is None else project.tokens.dated(UNDO, uid, at))


def undo(project: Project, token: str, undo: str, now: datetime) -> bool:
    """Take somebody's leaving back; False if it is too late, or not theirs to take back."""
    uid, found = project.tokens.read(UNSUBSCRIBE, token), project.tokens.read_dated(UNDO, undo)
    if uid is None or found is None or found[0] != uid:
        return False
    now = _second(now)
    decided = project.store.decide_by_uid(uid, lambda person: joining.undo(person, found[1], now))
    return decided is not None and decided.subscriber is not None


def prefer(project: Project, token: str, wants: Preferences, now: datetime) -> Person | None:
    """Write down what somebody wants to get; return how they stand then. None if it is nobody's token (any more)."""
    uid = project.tokens.read(PREFERENCES, token)
    now = _second(now)
    if uid is None or project.store.decide_by_uid(uid, lambda one: joining.prefer(one, wants, now)) is None:
        return None
    return project.store.person(uid)


def choosable(project: Project) -> tuple[tuple[str, str], ...]:
    """Return the categories that mail can bring, as slug and name, in order of name."""
    names: dict[str, Counter[str]] = {}
    for post in project.source.read().posts:
        if slugify(post.category) and post.in_newsletter and not post.draft:
            names.setdefault(slugify(post.category), Counter())[" ".join(post.category.split())] += 1
    # The spelling used most often; among equals the first in the alphabet.
    found = [(slug, min(counts, key=lambda name: (-counts[name], name))) for slug, counts in names.items()]
    return tuple(sorted(found, key=lambda item: (item[1].casefold(), item[0])))


def _again(project: Project, uid: str, before: Person) -> Person:
    return project.store.person(uid) or before


def _second(now: datetime) -> datetime:
    """Tokens hold whole seconds, so what they are compared with does too."""
    return now.replace(microsecond=0)
