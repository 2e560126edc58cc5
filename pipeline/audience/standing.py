"""What a cell of a list says about where somebody stands, and which of several sayings counts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from pipeline.discretion import quoted
from pipeline.errors import AudienceError
from pipeline.model import NO_REASON, SubscriberState


class Standing(NamedTuple):
    """Where somebody stands, and why mail to them is suppressed."""

    state: SubscriberState
    suppressed: str | None = None

    @property
    def gets_nothing(self) -> bool:
        """True of who has left, or must not be mailed: that is never lost to another fault in their row."""
        return bool(self.suppressed) or self.state is SubscriberState.UNSUBSCRIBED


AGREED = Standing(SubscriberState.CONFIRMED)
PENDING = Standing(SubscriberState.UNCONFIRMED)
LEFT = Standing(SubscriberState.UNSUBSCRIBED)
#: An address that bounced once agreed and may again.
BOUNCED = Standing(SubscriberState.CONFIRMED, "bounced")
COMPLAINED = Standing(SubscriberState.UNSUBSCRIBED, "complained")
BLOCKED = Standing(SubscriberState.CONFIRMED, NO_REASON)
#: The same of somebody who is not to be resubscribed either.
BARRED = Standing(SubscriberState.UNSUBSCRIBED, NO_REASON)
#: What an editor may say of a whole list.
BY_NAME: Mapping[str, Standing] = {
    "confirmed": AGREED,
    "unconfirmed": PENDING,
    "unsubscribed": LEFT,
    "suppressed": BLOCKED,
}

#: Characters of a reason that are kept.
LONGEST_REASON = 200

_SEVERITY = {
    SubscriberState.CONFIRMED: 0,
    SubscriberState.UNCONFIRMED: 1,
    SubscriberState.UNSUBSCRIBED: 2,
}
#: Of two reasons the one further on is kept; one in somebody's own words says more than that there is none.
_REASONS = (NO_REASON, "", "bounced", "complained")


def severest(said: Iterable[Standing]) -> Standing:
    """Return the most restrictive state of all that was said, and the gravest reason not to mail."""
    state, reason = SubscriberState.CONFIRMED, None
    for one in said:
        if _SEVERITY[one.state] > _SEVERITY[state]:
            state = one.state
        if one.suppressed is not None and (reason is None or _gravity(one.suppressed) > _gravity(reason)):
            reason = one.suppressed
    return Standing(state, reason)


def _gravity(reason: str) -> int:
    return _REASONS.index(reason if reason in _REASONS else "")


@lru_cache(maxsize=4096)
def level(text: str) -> str:
    """Return a word without case, spaces and marks: "E-Mail Address" -> "emailaddress"."""
    return re.sub(r"[\W_]+", "", text.casefold())


@dataclass(frozen=True, slots=True)
class Rule:
    """How the cells of one column are read."""

    #: What a word says, levelled; None: nothing.
    words: Mapping[str, Standing | None]
    #: What any other text says, a date or a reason for one; None: nothing.
    other: Standing | None = None
    #: Any other text is the reason why mail to somebody is suppressed.
    reasons: bool = False
    #: Any other text is not understood, and the row is refused.
    strict: bool = False
    #: What would have been understood.
    remedy: str = "write yes or no"

    def read(self, cell: str, column: str) -> Standing | None:
        """Return what a cell says; None: nothing. Raises AudienceError, which names the column."""
        word = level(cell[:LONGEST_REASON])
        if word in self.words:
            return self.words[word]
        if self.reasons:
            return Standing(SubscriberState.CONFIRMED, " ".join(cell.split())[:LONGEST_REASON])
        if self.strict:
            raise AudienceError(f"{column.casefold()} {quoted(cell)} is not known; {self.remedy}")
        return self.other if cell.strip() else None


YES = ("1", "y", "yes", "true", "t", "on")
NO = ("0", "n", "no", "false", "f", "off", "null", "none", "")


def when(standing: Standing) -> Rule:
    """Read a column that says something once it holds anything but a no, like the day somebody left."""
    return Rule({**dict.fromkeys(YES, standing), **dict.fromkeys(NO)}, other=standing)


def unless(standing: Standing, *, dated: bool = False) -> Rule:
    """Read a column of yes and no, of which no says something; it may hold dates instead if `dated`."""
    return Rule({**dict.fromkeys(YES), **dict.fromkeys(NO, standing), "": None}, strict=not dated)


def _words(*pairs: tuple[Standing | None, str]) -> dict[str, Standing | None]:
    return {word: standing for standing, words in pairs for word in words.split()}


#: What lists call the states, whoever wrote them.
WORDS = _words(
    (AGREED, "confirmed subscribed subscriber active enabled verified optedin optin"),
    (AGREED, "member free paid comped complimentary 1 y yes true"),
    (PENDING, "unconfirmed pending unverified notconfirmed nonsubscribed transactional unactivated"),
    (LEFT, "unsubscribed left disabled inactive optedout optout removed archived deleted cancelled canceled"),
    (LEFT, "0 n no false"),
    (BOUNCED, "cleaned bounced hardbounced hardbounce invalid undeliverable"),
    (COMPLAINED, "complained complaint spam markedasspam spamcomplaint"),
    (BLOCKED, "suppressed blocked blocklisted blacklisted"),
) | {"": None}


def status(words: Mapping[str, Standing | None] | None = None) -> Rule:
    """Read a column of states; `words` are known besides, or mean something else here."""
    return Rule(
        {**WORDS, **(words or {})},
        strict=True,
        remedy="write confirmed, unconfirmed, unsubscribed or suppressed",
    )


def _named(rule: Rule, names: str) -> dict[str, Rule]:
    return dict.fromkeys(names.split(), rule)


#: Columns that say where somebody stands, by their levelled names.
RULES: Mapping[str, Rule] = {
    **_named(
        status(), "status state subscriptionstatus subscriberstatus emailstatus memberstatus liststatus"
    ),
    **_named(when(LEFT), "unsubtime unsubscribetime unsubscribedat unsubscribedon unsubscribeddate"),
    **_named(when(LEFT), "unsubscribedate unsubscriptiondate unsubscribed unsubscribe unsub"),
    **_named(when(LEFT), "unsubreason unsubscribereason unsubscriptionreason"),
    **_named(
        when(LEFT), "optout optedout optouttime optoutdate optedoutat emaildisabled donotmail donotemail"
    ),
    **_named(when(LEFT), "leftat deletedat deleted"),
    **_named(when(BOUNCED), "cleantime cleanedat cleaned bouncedat bounced bounce hardbounced hardbouncedat"),
    **_named(when(BOUNCED), "undeliverabilitydate undeliverabilityreason undeliverable"),
    **_named(when(COMPLAINED), "complainedat complained complaint spamcomplaint markedasspam"),
    **_named(when(BLOCKED), "suppressed suppressedat blocked blocklisted blacklisted"),
    **_named(
        unless(LEFT), "subscribedtoemails emailsubscribed issubscribed active isactive enabled isenabled"
    ),
    **_named(unless(LEFT, dated=True), "subscribed optin optedin"),
    **_named(unless(PENDING), "isconfirmed emailconfirmed verified isverified emailverified"),
    **_named(unless(PENDING, dated=True), "confirmed"),
}
#: A column called like this might say where somebody stands: an editor is told if nobody heeds it.
TELLING = re.compile(
    r"status|^state$|unsub|subscribed|optout|optedout|consent|bounce|complain|suppress|bloc?klist|blacklist"
    r"|blocked|cancel|disabled|abgemeldet|abmeld|abbestell|ausgetragen|gesperrt|d[ée]sabonn|d[ée]sinscri|cancelad"
)
