"""Single mails to one person, from what waits in the store to the message a mailer takes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pipeline.audience import joining
from pipeline.audience.joining import Stage
from pipeline.errors import StoreError
from pipeline.model import (
    Counts,
    DeliveryState,
    EventKind,
    Everything,
    FrozenIssue,
    IssueRecord,
    IssueState,
    LetterKind,
    SubscriberState,
)

if TYPE_CHECKING:
    from pipeline.deliver.letter import Bodies
    from pipeline.edges import DatedTokens
    from pipeline.model import Letter, RenderedLetter, Submission
    from pipeline.project import Project

#: Somebody who asked by the form and never confirmed is erased after this.
ERASE_AFTER = timedelta(days=30)
#: What letters say of the two.
LIMITS: Mapping[str, int] = {
    "hours": joining.CONFIRM_WITHIN // timedelta(hours=1),
    "days": ERASE_AFTER // timedelta(days=1),
}
#: A copy that stands so was certainly not received, and never will be.
NOT_RECEIVED = frozenset(
    {DeliveryState.REFUSED, DeliveryState.WITHDRAWN, DeliveryState.EXPIRED, DeliveryState.CANCELLED}
)


class Letters:
    """Makes the messages of one open newsletter's letters; what all readers share is made once."""

    def __init__(self, project: Project, tokens: DatedTokens | None = None, mark: str = "") -> None:
        self._project = project
        self._tokens = tokens or project.tokens
        #: Stands before every subject.
        self._mark = mark
        self._nameless = str(project.theme.words()["reader"])
        self._rendered: dict[tuple[LetterKind, int, bool], RenderedLetter] = {}
        self._frozen: FrozenIssue | None = None

    def message(self, letter: Letter, known: Everything) -> Submission:
        """Return a letter's complete message, `known` being all that is known of its reader.

        A welcome brings the latest issue, unless they may have that already.
        Raises ThemeError if this kind of letter cannot be rendered at all,
        AudienceError or another NewsletterError if just this one cannot be made.
        """
        from pipeline.deliver.letter import submission

        latest = self._latest(letter, known) if letter.kind is LetterKind.WELCOME else None
        bodies = self._with_issue(letter, known, latest) if latest else None
        page = self._page(letter.kind, latest)
        bodies = bodies or self._put_in(page, letter)
        subject = f"{self._mark} {page.subject}".strip()
        return submission(letter, subject, bodies, self._project.settings, self._tokens)

    def rehearse(self, now: datetime) -> None:
        """Render every kind as somebody may get it, so that a fault in a theme shows. Raises ThemeError."""
        for kind in LetterKind:
            self._page(kind, None)
        issue = IssueRecord(1, "Sample", IssueState.SENT, now, Counts(), "")
        for above_issue in (False, True):
            self._page(LetterKind.WELCOME, issue, above_issue=above_issue)

    def _latest(self, letter: Letter, known: Everything) -> IssueRecord | None:
        """Return the latest issue that is out; None if there is none, or if this reader may have it."""
        out = [
            one for one in self._project.store.issues() if one.state in (IssueState.SENT, IssueState.SENDING)
        ]
        if not out or _may_have(out[-1], letter, known):
            return None
        return out[-1]

    def _with_issue(self, letter: Letter, known: Everything, latest: IssueRecord) -> Bodies | None:
        """Return the letter above the issue; None if that is more than Gmail shows."""
        from pipeline.deliver.letter import above, read_issue

        project, person = self._project, known.person.subscriber
        confirmed = (person.since if person else letter.at).astimezone(project.settings.newsletter.zone)
        if self._frozen is None or self._frozen.number != latest.number:
            self._frozen = project.store.frozen(latest.number)
        if self._frozen is None:
            raise StoreError(
                f"the ledger has lost the bytes of issue {latest.number}. Put a copy of .newsletter back."
            )
        issue = read_issue(self._frozen, letter, confirmed.date(), self._tokens)
        return above(self._put_in(self._page(letter.kind, latest, above_issue=True), letter), issue)

    def _page(
        self, kind: LetterKind, latest: IssueRecord | None, *, above_issue: bool = False
    ) -> RenderedLetter:
        from pipeline.render.addresses import Addresses
        from pipeline.render.letter import render_letter

        key = (kind, latest.number if latest else 0, above_issue)
        if key not in self._rendered:
            project = self._project
            # Issues come and go while a newsletter stays open; only the last one is asked for again.
            self._rendered = {each: page for each, page in self._rendered.items() if each[1] in (0, key[1])}
            self._rendered[key] = render_letter(
                kind,
                Addresses(project.settings, (), project.root),
                project.theme,
                project.settings,
                LIMITS,
                latest,
                above_issue=above_issue,
            )
        return self._rendered[key]

    def _put_in(self, page: RenderedLetter, letter: Letter) -> Bodies:
        from pipeline.deliver.letter import put_in

        return put_in(page, letter, self._project.settings, self._tokens, self._nameless)


def wanted(letter: Letter, known: Everything, now: datetime) -> bool:
    """Tell whether a letter still has anything to say to its reader.

    A confirmation, while it can be confirmed; any other, while they are in.
    """
    person = known.person
    if letter.kind is LetterKind.CONFIRMATION:
        return joining.stage(person, letter.at, now) is Stage.WAITING
    subscriber = person.subscriber
    return subscriber is not None and subscriber.state is SubscriberState.CONFIRMED and not person.suppressed


def _may_have(issue: IssueRecord, letter: Letter, known: Everything) -> bool:
    """Tell whether somebody may have an issue: by their copy of it, or by an earlier welcome."""
    if any(copy.issue == issue.number and copy.state not in NOT_RECEIVED for copy in known.copies):
        return True
    # They were welcomed since it was out, left, and came back.
    return any(
        event.kind is EventKind.CONFIRMED and issue.date <= event.at < letter.at
        for event in known.person.events
    )
