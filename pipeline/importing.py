"""The people who read, all at once: lists of them in and out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.model import Subscriber

if TYPE_CHECKING:
    from pipeline.audience.columns import Columns
    from pipeline.project import Project

#: Told of every row that cannot be used: its list, its line and the reason.
Refusal = Callable[[str, int, str], None]


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a list was taken for, for an editor's eyes."""

    #: Whose export it is; "" if it is nobody's that is known.
    service: str
    #: Which columns are heeded, and for what.
    used: str
    #: What its name says of everybody in it; "" if nothing.
    named: str
    #: Columns that look as if they said where somebody stands, and are not heeded.
    ignored: tuple[str, ...]
    #: What it does not tell, and how to come by it; "" if it tells all.
    note: str
    #: How many rows say what; complete once the list is read.
    rows: Counter[str] = field(default_factory=Counter)


def take_in(
    project: Project,
    lists: Mapping[str, Path | BufferedReader],
    refuse: Refusal,
    *,
    said: str | None = None,
    rehearse: bool = False,
    recognised: Callable[[str, Recognised], None] = lambda *_: None,
) -> dict[str, int]:
    """Import CSV tables by what they are called; who has left or is suppressed stays so, in whatever order.

    `said` ("unsubscribed", ...) is true of rows that say nothing else. With
    `rehearse` nothing is written. Returns how many rows were `added`,
    `updated`, `unchanged`, `refused`, `suppressed`, or would be. Raises
    AudienceError if a table as a whole cannot be read; then nobody was taken in.
    """
    from pipeline.audience.standing import BY_NAME
    from pipeline.audience.table import RefusedRow, read

    tokens = project.tokens_for_looking if rehearse else project.tokens
    store = project.store_for_looking if rehearse else project.store
    refused = 0

    def good() -> Iterator[Subscriber]:
        nonlocal refused
        # By their names, so that the order on the command line decides nothing.
        for name, source in sorted(lists.items()):
            rows = Counter[str]()

            def tell(columns: Columns, name: str = name, rows: Counter[str] = rows) -> None:
                recognised(name, _recognised(columns, rows, bool(said)))

            zone = project.settings.newsletter.zone
            standing = BY_NAME[said] if said else None
            found = read(
                source, project.now, tokens, zone, said=standing, recognised=tell, today=project.today
            )
            for row in found:
                if isinstance(row, RefusedRow):
                    refused += 1
                    rows["refused"] += 1
                    refuse(name, row.line, row.reason)
                else:
                    rows["suppressed" if row.suppressed else row.state.value] += 1
                    yield row

    counts = store.put_subscribers(good(), rehearse=rehearse)
    ours = {key: counts.get(key, 0) for key in ("added", "updated", "unchanged")}
    return ours | {"refused": refused, "suppressed": counts.get("suppressed", 0)}


def _recognised(columns: Columns, rows: Counter[str], said: bool) -> Recognised:
    from pipeline.audience.standing import BOUNCED, LEFT, PENDING

    words = {None: "", LEFT: "unsubscribed", PENDING: "never subscribed", BOUNCED: "mail to them bounced"}
    return Recognised(
        service=columns.service.name,
        used=columns.used(),
        named=words[columns.named],
        ignored=columns.ignored,
        note="" if said else columns.service.note,
        rows=rows,
    )


def export(project: Project) -> Iterator[str]:
    """Yield everybody as lines of CSV, which `take_in` reads again."""
    from pipeline.audience.table import write

    return write(project.store.subscribers(), project.settings.newsletter.zone)
