"""What the page can do besides showing: move a post, send a test copy, approve. Each answers with a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pipeline import approving, editing
from pipeline.errors import NewsletterError, UsageError
from pipeline.preview.templating import sentence
from pipeline.project import open_project

if TYPE_CHECKING:
    from pipeline.preview.live import Wanted
    from pipeline.project import Project

#: A form's fields, each once.
Fields = Mapping[str, str]


def order(project: Project, wanted: Wanted, fields: Fields) -> str:
    """Move a post up or down by one place; writes the draft if there is none."""
    post, move = fields.get("post", ""), fields.get("move", "")
    if move not in ("up", "down"):
        raise UsageError("a post moves up or down")
    path = editing.reorder(project, post, -1 if move == "up" else 1, wanted.since, wanted.latest)
    titles = {each.id: each.title for each in project.source.read().posts}
    return f"Moved “{titles.get(post, post)}” {move}, in {path}."


def test(project: Project, wanted: Wanted, fields: Fields) -> str:
    """Send a test copy to the addresses given, commas or spaces between them; to the usual one if none is."""
    to = fields.get("to", "").replace(",", " ").split()
    choice = fields.get("categories", "")
    approving.try_out(project, to, fields.get("by") or None, wanted.since, wanted.latest, choice)
    what = f"what readers of {choice.replace(' ', ', ')} get" if choice else "a test copy"
    return f"Sent {what} to {', '.join(to) or project.settings.mail.test_to}."


def approve(project: Project, wanted: Wanted, fields: Fields) -> str:
    """Approve just that build which the page showed."""
    approval = approving.approve(
        project, fields.get("by", ""), fields.get("build", ""), wanted.since, wanted.latest
    )
    return f"Approved by {approval.by}. Next: newsletter send"


#: By path.
ACTIONS = {"/order": order, "/test": test, "/approve": approve}


def act(wanted: Wanted, path: str, fields: Fields) -> str:
    """Do what a form asks for; return what came of it, in a sentence, whatever it was.

    Opens the newsletter anew: its files may say something else than when the
    page was made, and the preview's own look goes on beside.
    """
    try:
        return ACTIONS[path](open_project(wanted.root, wanted.clock), wanted, fields)
    except NewsletterError as fault:
        return sentence(str(fault))
    except OSError as fault:
        return f"{fault.filename or 'The system'}: {fault.strerror or fault}"
