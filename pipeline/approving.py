"""What stands between a build and its readers: test copies, somebody's word, and what has changed since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline import cutting, editing, papers, publishing, weekly
from pipeline.approve import parts, records
from pipeline.approve.difference import changes, text_difference
from pipeline.compose import draft as drafts
from pipeline.errors import MailerUnusable, NotApproved, Refused, UsageError
from pipeline.model import (
    Approval,
    Everything,
    Letter,
    LetterKind,
    Outcome,
    Person,
    Recipient,
    Seal,
    Standing,
    Submission,
    Trial,
)

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline.model import Build
    from pipeline.project import Project
    from pipeline.week import Week
    from pipeline.weekly import Prepared


#: Digits of a hash that name a build; two builds of one issue share so many by chance once in four billion.
SHORTEST = 8


def standing(project: Project, week: Week, made: Build | None = None) -> Standing:
    """Say how far the next issue has come; `made` is its build, where there is one to compare."""
    trials = records.read_trials(papers.folder_of(project, week.number))
    approval = week.draft.approval if week.draft else None
    if approval is None or made is None:
        return Standing(trials, approval)
    return Standing(trials, approval, _changes(project, week, made, approval, None))


def look(
    project: Project, week: Week, command: str, checked: int | None = None
) -> tuple[Prepared, Build, Standing]:
    """Prepare and build the next issue as it would go out now, and say how far it has come.

    An approval that still holds sets the issue's date; one that does not is
    told of, and the issue is dated now, as it will be when it is approved again.
    Its variants are for whoever asks for one; `checked` as in weekly.prepare.
    """
    prepared = weekly.prepare(project, week, command, checked=checked)
    made = weekly.build(project, prepared, variants=False)
    found = standing(project, week, made)
    if found.changes:
        prepared = weekly.prepare(project, week, command, project.now, checked)
        made = weekly.build(project, prepared, variants=False)
    return prepared, made, found


def try_out(
    project: Project,
    to: Sequence[str],
    by: str | None,
    since: datetime | None = None,
    latest: int | None = None,
    choice: str = "",
) -> Trial:
    """Send a real copy of the next issue to each address: marked, counted nowhere, its links changing nothing.

    Without addresses it goes to `[mail] test_to`; `by` is who sends it, None
    for whoever works on this machine. With a `choice` of categories it is what
    their readers get. Remembers which build it was. Raises MailerUnusable if
    the relay does not take every copy, Refused if a choice leaves nothing.
    """
    from pipeline.deliver.trial import MARK, trial_copies

    people = [_reader(project, address) for address in to or _usual(project)]
    prepared, made, _ = look(project, _next(project, since, latest), "test")
    variant = _variant(prepared, choice)
    rendered = prepared.variants.rendered(variant) if variant else prepared.rendered
    marked = replace(rendered.issue, subject=f"{MARK} {rendered.issue.subject}")
    shown = cutting.frozen_bytes(project, replace(rendered, issue=marked))
    copies = trial_copies(shown, people, project.tokens, project.now)
    _hand_over(project, copies)
    trial = Trial(made.hash, project.now, project.person if by is None else by)
    records.add_trial(papers.folder_of(project, prepared.week.number), trial)
    return trial


def try_letter(project: Project, kind: LetterKind, to: Sequence[str]) -> int:
    """Send a letter to each address as a newcomer gets it: marked, its links changing nothing; return how many.

    Raises MailerUnusable if the relay does not take every one.
    """
    from pipeline.deliver.trial import MARK, HarmlessTokens
    from pipeline.letters import Letters

    letters = Letters(project, HarmlessTokens(project.tokens, project.now), MARK)
    people = [_reader(project, address) for address in to or _usual(project)]
    copies = [
        letters.message(
            Letter(number, kind, one.uid, one.email, one.name, project.now), Everything(Person(one.uid))
        )
        for number, one in enumerate(people)
    ]
    _hand_over(project, copies)
    return len(copies)


def _hand_over(project: Project, copies: Sequence[Submission]) -> None:
    """Hand over messages that no ledger knows. Raises MailerUnusable if the relay does not take every one."""
    from pipeline.deliver.trial import Unguarded

    mailer = project.single_mailer
    answers = list(mailer.submit(iter(copies), Unguarded()))
    taken = sum(answer.outcome is Outcome.ACCEPTED for answer in answers)
    for answer in answers:
        if answer.outcome is not Outcome.ACCEPTED:
            raise MailerUnusable(
                f"{mailer.name} took {taken} of {len(copies)} test copies. It said: "
                f"{answer.reply or answer.outcome}"
            )
    if len(answers) < len(copies):
        raise MailerUnusable(f"{mailer.name} took {taken} of {len(copies)} test copies. Try again")


def approve(
    project: Project,
    by: str | None,
    build: str | None = None,
    since: datetime | None = None,
    latest: int | None = None,
) -> Approval:
    """Seal the next issue as it is now, in somebody's name; `build` names what they looked at.

    The moment of approving becomes the issue's own, so that what is sent later
    is, byte for byte, what was approved. Raises NotApproved if it is another
    build by now, or if the newsletter wants another person, or a test first.
    """
    by = " ".join((project.person if by is None else by).split())
    if not by:
        raise UsageError("an approval needs a name: newsletter approve --by NAME")
    prepared = weekly.prepare(project, _next(project, since, latest), "approve", project.now)
    weekly.demand_checked(prepared, "approved")
    made = weekly.build(project, prepared)
    if build is not None and not _names(build, made.hash):
        raise NotApproved("the issue has changed since you looked at it. Look again, then approve.")
    number = prepared.week.number
    _second_person(project, records.read_trials(papers.folder_of(project, number)), made, by)
    if prepared.week.draft is None:
        editing.draft(project, prepared.week.since, prepared.week.latest)
    approval = Approval(by, project.now, made.hash, made.frozen.hash)
    seal = Seal(
        approval=approval,
        parts=made.parts,
        exact=_exact(project, prepared.week, made, remember=True),
        subject=made.frozen.subject,
        posts=tuple((post.id, post.title) for post in prepared.issue.posts),
        text=made.frozen.text.decode(),
    )
    records.write_seal(papers.folder_of(project, number), seal)
    drafts.record_approved(project.root, number, approval)
    return approval


def demand(project: Project, prepared: Prepared, made: Build) -> Approval | None:
    """Return the approval under which the issue may go out; None if it needs none.

    Raises NotApproved, with what has changed, if it is not as it was approved,
    or if the newsletter demands a word that nobody gave.
    """
    week = prepared.week
    approval = week.draft.approval if week.draft else None
    if approval is None:
        if project.settings.guards.approval != "optional":
            raise NotApproved(
                f"nobody has approved issue {week.number} ([guards] approval). Look at it: newsletter preview. "
                "Then: newsletter approve"
            )
        return None
    if approval.at > project.now:
        raise Refused(
            f"issue {week.number} was approved for {approval.at:%a %d %b %Y %H:%M}; it is not that yet."
        )
    exact = _exact(project, week, made, remember=False)
    found = _changes(project, week, made, approval, exact)
    if found:
        raise NotApproved(
            _refusal(project, week, made, approval, found), path=week.draft.path if week.draft else ""
        )
    _second_person(project, records.read_trials(papers.folder_of(project, week.number)), made, approval.by)
    return approval


def _next(project: Project, since: datetime | None, latest: int | None) -> Week:
    """Return the next issue's week. Raises Refused if there is nothing for it to carry."""
    week = weekly.collect(project, since, latest)
    if not week.choice.chosen and not any(item.stops for item in week.choice.left_out):
        raise Refused(
            "nothing is new, so there is no issue yet. `newsletter status` says why posts are left out."
        )
    return week


def _names(text: str, value: str) -> bool:
    """Tell whether somebody means a hash: whole, its beginning, or as it is shown, "9f2c41…a0e1"."""
    first, dots, last = text.strip().lower().removeprefix("sha256:").replace("...", "…").partition("…")
    enough = len(first) + len(last) >= SHORTEST
    return enough and value.startswith(first) and (not dots or value.endswith(last))


def _usual(project: Project) -> tuple[str, ...]:
    address = project.settings.mail.test_to
    if address is None:
        raise UsageError("say where the test copy goes: newsletter test --to ADDRESS, or set [mail] test_to.")
    return (address,)


def _reader(project: Project, text: str) -> Recipient:
    """Return somebody to address a test copy to: with their name, if they are among the readers."""
    from pipeline.audience.addresses import normalise

    address = normalise(text)[0]
    known = project.store.subscriber(address)
    since = known.since.astimezone(project.settings.newsletter.zone) if known else project.now
    return Recipient(project.tokens.uid(address), address, known.name if known else "", since.date())


def _variant(prepared: Prepared, choice: str) -> str:
    """Return the name of what readers of a choice get. Raises Refused if that is nothing."""
    variant = prepared.variants.of(choice)
    if variant is None:
        there = ", ".join(filter(None, prepared.variants.categories)) or "none"
        raise Refused(
            f"nothing in issue {prepared.issue.number} is for readers of {choice.replace(' ', ', ')}. Its categories: "
            f"{there}"
        )
    return variant


def _second_person(project: Project, trials: Sequence[Trial], made: Build, by: str) -> None:
    """Raise NotApproved unless somebody else tested this very build, where the newsletter wants that."""
    if project.settings.guards.approval != "second-person":
        return
    testers = {trial.by for trial in trials if trial.build == made.hash}
    if not testers:
        raise NotApproved(
            "nobody has sent a test copy of this build, and the approval must be another person's ([guards] "
            "approval). Next: newsletter test --to ADDRESS"
        )
    if {tester.casefold() for tester in testers} == {by.casefold()}:
        raise NotApproved(f"{by} sent the test copy, so somebody else must approve it ([guards] approval).")


def _exact(project: Project, week: Week, made: Build, *, remember: bool) -> dict[str, str]:
    """Return the digests of the very bytes that would be published and sent at this moment.

    `remember`: entries that were edited count as updated now; a look alone must not make them so.
    """
    posts = publishing.public_posts(week, project.now)
    updates = project.store.entry_updates(posts, project.now, remember=remember)
    return parts.exact(made.frozen, publishing.feeds(project, week, updates))


def _changes(
    project: Project, week: Week, made: Build, approval: Approval, exact: Mapping[str, str] | None
) -> tuple[str, ...]:
    seal = records.read_seal(papers.folder_of(project, week.number), approval)
    if seal is not None:
        return changes(seal, made.parts, exact, made.frozen.subject, week.choice.chosen)
    if (approval.build, approval.mail) == (made.hash, made.frozen.hash):
        return ()
    return ("something has changed; this approval's record is not on this machine, so nobody can say what",)


def _refusal(project: Project, week: Week, made: Build, approval: Approval, found: Sequence[str]) -> str:
    """Tell what has changed, with the lines of text that differ."""
    at = approval.at.astimezone(project.settings.newsletter.zone)
    lines = [f"not as {approval.by} approved it on {at:%a %d %b %Y %H:%M}:", *(f"  {each}" for each in found)]
    seal = records.read_seal(papers.folder_of(project, week.number), approval)
    difference = text_difference(seal, made.frozen.text.decode()) if seal else ""
    if difference:
        lines += ["", difference, ""]
    return "\n".join([*lines, "Nothing was sent. Look again: newsletter preview. Then: newsletter approve"])
