"""Issues, readers and tokens for the tests of everything that is sent."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from pipeline.model import (
    CarriedPost,
    Delivery,
    DeliveryState,
    Fingerprint,
    Issue,
    Marks,
    Post,
    Recipient,
    RenderedIssue,
)
from pipeline.settings import Settings

ZONE = ZoneInfo("America/New_York")
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=ZONE)
MARKS = Marks(
    name="markname0c9f",
    unsubscribe="markleave0c9f",
    preferences="markprefer0c9f",
    confirmed="markconfirm0c9f",
)
HTML = (
    '<!DOCTYPE html>\n<html lang="en"><body style="margin:0">\n<p>Dear markname0c9f, this is “it”.</p>\n'
    '<p>You confirmed on markconfirm0c9f. <a href="markleave0c9f">Leave</a> or\n'
    "<a href='markprefer0c9f'>choose</a>.</p>\n.\nFrom here on = nothing \t\n</body></html>\n"
)
TEXT = "Dear markname0c9f,\n\n.\nFrom us, “it”. \n\nLeave: markleave0c9f\nChoose: markprefer0c9f\n(markconfirm0c9f)"
#: A name that would be whatever it pleases, if anyone let it.
NASTY = 'Eve "<script>"\r\nBcc: all@example.org\r\n\r\n.\r\n=?utf-8?q?x=0ABcc:_evil=40e.test?=\u202e\x00'


class SomeTokens:
    """What audience/tokens.py makes, in as many words."""

    def uid(self, email: str) -> str:
        return self._digest("uid", email).hex()[:32]

    def uids(self, email: str) -> tuple[str, ...]:
        return (self.uid(email),)

    def marks(self, email: str) -> tuple[str, ...]:
        return (self._digest("forgotten", email).hex()[:32],)

    def token(self, purpose: str, uid: str) -> str:
        return urlsafe_b64encode(self._digest(purpose, uid)).decode().rstrip("=")

    def message_id(self, issue: int, uid: str) -> str:
        return self._digest("message", str(issue), uid).hex()[:32]

    def _digest(self, *words: str) -> bytes:
        return hmac.digest(b"only for tests", "\n".join(words).encode(), "sha256")


def settings(**newsletter: Any) -> Settings:
    usual = {
        "name": "The Headache Letter",
        "from": "The Headache Letter <letter@example.org>",
        "reply_to": "editor@example.org",
        "url": "https://letter.example.org",
        "timezone": "America/New_York",
    }
    return Settings.model_validate({"newsletter": {**usual, **newsletter}})


def rendered(
    subject: str = "Sleep, weather and the Monday headache",
    html: str = HTML,
    text: str = TEXT,
    number: int = 1,
) -> RenderedIssue:
    post = Post("sleep", "sleep", "Sleep", NOW, "posts/sleep.md", "0" * 64, Fingerprint("f" * 64))
    issue = Issue(number, subject, "A preheader", (post,), post, "", NOW)
    return RenderedIssue(issue, html, text, "<p>The page</p>", MARKS)


def carried(number: int = 1) -> list[CarriedPost]:
    return [CarriedPost(f"sleep-{number}", number, Fingerprint("f" * 64), "posts/sleep.md")]


def delivery(email: str = "ana@example.com", name: str = "Ana", number: int = 1, issue: int = 1) -> Delivery:
    recipient = Recipient(SomeTokens().uid(email), email, name, date(2026, 1, 3))
    return Delivery(number, issue, recipient, DeliveryState.LEASED)


def at(state: DeliveryState, **changes: Any) -> Delivery:
    return replace(delivery(), state=state, **changes)
