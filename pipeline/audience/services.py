"""The newsletter services whose exports are known, and what is particular to each.

What most of them share is in standing.py and columns.py. Where no source says
what a column means, its reading is the one by which nobody is mailed who may
have left.

Sources, looked at in November 2026. Mailchimp, Substack: the exports that
TryGhost/migrate keeps as fixtures (packages/mg-mailchimp-members,
mg-substack-members-csv). Ghost: its own writer of members as CSV (TryGhost,
members-csv/lib/unparse.js). Buttondown: its published enumeration of
subscriber types (buttondown/openapi, enums.json) and its manual (subscriber
dashboard, API changelog); it publishes no sample of the file. Kit: the states
of its API and manual (help.convertkit.com, "The Subscriber Profile Page &
Status"); it publishes no sample of the file either. listmonk: its handler
(knadh/listmonk, cmd/subscribers.go) and issues 738, 1609, 2855.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from pipeline.audience.standing import (
    AGREED,
    BARRED,
    BLOCKED,
    BOUNCED,
    COMPLAINED,
    LEFT,
    NO,
    PENDING,
    YES,
    Rule,
    Standing,
    status,
    when,
)


@dataclass(frozen=True, slots=True)
class Service:
    """One kind of file, and how it differs from what any list may hold."""

    #: As it is told to an editor, after "taken for".
    name: str
    #: Columns by their levelled names; a file of this kind has all of one of these sets.
    marks: tuple[frozenset[str], ...] = ()
    #: Columns it never has.
    never: frozenset[str] = frozenset()
    #: Columns that mean something else here than elsewhere; None: nothing about where somebody stands.
    rules: Mapping[str, Rule | None] = field(default_factory=dict)
    #: Columns that hold the moment of consent here, besides those that always do.
    consent: tuple[str, ...] = ()
    #: What is true of somebody of whom no cell says anything.
    unsaid: Standing = AGREED
    #: How addresses end of people whom the service has forgotten at their request.
    gone: str = ""
    #: What an editor has to know before relying on such a file, where nothing in it says who left.
    note: str = ""


def _all(names: str) -> frozenset[str]:
    return frozenset(names.split())


#: A list that no service is known by.
ANY = Service("")

OURS = Service(
    "our own export",
    marks=(_all("email name status since suppressed"),),
    rules={"suppressed": Rule({**dict.fromkeys(NO), "suppressed": BLOCKED}, reasons=True)},
)

MAILCHIMP = Service(
    "Mailchimp's export",
    marks=(
        _all("emailaddress memberrating"),
        _all("emailaddress leid euid"),
        _all("email memberrating optintime"),
    ),
    # `state` is part of a postal address there. The text message's consent is not the mail's.
    rules=dict.fromkeys(
        _all(
            "state smsmarketingstatus confirmip optinip cleancampaigntitle cleancampaignid"
            " unsubcampaigntitle unsubcampaignid unsubreasonother"
        )
    ),
)

#: An empty cell is neither: Ghost writes true or false.
_GHOST_SUBSCRIBED = Rule({**dict.fromkeys(YES), **dict.fromkeys(NO, LEFT), "": PENDING}, strict=True)
GHOST = Service(
    "Ghost's export",
    marks=(_all("email subscribedtoemails"),),
    rules={"subscribedtoemails": _GHOST_SUBSCRIBED},
)

#: `active_subscription` and `plan` are about money: false and "other" for somebody who reads for free.
SUBSTACK = Service(
    "Substack's export",
    marks=(_all("email emaildisabled expiry"), _all("email emaildisabled activesubscription")),
    rules={"activesubscription": None},
    gone="@deletion-request.substack.com",
)

#: "Cancel date" may be the end of a paid subscription or of the mail; nothing published says which.
SUBSTACK_TABLE = Service(
    "Substack's table of subscribers",
    marks=(_all("email startdate stripeplan"), _all("email startdate subscriptionsourcefree")),
    rules={"canceldate": when(PENDING), "state": None},
    consent=("startdate",),
    unsaid=PENDING,
    note="Substack's table of subscribers does not tell whose mail is switched off, so nobody in it becomes "
    "confirmed. Take email_list.….csv from Settings, Exports, instead, where email_disabled says so",
)

_BUTTONDOWN_TYPE = status(
    {
        **dict.fromkeys(("regular", "premium", "trialed", "gifted", "churning", "paused", "pastdue"), AGREED),
        # Not, or no longer, among those who get what only payers get; whether they get anything is not said.
        **dict.fromkeys(("unactivated", "unpaid", "churned"), PENDING),
        **dict.fromkeys(("spammy", "blocked"), BARRED),
        "undeliverable": BOUNCED,
        "complained": COMPLAINED,
    }
)
BUTTONDOWN = Service(
    "Buttondown's export",
    marks=(
        _all("emailaddress type creationdate"),
        _all("email subscribertype"),
        _all("emailaddress subscribertype"),
        _all("email status subscriptiondate"),
    ),
    rules=dict.fromkeys(("type", "subscribertype", "status"), _BUTTONDOWN_TYPE),
)

KIT = Service(
    "Kit's export",
    marks=tuple(
        _all(f"{email} firstname {state} createdat")
        for email in ("email", "emailaddress")
        for state in ("state", "status")
    ),
    never=_all("lastname"),
    # Inactive has not confirmed yet; cold has not opened anything for long, and is still subscribed.
    rules=dict.fromkeys(("state", "status"), status({"inactive": PENDING, "cold": AGREED})),
)

LISTMONK = Service(
    "listmonk's export",
    marks=(_all("uuid email attributes status"),),
    # `enabled` is said of the account: who unsubscribed from the list is enabled as well.
    rules={"status": status({"enabled": None, "disabled": LEFT, "blocklisted": BARRED})},
    unsaid=PENDING,
    note="listmonk's export does not tell who unsubscribed from a list (“enabled” is said of them too), so nobody "
    "in it becomes confirmed. In listmonk, export those of your list with subscription_status=confirmed and import "
    "them with --as confirmed, then those with unsubscribed, with --as unsubscribed",
)

#: The first that fits counts; what is least particular comes last.
SERVICES = (OURS, MAILCHIMP, GHOST, SUBSTACK, SUBSTACK_TABLE, LISTMONK, BUTTONDOWN, KIT)


def service_of(columns: Collection[str]) -> Service:
    """Return the service that writes files with these columns; ANY if none is known for it."""
    names = frozenset(columns)
    for service in SERVICES:
        if not service.never & names and any(marks <= names for marks in service.marks):
            return service
    return ANY
