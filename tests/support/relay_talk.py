"""One conversation of a scripted relay: SMTP as the RFCs have it, until the script says otherwise."""

from __future__ import annotations

import base64
import binascii
import re
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from support.relay_wire import Connection, Gone, Wire

if TYPE_CHECKING:
    from support.relay import Relay

MAIL = re.compile(rb"MAIL FROM:<([^<>]*)>(.*)", re.I | re.S)
RCPT = re.compile(rb"RCPT TO:<([^<>]+)>(.*)", re.I | re.S)


@dataclass
class Transaction:
    """One MAIL and what followed it."""

    sender: str | None = None
    recipients: list[str] = field(default_factory=list)
    eight_bit: bool = False
    #: BDAT chunks so far (RFC 3030).
    chunks: list[bytes] = field(default_factory=list)


class Talk(Wire):
    """Serves one client."""

    def __init__(self, relay: Relay, sock: socket.socket, record: Connection) -> None:
        super().__init__(relay, sock, record)
        self._transaction = Transaction()
        #: What was said while a body was still coming; then its end gets no answer.
        self._said_early = ""

    # --- the conversation ----------------------------------------------------

    def run(self) -> None:
        try:
            if self.relay.tls == "tls":
                self._handshake()
            self._do("greeting", b"220 relay.example ESMTP\r\n")
            while True:
                self._command(self._line())
        except (Gone, OSError):
            pass
        finally:
            self.record.over = True
            with suppress(OSError):
                self.sock.close()

    def _command(self, line: bytes) -> None:
        verb = line[:4].upper()
        if self._buffer and verb != b"BDAT":
            self._sent_ahead(verb)
        if self.relay.keep:
            self.record.commands.append(
                line.decode("utf-8", "replace") if verb != b"AUTH" else line[:10].decode("ascii", "replace")
            )
        if verb == b"MAIL":
            self._mail(line)
        elif verb == b"RCPT":
            self._rcpt(line)
        elif verb == b"DATA":
            self._data()
        elif verb == b"BDAT":
            self._bdat(line)
        elif verb in (b"EHLO", b"HELO"):
            self._hello(line)
        elif verb == b"STAR":
            self._starttls()
        elif verb == b"AUTH":
            self._auth(line)
        elif verb == b"RSET":
            self._transaction = Transaction()
            self._say(b"250 2.0.0 Forgotten\r\n")
        elif verb == b"NOOP":
            self._say(b"250 2.0.0 Nothing done\r\n")
        elif verb == b"QUIT":
            self._say(b"221 2.0.0 Bye\r\n")
            self._end()
        else:
            self.relay.violation(f"unknown command {line[:20]!r}")
            self._say(b"500 5.5.2 What?\r\n")

    def _sent_ahead(self, verb: bytes) -> None:
        # RFC 2920, 3.1: these may only stand at the end of a group; DATA's text waits for 354.
        if "PIPELINING" not in self.relay.extensions:
            self.relay.violation(f"more was sent after {verb!r}, though PIPELINING is not offered")
        elif verb in (b"EHLO", b"DATA", b"NOOP", b"QUIT", b"STAR", b"AUTH"):
            self.relay.violation(f"more was sent after {verb!r} without waiting for its answer")

    def _hello(self, line: bytes) -> None:
        self._transaction = Transaction()
        self.record.hello = line[5:].decode("utf-8", "replace")
        lines = ["relay.example"]
        if line[:4].upper() == b"EHLO":
            for name in sorted(self.relay.extensions):
                if name == "SIZE":
                    lines.append(f"SIZE {self.relay.size}")
                elif name == "AUTH":
                    if self.relay.users is not None and (self.record.tls or self.relay.tls is None):
                        lines.append("AUTH PLAIN LOGIN")
                elif name == "STARTTLS":
                    if self.relay.tls == "starttls" and not self.record.tls:
                        lines.append(name)
                else:
                    lines.append(name)
        text = "".join(f"250-{each}\r\n" for each in lines[:-1]) + f"250 {lines[-1]}\r\n"
        self._do("ehlo", text.encode())

    def _starttls(self) -> None:
        if self.relay.tls != "starttls" or self.record.tls:
            self._say(b"502 5.5.1 No TLS here\r\n")
            return
        if self._buffer:
            # RFC 3207, 4.2 (and the injection of 2011): nothing of before TLS is believed.
            self._buffer.clear()
        if self._do("starttls", b"220 2.0.0 Go ahead\r\n")[:1] == b"2":
            self._flush()
            self._handshake()

    def _handshake(self) -> None:
        behaviour = self.relay.script.decide("tls", self.moment)
        if behaviour is not None:
            self._utter(behaviour, behaviour.say(b""))
            self._flush()
            raise Gone
        self.sock.getpeername()  # fails if the client has reset: wrap_socket would leak a socket then
        try:
            self.sock = self.relay.server_context.wrap_socket(self.sock, server_side=True)
        except ssl.SSLError as fault:
            raise Gone from fault
        self.record.tls = True
        self.record.hello = ""

    def _auth(self, line: bytes) -> None:
        words = line.decode("ascii", "replace").split()
        if self.relay.users is None or len(words) < 2:
            self._say(b"502 5.5.1 No AUTH here\r\n")
            return
        try:
            user, password = self._credentials(words[1].upper(), words[2:])
        except (binascii.Error, ValueError):
            self._say(b"501 5.5.2 Not base64\r\n")
            return
        good = self.relay.users.get(user) == password
        said = self._do(
            "auth", b"235 2.7.0 Welcome\r\n" if good else b"535 5.7.8 User and password do not match\r\n"
        )
        if said[:1] == b"2":
            self.record.user = user

    def _credentials(self, method: str, initial: list[str]) -> tuple[str, str]:
        def ask(challenge: bytes) -> bytes:
            self._say(b"334 " + base64.b64encode(challenge) + b"\r\n")
            return base64.b64decode(self._line(), validate=True)

        if method == "PLAIN":
            given = base64.b64decode(initial[0], validate=True) if initial else ask(b"")
            _, user, password = given.decode().split("\0")
            return user, password
        if method == "LOGIN":
            name = base64.b64decode(initial[0], validate=True) if initial else ask(b"Username:")
            return name.decode(), ask(b"Password:").decode()
        raise ValueError(method)

    # --- a transaction -------------------------------------------------------

    def _mail(self, line: bytes) -> None:
        found = MAIL.fullmatch(line)
        if not found:
            self._wrong(b"501 5.5.4 MAIL FROM:<address>\r\n", f"cannot read {line[:60]!r}")
        elif not self.record.hello:
            self._wrong(b"503 5.5.1 EHLO first\r\n", "MAIL before EHLO")
        elif self.relay.users is not None and not self.record.user:
            self._say(b"530 5.7.0 Authentication required\r\n")
        elif self._transaction.sender is not None:
            self._wrong(b"503 5.5.1 One MAIL at a time\r\n", "MAIL within a transaction")
        elif wrong := self._parameters(found[2]):
            self._wrong(wrong + b"\r\n", f"parameters {found[2]!r}: {wrong!r}")
        else:
            self.moment.transaction += 1
            self.moment.sender, self.moment.recipient = found[1].decode("utf-8", "replace"), ""
            if self._do("mail", b"250 2.1.0 Ok\r\n")[:1] in b"23":
                self._transaction.sender = self.moment.sender

    def _parameters(self, text: bytes) -> bytes:
        offered = self.relay.extensions
        for word in text.upper().split():
            name, _, value = word.partition(b"=")
            if name == b"SIZE" and "SIZE" in offered:
                if int(value) > self.relay.size:
                    return b"552 5.3.4 Too big"
            elif name == b"BODY" and "8BITMIME" in offered:
                self._transaction.eight_bit = value == b"8BITMIME"
            elif name != b"SMTPUTF8" or "SMTPUTF8" not in offered:
                return b"555 5.5.4 Parameter not offered"
        return b""

    def _rcpt(self, line: bytes) -> None:
        found = RCPT.fullmatch(line)
        if not found or found[2]:
            self._wrong(b"501 5.5.4 RCPT TO:<address>\r\n", f"cannot read {line[:60]!r}")
        elif self._transaction.sender is None:
            self._say(b"503 5.5.1 MAIL first\r\n")
        else:
            self.moment.recipient = found[1].decode("utf-8", "replace")
            if self._do("rcpt", b"250 2.1.5 Ok\r\n")[:1] in b"23":
                self._transaction.recipients.append(self.moment.recipient)

    def _data(self) -> None:
        if self._said_354:
            self._said_354 = False
        elif self._transaction.sender is None:
            self._say(b"503 5.5.1 MAIL first\r\n")
            return
        elif not self._transaction.recipients and not self.relay.empty_data:
            self._say(b"554 5.5.1 No valid recipients\r\n")
            return
        elif self._do("data", b"354 Go ahead\r\n")[:3] != b"354":
            return
        self._before_body()
        data = self._body()
        if data[:1] == b".":
            data = data[1:]
        if b"\r\n." in data:
            data = data.replace(b"\r\n.", b"\r\n")
        self._finish(data)

    def _before_body(self) -> None:
        """Misbehave as soon as the first octets of a body are there."""
        behaviour = self.relay.script.decide("body", self.moment)
        if behaviour is not None:
            if not self._buffer:
                self._fill()
            said = behaviour.say(b"451 4.3.0 In the middle\r\n")
            self._utter(behaviour, said)
            self._flush()
            self._said_early = said[:3].decode() if behaviour.clear else "lost"

    def _body(self) -> bytes:
        """Read up to the final dot; return all before it, still stuffed, with its last CRLF."""
        buffer, seen = self._buffer, 0
        while True:
            if buffer.startswith(b".\r\n"):
                end = 0
            elif (end := buffer.find(b"\r\n.\r\n", seen)) >= 0:
                end += 2
            else:
                seen = max(0, len(buffer) - 4)
                self._fill()
                continue
            data = bytes(buffer[:end])
            del buffer[: end + 3]
            if self.relay.keep:
                self.record.commands.append(".")
            if buffer and "PIPELINING" not in self.relay.extensions:
                self.relay.violation("more was sent after the dot, though PIPELINING is not offered")
            return data

    def _bdat(self, line: bytes) -> None:
        words = line.split()
        if "CHUNKING" not in self.relay.extensions or len(words) < 2 or not words[1].isdigit():
            self._wrong(b"501 5.5.4 BDAT size [LAST]\r\n", f"not offered or not readable: {line[:40]!r}")
            raise Gone  # where its octets end is not known
        size, last = int(words[1]), words[2:3] == [b"LAST"]
        if self._transaction.recipients:
            self._before_body()
        while len(self._buffer) < size:
            self._fill()
        chunk = bytes(self._buffer[:size])
        del self._buffer[:size]
        if self._transaction.sender is None or not self._transaction.recipients:
            said = (
                b"503 5.5.1 MAIL first"
                if self._transaction.sender is None
                else b"554 5.5.1 No valid recipients"
            )
            self._say(said + b"\r\n")
            if last:
                self._transaction = Transaction()
            return
        self._transaction.chunks.append(chunk)
        if last:
            self._finish(b"".join(self._transaction.chunks))
        else:
            self._say(b"250 2.0.0 %d octets\r\n" % size)

    def _finish(self, data: bytes) -> None:
        """Take the message or not, write that down, and only then answer."""
        transaction, self._transaction = self._transaction, Transaction()
        if transaction.sender is None or not transaction.recipients:
            self._say(b"554 5.5.1 No valid recipients\r\n")
            return
        self._judge(data, transaction)
        sender, recipients = transaction.sender, transaction.recipients
        if self._said_early:
            answer, self._said_early = self._said_early, ""
            self.relay.answered(self.record.number, sender, recipients, data, answer, False)
            return
        if self.relay.latency or self.relay.holds_after is not None:
            self._flush()
        self.relay.reflect()
        behaviour = self.relay.script.decide("dot", self.moment)
        said = b"250 2.0.0 Taken\r\n"
        if behaviour is None:
            self.relay.answered(self.record.number, sender, recipients, data, "250", True)
            self._replies.append(said)
            return
        said = behaviour.say(said)
        taken = said[:1] == b"2" if behaviour.clear else self.relay.script.was_taken(behaviour)
        answer = said[:3].decode() if behaviour.clear else "lost"
        self.relay.answered(
            self.record.number, transaction.sender, transaction.recipients, data, answer, taken
        )
        self._utter(behaviour, said)

    def _judge(self, data: bytes, transaction: Transaction) -> None:
        if not self.relay.strict:
            return
        if not data.count(b"\r\n") == data.count(b"\n") == data.count(b"\r"):
            self.relay.violation("a bare CR or LF in a body")
        if max(map(len, data.split(b"\r\n"))) > 998:
            self.relay.violation("a line over 998 octets in a body")
        if not transaction.eight_bit and not data.isascii():
            self.relay.violation("octets over 127 in a body that is not BODY=8BITMIME")
