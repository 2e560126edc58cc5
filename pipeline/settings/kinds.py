"""What single settings may hold: lines, addresses, zones, languages, where a secret is kept."""

from __future__ import annotations

import re
from email.headerregistry import Address, HeaderRegistry
from ipaddress import ip_network
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)


def _web_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("write an address like https://letter.example.org")
    return value.rstrip("/")


def mailbox(value: str) -> Address:
    """Read a mailbox setting that has been accepted."""
    address: Address = _parsed(value).addresses[0]
    return address


def _parsed(value: str) -> Any:
    return HeaderRegistry()("From", value)


def _one_mailbox(value: str) -> str:
    """One address with an optional name, and nothing that could become a second header or address."""
    if re.search(r"[\x00-\x1f\x7f]", value):
        raise ValueError("must not hold line breaks or control characters")
    header = _parsed(value)
    if (
        header.defects
        or len(header.addresses) != 1
        or not header.addresses[0].domain
        or not value.isprintable()
    ):
        raise ValueError('write one "Name <name@example.org>"; a name with commas goes in double quotes')
    if not header.addresses[0].addr_spec.isascii():
        raise ValueError("the address itself must be in plain letters (punycode for the domain)")
    return value


def _bare_address(value: str) -> str:
    address = mailbox(_one_mailbox(value))
    if address.display_name or address.addr_spec != value:
        raise ValueError("write an address alone, like bounces@example.org")
    return value


def _one_line(value: str) -> str:
    if re.search(r"[\x00-\x1f\x7f]", value):
        raise ValueError("must be one line, without control characters")
    return value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError) as fault:
        raise ValueError("write an IANA name like Europe/Berlin or America/New_York") from fault
    return value


def _language(value: str) -> str:
    # The shape of RFC 5646, 2.1, as far as a newsletter needs it.
    if not re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", value):
        raise ValueError("write a language tag like en, de-CH or pt-BR")
    return value


def _network(value: str) -> str:
    try:
        ip_network(value)
    except ValueError as fault:
        raise ValueError("write an address or a network, like 127.0.0.1, ::1 or 10.0.0.0/8") from fault
    return value


def _frequency(value: str) -> str:
    if not re.fullmatch(r"[1-9][0-9]{0,5}/(minute|hour|day)", value):
        raise ValueError("write how often, like 10/hour, 3/minute or 50/day")
    return value


def _store_url(value: str) -> str:
    if re.match(r"postgres(ql)?(\+\w+)?://", value):
        raise ValueError("this version cannot keep its store in PostgreSQL yet; write sqlite:///FILE")
    if not re.match(r"sqlite(\+\w+)?://", value):
        raise ValueError("write where the store is kept: sqlite:///FILE")
    return value


def _tag_authority(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9.@_-]+,\d{4}(-\d{2}(-\d{2})?)?", value):
        raise ValueError(
            "write a domain, a comma and a day or year when it was yours, like letter.example.org,2026"
        )
    return value


def _not_bare(value: object) -> object:
    if value is not None and not isinstance(value, (dict, Secret)):
        raise ValueError(
            'a secret does not belong in this file: write { env = "NAME" }, { file = "PATH" } or { keyring = "NAME" }'
        )
    return value


Line = Annotated[str, AfterValidator(_one_line)]
Text = Annotated[Line, Field(min_length=1)]
Url = Annotated[str, AfterValidator(_web_address)]
Mailbox = Annotated[str, AfterValidator(_one_mailbox)]
#: An address alone, without a name.
BareAddress = Annotated[str, AfterValidator(_bare_address)]
ZoneName = Annotated[str, AfterValidator(_zone)]
LanguageTag = Annotated[str, AfterValidator(_language)]
StoreUrl = Annotated[str, AfterValidator(_store_url)]
#: What every `tag:` id begins with (RFC 4151, 2.1).
TagAuthority = Annotated[str, AfterValidator(_tag_authority)]
#: An IP address, or a network of them.
Network = Annotated[str, AfterValidator(_network)]
#: How often something may happen, like "10/hour".
Frequency = Annotated[str, AfterValidator(_frequency)]


class Section(BaseModel):
    """A table of newsletter.toml; unknown keys are faults."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Secret(Section):
    """Where a secret is kept; never the secret itself."""

    env: str | None = None
    file: str | None = None
    keyring: str | None = None

    @model_validator(mode="after")
    def _one_place(self) -> Secret:
        if sum(place is not None for place in (self.env, self.file, self.keyring)) != 1:
            raise ValueError("name exactly one place: env, file or keyring")
        return self


#: Where a password is kept; a bare string is refused.
Password = Annotated[Secret | None, BeforeValidator(_not_bare)]


def demand_web_address(value: str) -> None:
    """Raise ValueError unless it is an absolute web address."""
    _web_address(value)
