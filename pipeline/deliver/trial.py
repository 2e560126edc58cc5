"""Makes test copies: what a reader would get, marked in its subject, with links that change nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pipeline.deliver.message import Splicer
from pipeline.edges import Tokens
from pipeline.model import Delivery, DeliveryState, FrozenIssue, Recipient, Submission

#: Stands where a reader's token would: whoever follows the link, or a scanner, changes nothing.
TOKEN = "test"  # noqa: S105 -- opens nothing, and is meant to
#: The same in an issue's files and in the preview, which a person looks at before there is a reader.
SAMPLE = "sample"
MARK = "[TEST]"


def trial_copies(
    frozen: FrozenIssue, people: Sequence[Recipient], tokens: Tokens, now: datetime
) -> list[Submission]:
    """Return a complete message and its envelope for each address; the ledger knows nothing of them."""
    splicer = Splicer(frozen, HarmlessTokens(tokens, now))
    return [splicer.submission(Delivery(0, frozen.number, person, DeliveryState.ARMED)) for person in people]


class Unguarded:
    """Lets every message go: a test copy is in no ledger, so nothing has to be written down before."""

    def __call__(self, submission: Submission) -> bool:  # noqa: ARG002
        """Let it go."""
        return True

    def many(self, submissions: Sequence[Submission]) -> Sequence[bool]:
        """Let them go."""
        return [True] * len(submissions)


class HarmlessTokens:
    """Tokens that open nothing, and Message-IDs that no real copy has: a mailbox would show only one of the two."""

    def __init__(self, tokens: Tokens, now: datetime) -> None:
        self._tokens, self._now = tokens, now

    def uid(self, email: str) -> str:
        return self._tokens.uid(email)

    def token(self, purpose: str, uid: str) -> str:  # noqa: ARG002
        return TOKEN

    def dated(self, purpose: str, uid: str, at: datetime) -> str:  # noqa: ARG002
        return TOKEN

    def message_id(self, issue: int, uid: str) -> str:
        return self._tokens.message_id(issue, f"{uid} test {self._now.isoformat()}")
