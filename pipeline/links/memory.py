"""Remembers what was found out about links, so that a second look does not ask their sites again.

One JSON file in `.newsletter/cache/`. It is never needed: where it is missing
or damaged, links are asked again; where it cannot be written, nothing is said.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pipeline.atomic import write_atomic
from pipeline.model import LinkAnswer, LinkState

#: How long an answer counts. What is not here is not remembered.
KEPT = {
    LinkState.ALIVE: timedelta(hours=24),
    LinkState.MOVED: timedelta(hours=24),
    LinkState.REFUSED_ROBOTS: timedelta(hours=24),
    LinkState.DEAD: timedelta(hours=1),
    LinkState.FAILING: timedelta(hours=1),
    LinkState.CERTIFICATE: timedelta(hours=1),
    LinkState.THROTTLED: timedelta(hours=1),
}
#: A larger file is not ours.
MOST_BYTES = 10_000_000


class Memory:
    """Answers by link, each with the moment it was given."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._known = _load(file)

    def get(self, url: str, now: datetime) -> LinkAnswer | None:
        """Return what is known of a link; None if nothing is, or if it is too old (or newer than `now`)."""
        known = self._known.get(url)
        return known[1] if known and _counts(*known, now) else None

    def keep(self, answers: Mapping[str, LinkAnswer], now: datetime) -> None:
        """Remember answers given now, beside those that still count."""
        known = {url: entry for url, entry in self._known.items() if _counts(*entry, now)}
        known |= {url: (now, answer) for url, answer in answers.items() if answer.state in KEPT}
        self._known = known
        document = {url: _pack(asked, answer) for url, (asked, answer) in known.items()}
        with suppress(OSError):
            self.file.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(self.file, json.dumps(document, ensure_ascii=False, indent=1).encode(), mode=0o600)


def _counts(asked: datetime, answer: LinkAnswer, now: datetime) -> bool:
    until = answer.until or asked + KEPT[answer.state]
    return asked <= now < until


def _load(file: Path) -> dict[str, tuple[datetime, LinkAnswer]]:
    known = {}
    with suppress(OSError, ValueError, RecursionError, AttributeError):
        if file.stat().st_size <= MOST_BYTES:
            for url, entry in json.loads(file.read_bytes()).items():
                with suppress(ValueError, KeyError, TypeError, AttributeError):
                    known[url] = _unpack(entry)
    return known


def _pack(asked: datetime, answer: LinkAnswer) -> dict[str, object]:
    return {
        "asked": asked.isoformat(),
        "state": answer.state.value,
        "why": answer.why,
        "code": answer.code,
        "url": answer.url,
        "until": answer.until.isoformat() if answer.until else None,
    }


def _unpack(entry: dict[str, Any]) -> tuple[datetime, LinkAnswer]:
    """Take an entry apart; raises if it is not as we write them."""
    asked, until = datetime.fromisoformat(entry["asked"]), entry["until"]
    state, code = LinkState(entry["state"]), entry["code"]
    until = datetime.fromisoformat(until) if until else None
    if state not in KEPT or not asked.tzinfo or (until and not until.tzinfo):
        raise ValueError
    if not (isinstance(entry["why"], str) and isinstance(entry["url"], str) and isinstance(code, int | None)):
        raise TypeError
    return asked, LinkAnswer(state, entry["why"], code, entry["url"], until)
