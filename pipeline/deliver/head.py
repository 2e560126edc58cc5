"""Decides what each header of a message says, an issue's or a single mail's, in the order that all copies have them."""

from __future__ import annotations

import re
from datetime import datetime
from hashlib import sha256
from urllib.parse import quote, unquote, urlsplit

from pipeline.deliver import headers
from pipeline.deliver.encode import one_line
from pipeline.deliver.message import Field, shorten
from pipeline.errors import Refused
from pipeline.model import Issue, Letter, LetterKind
from pipeline.settings import Newsletter, Settings, mailbox
from pipeline.slugs import slugify

#: Characters of a subject: several times what any inbox shows, and far from what relays cut off.
SUBJECT_LIMIT = 500


def head(issue: Issue, settings: Settings, boundary: str) -> list[tuple[str, str]]:
    """Return names and values, with fields standing where readers differ.

    Raises Refused for a subject that no message can have.
    """
    newsletter = settings.newsletter
    values = {
        **_of_every_message(settings, _subject(issue.subject), issue.date, boundary),
        "To": _field(Field.TO),
        "Message-ID": _message_id(newsletter),
        **_of_a_list(settings, _field(Field.UNSUBSCRIBE)),
        "List-Archive": headers.fold("List-Archive", [f"<{headers.uri(newsletter.url)}/>"]),
        "Feedback-ID": headers.fold("Feedback-ID", [_feedback_id(issue.number, newsletter)]),
    }
    return [(name, values[name]) for name in headers.NAMES if values[name]]


def letter_head(
    letter: Letter, subject: str, message_id: str, settings: Settings, boundary: str, unsubscribe: str = ""
) -> list[tuple[str, str]]:
    """Return names and values of a single mail's headers; with a token to leave, it says which list it is of.

    Raises AudienceError, without the address, if no message can be addressed to the reader.
    """
    # A confirmation may go to somebody who never asked: nothing that whoever did ask typed in reaches them.
    name = "" if letter.kind is LetterKind.CONFIRMATION else shorten(letter.name)
    moment = letter.at.astimezone(settings.newsletter.zone)
    values = {
        **_of_every_message(settings, one_line(subject)[:SUBJECT_LIMIT], moment, boundary),
        "To": headers.mailbox("To", name, headers.address(letter.email)),
        "Message-ID": headers.fold("Message-ID", [f"<{message_id}>"]),
        **(_of_a_list(settings, unsubscribe) if unsubscribe else {}),
        # Nobody's absence notice comes back, and nobody's robot answers it (RFC 3834, 5).
        "Auto-Submitted": headers.fold("Auto-Submitted", ["auto-generated"]),
    }
    return [(name, values[name]) for name in headers.LETTER_NAMES if values.get(name)]


def _of_every_message(settings: Settings, subject: str, date: datetime, boundary: str) -> dict[str, str]:
    newsletter = settings.newsletter
    return {
        "From": _mailbox("From", newsletter.sender),
        "Subject": headers.unstructured("Subject", subject),
        "Date": headers.date(date),
        "Reply-To": _mailbox("Reply-To", newsletter.reply_to) if newsletter.reply_to else "",
        "MIME-Version": headers.fold("MIME-Version", ["1.0"]),
        "Content-Type": headers.fold("Content-Type", ["multipart/alternative;", f'boundary="{boundary}"']),
    }


def _of_a_list(settings: Settings, token: str) -> dict[str, str]:
    """Return what says which list a message is of, and how to leave it at once (RFC 2919, RFC 8058)."""
    newsletter = settings.newsletter
    return {
        "List-Id": headers.named("List-Id", shorten(newsletter.name), f"<{list_id(newsletter)}>"),
        "List-Unsubscribe": _list_unsubscribe(settings, token),
        "List-Unsubscribe-Post": headers.fold("List-Unsubscribe-Post", ["List-Unsubscribe=One-Click"]),
    }


def _field(field: Field, argument: str = "") -> str:
    return field.between_nuls(argument).decode()


def _list_unsubscribe(settings: Settings, token: str) -> str:
    """Return one or two addresses, each on a line of its own as RFC 8058 shows it (8.2), and never broken inside.

    The https one comes first: where both are there, programs take the first they know (RFC 2369, 3.2).
    """
    addresses = [f"{headers.uri(settings.web_url)}/unsubscribe/{token}"]
    if settings.hear.unsubscribe:
        # RFC 6068, 2: what means something in an address of this kind is percent-encoded.
        to = quote(headers.address(settings.hear.unsubscribe), safe="@!$'*+-.^_`{|}~")
        addresses.append(f"mailto:{to}?subject=unsubscribe%20{token}")
    return ",".join(f"\r\n <{address}>" for address in addresses)


def _mailbox(name: str, setting: str) -> str:
    who = mailbox(setting)
    return headers.mailbox(name, shorten(who.display_name), headers.address(who.addr_spec))


def _subject(text: str) -> str:
    subject = one_line(text)
    if not subject:
        raise Refused("the subject is empty. Write one into the issue's draft, or check [issue] subject.")
    if len(subject) > SUBJECT_LIMIT:
        raise Refused(
            f"the subject has {len(subject):,} characters. Write at most {SUBJECT_LIMIT} (best under 40)."
        )
    return subject


def _message_id(newsletter: Newsletter) -> str:
    domain = headers.ascii_host(newsletter.mailbox.domain)
    # Folded as a sample of the same length is: every left side has 32 digits.
    sample = f"{'0' * 32}@{domain}"
    return headers.fold("Message-ID", [f"<{sample}>"]).replace(sample, _field(Field.MESSAGE_ID, domain))


def list_id(newsletter: Newsletter) -> str:
    """Return the List-Id without brackets (RFC 2919, 2): the site's host, below it the labels of a path.

    https://example.org/letters is letters.example.org; a host without a dot,
    as on a trial machine, becomes newsletter.localhost.
    """
    host = re.sub(r"[^A-Za-z0-9.-]", "-", headers.ascii_host(newsletter.host) or "localhost")
    path = [slugify(part) for part in unquote(urlsplit(newsletter.url).path).split("/")]
    labels = [part for part in reversed(path) if part.isascii() and part]
    if not labels and "." not in host:
        labels = ["newsletter"]
    return ".".join([*labels, host])


def _feedback_id(number: int, newsletter: Newsletter) -> str:
    """Return Google's four fields: issue, newsletter, kind, sender id (5 to 15 characters, stable).

    https://support.google.com/mail/answer/6254652; complaints are counted by
    each field, so none may name a reader.
    """
    identity = list_id(newsletter)
    return f"issue-{number}:{identity}:newsletter:{sha256(identity.encode()).hexdigest()[:12]}"
