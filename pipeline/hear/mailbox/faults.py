"""Turns what goes wrong with a mailbox into one sentence that names no address and no secret."""

from __future__ import annotations

import imaplib
import poplib
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from pipeline.discretion import clean
from pipeline.errors import MailboxUnusable

#: What the standard library raises for what a server says.
SAID = (imaplib.IMAP4.error, poplib.error_proto)
STAYS = "What was not decided about stays in it"


@contextmanager
def explained(name: str, step: str, hide: Sequence[str] = (), remedy: str = "") -> Iterator[None]:
    """Raise MailboxUnusable for whatever a server, a socket or a disk does during one step."""
    try:
        yield
    except (*SAID, OSError, EOFError, ValueError) as fault:
        said, usual = _reason(fault, hide)
        # Not `from`: what the library raises may hold what it was given.
        raise MailboxUnusable(
            f"{name} cannot be used ({step}): {said.rstrip('.')}. {remedy or usual}. {STAYS}."
        ) from None


def _reason(fault: BaseException, hide: Sequence[str]) -> tuple[str, str]:
    """Return what went wrong and what to do about it."""
    again = "Try again later; if it stays so, check hear.mailbox.host, port and security"
    if isinstance(fault, SAID):
        words = fault.args[0] if fault.args else ""
        text = words if isinstance(words, bytes) else str(words).encode("utf-8", "replace")
        return f"the server said {clean(text, hide)}" if text else "the server ended the conversation", again
    if isinstance(fault, ssl.SSLCertVerificationError):
        return (
            f"its certificate is not to be trusted: {fault.verify_message}",
            "hear.mailbox.host must be a name in the certificate; hear.mailbox.ca_file names issuers of your own",
        )
    if isinstance(fault, ssl.SSLError):
        return (
            f"TLS failed: {fault.reason or 'no reason given'}",
            "Check hear.mailbox.security and hear.mailbox.port",
        )
    if isinstance(fault, socket.gaierror):
        return f"no such host: {fault.strerror}", "Check hear.mailbox.host and the network"
    if isinstance(fault, TimeoutError):
        return "no answer in time", again
    if isinstance(fault, OSError):
        return fault.strerror or type(fault).__name__, again
    # Words of others may hold what was sent.
    return "the server's answer cannot be understood", again
