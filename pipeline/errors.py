"""Everything that can go wrong, in one tree.

NewsletterError            a person can act on the message
├── PostError              a file in posts/ cannot be used          posts/snow.md:3: ...
├── UsageError             the command line cannot be understood
├── SettingsError          newsletter.toml or the environment
├── DraftError             a file in issues/ cannot be used         issues/0042.md:4: ...
├── ThemeError             a template or stylesheet cannot be used  templates/mail.html:12: ...
├── AudienceError          a file of subscribers, or an address
├── StoreError             the ledger cannot be read or written
├── PublishError           the public folder cannot be written
├── MailerUnusable         no message can be handed over at all
│   ├── RelayRefused       the relay refuses us, whoever the reader is; a person must mend it
│   └── RelayUnfit         we do not trust it, or it lacks what was asked for; no use in trying again
├── MailboxUnusable        what comes back cannot be read; it stays where it is
├── HookRefused            what was posted to a hook is not proven to be the provider's
├── Refused                a guard says no; nothing has changed
│   └── Unrendered         readers chose categories for which the issue is not rendered; nothing has changed
├── ChecksFailed           the issue has errors; nothing has changed
├── NotApproved            nobody approved what would go out now; nothing has changed
└── Busy                   another run is at work on this newsletter

What a relay answers about one recipient is an Outcome, never an exception.
Each class carries the exit code that the command line ends with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def installing(extra: str = "") -> str:
    """Say how a part is installed that not everybody needs, from our source: no registry has this program."""
    what = f"'.[{extra}]'" if extra else "."
    return f"In the folder of newsletter's source: pip install {what}"


class NewsletterError(Exception):
    """Say what is wrong, where, and what to do; shown without a traceback."""

    exit_code = 1

    def __init__(self, message: str, *, path: str = "", line: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        #: The file at fault, relative to the newsletter's folder; "" where there is none.
        self.path = path
        #: 1-based line in that file, where one can be named.
        self.line = line

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else self.path
        return f"{place}: {self.message}" if place else self.message


class PostError(NewsletterError):
    """A file in the posts folder cannot be used."""


class UsageError(NewsletterError):
    """The command line cannot be understood; nothing was done."""

    exit_code = 2


class SettingsError(NewsletterError):
    """newsletter.toml, the environment or a secret cannot be used."""

    exit_code = 7


class DraftError(NewsletterError):
    """An issue file cannot be used."""


class ThemeError(NewsletterError):
    """A template or stylesheet cannot be used."""


class AudienceError(NewsletterError):
    """A file of subscribers, or one address, cannot be used."""


class StoreError(NewsletterError):
    """The ledger cannot be read or written; the run stops."""


class PublishError(NewsletterError):
    """The public folder cannot be written; the old site stands."""


class MailerUnusable(NewsletterError):
    """No message can be handed over at all; no recipient is at fault."""

    exit_code = 7


class RelayRefused(MailerUnusable):
    """The relay refuses us for good, whoever the recipient; the issue is paused until a person has mended it."""


class RelayUnfit(MailerUnusable):
    """We cannot talk to this relay as was asked for (certificate, STARTTLS, AUTH); no use in trying again."""


class MailboxUnusable(NewsletterError):
    """A mailbox cannot be opened or read; what was not decided about stays in it."""

    exit_code = 7


class HookRefused(NewsletterError):
    """A request to a hook is not proven to be from whom it says; nothing in it is believed."""


class Refused(NewsletterError):
    """A guard says no; nothing has changed."""


class Unrendered(Refused):
    """Readers chose categories this moment for which the issue is not rendered yet; nothing has changed."""

    def __init__(self, variants: Iterable[str]) -> None:
        self.variants = tuple(sorted(variants))
        super().__init__(
            f"readers of {', '.join(self.variants)} would get a part of the issue that is not rendered. Try again."
        )


class ChecksFailed(NewsletterError):
    """The issue has errors that stop it; nothing has changed."""

    exit_code = 3


class NotApproved(NewsletterError):
    """Nobody approved what would go out now; nothing has changed."""

    exit_code = 6


class Busy(NewsletterError):
    """Another run is at work on this newsletter."""
