"""The words of the theme's interface, and how they are filled in and counted.

words/en.toml holds them all; a value is a text with {places}, or a table of
plural forms (Unicode CLDR: one, few, many, other).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import lru_cache

from jinja2 import TemplateRuntimeError, pass_context, pass_eval_context
from jinja2.nodes import EvalContext
from jinja2.runtime import Context
from markupsafe import Markup, escape

from pipeline.errors import ThemeError

Words = Mapping[str, str | Mapping[str, str]]

#: All the plural forms that a language can have (Unicode CLDR).
FORMS = ("zero", "one", "two", "few", "many", "other")
#: Where a word stands open for a value.
_PLACE = re.compile(r"\{(\w+)\}")


def read_words(files: Sequence[tuple[str, str]], named: Callable[[str], bool] = lambda _: False) -> Words:
    """Lay files of words over one another, weakest first; each is its path and its text.

    The first has all the words there are, and each of the others must fit it:
    the same keys, in each word no place but those of the first. `named` tells
    of another key whether a template uses it. Raises ThemeError with file and
    line.
    """
    words: dict[str, str | Mapping[str, str]] = {}
    known: Words | None = None
    for path, text in files:
        try:
            table = tomllib.loads(text)
        except tomllib.TOMLDecodeError as fault:
            line = re.search(r"line (\d+)", str(fault))
            raise ThemeError(
                f"not valid TOML: {fault}", path=path, line=int(line[1]) if line else None
            ) from fault
        for key, value in table.items():
            fault_in = next(_faults(key, value, known, named), None)
            if fault_in:
                raise ThemeError(f"{key}: {fault_in}", path=path, line=_line(text, key))
        words |= table
        known = known or table
    return words


def places(word: object) -> set[str]:
    """Return the {places} of a word, those of all its forms together."""
    forms = word.values() if isinstance(word, Mapping) else [word]
    return {name for form in forms for name in _PLACE.findall(str(form))}


def _faults(key: str, value: object, known: Words | None, named: Callable[[str], bool]) -> Iterator[str]:
    """Yield what is wrong with one entry of a file of words."""
    forms = value if isinstance(value, dict) else {"other": value}
    if known and not forms.keys().isdisjoint(known):
        yield "words stand in no table. Leave that line out."
    if known and key not in known and not named(key):
        near = get_close_matches(key, known, 1)
        yield "there is no such word" + (
            f". Did you mean {near[0]}?" if near else ", and no template of yours uses it."
        )
    if not all(isinstance(form, str) for form in forms.values()) or "other" not in forms:
        yield "write a text, or plural forms such as one and other"
    if strange := forms.keys() - set(FORMS):
        yield f"there is no plural form {min(strange)}; there are: {', '.join(FORMS)}"
    if not known or key not in known:
        return
    there = places(known[key])
    if isinstance(value, dict) and "n" not in there:
        yield "nothing is counted here, so write a text without plural forms"
    for name in sorted(places(value) - there):
        said = ", ".join(f"{{{each}}}" for each in sorted(there))
        yield f"nothing fills {{{name}}} here; " + (
            f"there is: {said}" if there else "this word has no places"
        )


def _line(text: str, key: str) -> int | None:
    """Return the line of a TOML file in which a key of its root, or the table of that name, begins."""
    name = re.escape(key)
    found = re.search(
        rf"""^[ \t]*(?:\[[ \t]*)?(?:{name}|"{name}"|'{name}')[ \t]*[=.\]]""", text, re.MULTILINE
    )
    return text.count("\n", 0, found.start()) + 1 if found else None


def filled(word: str, values: Mapping[str, object], write: Callable[[object], str] = str) -> str:
    """Put values where a word has {places}, the word and each value written by `write`. Raises KeyError."""
    return _PLACE.sub(lambda place: str(write(values[place[1]])), str(write(word)))


def counted(language: str, forms: Mapping[str, str] | str, number: int) -> str:
    """Pick the plural form for a number and put it in as {n}."""
    if isinstance(forms, str):
        forms = {"other": forms}
    form = forms.get(_rule(language, number)) or forms["other"]
    return form.replace("{n}", str(number))


@pass_eval_context
def fill(context: EvalContext, word: str, **values: object) -> str:
    """Put values where a word has {places}; in HTML both are escaped, unless a value is markup."""
    try:
        text = filled(word, values, escape if context.autoescape else str)
    except KeyError as fault:
        raise TemplateRuntimeError(
            f"a word has a place {{{fault.args[0]}}} that nothing fills: {word!r}"
        ) from None
    return Markup(text) if context.autoescape else text  # noqa: S704 -- both halves were escaped above


@pass_context
def plural(context: Context, forms: Mapping[str, str] | str, number: int) -> str:
    """Pick the plural form for a number and put it in as {n}: `words.posts|plural(3)`."""
    return counted(str(context.get("speaks", "en")), forms, number)


@lru_cache(maxsize=1024)
def _rule(language: str, number: int) -> str:
    from babel.core import Locale, UnknownLocaleError

    try:
        return str(Locale.parse(language, sep="-").plural_form(number))
    except (UnknownLocaleError, ValueError):
        return "other"
