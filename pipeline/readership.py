"""One of the people who read, as an editor handles them: add, remove, allow, find, show, forget."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline import papers
from pipeline.errors import AudienceError, ThemeError
from pipeline.model import Everything, Forgotten, Subscriber

if TYPE_CHECKING:
    from pipeline.project import Project

#: How long a copy that is being filed this moment is waited for, and how often it is looked for.
FILED_WITHIN, LOOK_AGAIN = 2.0, 0.05


@dataclass(frozen=True, slots=True)
class Known:
    """All that is kept about an address, in the store and beside it."""

    email: str
    everything: Everything
    #: Files in outbox/ that are mail to it, as paths in the newsletter's folder.
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased of an address."""

    found: Forgotten
    #: How many files in outbox/.
    files: int


def add(project: Project, email: str, name: str) -> Subscriber:
    """Add one person who has consented. Raises AudienceError, with the remedy, if they left before."""
    from pipeline.audience import byhand
    from pipeline.audience.addresses import make_subscriber

    person = make_subscriber(email, name, project.now, project.tokens)
    if project.store.put_subscribers([person])["suppressed"]:
        known = project.store.everything(person.email)
        if known.person.suppressed or known.forgotten:
            why = f"is suppressed ({known.person.suppressed})" if known.person.suppressed else "was forgotten"
            remedy = f"If that is a mistake, or they want it otherwise: newsletter subscribers allow {email}"
            raise AudienceError(f"{person.email} {why}, and stays so. {remedy}")
        raise AudienceError(f"{person.email} has left, and stays so until they subscribe again.")
    project.store.decide(person.email, lambda one: byhand.added(one, project.now))
    return find(project, person.email)


def remove(project: Project, email: str) -> Subscriber:
    """Make one person leave; they stay on record as having left, so that no import brings them back."""
    from pipeline.audience import byhand

    person = find(project, email)
    project.store.decide(person.email, lambda one: byhand.removed(one, project.now))
    return find(project, person.email)


def allow(project: Project, email: str) -> Everything:
    """Lift the suppression of an address, or the mark of having been forgotten; return what was known before."""
    from pipeline.audience import byhand
    from pipeline.audience.addresses import normalise

    address = normalise(email)[0]
    before = project.store.everything(address)
    project.store.decide(address, lambda one: byhand.allowed(one, project.now))
    return before


def find(project: Project, email: str) -> Subscriber:
    """Find one person by any spelling of their address. Raises AudienceError if they are not there."""
    from pipeline.audience.addresses import normalise

    person = project.store.subscriber(normalise(email)[0])
    if person is None:
        raise AudienceError(
            f"{email} is not among the subscribers. `newsletter subscribers list` shows them."
        )
    return person


def known(project: Project, email: str) -> Known:
    """Return all that is kept about an address (GDPR, article 15). Raises AudienceError if nothing is."""
    from pipeline.audience.addresses import normalise

    address = normalise(email)[0]
    everything = project.store.everything(address)
    files = _files(project, address, everything.person.uid)
    if not everything.anything and not files and everything.forgotten is None:
        raise AudienceError(f"nothing is known of {email}. `newsletter subscribers list` shows everybody.")
    return Known(address, everything, tuple(str(path.relative_to(project.root)) for path in files))


def forget(project: Project, email: str) -> Erased:
    """Erase a person wherever they stand, whether or not they are among the subscribers (GDPR, article 17).

    What stays is a mark by which no import brings them back, and their
    deliveries, which do not say whose they are. Works while an issue is sent.
    """
    from pipeline.audience.addresses import normalise

    address = normalise(email)[0]
    everything = project.store.everything(address)
    uid = everything.person.uid
    told = [copy.issue for copy in everything.copies if papers.tells_of(project, copy, address)]
    # Those go first, so that a kill leaves nothing of it behind.
    for number in told:
        papers.drop_receipt(project, number)
    found = project.store.forget(address, project.now)
    files = _erase(_files(project, address, uid))
    # A run may be about to give a last file its name; more of them cannot begin any more.
    until = time.monotonic() + FILED_WITHIN
    filing = found.under_way and project.settings.mail.mailer == "outbox"
    while filing and time.monotonic() < until:
        time.sleep(LOOK_AGAIN)
        files += _erase(_files(project, address, uid))
    for number in told:
        # Whatever is wrong with the theme, they are forgotten; the receipt comes with the next `resume`.
        with suppress(ThemeError):
            papers.write_receipt(project, number)
    return Erased(found, files)


def _files(project: Project, address: str, uid: str) -> Sequence[Path]:
    tokens = project.tokens
    uids = {uid, *tokens.uids(address)}
    issues = [number for number, *_ in project.store.pages()]
    names = [(number, left) for number in issues for one in uids for left in tokens.message_ids(number, one)]
    return list(project.outbox.copies(address, names))


def _erase(files: Sequence[Path]) -> int:
    for path in files:
        path.unlink(missing_ok=True)
    return len(files)
