"""Reads newsletter.toml and lays the environment over it.

A wrong file is refused with all its faults at once, each with its key, its
line and what is allowed.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pipeline.errors import SettingsError
from pipeline.settings import Settings

FILE = "newsletter.toml"
#: Environment variables that lay a value over a key: NEWSLETTER_MAIL__SMTP__HOST.
PREFIX = "NEWSLETTER_"
#: Keys whose variable holds, or whose file is, a secret.
SECRETS = frozenset({("mail", "smtp", "password"), ("hear", "mailbox", "password")})
#: Keys that end in `_file` themselves: their variable holds a file's name, not their value's.
NAMES_OF_FILES = frozenset({("mail", "smtp", "ca_file"), ("hear", "mailbox", "ca_file")})

#: What is allowed where a fault is of this type (docs.pydantic.dev, "Validation Errors").
_ALLOWED = {
    "extra_forbidden": "there is no such setting; docs/settings.md lists them all",
    **dict.fromkeys(
        ("model_type", "dict_type"),
        "must be a table of settings: its name in [ ], then one setting a line",
    ),
    "list_type": 'write a list, like ["one", "two"]',
    "string_type": "write text, in quotation marks",
    "literal_error": "write {expected}",
    **dict.fromkeys(("string_too_short", "too_short"), "must not be empty"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "write true or false"),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "write a whole number"),
    **dict.fromkeys(("float_type", "float_parsing", "finite_number"), "write a number"),
    "greater_than": "write a number greater than {gt}",
    "greater_than_equal": "write a number that is at least {ge}",
    "less_than_equal": "write a number that is at most {le}",
}


def load(path: Path, environ: Mapping[str, str]) -> Settings:
    """Read newsletter.toml and lay the environment over it.

    Raises SettingsError with every fault, one a line.
    """
    try:
        source = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as fault:
        raise SettingsError(
            f"there is no {path.name} in {path.parent.resolve()}. Go to a newsletter's folder, or name it with -C DIR."
        ) from fault
    except OSError as fault:
        raise SettingsError(
            f"cannot be read: {fault.strerror}. It must be a file that you may read.", path=path.name
        ) from fault
    except UnicodeDecodeError as fault:
        raise SettingsError("is not text in UTF-8. Save it as UTF-8.", path=path.name) from fault
    try:
        data = tomllib.loads(source)
    except tomllib.TOMLDecodeError as fault:
        line = re.search(r"line (\d+)", str(fault))
        raise SettingsError(
            f"not valid TOML: {fault}", path=path.name, line=int(line[1]) if line else None
        ) from fault
    faults = []
    variables: dict[tuple[str, ...], str] = {}
    for name, keys, value in overlay(environ):
        variables[keys] = name
        if not _lay(data, keys, value):
            faults.append(f"{name}: there is no setting {'.'.join(keys)}")
    try:
        settings: Settings | None = Settings.model_validate(data)
    except ValidationError as fault:
        faults += [
            _explain(_place(path.name, source, variables, error), error)
            for error in fault.errors(include_url=False, include_input=False)
        ]
        settings = None
    if settings is None or faults:
        raise SettingsError("\n".join(faults))
    return settings


def overlay(environ: Mapping[str, str]) -> Iterator[tuple[str, tuple[str, ...], object]]:
    """Yield variable, key path and value of every NEWSLETTER_SECTION__KEY; with _FILE appended, the file's content."""
    for name in sorted(environ):
        if not name.startswith(PREFIX) or "__" not in name:
            continue
        keys, value = name.removeprefix(PREFIX).lower().split("__"), environ[name]
        in_file = name.endswith("_FILE") and tuple(keys) not in NAMES_OF_FILES
        keys[-1] = keys[-1].removesuffix("_file") if in_file else keys[-1]
        if tuple(keys) in SECRETS:
            # Settings are shown and compared, so they hold where a secret is, never the secret.
            yield name, tuple(keys), {"file": value} if in_file else {"env": name}
            continue
        if in_file:
            try:
                value = Path(value).read_text("utf-8").strip()
            except (OSError, UnicodeDecodeError) as fault:
                raise SettingsError(f"{name} names a file that cannot be read: {fault}") from fault
        yield name, tuple(keys), json_or_text(value)


def names(environ: Mapping[str, str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the name and key path of every variable that lays a value over a setting; opens no file."""
    for name in sorted(environ):
        if name.startswith(PREFIX) and "__" in name:
            keys = tuple(name.removeprefix(PREFIX).lower().split("__"))
            in_file = name.endswith("_FILE") and keys not in NAMES_OF_FILES
            yield name, (*keys[:-1], keys[-1].removesuffix("_file") if in_file else keys[-1])


def json_or_text(value: str) -> object:
    """Read lists and tables as JSON; everything else stays text, which the settings turn into numbers."""
    if value.startswith(("[", "{")):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _lay(data: dict[str, Any], keys: tuple[str, ...], value: object) -> bool:
    """Set one nested key; False if its path runs through something that is no table."""
    *tables, last = keys
    for table in tables:
        inner = data.setdefault(table, {})
        if not isinstance(inner, dict):
            return False
        data = inner
    data[last] = value
    return True


def _place(file: str, source: str, variables: Mapping[tuple[str, ...], str], error: Any) -> str:
    """Name what set a faulty key: an environment variable, or a line of the file."""
    keys = tuple(str(part) for part in error["loc"])
    for path, name in variables.items():
        if keys[: len(path)] == path or path[: len(keys)] == keys:
            return name
    line = line_of(source, keys)
    return f"{file}:{line}" if line else file


def _explain(place: str, error: Any) -> str:
    """Turn one pydantic error into `newsletter.toml:7: mail.smtp.port: ...`."""
    # What our own settings say of themselves is a sentence already.
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] in _ALLOWED:
        allowed = {
            name: f"{value:g}" if isinstance(value, float) else str(value).replace("'", '"')
            for name, value in error.get("ctx", {}).items()
        }
        message = _ALLOWED[error["type"]].format(**allowed)
    return f"{place}: {'.'.join(str(part) for part in error['loc'])}: {message}"


def line_of(source: str, keys: Sequence[str]) -> int | None:
    """Find the 1-based line that sets a key, reading table headers as we go; None if the file does not set it."""
    table: list[str] = []
    for number, line in enumerate(source.splitlines(), 1):
        header = re.match(r"\s*\[\s*([\w.\"' -]+?)\s*\]", line)
        if header:
            table = [part.strip(" \"'") for part in header[1].split(".")]
            if table == list(keys):
                return number
        entry = re.match(r"\s*([\w.\"'-]+)\s*=", line)
        if entry:
            path = table + [part.strip(" \"'") for part in entry[1].split(".")]
            if path == list(keys[: len(path)]) and len(path) > len(table):
                return number
    return None
