"""The SMTP mailer: hands messages to a relay over several connections, served by one thread."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Generator, Iterable, Iterator
from contextlib import suppress
from functools import partial

from pipeline.edges import Arm
from pipeline.errors import MailerUnusable, RelayRefused, RelayUnfit
from pipeline.mailers.smtp.config import SmtpConfig
from pipeline.mailers.smtp.session import Session, open_session
from pipeline.mailers.smtp.submissions import Pull, Source
from pipeline.mailers.smtp.together import Line, Together
from pipeline.mailers.smtp.transaction import OneByOne
from pipeline.mailers.smtp.verdicts import Phase, Refusal, lost
from pipeline.mailers.smtp.window import Window
from pipeline.mailers.smtp.wire import Lost
from pipeline.model import Answer, Outcome, Submission


class Smtp:
    """Speaks to one relay (RFC 5321). Raises SettingsError for settings that no connection can come of."""

    name = "smtp"
    #: One call of `submit` serves all connections that the settings ask for.
    connections = 1

    def __init__(self, config: SmtpConfig) -> None:
        self._config = config
        self._context = config.tls()
        self._lock = threading.Lock()
        self._open: set[_Connection] = set()

    def __repr__(self) -> str:
        return f"<Smtp {self._config.place}>"

    def submit(self, submissions: Iterable[Submission | None], arm: Arm) -> Iterator[Answer]:
        """Hand over each submission on one of the connections, each opened when there is one for it.

        Raises RelayRefused and MailerUnusable, after everything pulled is answered.
        """
        source, together = Source(submissions), Together(arm)
        lines = [Line(partial(self._line, source)) for _ in range(self._config.connections)]
        for line in lines:
            together.begin(line)
        handed_over = False
        for answer in together.serve():
            handed_over = handed_over or answer.outcome is not Outcome.NOT_ARMED
            yield answer
        faults = [line.fault for line in lines if line.fault]
        refusals = [fault for fault in faults if isinstance(fault, RelayRefused | RelayUnfit)]
        # As long as one connection did something, the others may not be missed; if they are, the next call will tell.
        if refusals or (faults and not handed_over):
            raise (refusals or faults)[0]

    def _line(self, source: Source, arm: Arm) -> Iterator[Answer]:
        """Serve one connection; where there are others beside it, another one after a good one."""
        pull, beside = Pull(source), self._config.connections > 1
        good = True
        while good and (first := pull.first()):
            pull.waiting.append(first)
            good = False
            connection = _Connection(self._config, self._context)
            with self._lock:
                self._open.add(connection)
            try:
                for answer in connection.run(pull, arm):
                    good = good or (beside and answer.outcome is Outcome.ACCEPTED)
                    yield answer
            except MailerUnusable as fault:
                # It would say the same to the others; they finish what they have.
                if isinstance(fault, RelayRefused | RelayUnfit) or not self._at_work():
                    source.stop()
                raise
            finally:
                with self._lock:
                    self._open.discard(connection)
                connection.close()
            good = good and not connection.abandoned

    def _at_work(self) -> bool:
        """Tell whether any connection has come as far as a session."""
        with self._lock:
            return any(connection.at_work for connection in self._open)

    def abandon(self) -> None:
        """Cut every connection, from another thread; each `submit` answers what it has pulled, and returns."""
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            connection.cut()

    def look_up(self, submission: Submission) -> Outcome | None:  # noqa: ARG002 -- SMTP cannot be asked
        """Return None: the relay cannot tell what it took."""
        return None


class _Connection:
    """One session, or a second if the relay closed the first while it rested."""

    def __init__(self, config: SmtpConfig, context: ssl.SSLContext | None) -> None:
        self._config = config
        self._context = context
        self._session: Session | None = None
        self._lock = threading.Lock()
        #: A second handle of the socket, to shut it down from another thread whatever TLS makes of the first.
        self._handle: socket.socket | None = None
        self.abandoned = False

    def run(self, pull: Pull, arm: Arm) -> Generator[Answer, None, None]:
        while True:
            first = pull.waiting[0]
            try:
                self._session = open_session(self._config, self._context, self._hold)
            except MailerUnusable as fault:
                while pull.waiting:
                    yield Answer(pull.waiting.popleft(), Outcome.NOT_ARMED)
                if self.abandoned:
                    return
                raise fault
            try:
                sound = yield from self._way(self._session).run(pull, arm)
            except Refusal as refusal:
                raise RelayRefused(self._refused(str(refusal))) from None
            if not pull.waiting:
                if sound:
                    self._session.quit()
                return
            # It hung up before anything of these was written. Once that is nobody's fault.
            self._session.wire.close()
            if pull.waiting[0] is first or self.abandoned:
                while pull.waiting:
                    yield lost(Phase.MAIL, "the relay closed the connection").answer(pull.waiting.popleft())
                return

    @property
    def at_work(self) -> bool:
        """Whether its session is open, as far as is known."""
        return self._session is not None

    def _way(self, session: Session) -> Window | OneByOne:
        relay, config = session.extensions, self._config
        if config.window > 1 and relay.chunking and relay.pipelining:
            return Window(session, config.timeouts, config.window)
        return OneByOne(session, config.timeouts)

    def _refused(self, said: str) -> str:
        return (
            f"{self._config.place} refuses this issue, whoever the reader is: {said.rstrip('.')}. "
            "Check that it lets this account send as newsletter.from and mail.return_path."
        )

    def _hold(self, sock: socket.socket) -> None:
        """Take a handle of the socket that is about to be used. Raises Lost after `cut`."""
        with self._lock:
            if self._handle:
                self._handle.close()
            self._handle = sock.dup()
            if self.abandoned:
                raise Lost("the run was stopped")

    def cut(self) -> None:
        with self._lock:
            self.abandoned = True
            if self._handle:
                # Not connected yet, or not any more.
                with suppress(OSError):
                    self._handle.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        with self._lock:
            if self._session:
                self._session.wire.close()
            if self._handle:
                self._handle.close()
                self._handle = None
