"""Subscribers, an issue and answers, as the store takes them."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from pipeline.audience.tokens import InstallationTokens
from pipeline.model import (
    Answer,
    CarriedPost,
    Delivery,
    Fingerprint,
    FrozenIssue,
    Outcome,
    Submission,
    Subscriber,
    SubscriberState,
    Verdict,
)
from pipeline.store.sql import SqlStore

URL = "sqlite:///.newsletter/newsletter.db"
TOKENS = InstallationTokens(b"a secret that is long enough")
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=ZoneInfo("America/New_York"))

GIVE_UP = timedelta(days=1)


def subscriber(email: str, **changes: object) -> Subscriber:
    fields = {"name": "", "state": SubscriberState.CONFIRMED, "since": NOW} | changes
    return Subscriber(uid=TOKENS.uid(email), email=email, **fields)  # type: ignore[arg-type]


def answer(delivery: Delivery, outcome: Outcome, reply: str = "") -> Answer:
    return Answer(
        Submission(delivery, "letter@example.org", delivery.recipient.email, "id", b""), outcome, reply
    )


def arm(store: SqlStore, delivery: Delivery, owner: str) -> bool:
    """Arm one delivery alone."""
    (armed,) = store.commit(owner, [], [delivery], GIVE_UP)
    return armed


def record(store: SqlStore, answer: Answer, owner: str, retry_in: timedelta | None = None) -> None:
    """Write one answer down alone."""
    assert store.commit(owner, [Verdict(answer, retry_in)], [], GIVE_UP) == []


def frozen(number: int = 1, **changes: object) -> FrozenIssue:
    fields: dict[str, object] = {
        "number": number,
        "subject": "Sleep, weather & “Monday”",
        "date": NOW,
        "template": b"Subject: x\r\n\r\n\0name\0",
        "html": b"<p>",
        "text": b"text",
        "page": b"<html>",
        "sender": "letter@example.org",
        "posts": (
            CarriedPost(f"weather-{number}", number, Fingerprint("aa", "d1:12 d2:40"), "posts/weather.md"),
            CarriedPost(f"bread-{number}", number, Fingerprint("bb"), "posts/bread.md"),
        ),
        "language": "en",
    }
    return FrozenIssue(**(fields | changes))  # type: ignore[arg-type]
