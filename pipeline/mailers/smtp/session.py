"""Opens a session with a relay: connect, greeting, EHLO, TLS, AUTH.

The commands are the standard library's smtplib; the socket and the replies
below it are ours, so that every step has one deadline and a reply is what it
says. After this the transaction is ours altogether.
"""

from __future__ import annotations

import base64
import errno
import os
import re
import select
import smtplib
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pipeline.discretion import clean
from pipeline.errors import MailerUnusable, RelayRefused, RelayUnfit
from pipeline.mailers.smtp.config import SmtpConfig
from pipeline.mailers.smtp.envelope import Extensions
from pipeline.mailers.smtp.together import wait
from pipeline.mailers.smtp.wire import Lost, Wire

#: How long a relay may take to say good-bye; nothing depends on it.
FAREWELL = 2.0


@dataclass(frozen=True, slots=True)
class Session:
    """A relay that is ready for MAIL."""

    wire: Wire
    extensions: Extensions

    def quit(self) -> None:
        """End the session as it should be (RFC 5321, 4.1.1.10), whatever the relay makes of it."""
        with suppress(Lost):
            self.wire.send(b"QUIT\r\n", FAREWELL)
            self.wire.reply(FAREWELL)
        self.wire.close()


def open_session(
    config: SmtpConfig, context: ssl.SSLContext | None, on_socket: Callable[[socket.socket], None]
) -> Session:
    """Connect and introduce ourselves.

    `on_socket` is given each socket before it is connected. Raises
    RelayRefused if the relay will not have us, MailerUnusable if it cannot be
    talked to now; neither names an address or a credential.
    """
    setup = _Setup(config)
    try:
        return setup.run(context, on_socket)
    except BaseException as fault:
        if setup.wire:
            setup.wire.close()
        if isinstance(fault, _Unwelcome):
            kind = RelayRefused if fault.code >= 500 else MailerUnusable if fault.code else RelayUnfit
            # Not `from`: what smtplib raises may hold what it was given.
            raise kind(setup.explain(fault.said, fault.remedy)) from None
        if isinstance(fault, ssl.SSLError | Lost | smtplib.SMTPException | OSError | ValueError):
            # A certificate, and what smtplib cannot do, are the same the next time.
            unfit = isinstance(fault, ssl.SSLCertVerificationError | smtplib.SMTPException)
            raise (RelayUnfit if unfit else MailerUnusable)(setup.explain(*_reason(fault))) from None
        raise


class _Unwelcome(Exception):
    """A negative reply during set-up; 0 for what the relay does not offer."""

    def __init__(self, code: int, said: str, remedy: str) -> None:
        super().__init__(said)
        self.code, self.said, self.remedy = code, said, remedy


class _Setup(smtplib.SMTP):
    """smtplib's commands over our own wire; used for one session, then dropped."""

    def __init__(self, config: SmtpConfig) -> None:
        # Any name keeps smtplib from asking the DNS for ours, which can take minutes.
        super().__init__(local_hostname="localhost")
        self.config = config
        self.wire: Wire | None = None
        #: What is being done, for messages, and how long its reply may take.
        self.step = "connecting"
        self.patience = config.timeouts.connect

    def run(self, context: ssl.SSLContext | None, on_socket: Callable[[socket.socket], None]) -> Session:
        config, timeouts = self.config, self.config.timeouts
        sock = _connect(config.host, config.port, timeouts.connect, on_socket)
        self.wire = Wire(sock)
        self.local_hostname = config.hello or _our_name(sock)
        if context and config.security == "tls":
            self.step = "TLS"
            self.wire.encrypt(context, config.host, timeouts.command)
        self.step, self.patience = "greeting", timeouts.greeting
        self._demand(self.getreply(), "Try again later, or ask the relay's provider why it will not have us")
        self._hello()
        if context and config.security == "starttls":
            self._start_tls(context)
            self._hello()
        if config.username and config.password:
            self._log_in(config.username, config.password)
        return Session(self.wire, Extensions.offered(self.esmtp_features))

    def _hello(self) -> None:
        self.step, self.patience = "EHLO", self.config.timeouts.command
        self._demand(self.ehlo(), "mail.smtp.hello sets the name that we introduce ourselves with")

    def _start_tls(self, context: ssl.SSLContext) -> None:
        self.step = "STARTTLS"
        remedy = (
            'Nothing is said in the clear; write mail.smtp.security = "tls" if it speaks TLS from the start '
            '(port 465), or "none" if it is on this very machine'
        )
        if not self.has_extn("starttls"):
            raise _Unwelcome(0, "the relay does not offer STARTTLS", remedy)
        code, text = self.docmd("STARTTLS")
        if not 200 <= code < 300:
            # A refusal here can be anybody's on the way; it says nothing about us.
            raise _Unwelcome(code if code < 500 else 0, self._said(code, text), remedy)
        if self.wire:
            self.wire.encrypt(context, self.config.host, self.config.timeouts.command)
        # What was offered in the clear counts for nothing (RFC 3207, 4.2).
        self.esmtp_features = {}

    def _log_in(self, username: str, password: str) -> None:
        self.step = "AUTH"
        if not self.has_extn("auth"):
            raise _Unwelcome(
                0,
                "the relay offers no AUTH",
                "Take mail.smtp.username away, or use its submission port (587 or 465)",
            )
        try:
            self.login(username, password)
        except smtplib.SMTPAuthenticationError as fault:
            text = fault.smtp_error if isinstance(fault.smtp_error, bytes) else fault.smtp_error.encode()
            remedy = (
                "Check mail.smtp.username and where mail.smtp.password says the password is"
                if fault.smtp_code >= 500
                else "Try again later"
            )
            raise _Unwelcome(fault.smtp_code, self._said(fault.smtp_code, text), remedy) from None

    def _demand(self, reply: tuple[int, bytes], remedy: str) -> None:
        code, text = reply
        if not 200 <= code < 300:
            raise _Unwelcome(code, self._said(code, text), remedy)

    def _said(self, code: int, text: bytes) -> str:
        words = clean(text.replace(b"\n", b" "), self._credentials())
        return f"the relay said {code} {words}".rstrip()

    def _credentials(self) -> list[str]:
        """Everything that a relay could repeat of what we logged in with."""
        user, word = self.config.username or "", self.config.password or ""
        plain = [word, user, f"\0{user}\0{word}"] if word else []
        return [*plain, *(base64.b64encode(one.encode()).decode() for one in plain)]

    def explain(self, said: str, remedy: str) -> str:
        """Say where, what, and what to do."""
        return f"{self.config.place} cannot be used ({self.step}): {said.rstrip('.')}. {remedy}."

    # What smtplib does its reading and writing with.

    def send(self, s: object) -> None:
        if self.wire:
            self.wire.send(s if isinstance(s, bytes) else str(s).encode("ascii"), self.patience)

    def getreply(self) -> tuple[int, bytes]:
        if not self.wire:
            raise Lost("there is no connection")
        reply = self.wire.reply(self.patience)
        # smtplib takes these codes and no others; the first digit decides (RFC 5321, 4.2.1).
        code = {"EHLO": 250, "AUTH": 235}.get(self.step, reply.code) if reply.code < 300 else reply.code
        return code, b"\n".join(reply.lines)

    def close(self) -> None:
        """Leave the wire open: it outlives this object."""


def _connect(
    host: str, port: int, seconds: float, on_socket: Callable[[socket.socket], None]
) -> socket.socket:
    """Connect to the first address that answers, all of them within one deadline. Raises OSError or Lost."""
    end = time.monotonic() + seconds
    places = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    fault: OSError | None = None
    for left, (family, kind, protocol, _, address) in zip(range(len(places), 0, -1), places, strict=True):
        sock = socket.socket(family, kind, protocol)
        try:
            on_socket(sock)
            # An address that swallows everything must leave time for the next one.
            _reach(sock, address, time.monotonic() + (end - time.monotonic()) / left)
            # Without it the dot waits for the relay to acknowledge the text before it: 40 ms a message.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as this:
            sock.close()
            fault = this
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise fault or OSError("the host has no address")


def _reach(sock: socket.socket, address: Any, end: float) -> None:
    """Connect by a moment. Raises OSError."""
    sock.setblocking(False)
    code = sock.connect_ex(address)
    if code == errno.EINPROGRESS:
        wait(sock, select.POLLOUT, end)
        poll = select.poll()
        poll.register(sock, select.POLLOUT)
        if not poll.poll(0):
            raise TimeoutError
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if code:
        raise OSError(code, os.strerror(code))


def _our_name(sock: socket.socket) -> str:
    """Return this machine's name, or where it calls from if that is no full name (RFC 5321, 4.1.4)."""
    name = socket.gethostname()
    if re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", name):
        return name
    address = str(sock.getsockname()[0])
    return f"[IPv6:{address.partition('%')[0]}]" if ":" in address else f"[{address}]"


def _reason(fault: BaseException) -> tuple[str, str]:
    """Return what went wrong and what to do about it."""
    if isinstance(fault, ssl.SSLCertVerificationError):
        return (
            f"its certificate is not to be trusted: {fault.verify_message}",
            "mail.smtp.host must be a name in the certificate; mail.smtp.ca_file names issuers of your own",
        )
    if isinstance(fault, ssl.SSLError):
        return (
            f"TLS failed: {fault.reason or 'no reason given'}",
            'Check mail.smtp.security and mail.smtp.port: "starttls" goes with 587, "tls" with 465',
        )
    if isinstance(fault, socket.gaierror):
        return f"no such host: {fault.strerror}", "Check mail.smtp.host and the network"
    if isinstance(fault, TimeoutError):
        return "no connection in time", "Check mail.smtp.host and mail.smtp.port, and that the relay is up"
    if isinstance(fault, OSError) and not isinstance(fault, smtplib.SMTPException):
        return fault.strerror or type(
            fault
        ).__name__, "Check mail.smtp.host and mail.smtp.port, and that the relay is up"
    if isinstance(fault, Lost):
        return str(fault), "Try again later; if it stays so, check mail.smtp.port and mail.smtp.security"
    # Of smtplib's own words and of ValueError's nothing is repeated: they may hold what was sent.
    return "it speaks no kind of login that we do", "Ask its provider for one with AUTH PLAIN over TLS"
