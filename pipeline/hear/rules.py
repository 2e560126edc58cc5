"""THE TABLE: what a refusal means for a reader, and how many small ones make a large one.

A row holds if all it names fits; the first row that holds decides. Statuses
are RFC 3463's and its registry's (RFC 5248); what is said in words counts
more than a number only where servers are known to choose the number badly.
When in doubt the reader is kept: one mail too many to a dead address costs
little, a reader who silently gets nothing any more is lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from pipeline.hear import phrases
from pipeline.model import News

HARD, SOFT, NOTHING = News.HARD_BOUNCE, News.SOFT_BOUNCE, News.NOTHING


@dataclass(frozen=True)
class Rule:
    """One row; what is "" fits everything."""

    news: News
    #: For people, in `subscribers show`.
    reason: str
    #: Enhanced status codes (RFC 3463), x being any number; "none" is that there is none.
    status: str = ""
    #: SMTP reply codes (RFC 5321, 4.2.3), where there is no enhanced one.
    reply: str = ""
    #: What the server said, in any of the languages of phrases.py.
    words: tuple[str, ...] = ()

    @cached_property
    def _patterns(self) -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
        return _codes(self.status), _codes(self.reply), phrases.any_of(self.words)

    def holds(self, status: str, reply: str, words: str) -> bool:
        """Tell whether the row is about this refusal."""
        by_status, by_reply, by_words = self._patterns
        return (
            (not self.status or by_status.fullmatch(status) is not None)
            and (not self.reply or (not status and by_reply.fullmatch(reply) is not None))
            and (not self.words or by_words.search(words) is not None)
        )


def _codes(codes: str) -> re.Pattern[str]:
    return re.compile(
        "|".join(re.escape(code).replace("x", r"\d+").replace("none", "") for code in codes.split())
    )


RULES: tuple[Rule, ...] = (
    # The mailbox is full, whatever number goes with it.
    Rule(SOFT, "the mailbox is full", words=phrases.FULL, status="4.x.x 5.0.x 5.1.x 5.2.x 5.3.x none"),
    # A provider that will not have us says 5.1.1 as readily as 5.7.1. To lose all its readers for that would be worse.
    Rule(NOTHING, "the server refuses us, not the reader", words=phrases.ABOUT_US),
    # 4yz says that it may be otherwise tomorrow, whatever the words say: also where a relay gave up after days.
    Rule(SOFT, "the mailbox takes no mail for now", status="4.2.x"),
    Rule(NOTHING, "the server refuses us, not the reader", status="4.7.x"),
    Rule(SOFT, "the server could not be reached for days", status="4.4.x"),
    Rule(SOFT, "the server could not take it for now", status="4.x.x"),
    Rule(SOFT, "the server could not take it for now", reply="4xx"),
    # The address.
    Rule(HARD, "there is no such mailbox", status="5.1.1"),
    Rule(HARD, "there is no such domain", status="5.1.2"),
    Rule(HARD, "the address cannot be one", status="5.1.3"),
    Rule(HARD, "the mailbox has moved, nobody knows where", status="5.1.6"),
    # RFC 7505: the domain declares that it takes no mail. Exchange means "no such recipient" by the same number.
    Rule(HARD, "there is no such mailbox, or its domain takes no mail", status="5.1.10"),
    Rule(HARD, "the mailbox has another owner now", status="5.7.17 5.7.18"),  # RFC 7293
    Rule(HARD, "the mailbox is closed", status="5.2.1"),
    Rule(HARD, "no way leads to the domain", status="5.4.4 5.4.310"),
    # Microsoft's edge says this of addresses that its tenants do not have.
    Rule(HARD, "there is no such mailbox", status="5.4.1", words=("recipient address rejected",)),
    # Numbers that say nothing, or are said of anything: the words decide.
    Rule(
        HARD, "the mailbox is closed", words=phrases.SHUT, status="5.0.x 5.1.x 5.2.x 5.3.x 5.4.x 5.5.x none"
    ),
    Rule(
        HARD,
        "there is no such mailbox",
        words=phrases.UNKNOWN,
        status="5.0.x 5.1.0 5.2.0 5.3.0 5.4.0 5.4.1 5.5.x 5.7.1 none",
    ),
    Rule(HARD, "the mailbox has moved", reply="551"),
    Rule(HARD, "the domain takes no mail", reply="521 556"),  # RFC 7504
    # About us, or about this issue: another reader's server would say the same of it.
    Rule(NOTHING, "the server refuses our address", status="5.1.7 5.1.8"),
    Rule(NOTHING, "the issue was too large for the server", status="5.2.3 5.3.4"),
    Rule(NOTHING, "the server did not understand ours", status="5.5.1 5.5.2 5.5.3 5.5.4 5.5.5 5.5.6"),
    Rule(NOTHING, "the server does not take what is in the issue", status="5.6.x"),
    Rule(NOTHING, "the server refuses us, not the reader", status="5.7.x"),
    # About the reader, but nothing that lasts, or nothing that is certain.
    Rule(SOFT, "the mailbox is full", status="5.2.2"),
    Rule(SOFT, "the list behind the address cannot be reached", status="5.2.4"),
    Rule(SOFT, "the server has no room", status="5.3.x"),
    Rule(SOFT, "mail for the address goes in circles", status="5.4.6 5.4.14"),
    Rule(SOFT, "the server could not be reached", status="5.4.x"),
    Rule(SOFT, "the mailbox is full", reply="452 552"),
    Rule(SOFT, "the server refused it without a reason we know", status="5.x.x"),
    Rule(SOFT, "the server refused it without a reason we know", reply="5xx"),
)

#: What it means if no row is about it.
UNEXPLAINED = Rule(SOFT, "it came back without a reason we know")


def weigh(status: str, reply: str, words: str) -> Rule | None:
    """Return the row that is about a failed delivery; None if nothing is known of it."""
    return next((rule for rule in RULES if rule.holds(status, reply, words)), None)


# --- how many soft bounces are one too many -----------------------------------------------------------------

#: So many different issues must have come back ...
SOFT_ISSUES = 4
#: ... within so many days. A monthly letter has four in them; of a weekly one it is less than a third, so ...
SOFT_WITHIN = timedelta(days=100)
#: ... the first and the last must lie so far apart: mailboxes fill up in a holiday of four weeks, and empty again.
SOFT_OVER = timedelta(days=35)


@dataclass(frozen=True, slots=True)
class SoftBounce:
    """A copy that one mailbox did not take."""

    at: datetime
    #: None: nobody knows which issue it was; then each day counts as one.
    issue: int | None = None


def judge(before: Iterable[SoftBounce], new: SoftBounce, now: datetime) -> bool:
    """Tell whether a soft bounce is one too many, so that mail to the address is suppressed.

    That a relay accepted other copies says nothing, since it accepts first
    and reports later; so only what came back counts. One issue counts once,
    however often it is reported.
    """
    recent = [bounce for bounce in (*before, new) if now - SOFT_WITHIN <= bounce.at <= now]
    if not recent:
        return False
    issues = {bounce.issue if bounce.issue is not None else bounce.at.date() for bounce in recent}
    apart = max(bounce.at for bounce in recent) - min(bounce.at for bounce in recent)
    return len(issues) >= SOFT_ISSUES and apart >= SOFT_OVER
