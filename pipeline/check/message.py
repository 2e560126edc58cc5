"""Checks of what an inbox shows before anybody opens the mail: subject, preheader, sender."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from pipeline.check.findings import error, warning
from pipeline.check.material import Material
from pipeline.check.texts import columns, levelled, short
from pipeline.model import Finding

#: A subject of fewer characters says nothing, and one of more is cut even on a desktop: Gmail's list shows
#: about 70 to 80 of them at the usual widths of a window.
SUBJECT = (10, 78)
#: Where phones held upright begin to cut; iPhone Mail shows 35 to 41 characters.
PHONE = 40

#: Hosts that mean "this machine" (RFC 6761, 6.3) or a network of one's own (RFC 6762, 3).
LOCAL_HOST = re.compile(
    r"(localhost|.*\.localhost|.*\.local|127(\.\d+){3}|0\.0\.0\.0|\[?::1\]?)", re.IGNORECASE
)

#: Labels under which strangers register: co.uk, com.au, or.jp (after publicsuffix.org's list).
SHARED_SECOND_LEVELS = frozenset(
    "ac co com edu go gov gv id ltd me mil ne net nom or org plc sch".split()  # noqa: SIM905 -- read as a list
)


def subject(m: Material) -> Iterator[Finding]:
    """The issue has a subject."""
    if not m.rendered.issue.subject.strip():
        path, line = m.head("subject")
        yield error(
            "subject",
            "the issue has no subject",
            path=path,
            line=line,
            fix="write `subject:` in the draft, or mend [issue] subject",
        )


def subject_length(m: Material) -> Iterator[Finding]:
    """The subject has 10 to 78 characters: enough to say something, not so many that inboxes cut it."""
    size = columns(m.rendered.issue.subject)
    least, most = SUBJECT
    if size and not least <= size <= most:
        path, line = m.head("subject")
        yield warning(
            "subject-length",
            f"the subject {_long(m.rendered.issue.subject)}"
            + (f"; inboxes cut near {most}" if size > most else ""),
            path=path,
            line=line,
            fix=f"write one of {least} to {most} characters; up to {PHONE} are whole on a phone too",
        )


def _long(text: str) -> str:
    """Say how long a text is; letters that take the room of two count as two."""
    size = columns(text)
    return f"has {size} characters" if size == len(text) else f"takes the room of {size} letters"


def subject_cut(m: Material) -> Iterator[Finding]:
    """The subject is whole on a phone, which shows about its first 40 characters."""
    text = m.rendered.issue.subject
    if PHONE < columns(text) <= SUBJECT[1]:
        path, line = m.head("subject")
        yield warning(
            "subject-cut",
            f"a phone cuts the subject near “{short(text[:PHONE].rpartition(' ')[0] or text[:PHONE])}…”",
            path=path,
            line=line,
            fix="put what matters first, or say it shorter",
        )


def preheader(m: Material) -> Iterator[Finding]:
    """The issue has a preheader, and it says something that the subject does not."""
    issue = m.rendered.issue
    path, line = m.head("preheader")
    if not levelled(issue.preheader):
        yield warning(
            "preheader",
            "there is no preheader; inboxes show the mail's first words instead",
            path=path,
            line=line,
            fix="write `preheader:` in the draft, or an excerpt for the lead post",
        )
    elif levelled(issue.preheader) == levelled(issue.subject):
        yield warning(
            "preheader",
            "the preheader says what the subject says",
            path=path,
            line=line,
            fix="use it for the next thing a reader should know",
        )


def from_alignment(m: Material) -> Iterator[Finding]:
    """From is an address of the newsletter's own domain, as DMARC wants it (RFC 7489, 3.1)."""
    sender, host = m.settings.newsletter.mailbox.domain.lower(), m.settings.newsletter.host.lower()
    if LOCAL_HOST.fullmatch(sender) or not _aligned(sender, host):
        path, line = m.setting("newsletter.from")
        yield error(
            "from-alignment",
            f"From is at {sender}, the newsletter at {host}",
            path=path,
            line=line,
            fix="use a From address of the newsletter's own domain, so that SPF, DKIM and DMARC can vouch for it",
        )


def site_address(m: Material) -> Iterator[Finding]:
    """Readers can reach the newsletter's address from where they are."""
    for key, url in (("newsletter.url", m.settings.newsletter.url), ("web.url", m.settings.web_url)):
        if LOCAL_HOST.fullmatch(urlsplit(url).hostname or ""):
            path, line = m.setting(key)
            yield error(
                "site-address",
                f"{key} is {url}, which leads nowhere from a reader's machine",
                path=path,
                line=line,
                fix="set url under [newsletter] to where public/ is hosted",
            )
            return


def _aligned(sender: str, host: str) -> bool:
    """One is the other or lies under it, or both lie under one registered name of two labels."""
    if sender == host or host.endswith(f".{sender}") or sender.endswith(f".{host}"):
        return True
    ours, theirs = sender.split(".")[-2:], host.split(".")[-2:]
    return ours == theirs and len(ours) == 2 and ours[0] not in SHARED_SECOND_LEVELS
