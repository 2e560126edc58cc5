"""What may stand in the head of an issue's file, and of which kind each is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from pipeline.errors import DraftError
from pipeline.frontmatter.heads import Head
from pipeline.model import Approval

KEYS = frozenset(
    (
        "number",
        "subject",
        "preheader",
        "posts",
        "lead",
        "since",
        "latest",
        "frozen",
        "sent",
        "cancelled",
        "approved",
        "fingerprints",
    )
)


class HeadReader:
    """Takes typed values out of a head, naming the line of whatever is wrong."""

    def __init__(self, path: str, head: Head) -> None:
        self.path, self.data, self.lines = path, head.values, head.lines
        for key in self.data:
            if key not in KEYS:
                raise self.fault(key, f"is not known here; there are: {', '.join(sorted(KEYS))}")

    def fault(self, key: str, message: str) -> DraftError:
        """Return what is wrong with a key, with its line."""
        return DraftError(f"{key} {message}.", path=self.path, line=self.lines.get(key))

    def text(self, key: str) -> str:
        """Return one line of text, "" if there is none. Raises DraftError, as all of these do."""
        value = self.data.get(key)
        if value is None:
            return ""
        if isinstance(value, (list, Mapping)):
            raise self.fault(key, "must be one line of text")
        return " ".join(str(value).split())

    def names(self, key: str) -> tuple[str, ...]:
        """Return a list of post ids."""
        value = self.data.get(key) or []
        if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
            raise self.fault(key, "must be a list of post ids, one a line: `- weather`")
        return tuple(name.strip() for name in value)

    def whole(self, key: str) -> int | None:
        """Return a whole number from 1, None if there is none."""
        text = self.text(key)
        if text and not (text.isascii() and text.isdigit() and int(text) > 0):
            raise self.fault(key, f"is {text!r}; write a whole number from 1")
        return int(text) if text else None

    def number(self) -> int:
        """Return the issue's number, which must be there."""
        number = self.whole("number")
        if number is None:
            raise DraftError("number is missing; write `number: 42`.", path=self.path, line=1)
        return number

    def moment(self, key: str) -> datetime | None:
        """Return a moment with its zone, None if there is none."""
        text = self.text(key)
        if not text:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError as wrong:
            raise self.fault(key, f"is {text!r}; write a moment like 2026-01-31T08:00:00+01:00") from wrong
        if moment.tzinfo is None:
            raise self.fault(key, f"is {text!r}; add its zone, like 2026-01-31T08:00:00+01:00")
        return moment

    def approval(self, key: str) -> Approval | None:
        """Return who approved which build, None if nobody did."""
        value = self.data.get(key)
        if value is None:
            return None
        at = None
        try:
            if not isinstance(value, Mapping):
                raise TypeError
            at = datetime.fromisoformat(str(value["at"]))
            approval = Approval(str(value["by"]), at, str(value["build"]), str(value["mail"]))
        except (KeyError, TypeError, ValueError):
            pass
        if at is None or at.tzinfo is None:
            raise self.fault(
                key, "is not as `newsletter approve` writes it; delete the line, and approve again"
            )
        return approval

    def mapping(self, key: str) -> dict[str, str]:
        """Return a table of post ids."""
        value = self.data.get(key) or {}
        if not isinstance(value, Mapping):
            raise self.fault(key, "must be a table of post ids; the program writes it")
        return {str(name): str(mark) for name, mark in value.items()}
