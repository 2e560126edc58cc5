"""The words of the theme's interface, and how they are filled in and counted.

words/en.toml holds them all; a value is a text with {places}, or a table of
plural forms (Unicode CLDR: one, few, many, other).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from jinja2 import TemplateRuntimeError, pass_context, pass_eval_context
from jinja2.nodes import EvalContext
from jinja2.runtime import Context
from markupsafe import Markup, escape

from pipeline.errors import ThemeError

Words = Mapping[str, str | Mapping[str, str]]


def read_words(files: Sequence[tuple[str, str]]) -> Words:
    """Lay files of words over one another, weakest first; each is its path and its text."""
    words: dict[str, str | Mapping[str, str]] = {}
    for path, text in files:
        try:
            table = tomllib.loads(text)
        except tomllib.TOMLDecodeError as fault:
            line = re.search(r"line (\d+)", str(fault))
            raise ThemeError(
                f"not valid TOML: {fault}", path=path, line=int(line[1]) if line else None
            ) from fault
        for key, value in table.items():
            forms = value.values() if isinstance(value, dict) else [value]
            if not all(isinstance(form, str) for form in forms) or (
                isinstance(value, dict) and "other" not in value
            ):
                raise ThemeError(f"{key}: write a text, or plural forms such as one and other", path=path)
            words[key] = value
    return words


def filled(word: str, values: Mapping[str, object], write: Callable[[object], str] = str) -> str:
    """Put values where a word has {places}, the word and each value written by `write`. Raises KeyError."""
    return re.sub(r"\{(\w+)\}", lambda place: str(write(values[place[1]])), str(write(word)))


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
    return counted(str(context.get("language", "en")), forms, number)


@lru_cache(maxsize=1024)
def _rule(language: str, number: int) -> str:
    from babel.core import Locale, UnknownLocaleError

    try:
        return str(Locale.parse(language, sep="-").plural_form(number))
    except (UnknownLocaleError, ValueError):
        return "other"
