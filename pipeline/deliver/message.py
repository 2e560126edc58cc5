"""Splices a recipient's few fields into a frozen issue's bytes: one reader, one message.

A template is the whole message with fields standing between NUL bytes, which
no message can hold: split at NUL it is literal, field, literal, field ...,
literal. A field is `name:argument`; the argument is what the issue froze to go
with it. The literals are encoded so that any field may be set between them: a
header value brings its own folds, a body field stands at the start of a line
and is followed by a soft break.
"""

from __future__ import annotations

import html
from datetime import date
from enum import StrEnum

from pipeline.dates import long_date
from pipeline.deliver import headers
from pipeline.deliver.encode import one_line, quoted_printable
from pipeline.edges import Tokens
from pipeline.errors import StoreError
from pipeline.model import Delivery, FrozenIssue, Submission

#: Stands in a frozen return path for the left side of the Message-ID: a report that comes to
#: `bounces+0c9f...@example.org` names the copy it is about (variable envelope return paths).
VERP = "\0"
#: Characters of a reader's or sender's name that are shown; what is longer ends in an ellipsis.
NAME_LIMIT = 100


class Field(StrEnum):
    """What differs from one reader's message to the next."""

    #: The header's value, with its leading space and folds.
    TO = "to"
    #: `left@right`; the argument is the right side.
    MESSAGE_ID = "message-id"
    #: A token, the last part of an address whose rest is frozen.
    UNSUBSCRIBE = "unsubscribe"
    UNSUBSCRIBE_BODY = "unsubscribe.body"
    PREFERENCES_BODY = "preferences.body"
    #: A name; the argument is the word for readers without one.
    NAME_TEXT = "name.text"
    NAME_HTML = "name.html"
    #: The day they confirmed, in words.
    CONFIRMED_TEXT = "confirmed.text"
    CONFIRMED_HTML = "confirmed.html"

    def between_nuls(self, argument: str = "") -> bytes:
        """Return the field as a template holds it."""
        return f"\0{self}:{one_line(argument)}\0".encode()


class Template:
    """A frozen issue's bytes, cut at their fields once for all readers."""

    def __init__(self, template: bytes, language: str) -> None:
        self._parts = template.split(b"\0")
        fields = [part.decode().partition(":") for part in self._parts[1::2]]
        # By position: a StrEnum as a key hashes in Python, a microsecond for every few.
        self._order = [list(Field).index(Field(name)) for name, _, _ in fields]
        arguments = {Field(name): argument for name, _, argument in fields}
        self._nameless = arguments.get(Field.NAME_TEXT) or arguments.get(Field.NAME_HTML, "")
        self._domain = arguments.get(Field.MESSAGE_ID, "")
        self._language = language
        #: Nor has any copy then: what is set in is quoted-printable, which begins no line with one, or in a header.
        self.no_dots = b"\r\n." not in template and not template.startswith(b".")
        #: Days of confirmation, as they stand in the text and in the HTML; few next to the readers.
        self._days: dict[date, tuple[bytes, bytes]] = {}

    def message_id(self, left: str) -> str:
        """Return the Message-ID with this left side, without brackets."""
        return f"{left}@{self._domain}"

    def splice(
        self, *, name: str, address: str, message_id: str, unsubscribe: str, preferences: str, confirmed: date
    ) -> bytes:
        """Return one reader's message; `unsubscribe` and `preferences` are tokens, `name` may be "".

        Raises NewsletterError if its headers are not exactly the template's.
        """
        # In the order of Field.
        values = (
            headers.mailbox("To", name, address).encode(),
            message_id.encode(),
            unsubscribe.encode(),
            quoted_printable(unsubscribe).encode(),
            quoted_printable(preferences).encode(),
            *_in_bodies(name or self._nameless),
            *self._day(confirmed),
        )
        parts = self._parts.copy()
        parts[1::2] = [values[place] for place in self._order]
        message = b"".join(parts)
        headers.demand_exact(message)
        return message

    def _day(self, day: date) -> tuple[bytes, bytes]:
        if day not in self._days:
            self._days[day] = _in_bodies(long_date(day, self._language))
        return self._days[day]


def _in_bodies(value: str) -> tuple[bytes, bytes]:
    """Return a body field for the text part and for the HTML part."""
    text, escaped = quoted_printable(value).encode(), html.escape(value)
    return text, text if escaped == value else quoted_printable(escaped).encode()


class Splicer:
    """Makes the submissions of one frozen issue; byte-identical for the same delivery."""

    def __init__(self, frozen: FrozenIssue, tokens: Tokens) -> None:
        self._number, self._language = frozen.number, frozen.language
        self._bytes = {"": frozen.template} | {each.name: each.template for each in frozen.variants}
        #: By variant, each cut at its fields when the first of its readers comes.
        self._templates: dict[str, Template] = {}
        self._sender = frozen.sender
        self._tokens = tokens

    def submission(self, delivery: Delivery) -> Submission:
        """Return the delivery's complete message and its envelope.

        Raises AudienceError, without the address, if no message can be
        addressed to the recipient, StoreError if the issue's bytes are not all
        there.
        """
        recipient, tokens = delivery.recipient, self._tokens
        template = self._templates.get(delivery.variant) or self._cut(delivery.variant)
        address = headers.address(recipient.email)
        message_id = template.message_id(tokens.message_id(delivery.issue, recipient.uid))
        data = template.splice(
            name=shorten(recipient.name),
            address=address,
            message_id=message_id,
            unsubscribe=tokens.token("unsubscribe", recipient.uid),
            preferences=tokens.token("preferences", recipient.uid),
            confirmed=recipient.confirmed,
        )
        sender = self._sender.replace(VERP, message_id.partition("@")[0])
        return Submission(delivery, sender, address, message_id, data, no_dots=template.no_dots)

    def _cut(self, variant: str) -> Template:
        if variant not in self._bytes:
            # Never the whole issue instead: it holds what its reader does not want.
            raise StoreError(
                f"the ledger has lost the bytes of issue {self._number} for readers of {variant}. Put a copy of "
                ".newsletter back."
            )
        return self._templates.setdefault(variant, Template(self._bytes[variant], self._language))


def shorten(name: str) -> str:
    """Make a name one line of at most NAME_LIMIT characters."""
    name = one_line(name)
    return name if len(name) <= NAME_LIMIT else name[: NAME_LIMIT - 1].rstrip() + "…"
