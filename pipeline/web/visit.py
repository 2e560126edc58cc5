"""One request to a reader's page, as far as its answer depends on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from pipeline.web.pages import Pages, Place

if TYPE_CHECKING:
    from starlette.responses import Response

    from pipeline.project import Project
    from pipeline.web.limits import Limits


@dataclass(frozen=True, slots=True)
class Visit:
    """Everything that an answer may depend on."""

    project: Project
    pages: Pages
    now: datetime
    place: Place
    #: Whom limits count.
    client: str
    limits: Limits
    #: Slug and name of each category that posts have now.
    categories: Callable[[], Sequence[tuple[str, str]]]
    #: Last part of the address; "" where there is none.
    token: str = ""
    #: What was posted: every value of each field.
    fields: Mapping[str, list[str]] = field(default_factory=dict)
    #: A browser says that another site's page made it post this.
    from_elsewhere: bool = False

    def field(self, name: str) -> str:
        """Return a field's last value; "" if it was not posted."""
        return self.fields.get(name, [""])[-1]


Answer = Callable[[Visit], "Response"]
