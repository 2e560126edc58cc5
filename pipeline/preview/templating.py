"""The preview's own pages as Jinja templates; the newsletter's theme has no part in them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment

HERE = Path(__file__).parent
ASSETS = HERE / "assets"


def fill(template: str, /, **context: object) -> str:
    """Fill one of the templates in templates/; everything that is put in is escaped, unless it is Markup."""
    return _environment().get_template(template).render(context)


@cache
def asset(name: str) -> str:
    """Return the text of a file in assets/."""
    return (ASSETS / name).read_text("utf-8")


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.update(count=count, size=size, short_hash=short_hash)
    return environment


def count(number: int, one: str, many: str = "") -> str:
    """Return "1 link", "1,204 links"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def short_hash(value: str) -> str:
    """Return "9f2c41…a0e1", as the command line names a build."""
    return f"{value[:6]}…{value[-4:]}"


def sentence(text: str) -> str:
    """Begin with a capital, where the text begins with a word and not with a name or an address."""
    return text[:1].upper() + text[1:] if text.partition(" ")[0].isalpha() else text


def size(octets: int) -> str:
    """Return a number of bytes as people say it, by thousands: "11.9 kB"."""
    if octets < 1000:
        return count(octets, "byte")
    if octets < 1_000_000:
        return f"{octets / 1000:.1f} kB"
    return f"{octets / 1_000_000:.1f} MB"
