"""A scripted relay: an SMTP server on a loopback socket that does what it is told, right or wrong.

    with Relay() as relay:                                   # a good one, in the clear
    with Relay(Script().nth("dot", 3, later()), tls="starttls", users={"letter": "secret"}) as relay:
    with Relay(Script.random_faults(0.15, seed=1), extensions=ALL - {"PIPELINING"}) as relay:

It offers PIPELINING, CHUNKING, 8BITMIME, SIZE, SMTPUTF8, ENHANCEDSTATUSCODES, STARTTLS or TLS from the first octet
(`relay.ca_file` is what to trust) and AUTH PLAIN and LOGIN, each of which can be left out. `relay.host`,
`relay.port`; `relay.taken()`: messages as the client's octets; `relay.deliveries`: who, to whom, what;
`relay.transcript`: each connection's commands, reads and writes (`round_trips`); `relay.violations`: what the client
did that SMTP forbids; `relay.environment()`: the settings that point the command at it; `relay.wait(n)`: until it has
taken n messages; `relay.script`: may be changed at any time. What scripts can do is in relay_script.py.

    with Relay(holds_after=2) as relay:                      # the third message gets no answer before relay.go_on()

As a process, for tests that kill clients: `PYTHONPATH=tests python -m support.relay --log FILE --ready FILE`, with
`--faults 0.15 --seed 1`, `--moods FILE`, `--tls`, `--latency` and more (`--help`). READY gets the port; MOODS a line
for each misbehaviour (connection, phase, name, between tabs); LOG one JSON line for every
body that came to its end, before it is answered: `message_id`, `recipient`, `sha256`, `answer` ("250", "451", ..., or
"lost" where no clear answer was given), `taken`, `connection`.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import socket
import sys
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Literal, NamedTuple, Self

from support.certificates import Certificate, ca_file, server_context
from support.relay_script import Script
from support.relay_talk import Connection, Talk

ALL = frozenset(
    {"PIPELINING", "CHUNKING", "8BITMIME", "SIZE", "SMTPUTF8", "ENHANCEDSTATUSCODES", "STARTTLS", "AUTH"}
)
#: Seconds until a command must have begun to send, on a machine that does much else.
PATIENCE = 30.0
MESSAGE_ID = re.compile(rb"^Message-ID:\s*<([^>]*)>", re.I | re.M)


class Taken(NamedTuple):
    """One message that the relay took."""

    sender: str
    recipient: str
    data: bytes


class Relay:
    """Listens from `with` to its end; a thread for each connection."""

    def __init__(
        self,
        script: Script | None = None,
        tls: Literal["starttls", "tls"] | None = None,
        users: Mapping[str, str] | None = None,
        extensions: Collection[str] = ALL,
        *,
        certificate: Certificate = "good",
        size: int = 50_000_000,
        latency: float = 0.0,
        holds_after: int | None = None,
        empty_data: bool = False,
        strict: bool = True,
        keep: bool = True,
        log: Path | None = None,
        port: int = 0,
        receive_buffer: int | None = None,
    ) -> None:
        self.script = script or Script()
        self.tls, self.users, self.extensions, self.size = tls, users, frozenset(extensions), size
        #: Seconds between a message's end and its answer.
        self.latency = latency
        #: How many messages are answered as they come; the others wait for `go_on()`. None: all of them.
        self.holds_after = holds_after
        #: Answer DATA with 354 even if no recipient was taken, as RFC 2920, 3.1 lets servers do.
        self.empty_data = empty_data
        #: Look into bodies for what SMTP forbids; costs some microseconds per message.
        self.strict = strict
        #: Keep messages and transcripts; without, only counts and the log grow.
        self.keep = keep
        self.host = "127.0.0.1"
        self.deliveries: list[Taken] = []
        self.transcript: list[Connection] = []
        self.violations: list[str] = []
        self.stopping = threading.Event()
        self._ends = self._taken = 0
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._talks: list[Talk] = []
        self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644) if log else None
        self.server_context = server_context(certificate) if tls else None
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if receive_buffer:
            # Small, so that a client is still writing when the relay looks at the first octets.
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._listener.bind((self.host, port))
        self.port: int = self._listener.getsockname()[1]

    @property
    def ca_file(self) -> str:
        return str(ca_file())

    @property
    def connections(self) -> int:
        """How many there have been."""
        return len(self.transcript)

    def taken(self) -> list[bytes]:
        return [each.data for each in self.deliveries]

    def environment(self, **settings: object) -> dict[str, str]:
        """Return what points the command here; `timeouts__dot=1` and the like add to `[mail.smtp]`."""
        values = {"host": self.host, "port": self.port, "security": self.tls or "none"} | settings
        if self.tls:
            values["ca_file"] = self.ca_file
        if self.users:
            user, password = next(iter(self.users.items()))
            values |= {"username": user, "password": password}
        named = {f"NEWSLETTER_MAIL__SMTP__{name.upper()}": str(value) for name, value in values.items()}
        return {"NEWSLETTER_MAIL__MAILER": "smtp", **named}

    def wait(self, messages: int, seconds: float = PATIENCE) -> bool:
        """Wait until so many messages were taken."""
        with self._changed:
            return self._changed.wait_for(lambda: self._taken >= messages, seconds)

    def hears(self, messages: int, seconds: float = PATIENCE) -> bool:
        """Wait until so many messages have come to their end, answered or not."""
        with self._changed:
            return self._changed.wait_for(lambda: self._ends >= messages, seconds)

    def go_on(self) -> None:
        """Answer what is held, and everything from now on."""
        with self._changed:
            self.holds_after = None
            self._changed.notify_all()

    # --- for its conversations -----------------------------------------------

    def reflect(self) -> None:
        """Return when the message that has just come to its end may be answered."""
        with self._changed:
            self._ends += 1
            self._changed.notify_all()
            self._changed.wait_for(lambda: self.holds_after is None or self._taken < self.holds_after)
        if self.latency:
            time.sleep(self.latency)

    def answered(
        self, number: int, sender: str, recipients: Sequence[str], data: bytes, answer: str, taken: bool
    ) -> None:
        """Write one judged message down; called before it is answered."""
        if self._log is not None:
            found = MESSAGE_ID.search(data)
            message_id = found[1].decode("utf-8", "replace") if found else ""
            digest = sha256(data).hexdigest()
            for recipient in recipients:
                event = {
                    "message_id": message_id,
                    "recipient": recipient,
                    "sha256": digest,
                    "answer": answer,
                    "taken": taken,
                    "connection": number,
                }
                os.write(self._log, json.dumps(event).encode() + b"\n")
        if taken:
            with self._changed:
                self._taken += 1
                if self.keep:
                    self.deliveries += [Taken(sender, each, data) for each in recipients]
                self._changed.notify_all()

    def violation(self, what: str) -> None:
        self.violations.append(what)

    # --- life ----------------------------------------------------------------

    def __enter__(self) -> Self:
        self._listener.listen(128)
        accepting = threading.Thread(target=self._accept, name="relay")
        accepting.start()
        self._threads.append(accepting)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop listening and cut every connection."""
        self.stopping.set()
        self.go_on()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        for talk in list(self._talks):
            with suppress(OSError):
                socket.socket.shutdown(talk.sock, socket.SHUT_RDWR)
        for thread in list(self._threads):
            thread.join(5)
        self._listener.close()
        if self._log is not None:
            os.close(self._log)
            self._log = None

    def _accept(self) -> None:
        while not self.stopping.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            record = Connection(len(self.transcript) + 1)
            self.transcript.append(record)
            talk = Talk(self, sock, record)
            thread = threading.Thread(target=talk.run, name=f"relay-{record.number}", daemon=True)
            self._talks = [each for each in self._talks if not each.record.over] + [talk]
            self._threads = [each for each in self._threads if each.is_alive()] + [thread]
            thread.start()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a relay until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(prog="support.relay", description="A scripted relay as a process.")
    parser.add_argument("--log", type=Path, help="append one JSON line per message's end")
    parser.add_argument("--ready", type=Path, help="gets the port when it listens")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--faults", type=float, default=0.0, help="chance of a fault per transaction")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--moods", type=Path, help="append one line per misbehaviour")
    parser.add_argument("--stalls", type=float, default=1.0, help="seconds of the longest stall")
    parser.add_argument("--refuse-us", action="store_true", help="faults may be a 5yz at set-up or MAIL, too")
    parser.add_argument(
        "--latency", type=float, default=0.0, help="seconds from a message's end to its answer"
    )
    parser.add_argument("--tls", choices=("starttls", "tls"))
    parser.add_argument("--ca", type=Path, help="gets the certificate to trust")
    parser.add_argument("--user", default="", metavar="NAME:PASSWORD")
    parser.add_argument("--without", default="", help="extensions not to offer, between commas")
    parser.add_argument("--lax", action="store_true", help="do not look into bodies for violations")
    given = parser.parse_args(arguments)
    script = Script()
    if given.faults:
        script = Script.random_faults(
            given.faults, given.seed, stalls=given.stalls, refuse_us=given.refuse_us
        )
    if given.moods:
        script.moods = os.open(given.moods, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    users = dict([given.user.split(":", 1)]) if given.user else None
    relay = Relay(
        script,
        given.tls,
        users,
        ALL - set(given.without.upper().split(",")),
        latency=given.latency,
        strict=not given.lax,
        keep=False,
        log=given.log,
        port=given.port,
    )
    ending = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: ending.set())
    with relay:
        if given.ca:
            given.ca.write_bytes(ca_file().read_bytes())
        if given.ready:
            # Renamed into place, so that whoever waits for the file never reads half a number.
            beside = given.ready.with_name(f".{given.ready.name}.part")
            beside.write_text(f"{relay.port}\n")
            beside.replace(given.ready)
        else:
            print(relay.port, flush=True)  # noqa: T201
        ending.wait()
    for violation in relay.violations[:20]:
        print(violation, file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    main()
