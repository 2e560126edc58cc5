"""Makes the readers' pages in the newsletter's theme, each with the one policy under which it works.

A page brings its sheet with it, so that nothing else has to be asked for,
wherever the site itself is hosted.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import TYPE_CHECKING, cast
from urllib.parse import quote

from markupsafe import Markup
from starlette.responses import HTMLResponse

from pipeline.audience.joining import CONFIRM_WITHIN
from pipeline.dates import long_date
from pipeline.errors import ThemeError
from pipeline.render.addresses import Addresses
from pipeline.render.site.cards import direction
from pipeline.render.site.frame import Frame
from pipeline.render.theme.words import counted, filled
from pipeline.settings import mailbox

if TYPE_CHECKING:
    from pipeline.project import Project

#: What pages say that hold nothing but a sentence: the words NAME_title and NAME_text.
SAID = (
    "already",
    "asked",
    "confirm_expired",
    "confirmed",
    "left",
    "not_now",
    "not_understood",
    "test_link",
    "undo_late",
    "undone",
)


#: Parts of a path from which a page still finds its way up; no page of ours lies as deep.
DEEPEST = 20
#: A word's key, and where it leads.
Link = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Place:
    """Where on this server a page is read."""

    #: The way back to the server's root: "../" from /confirm/TOKEN, "/" from further down.
    up: str = ""
    #: True if the site lies below the same root.
    site: bool = False

    @classmethod
    def of(cls, path: str, *, site: bool) -> Place:
        """`path` is as it was asked for, still percent-encoded."""
        depth = max(path.count("/") - 1, 0)
        # What a path is made of must not make a page many times as long.
        return cls("../" * depth if depth <= DEEPEST else "/", site)


class Pages:
    """The pages of one newsletter."""

    def __init__(self, project: Project) -> None:
        """Raises ThemeError."""
        settings = project.settings
        # A page says nothing but words: where those are English, so is the page, whatever the posts are.
        self._theme, self._language = project.theme, project.theme.speaks
        self._frame = Frame(settings, Addresses(settings, [], project.root))
        self._tongue = {"language": self._language, "direction": direction(self._language)}
        self._words = project.theme.words()
        sheets = (project.theme.source("web/site.css"), project.theme.source("reader/forms.css"))
        # In a sheet "<\/" is "</", which would end the element that the sheet stands in.
        self._sheet = "\n".join(sheets).replace("</", "<\\/")
        digest = b64encode(sha256(self._sheet.encode()).digest()).decode()
        self.policy = (
            f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; base-uri 'none'; "
            "frame-ancestors 'none'"
        )
        # In every mail there is, so it is no secret.
        newsletter = settings.newsletter
        asked = mailbox(newsletter.reply_to) if newsletter.reply_to else newsletter.mailbox
        self._ask = {"text": asked.addr_spec, "url": f"mailto:{quote(asked.addr_spec, safe='@')}"}
        #: What any sentence may name.
        self._values = {
            "name": settings.newsletter.name,
            "how_often": self.word("how_often"),
            "hours": int(CONFIRM_WITHIN.total_seconds() // 3600),
        }
        #: What a reader agrees to; kept word for word when they confirm.
        self.consent = self.word("consent", **self._values)

    def word(self, key: str, **values: object) -> str:
        """Return a word of the interface as plain text, its places filled. Raises ThemeError."""
        try:
            return filled(str(self._words[key]), values)
        except KeyError as fault:
            raise ThemeError(f"the word {key} has a place {{{fault.args[0]}}} that nothing fills") from None

    def day(self, day: date) -> str:
        """Write a day as people in the newsletter's language do."""
        return long_date(day, self._language)

    def issue(self, number: int, place: Place) -> str:
        """Return where an issue can be read."""
        return f"{self._root(place)}issues/{number}/index.html"

    def respond(
        self, template: str, title: str, place: Place, *, path: str = "", status: int = 200, **context: object
    ) -> HTMLResponse:
        """Make a page of a template in reader/; `path` names it to the navigation. Raises ThemeError."""
        template = f"reader/{template}.html"
        frame = self._frame.page(template, path, title, canonical="", root=self._root(place))
        head = cast("Mapping[str, object]", frame.context["page"])
        text = self._theme.render(
            template,
            page={**head, "sheet": Markup(self._sheet)},  # noqa: S704 -- it cannot end its element
            site={**self._frame.site, **self._tongue, "subscribe": f"{place.up}subscribe"},
            consent=self.consent,
            **context,
        )
        return HTMLResponse(text, status, headers={"Content-Security-Policy": self.policy})

    def titled(self, key: str) -> str:
        """Return the heading that a page has by its name. Raises ThemeError."""
        return self.word(f"{key}_title", **self._values)

    def say(
        self,
        what: str,
        place: Place,
        *,
        status: int = 200,
        hint: str = "",
        undo: str = "",
        button: Link | None = None,
        link: Link | None = None,
        **values: object,
    ) -> HTMLResponse:
        """Make a page that says one of SAID, and what can be done next. Raises ThemeError."""
        return self._said(
            self.titled(what),
            self.word(f"{what}_text", **self._values, **values),
            place,
            status,
            hint,
            undo,
            button,
            link,
        )

    def say_too_often(self, place: Place, minutes: int) -> HTMLResponse:
        """Make the page for who has to wait so many minutes. Raises ThemeError."""
        forms = self._words["too_often_text"]
        return self._said(self.titled("too_often"), counted(self._language, forms, minutes), place, 429)

    def say_wrong_link(self, place: Place) -> HTMLResponse:
        """Make the page for a link that opens nothing, and say who can be asked. Raises ThemeError."""
        title, text = self.titled("wrong_link"), self.word("wrong_link_text")
        return self._said(title, text, place, 404, ask=self._ask)

    def say_not_found(self, place: Place) -> HTMLResponse:
        """Make the page for an address that is none of ours, or the site's before it has its own. Raises ThemeError."""
        button = ("to_the_front", f"{self._root(place)}index.html")
        if place.site:
            # Before the first build there is no front page either.
            button = ("subscribe", f"{place.up}subscribe")
        return self._said(self.word("not_found"), self.word("not_found_text"), place, 404, button=button)

    def _said(
        self,
        title: str,
        text: str,
        place: Place,
        status: int,
        hint: str = "",
        undo: str = "",
        button: Link | None = None,
        link: Link | None = None,
        ask: Mapping[str, str] | None = None,
    ) -> HTMLResponse:
        return self.respond(
            "said",
            title,
            place,
            status=status,
            text=text,
            hint=self.word(hint) if hint else "",
            undo=undo,
            button=self._link(button),
            link=self._link(link),
            ask=ask or {},
        )

    def _link(self, link: Link | None) -> Mapping[str, str]:
        return {"text": self.word(link[0]), "url": link[1]} if link else {}

    def _root(self, place: Place) -> str:
        return place.up if place.site else self._frame.local.base


def masked(email: str) -> str:
    """Return an address so that its owner knows it and nobody else learns it: "a…@example.org", on one line."""
    local, _, domain = email.rpartition("@")
    return apart(f"{local[:1]}…\u2060@{domain}")


def apart(address: str) -> str:
    """Return an address that reads from left to right in a sentence that may not (Unicode's isolates)."""
    return f"\u2066{address}\u2069"
