"""What comes back is heard: mailboxes and providers' hooks, evidence, decisions, and what is left for a person.

Nobody is believed for naming an address. A reader is known by what only their
own copy holds: a token of theirs, or the code of one of their copies.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from pipeline.errors import AudienceError
from pipeline.model import (
    Decision,
    EventKind,
    Heard,
    Incoming,
    IssueRecord,
    IssueState,
    LetterKind,
    News,
    Nothing,
    Person,
)

if TYPE_CHECKING:
    from pipeline.edges import Mailbox
    from pipeline.project import Project

UNSUBSCRIBE = "unsubscribe"
#: Messages whose codes are looked for together, in one walk through the ledger.
BATCH = 200
#: How old an issue may be whose copies are all looked through for a code; servers give up after five days.
RECENT = timedelta(days=35)
#: Addresses of one message that are looked up; whoever names more has something else in mind than a report.
MOST_NAMED = 100
BOUNCES = (EventKind.HARD_BOUNCE, EventKind.SOFT_BOUNCE)
#: Reasons that are shown of refusals because of us.
SHOWN = 5


@dataclass
class Tally:
    """What was heard, in numbers. Each message is in exactly one of them, but for the last two."""

    #: Those that changed something, or would have.
    news: Counter[News] = field(default_factory=Counter)
    #: Heard before: counted once.
    repeated: int = 0
    #: About nobody we know.
    unknown: int = 0
    nothing: Counter[Nothing] = field(default_factory=Counter)
    #: Addresses that get no more mail because of it.
    suppressed: int = 0
    #: Messages that are still there because a person must see them.
    left: int = 0
    #: What servers said that refuse us, the most frequent first: for the editor, since no reader is at fault.
    against_us: Counter[str] = field(default_factory=Counter)

    @property
    def read(self) -> int:
        """How many messages there were."""
        return self.news.total() + self.repeated + self.unknown + self.nothing.total()

    def document(self) -> dict[str, Any]:
        """Return the numbers as `hear --json` prints them."""
        return {
            "read": self.read,
            "hard_bounces": self.news[News.HARD_BOUNCE],
            "soft_bounces": self.news[News.SOFT_BOUNCE],
            "complaints": self.news[News.COMPLAINT],
            "unsubscribed": self.news[News.UNSUBSCRIBE],
            "repeated": self.repeated,
            "unknown": self.unknown,
            "nothing": {str(each): count for each, count in self.nothing.most_common()},
            "suppressed": self.suppressed,
            "left": self.left,
        }


@dataclass(frozen=True, slots=True)
class _Reader:
    """Whom a message is about."""

    uid: str
    issue: IssueRecord | None = None
    #: Since when what it is about was on its way; None if nobody knows.
    sent: datetime | None = None


def listen(project: Project, mailbox: Mailbox, now: datetime, *, dry_run: bool = False) -> Tally:
    """Read a mailbox to its end; each message leaves it only when what follows from it is written down.

    With `dry_run` nothing is written, nothing leaves. Raises MailboxUnusable,
    StoreError.
    """
    from pipeline.hear import prose

    prose.ready()
    tally = Tally()
    with mailbox:
        messages = mailbox.messages()
        while batch := [_heard(incoming) for incoming in islice(messages, BATCH)]:
            written = _write_down(project, [heard for _, heard in batch], now, tally, dry_run)
            for (incoming, heard), known in zip(batch, written, strict=True):
                keep = _for_a_person(heard, known)
                tally.left += keep
                if not dry_run:
                    (mailbox.leave if keep else mailbox.done)(incoming)
    return tally


def refused(project: Project, record: IssueRecord, now: datetime) -> None:
    """Decide about the readers whose copies of an issue the relay itself refused, once the issue is out.

    That it was their copy needs no proof: the relay said so to us. But one
    that is set up wrongly says "no such mailbox" as readily as anything else.
    So what it said several times in a row counts for nobody, and nothing does
    if it refused more copies than it took. Each counts once: safe to call
    again.
    """
    from pipeline.deliver.breaker import IDENTICAL, never
    from pipeline.hear.report import failed

    counts = record.counts
    about_us = counts.refused > counts.accepted or record.date < now - RECENT
    if record.state is not IssueState.SENT or about_us or not counts.refused:
        return
    copies = (
        copy
        for copy in project.store.refused(record.number)
        if copy.in_a_row < IDENTICAL and never(copy.reply)
    )
    while batch := list(islice(copies, BATCH)):
        fates = [(copy.uid, failed((), copy.reply)) for copy in batch]
        project.store.decide_together(
            (uid, _decision(_Reader(uid, record), Heard(fate.news).with_fate(fate), now, [], once=True))
            for uid, fate in fates
            if fate.news is not News.NOTHING
        )


def take(project: Project, events: Sequence[Heard], now: datetime) -> Tally:
    """Decide about what a provider's hook has heard, its request being proven genuine.

    So the provider is believed: where an event holds no evidence, its recipients name the reader.
    """
    tally = Tally()
    for _ in _write_down(project, events, now, tally, False, trusted=True):
        pass
    return tally


def _heard(incoming: Incoming) -> tuple[Incoming, Heard]:
    """Read a message; of it, only what it says is kept."""
    from pipeline.hear.parse import parse, too_large

    heard = too_large(incoming.size) if incoming.data is None else parse(incoming.data)
    return replace(incoming, data=None), heard


def _for_a_person(heard: Heard, known: bool) -> bool:
    """Tell whether a message must stay: not understood, or a wish of somebody whom we do not know."""
    return heard.for_a_person or (not known and heard.news in (News.UNSUBSCRIBE, News.COMPLAINT))


def _write_down(
    project: Project,
    heard: Sequence[Heard],
    now: datetime,
    tally: Tally,
    dry_run: bool,
    *,
    trusted: bool = False,
) -> Iterator[bool]:
    """Decide about each and write it down, one transaction each; yield whether its reader is known."""
    for each, reader in zip(heard, _readers(project, heard, now, trusted), strict=True):
        if each.news is News.NOTHING and not each.fates:
            tally.nothing[each.nothing or Nothing.NOT_UNDERSTOOD] += 1
            yield True
            continue
        seen = list[Heard]()
        decided = None if reader is None else _decide(project, reader, each, now, seen, dry_run)
        _count(tally, seen[0] if seen else each, decided)
        yield reader is not None


def _decide(
    project: Project, reader: _Reader, heard: Heard, now: datetime, seen: list[Heard], dry_run: bool
) -> Decision | None:
    """Decide about one message; None if its reader is nobody (any more). `seen` gets what it says of them."""
    decision = _decision(reader, heard, now, seen)
    if not dry_run:
        return project.store.decide_by_uid(reader.uid, decision)
    person = project.store.person(reader.uid)
    return None if person is None else decision(person)


def _decision(
    reader: _Reader, heard: Heard, now: datetime, seen: list[Heard], *, once: bool = False
) -> Callable[[Person], Decision]:
    """Return what decides about one message; `once`: not if any bounce of that copy was heard before."""
    from pipeline.audience import joining
    from pipeline.hear.decide import decide

    at = now.replace(microsecond=0)
    issue = reader.issue.number if reader.issue else None
    sent = reader.issue.started if reader.issue else reader.sent

    def decision(person: Person) -> Decision:
        about = heard.about(person.subscriber.email) if person.subscriber else heard
        seen[:] = [about]
        if once and any(event.issue == issue and event.kind in BOUNCES for event in person.events):
            return Decision()
        if about.news is News.UNSUBSCRIBE:
            return joining.leave(person, "by mail", at)
        return decide(person, about, at, issue, sent)

    return decision


def _count(tally: Tally, heard: Heard, decided: Decision | None) -> None:
    if heard.nothing:
        tally.nothing[heard.nothing] += 1
        if heard.nothing is Nothing.ABOUT_US:
            tally.against_us[f"{heard.why}: {heard.words}" if heard.words else heard.why] += 1
    elif decided is None:
        tally.unknown += 1
    elif not decided.events:
        tally.repeated += 1
    else:
        tally.news[heard.news] += 1
        tally.suppressed += bool(decided.suppress)


# --- whom a message is about --------------------------------------------------------------------------------


def _readers(project: Project, heard: Sequence[Heard], now: datetime, trusted: bool) -> list[_Reader | None]:
    """Find whom each is about; None where nothing proves it, or the proofs name several readers."""
    issues = sorted(project.store.issues(), key=lambda issue: issue.number, reverse=True)
    wanted = {code for each in heard for code in each.evidence.codes}
    codes: dict[str, _Reader] = {}
    hints = [_hints(project, each, named=trusted or bool(each.evidence.codes)) for each in heard]
    # Most reports name their reader, so that a handful of codes has to be made to find the one that fits.
    for each, uids in zip(heard, hints, strict=True):
        codes |= _made(project, issues, uids, set(each.evidence.codes))
        codes |= _of_letters(project, uids, set(each.evidence.codes) - codes.keys())
    missing = wanted - codes.keys()
    for issue in issues:
        if not missing or issue.date < now - RECENT:
            break
        found = _made(project, [issue], project.store.enrolled(issue.number), missing)
        codes |= found
        missing -= found.keys()
    return [
        _one(project, each, codes, uids if trusted else ()) for each, uids in zip(heard, hints, strict=True)
    ]


def _hints(project: Project, heard: Heard, *, named: bool) -> tuple[str, ...]:
    """Return ids of subscribers whose tokens a message holds; with `named`, of those as well whose addresses it has."""
    from pipeline.audience.addresses import normalise

    uids = [uid for token in heard.evidence.tokens if (uid := project.tokens.read(UNSUBSCRIBE, token))]
    for address in heard.recipients[:MOST_NAMED] if named else ():
        try:
            person = project.store.subscriber(normalise(address)[0])
        except AudienceError:
            continue
        if person:
            uids.append(person.uid)
    return tuple(dict.fromkeys(uids))


def _made(
    project: Project, issues: Sequence[IssueRecord], uids: Iterable[str], wanted: set[str]
) -> dict[str, _Reader]:
    """Return which of the wanted codes are those of these readers' copies."""
    found: dict[str, _Reader] = {}
    for uid in uids if wanted else ():
        for issue in issues:
            for code in project.tokens.message_ids(issue.number, uid):
                if code in wanted:
                    found[code] = _Reader(uid, issue)
        if len(found) == len(wanted):
            break
    return found


def _of_letters(project: Project, uids: Iterable[str], wanted: set[str]) -> dict[str, _Reader]:
    """Return which of the wanted codes are those of single mails to these readers: a confirmation, a welcome."""
    from pipeline.deliver.letter import NO_ISSUE, identity

    found: dict[str, _Reader] = {}
    for uid in uids if wanted else ():
        person = project.store.person(uid)
        for event in person.events if person else ():
            if event.kind not in (EventKind.ASKED, EventKind.CONFIRMED):
                continue
            for kind in LetterKind:
                codes = project.tokens.message_ids(NO_ISSUE, identity(uid, kind, event.at))
                found |= {code: _Reader(uid, sent=event.at) for code in codes if code in wanted}
    return found


def _one(project: Project, heard: Heard, codes: dict[str, _Reader], named: Sequence[str]) -> _Reader | None:
    """Return the one reader whom a message's evidence proves; where there is none, the one `named`."""
    by_code = [codes[code] for code in heard.evidence.codes if code in codes]
    by_token = [uid for token in heard.evidence.tokens if (uid := project.tokens.read(UNSUBSCRIBE, token))]
    uids = {*(reader.uid for reader in by_code), *by_token} or set(named)
    if len(uids) != 1:
        return None
    # A thread may name several issues; the first code is the copy's own.
    return by_code[0] if by_code else _Reader(uids.pop())
