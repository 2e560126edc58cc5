"""Letters made without a store: who they are to, what they are made from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from pipeline.deliver.letter import Bodies, above, put_in, read_issue, submission
from pipeline.model import (
    Counts,
    FrozenIssue,
    IssueRecord,
    IssueState,
    Letter,
    LetterKind,
    RenderedLetter,
    Submission,
)
from pipeline.render.addresses import Addresses
from pipeline.render.letter import render_letter
from pipeline.render.theme.theme import Theme
from pipeline.settings import Settings
from support.sending import SomeTokens, settings

AT = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)
LIMITS: Mapping[str, int] = {"hours": 72, "days": 30}
ADDRESS = {"postal_address": "12 Example Street, Exampletown", "footer_note": "Not medical advice."}
#: The issue that a welcome names.
LATEST = IssueRecord(7, "Sleep & the head", IssueState.SENT, AT, Counts(), "0" * 64)


class DatedSomeTokens(SomeTokens):
    def dated(self, purpose: str, uid: str, at: datetime) -> str:
        return self.token(f"{purpose} {at:%Y%m%d%H%M%S}", uid)


TOKENS = DatedSomeTokens()
_pages: dict[object, RenderedLetter] = {}


def letter(
    kind: LetterKind = LetterKind.CONFIRMATION, email: str = "ana@example.com", name: str = "Ana"
) -> Letter:
    return Letter(5, kind, TOKENS.uid(email), email, name, AT)


def page_of(
    kind: LetterKind,
    house: Settings | None = None,
    templates: Path | None = None,
    latest: IssueRecord | None = None,
    *,
    above_issue: bool = False,
) -> RenderedLetter:
    house = house or settings(**ADDRESS)
    key = (kind, house.model_dump_json(), latest and latest.number, above_issue)
    if templates or key not in _pages:
        theme = Theme([templates] if templates else [], house)
        addresses = Addresses(house, (), Path())
        page = render_letter(kind, addresses, theme, house, LIMITS, latest, above_issue=above_issue)
        if templates:
            return page
        _pages[key] = page
    return _pages[key]


def bodies_of(one: Letter, house: Settings | None = None, **page: Any) -> Bodies:
    house = house or settings(**ADDRESS)
    return put_in(page_of(one.kind, house, **page), one, house, TOKENS, "reader")


def message_of(one: Letter, house: Settings | None = None, **page: Any) -> Submission:
    house = house or settings(**ADDRESS)
    subject = page_of(one.kind, house, **page).subject
    return submission(one, subject, bodies_of(one, house, **page), house, TOKENS)


def welcome_above(frozen: FrozenIssue, house: Settings | None = None, name: str = "Ana") -> Bodies | None:
    one = letter(LetterKind.WELCOME, name=name)
    greeting = bodies_of(one, house, latest=LATEST, above_issue=True)
    return above(greeting, read_issue(frozen, one, date(2026, 11, 22), TOKENS))
