"""What the columns of other people's lists are called, and what their words mean."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from pipeline.errors import AudienceError
from pipeline.model import SubscriberState

_EMAIL = (
    "email",
    "emailaddress",
    "mail",
    "mailaddress",
    "subscriberemail",
    "useremail",
    "contactemail",
)
_NAME = ("name", "fullname", "displayname", "subscribername")
_FIRST = ("firstname", "fname", "givenname", "first")
_LAST = ("lastname", "lname", "surname", "familyname", "last")
_STATUS = ("status", "state", "subscriptionstatus", "subscriberstatus", "emailstatus")
#: The moment somebody agreed, the surest word for it first.
_SINCE = (
    "confirmed",
    "confirmedat",
    "confirmtime",
    "confirmationtime",
    "optintime",
    "optindate",
    "since",
    "subscribedat",
    "subscribedon",
    "subscribed",
    "createdat",
    "created",
    "signupdate",
    "dateadded",
    "addedat",
    "joined",
)

_CONFIRMED, _UNCONFIRMED, _LEFT = (
    SubscriberState.CONFIRMED,
    SubscriberState.UNCONFIRMED,
    SubscriberState.UNSUBSCRIBED,
)
_YES = ("1", "y", "yes", "true")
_NO = ("0", "n", "no", "false")

#: A list's word -> state, and why mail to them is suppressed. An address that bounced once agreed
#: and may again; who complained has left.
_STATES: Mapping[str, tuple[SubscriberState, str | None]] = {
    **dict.fromkeys(
        ("", "confirmed", "subscribed", "subscriber", "active", "enabled", "verified", "optedin", "optin"),
        (_CONFIRMED, None),
    ),
    **dict.fromkeys(("member", "free", "paid", "comped", "complimentary", *_YES), (_CONFIRMED, None)),
    **dict.fromkeys(
        ("unconfirmed", "pending", "unverified", "notconfirmed", "nonsubscribed", "transactional"),
        (_UNCONFIRMED, None),
    ),
    **dict.fromkeys(
        (
            "unsubscribed",
            "left",
            "disabled",
            "inactive",
            "optedout",
            "optout",
            "removed",
            "archived",
            "deleted",
            *_NO,
        ),
        (_LEFT, None),
    ),
    **dict.fromkeys(("cleaned", "bounced", "hardbounced", "hardbounce", "invalid"), (_CONFIRMED, "bounced")),
    **dict.fromkeys(
        ("complained", "complaint", "spam", "markedasspam", "spamcomplaint"), (_LEFT, "complained")
    ),
    **dict.fromkeys(("suppressed", "blocked", "blocklisted", "blacklisted"), (_CONFIRMED, "suppressed")),
}


def level(text: str) -> str:
    """Return a word without case, spaces and marks: "E-Mail Address" -> "emailaddress"."""
    return re.sub(r"[\W_]+", "", text.casefold())


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column of a table holds what; None where there is none."""

    email: int
    name: int | None = None
    first: int | None = None
    last: int | None = None
    status: int | None = None
    since: int | None = None

    def name_of(self, row: Sequence[str]) -> str:
        """Return the name, put together from its parts if it must be."""
        whole = cell(row, self.name)
        return whole or f"{cell(row, self.first)} {cell(row, self.last)}".strip()

    def standing_of(self, row: Sequence[str]) -> tuple[SubscriberState, str | None]:
        """Return state and suppression; without a word about it a row has consented. Raises AudienceError."""
        word = cell(row, self.status)
        agreed = level(cell(row, self.since))
        if not word and agreed in _NO:  # a column `confirmed` that says yes or no
            return _UNCONFIRMED, None
        try:
            return _STATES[level(word)]
        except KeyError:
            raise AudienceError(
                f"status {word[:40]!r} is not known; write confirmed, unconfirmed, unsubscribed or suppressed"
            ) from None

    def since_of(self, row: Sequence[str], now: datetime, zone: tzinfo) -> datetime:
        """Return when they came to stand there; now, if the row does not say. Raises AudienceError."""
        text = cell(row, self.since).strip()
        if not text or level(text) in (*_YES, *_NO):
            return now
        try:
            moment = datetime.fromisoformat(
                text.removesuffix(" UTC") + ("+00:00" if text.endswith(" UTC") else "")
            )
            moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
            if not 1970 <= moment.astimezone(UTC).year <= 9000:
                raise ValueError(text)
        except (ValueError, OverflowError):
            raise AudienceError(
                f"{text[:40]!r} is not a date; write one like 2026-01-31 or 2026-01-31 08:00"
            ) from None
        return moment


def cell(row: Sequence[str], place: int | None) -> str:
    """Return one cell; "" if the row ends before it."""
    return row[place] if place is not None and place < len(row) else ""


def recognise(header: Sequence[str]) -> Columns | None:
    """Return what the columns hold; None if none of them holds addresses."""
    words = [level(word) for word in header]

    def find(names: Sequence[str]) -> int | None:
        return next((words.index(name) for name in names if name in words), None)

    email = find(_EMAIL)
    if email is None:
        return None
    return Columns(email, find(_NAME), find(_FIRST), find(_LAST), find(_STATUS), find(_SINCE))
