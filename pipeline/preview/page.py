"""The preview's page: what an editor looks at before anybody else sees the issue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.model import Skip
from pipeline.papers import variant_folder
from pipeline.preview import choices, findings, posts, sample, steps, switches, tables
from pipeline.preview.frames import WHOLE
from pipeline.preview.places import Places, Served
from pipeline.preview.templating import fill

if TYPE_CHECKING:
    from pipeline.clients.inbox import InboxRow
    from pipeline.preview.options import Options
    from pipeline.preview.state import Look, State

#: Characters of a mail's text of which an inbox may show the beginning.
MEASURED = 1000


def page_html(
    state: State,
    options: Options,
    *,
    token: str,
    notice: str = "",
    live: bool = True,
    places: Places | None = None,
    policy: str = "",
) -> str:
    """Return the whole page.

    `token` goes into every form, `notice` says what came of the last action.
    Not `live`: without forms and script, as an export keeps it; `policy` is
    then put in as its Content-Security-Policy.
    """
    places = places or Served(state.root)
    look = state.shown
    shown, folded, left = posts.left_out(state, places)
    return fill(
        "page.html",
        state=state,
        options=options,
        token=token,
        notice=notice,
        live=live,
        policy=policy,
        places=places,
        name=state.settings.newsletter.name,
        past=steps.is_past(state),
        steps=steps.steps(state),
        trial=steps.trial(state),
        next=steps.next_step(state, live),
        errors=steps.errors(state),
        readers=state.circulation.readers,
        skipped=[
            (skip.value, count) for skip in reversed(Skip) if (count := state.circulation.skipped.get(skip))
        ],
        choices=choices.choices(state, options, places, live=live),
        posts=posts.rows(state, places),
        left_out=shown,
        more_left_out=folded,
        left_out_count=left,
        views=switches.views(options, places),
        switches=switches.groups(options, places),
        inbox=inbox(look, options) if look else (),
        checks=findings.checks(state.look.report, places) if state.look and state.look.report else None,
        links=tables.links(look, places) if look else [],
        pictures=tables.pictures(state, look, places) if look else [],
        headers=tables.headers(look, options.reader) if look else [],
        weight=tables.weight(state, look, options.reader) if look else None,
        frame_title=_frame_title(state, options),
        message_name=message_name(state, options.reader),
    )


def inbox(look: Look, options: Options) -> tuple[InboxRow, ...]:
    """Return how inboxes list one reader's copy."""
    from email.utils import parseaddr

    from pipeline.check.texts import text_of
    from pipeline.clients.inbox import rows

    copy = sample.copy(look.frozen, options.reader)
    name, address = parseaddr(copy.header("From"))
    # No client shows more than the first lines, and every letter's width is looked up.
    text, body = copy.text[:MEASURED], text_of(copy.html)[:MEASURED]
    return rows(name or address, copy.header("Subject"), look.preheader, text, body_text=body)


def message_name(state: State, reader: str) -> str:
    """Return the file name of one reader's whole message: "issue-42-short.eml", "issue-42-sleep-short.eml"."""
    variant = state.part.variant if state.part else None
    return f"issue-{state.number}-{f'{variant_folder(variant)}-' if variant else ''}{reader}.eml"


def _frame_title(state: State, options: Options) -> str:
    """Say in words what is in the frame."""
    what = {
        "html": "The mail",
        "text": "The mail’s plain text",
        "web": "The issue’s web page",
        "feed": "The posts in a feed reader",
        "source": "The message as it is sent",
        "outline": "What a screen reader hears",
    }[options.view]
    width = "full width" if options.width == "full" else f"{options.width} pixels wide"
    scheme = {"light": "light", "dark": "dark", "forced": "forced dark"}[options.colours]
    whom = f", for readers of {state.part.title}" if state.part and options.view not in WHOLE else ""
    return f"{what}, {width}, {scheme}{whom}"
