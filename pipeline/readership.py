"""The people who read, as an editor handles them: import, add, remove, find, export."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import AudienceError
from pipeline.model import Subscriber

if TYPE_CHECKING:
    from pipeline.project import Project

#: Told of every row that cannot be used: its line and the reason.
Refusal = Callable[[int, str], None]


def take_in(project: Project, source: Path | BufferedReader, refuse: Refusal) -> dict[str, int]:
    """Import a CSV table; who has left or is suppressed stays so.

    Returns how many were `added`, `updated`, `unchanged`, `refused`,
    `suppressed`. Raises AudienceError if the table as a whole cannot be read;
    then nobody was taken in.
    """
    from pipeline.audience.table import RefusedRow, read

    refused = 0

    def good() -> Iterator[Subscriber]:
        nonlocal refused
        for row in read(source, project.now, project.tokens, project.settings.newsletter.zone):
            if isinstance(row, RefusedRow):
                refused += 1
                refuse(row.line, row.reason)
            else:
                yield row

    counts = project.store.put_subscribers(good())
    ours = {key: counts.get(key, 0) for key in ("added", "updated", "unchanged")}
    return ours | {"refused": refused, "suppressed": counts.get("suppressed", 0)}


def add(project: Project, email: str, name: str) -> Subscriber:
    """Add one person who has consented. Raises AudienceError if they left before."""
    from pipeline.audience.addresses import make_subscriber

    person = make_subscriber(email, name, project.now, project.tokens)
    if project.store.put_subscribers([person]).get("suppressed"):
        raise AudienceError(
            f"{person.email} has left or is suppressed, and stays so until they subscribe again."
        )
    return find(project, person.email)


def remove(project: Project, email: str) -> Subscriber:
    """Make one person leave; they stay on record as having left, so that no import brings them back."""
    person = find(project, email)
    project.store.unsubscribe(person.email, project.now)
    return find(project, person.email)


def find(project: Project, email: str) -> Subscriber:
    """Find one person by any spelling of their address. Raises AudienceError if they are not there."""
    from pipeline.audience.addresses import normalise

    person = project.store.subscriber(normalise(email)[0])
    if person is None:
        raise AudienceError(
            f"{email} is not among the subscribers. `newsletter subscribers list` shows them."
        )
    return person


def export(project: Project) -> Iterator[str]:
    """Yield everybody as lines of CSV, which `take_in` reads again."""
    from pipeline.audience.table import write

    return write(project.store.subscribers(), project.settings.newsletter.zone)
