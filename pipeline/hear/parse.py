"""Says what a message that came back has to say: bytes in, what was heard out."""

from __future__ import annotations

from dataclasses import replace

from pipeline.hear import prose, report
from pipeline.hear.automatic import automatic
from pipeline.hear.complaint import complaint
from pipeline.hear.leaving import leaving
from pipeline.hear.mime import LIMIT, Part, read
from pipeline.hear.traces import evidence
from pipeline.model import Evidence, Fate, Heard, News, Nothing, mildest


def parse(message: bytes) -> Heard:
    """Return what a message says, whatever its bytes are.

    Takes time and memory in proportion to at most mime.LIMIT octets; a larger
    message is refused unread. Raises NewsletterError only where the package
    is missing that reports in words are read with.
    """
    if len(message) > LIMIT:
        return too_large(len(message))
    part = read(message)
    found = evidence(part)
    heard = _news(part, found)
    return heard if heard.evidence else replace(heard, evidence=found)


def too_large(octets: int) -> Heard:
    """Return what is said of a message that nobody reads because of its size."""
    return Heard(
        News.NOTHING,
        Nothing.TOO_LARGE,
        f"{octets:,} bytes; no report is larger than {LIMIT:,}",
    )


def _news(message: Part, found: Evidence) -> Heard:
    """Ask the standards' forms first, then people's wishes, then what looks like a report but is written in words."""
    said = complaint(message)
    if said:
        return said
    fates = report.fates(message)
    if fates:
        return _of(fates)
    tokens = leaving(message, found)
    if tokens is not None:
        # Their own token says who they are; what they answered to may have been passed on by somebody else.
        own = Evidence(tokens=tokens) if tokens else found
        return Heard(News.UNSUBSCRIBE, why="wrote a mail to leave", evidence=own)
    from_a_server = prose.from_a_server(message)
    answer = automatic(message)
    if from_a_server or answer is Nothing.RECEIPT or (prose.to_nobody(message) and not answer):
        fates = prose.fates(message)
        if fates:
            return _of(fates)
    return Heard(News.NOTHING, answer or Nothing.NOT_UNDERSTOOD)


def _of(fates: tuple[Fate, ...]) -> Heard:
    recipients = tuple(dict.fromkeys(address for fate in fates for address in fate.recipients))
    return Heard(News.NOTHING, recipients=recipients, fates=fates).with_fate(mildest(fates))
