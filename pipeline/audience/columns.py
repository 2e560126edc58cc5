"""Which columns of a list hold what: addresses, names, words and days that say where somebody stands."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from pathlib import PurePath

from pipeline.audience.dates import moment
from pipeline.audience.services import MAILCHIMP, OURS, Service, service_of
from pipeline.audience.standing import (
    BOUNCED,
    LEFT,
    PENDING,
    RULES,
    TELLING,
    YES,
    Rule,
    Standing,
    level,
    severest,
)
from pipeline.discretion import quoted
from pipeline.errors import AudienceError
from pipeline.model import Preferences, SubscriberState
from pipeline.slugs import slugify

_EMAIL = (
    "emailaddress",
    "email",
    "mail",
    "mailaddress",
    "subscriberemail",
    "useremail",
    "contactemail",
    *("emailadresse", "mailadresse"),
    *("adresseemail", "adressemail", "courriel", "adressecourriel"),
    *("correoelectrónico", "correoelectronico", "correo"),
)
_NAME = ("name", "fullname", "displayname", "subscribername")
_FIRST = ("firstname", "fname", "givenname", "first", "vorname", "prénom", "prenom", "nombre")
_LAST = ("lastname", "lname", "surname", "familyname", "last", "nachname", "nom", "apellidos", "apellido")
#: When they came to stand where they stand.
_SINCE = "since"
#: The moment somebody agreed, the surest word for it first.
_CONSENT = (
    "confirmed",
    "confirmedat",
    "confirmedon",
    "confirmtime",
    "confirmationtime",
    "optintime",
    "optindate",
    _SINCE,
    "subscribedat",
    "subscribedon",
    "subscribed",
    "subscriptiondate",
    "datesubscribed",
    "createdat",
    "created",
    "creationdate",
    "signupdate",
    "dateadded",
    "addedat",
    "joined",
)

#: Where a list was written it may be tomorrow already; and clocks differ.
AHEAD = timedelta(days=1)
#: What somebody wants to get, in our own export only.
WANTS = ("categories", "feed_only", "paused_until")
ALL = Preferences()

#: Beside one of these, and where another column says where somebody stands, `state` is a part of an address.
_POSTAL = frozenset(("city", "zip", "zipcode", "postalcode", "postcode", "country", "street", "address"))

#: How Mailchimp names the files of an export, one for each state; their columns do not always tell them apart.
_MAILCHIMP_FILE = re.compile(r"(unsubscribed|cleaned|nonsubscribed)_(?:members|email_audience)_export")
_LEFT_FILE = re.compile(r"unsubscribe(?:d|rs)[\d_ ().-]*")
_FILES = {"unsubscribed": LEFT, "cleaned": BOUNCED, "nonsubscribed": PENDING}


@dataclass(frozen=True, slots=True)
class Column:
    """One column that is heeded."""

    place: int
    #: As the list calls it.
    title: str


@dataclass(frozen=True, slots=True)
class Columns:
    """What the columns of one list hold, and how its rows are read."""

    service: Service
    #: Several where one title stands twice: the first that holds anything counts.
    email: tuple[Column, ...]
    name: Column | None
    first: Column | None
    last: Column | None
    #: Those that say where somebody stands.
    telling: tuple[tuple[Column, Rule], ...]
    #: Those that hold the moment somebody agreed, the surest first.
    consent: tuple[Column, ...]
    since: Column | None
    #: Those of WANTS; empty unless it is our own export.
    wants: tuple[Column | None, ...]
    #: What is true of every row: said by the file's name or by the editor, else by the service.
    ground: Standing
    #: What the file's name says; None: nothing.
    named: Standing | None = None
    #: Titles of columns that look as if they said where somebody stands, and are not heeded.
    ignored: tuple[str, ...] = ()

    def email_of(self, row: Sequence[str]) -> str:
        """Return the address, as it stands there."""
        for column in self.email:
            text = cell(row, column)
            if text.strip():
                break
        return text

    def name_of(self, row: Sequence[str]) -> str:
        """Return the name, put together from its parts if it must be."""
        whole, first, last = (cell(row, column) for column in (self.name, self.first, self.last))
        if whole and first and not last and first.casefold() not in whole.casefold():
            # "Vorname" beside "Name", which is the other half then.
            return f"{first} {whole}"
        return whole or f"{first} {last}".strip()

    def standing_of(self, row: Sequence[str]) -> Standing:
        """Return the most restrictive of all that the row says. Raises AudienceError at a word nobody knows."""
        standing = self.ground
        unknown: AudienceError | None = None
        for column, rule in self.telling:
            try:
                said = rule.read(cell(row, column), column.title)
            except AudienceError as fault:
                unknown = fault
            else:
                if said is not None and said != standing:
                    standing = severest((standing, said))
        # Whoever has left stays recorded as having left, whatever else stands there.
        if unknown is not None and standing.state is not SubscriberState.UNSUBSCRIBED:
            raise unknown
        return standing

    def since_of(
        self, row: Sequence[str], standing: Standing, now: datetime, zone: tzinfo, latest: datetime
    ) -> datetime:
        """Return when they came to stand there; `now`, if the row does not say. Raises AudienceError.

        Nobody has agreed after `latest`. No date is so bad that somebody who
        left, or must not be mailed, would be refused for it.
        """
        left = standing.state is SubscriberState.UNSUBSCRIBED
        places = self._days_of_leaving() if left else self.consent
        for column in places:
            text = cell(row, column)
            if not text or (len(text) < 6 and level(text) in _FLAGS):
                continue
            try:
                found = moment(text, zone)
                if found is not None and found > latest:
                    raise AudienceError(f"{quoted(text)} is a day to come; write the day they agreed")
            except AudienceError:
                if standing.gets_nothing:
                    continue
                raise
            if found is not None:
                return found
        return now

    def wants_of(self, row: Sequence[str], zone: tzinfo) -> Preferences:
        """Return what somebody has chosen to get. Raises AudienceError."""
        if not self.wants:
            return ALL
        choice, feed_only, until = (cell(row, column) for column in self.wants)
        if not (choice or feed_only or until):
            return ALL
        categories = sorted({slugify(word) for word in choice.split()} - {""})
        return Preferences(tuple(categories), level(feed_only) in YES, moment(until, zone))

    def used(self) -> str:
        """Say which columns are heeded, and for what."""
        names = [column for column in (self.first, self.last) if column is not None]
        parts = {
            "address": self.email,
            "name": (self.name,) if self.name else tuple(names),
            "state": tuple(column for column, _ in self.telling),
            "day of consent": self.consent,
        }
        return "; ".join(
            f"{what} from {', '.join(f'“{column.title}”' for column in columns)}"
            for what, columns in parts.items()
            if columns
        )

    def _days_of_leaving(self) -> tuple[Column, ...]:
        days = tuple(column for column, rule in self.telling if rule.other and rule.other.state is LEFT.state)
        return (*days, self.since) if self.since else days


#: What a column of dates may hold besides.
_FLAGS = frozenset(("1", "y", "yes", "true", "0", "n", "no", "false"))


def cell(row: Sequence[str], column: Column | None) -> str:
    """Return one cell; "" if the row ends before it."""
    return row[column.place] if column is not None and column.place < len(row) else ""


def recognise(header: Sequence[str], file: str = "", said: Standing | None = None) -> Columns | None:
    """Return what the columns hold; None if none of them holds addresses.

    `file` is what the list is called; `said` what the editor says of people of
    whom the list says nothing.
    """
    titles = [Column(place, " ".join(title.split())[:60]) for place, title in enumerate(header)]
    names = [level(column.title) for column in titles]

    def find(wanted: Sequence[str]) -> tuple[Column, ...]:
        """Return the columns of the first of these names that is there."""
        for one in wanted:
            if one in names:
                return tuple(column for column, name in zip(titles, names, strict=True) if name == one)
        return ()

    def one_of(wanted: Sequence[str]) -> Column | None:
        return next(iter(find(wanted)), None)

    email = find(_EMAIL)
    if not email:
        return None
    service = service_of(names)
    rules = {**RULES, **service.rules}
    if _POSTAL.intersection(names) and RULES.keys() & set(names) != {"state"}:
        rules["state"] = service.rules.get("state")
    telling = []
    for column, name in zip(titles, names, strict=True):
        rule = rules.get(name)
        if rule is not None:
            telling.append((column, rule))
    consent = tuple(column for name in (*_CONSENT, *service.consent) for column in find([name]))
    heeded = {column.place for column in (*email, *consent, *(column for column, _ in telling))}
    named = _said_by_name(file, service)
    ground = severest(one for one in (said or service.unsaid, named) if one is not None)
    return Columns(
        service=service,
        email=email,
        name=one_of(_NAME),
        first=one_of(_FIRST),
        last=one_of(_LAST),
        telling=tuple(telling),
        consent=consent,
        since=one_of([_SINCE]),
        wants=tuple(one_of([level(title)]) for title in WANTS) if service is OURS else (),
        ground=ground,
        named=named,
        ignored=tuple(
            column.title
            for column, name in zip(titles, names, strict=True)
            if column.place not in heeded and name not in service.rules and TELLING.search(name)
        ),
    )


def _said_by_name(file: str, service: Service) -> Standing | None:
    """Return what the name of a list says of everybody in it."""
    stem = PurePath(file).stem.casefold()
    by_mailchimp = _MAILCHIMP_FILE.match(stem)
    if by_mailchimp:
        return _FILES[by_mailchimp[1]]
    if service is MAILCHIMP:
        return next((standing for word, standing in _FILES.items() if stem.startswith(word)), None)
    return LEFT if _LEFT_FILE.fullmatch(stem) else None
