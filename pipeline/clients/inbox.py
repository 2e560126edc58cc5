"""How an inbox cuts sender, subject and snippet, before anybody has opened the mail.

No client documents its cut; each fits as much as its screen holds, so what
counts is width. The rooms below are what people counted with a known
sentence, or reckoned from a client's own layout, and turned into widths;
docs/mail-clients.md says what that is worth.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.clients.glyphs import clusters, cut, width

#: emailtooltester.com, "Email subject lines: character limit" counts with this sentence, repeated.
_SENTENCE = "The quick brown fox jumps over the lazy dog "


def _room(characters: int, *, bold: bool = False) -> float:
    """Turn a count of characters of the test sentence into em."""
    return width((_SENTENCE * (characters // len(_SENTENCE) + 1))[:characters], bold=bold)


#: Gmail in a browser, window of 1440 px: less menu (256), side panel (56), box, star and marker (72), sender (200)
#: and date (72) some 784 px are left, at 14 px, for subject and snippet together on one line.
GMAIL_LINE = 784 / 14
#: The sender's column there: 168 px.
GMAIL_SENDER = 168 / 14
#: Gmail keeps 90 to 101 characters of a mail for the snippet, however wide the window
#: (Google's support, 2015; beforeiblog.blogspot.com, "How Gmail handles preview text").
GMAIL_SNIPPET = 101

#: iPhone 14 (390 points), Apple Mail: 48 characters of subject on one line, 99 of snippet on two
#: (emailtooltester.com, counted).
IPHONE_SUBJECT = _room(48)
IPHONE_SNIPPET = _room(99)
#: The sender stands at 17 points, bold, before date and chevron (some 80 of the 340 points of the row).
IPHONE_SENDER = 260 / 17

#: A notification on a locked iPhone (iOS 15 and later): a bold title of 26 to 30 characters beside the time
#: (climbmountainsblog.com, "iOS 15"; help.batch.com), the subject on a line of its own, and 120 to 140 characters
#: of text in all (help.batch.com). A watch shows less: some 20 and 60.
NOTIFICATION_TITLE = _room(30, bold=True)
NOTIFICATION_SUBJECT = _room(37, bold=True)
NOTIFICATION_BODY = _room(120)

#: Clients that read the text part show its first line or two, some 100 characters.
TEXT_SNIPPET = _room(100)

#: What preheaders are filled up with, so that no other text slips into the snippet.
_FILLER = re.compile("[\u034f\u00ad\u200b\u200c\u200d\u2007\u2060\ufeff\u00a0\u180e]+")
_BETWEEN = " - "


@dataclass(frozen=True, slots=True)
class InboxRow:
    """One mail in one client's list, as much of it as there is room for."""

    client: str
    sender: str
    subject: str
    snippet: str
    subject_cut: bool
    snippet_cut: bool


def rows(
    sender: str, subject: str, preheader: str, text: str, *, body_text: str = ""
) -> tuple[InboxRow, ...]:
    """Return how Gmail, an iPhone, a notification and a client that reads the text part list a mail.

    `text` is the mail's text part. Without a preheader clients take the
    beginning of what the mail says: `body_text`, the visible text of its HTML.
    """
    sender, subject, text = _flat(sender), _flat(subject), _flat(text)
    snippet = _flat(preheader) or _flat(body_text)
    return (
        _gmail(sender, subject, snippet),
        _row("iPhone Mail", (sender, IPHONE_SENDER), (subject, IPHONE_SUBJECT), (snippet, IPHONE_SNIPPET)),
        _row(
            "Phone notification",
            (sender, NOTIFICATION_TITLE),
            (subject, NOTIFICATION_SUBJECT),
            (snippet, NOTIFICATION_BODY),
            bold=True,
        ),
        _row("Reads the text part", (sender, IPHONE_SENDER), (subject, IPHONE_SUBJECT), (text, TEXT_SNIPPET)),
    )


def _gmail(sender: str, subject: str, snippet: str) -> InboxRow:
    """One line: an unread subject is bold, and what it leaves belongs to the snippet."""
    shown, subject_cut = cut(subject, GMAIL_LINE, bold=True)
    left = GMAIL_LINE - width(shown, bold=True) - width(_BETWEEN)
    kept = snippet
    if len(snippet) > GMAIL_SNIPPET:
        kept = _beginning(snippet, GMAIL_SNIPPET)
        kept = kept.rpartition(" ")[0] or kept
    seen, narrow = cut(kept, left) if left > width("…") * 2 else ("", bool(snippet))
    if not narrow and len(kept) < len(snippet):
        seen, narrow = f"{seen.rstrip()}…", True
    return InboxRow("Gmail", cut(sender, GMAIL_SENDER, bold=True)[0], shown, seen, subject_cut, narrow)


def _row(
    client: str,
    sender: tuple[str, float],
    subject: tuple[str, float],
    snippet: tuple[str, float],
    *,
    bold: bool = False,
) -> InboxRow:
    """Each of the three on lines of its own."""
    shown, subject_cut = cut(*subject, bold=bold)
    seen, snippet_cut = cut(*snippet)
    return InboxRow(client, cut(*sender, bold=True)[0], shown, seen, subject_cut, snippet_cut)


def _beginning(text: str, characters: int) -> str:
    """Return at most so many characters, no letter torn from its accents."""
    kept = ""
    for cluster in clusters(text):
        if len(kept) + len(cluster) > characters:
            break
        kept += cluster
    return kept


def _flat(text: str) -> str:
    """Return a text on one line, without what is there only to take room."""
    return " ".join(_FILLER.sub(lambda found: " " if "\u00a0" in found[0] else _kept(found[0]), text).split())


def _kept(filler: str) -> str:
    """A joiner between two letters or emoji means something; a run of several does not."""
    return filler if filler in ("\u200c", "\u200d", "\u00ad") else ""
