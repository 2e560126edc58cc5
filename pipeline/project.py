"""Opens a newsletter: settings to posts, theme, store and mailer; alone knows adapters by name.

Everything is made when it is first asked for, so that a command pays only for
what it uses.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from pipeline import settings_file
from pipeline.errors import SettingsError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from pipeline.audience.tokens import InstallationTokens
    from pipeline.collect.folder import Folder
    from pipeline.edges import Hook, Mailbox, Mailer, Store
    from pipeline.hear.mailbox import ServerConfig
    from pipeline.mailers.outbox import Outbox
    from pipeline.render.content.kept import KeptBodies
    from pipeline.render.theme.theme import Theme
    from pipeline.settings import Settings
    from pipeline.store import Missing

#: What the program keeps for itself, inside the newsletter's folder; never in git.
PRIVATE = ".newsletter"
ENTRY_POINTS, HOOK_POINTS = "newsletter.mailers", "newsletter.hooks"


class Project:
    """One newsletter's folder, opened."""

    def __init__(self, root: Path, settings: Settings, now: datetime, environ: Mapping[str, str]) -> None:
        self.root = root
        self.settings = settings
        #: The run's one moment, aware, in the newsletter's zone.
        self.now = now
        self.environ = environ
        #: True if it had a store a moment ago: one that is not there then is missing, and none is made in its place.
        self.had_store = False
        #: What an editor should know besides; the command line prints it at the end.
        self.warnings: list[str] = []

    @property
    def today(self) -> datetime:
        """`now`, or this machine's own time if that is later: what lies after it is yet to come, --clock or not."""
        return max(self.now, _now(self.settings))

    @cached_property
    def source(self) -> Folder:
        """The posts folder."""
        from pipeline.collect.folder import Folder

        return Folder(self.root, self.settings)

    @cached_property
    def theme(self) -> Theme:
        """The newsletter's own templates over the built-in ones."""
        from pipeline.render.theme.theme import Theme

        return Theme([self.root / "templates"], self.settings)

    @cached_property
    def render_body(self) -> KeptBodies:
        """Renders posts' bodies, each once as long as the newsletter is open."""
        from pipeline.render.content.kept import KeptBodies

        return KeptBodies()

    @cached_property
    def tokens(self) -> InstallationTokens:
        """Whatever derives from the installation secret."""
        from pipeline.audience.tokens import (
            MAKE_ONE,
            STRONG,
            InstallationTokens,
            load_old_secrets,
            load_secret,
            weak,
        )

        secret = load_secret(self.root, self.environ)
        if weak(secret):
            self.warnings.append(
                f"the installation secret has fewer than {STRONG} characters, so links to unsubscribe could be "
                f"guessed. {MAKE_ONE}"
            )
        return InstallationTokens(secret, load_old_secrets(self.root, self.environ))

    @property
    def tokens_for_looking(self) -> InstallationTokens:
        """The same, but where there is no secret yet none is made: what derives from it then is worth nothing."""
        from pipeline.audience.tokens import InstallationTokens, has_secret

        if has_secret(self.root, self.environ):
            return self.tokens
        return InstallationTokens(b"nobody keeps what is made with this")

    @cached_property
    def store(self) -> Store:
        """The ledger and the audience."""
        return self._open_store("refuse" if self.had_store else "make")

    @property
    def store_for_looking(self) -> Store:
        """The same, but where there is no store yet none is made: an empty one in memory stands for it."""
        return self.__dict__.get("store") or self._open_store("stand-in")

    def _open_store(self, missing: Missing) -> Store:
        from pipeline.audience.tokens import LateTokens
        from pipeline.store import open_store

        lease = timedelta(seconds=self.settings.mail.lease)
        tokens = LateTokens(lambda: self.tokens)
        return open_store(self.settings.store.url, self.root, tokens, lease, missing)

    @cached_property
    def mailer(self) -> Mailer:
        """The mailer that settings name."""
        return make_mailer(self)

    @cached_property
    def single_mailer(self) -> Mailer:
        """The same, for single messages that belong to no issue's readers: test copies."""
        from pipeline.mailers.outbox import SINGLE, Outbox

        return Outbox(self.root / "outbox", SINGLE) if isinstance(self.mailer, Outbox) else self.mailer

    @property
    def outbox(self) -> Outbox:
        """What lies in outbox/, whichever mailer is in use today."""
        return _outbox(self)

    def mailbox(self) -> Mailbox:
        """Return the mailbox that settings name; not yet opened."""
        return make_mailbox(self)

    @staticmethod
    def pipe(stream: BinaryIO) -> Mailbox:
        """Return a mailbox that holds the one message of a stream."""
        from pipeline.hear.mailbox import Pipe

        return Pipe(stream)

    @property
    def person(self) -> str:
        """The name under which somebody works on this machine; "" if it has none for them."""
        import getpass

        try:
            return getpass.getuser()
        except (OSError, KeyError, ImportError):  # a container's user without an entry
            return ""

    @property
    def public(self) -> Path:
        """The site, as any static host serves it."""
        return self.root / "public"

    def traces(self) -> dict[int, str]:
        """What lies about of issues that went out, by number: evidence beside the ledger and issues/."""
        found = {}
        for folder, pattern in (("public/issues", "*/index.html"), ("outbox", "*/*.eml")):
            for path in (self.root / folder).glob(pattern):
                name = path.parent.name
                if name.isascii() and name.isdigit() and len(name) < 10:
                    found[int(name)] = f"{folder}/{name}"
        return found

    @property
    def private(self) -> Path:
        """The program's own folder, for its owner's eyes only."""
        folder = self.root / PRIVATE
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder


def _outbox(project: Project) -> Outbox:
    from pipeline.mailers.outbox import Outbox

    return Outbox(project.root / "outbox")


def _smtp(project: Project) -> Mailer:
    from pipeline.mailers.smtp import Smtp, SmtpConfig, Timeouts
    from pipeline.secrets import read_secret

    smtp = project.settings.mail.smtp
    password = None
    if smtp.password:
        password = read_secret("mail.smtp.password", smtp.password, project.root, project.environ)
    return Smtp(
        SmtpConfig(
            host=smtp.host,
            port=smtp.port,
            security=smtp.security,
            username=smtp.username,
            password=password,
            connections=smtp.connections,
            window=smtp.window,
            ca_file=str(project.root / smtp.ca_file) if smtp.ca_file else None,
            hello=smtp.hello,
            timeouts=Timeouts(**smtp.timeouts.model_dump()),
        )
    )


#: Our own mailers by name. Strangers' come in by the entry point group `newsletter.mailers`:
#: a function from a Project to a Mailer.
MAILERS: Mapping[str, Callable[[Project], Mailer]] = {"outbox": _outbox, "smtp": _smtp}


def make_mailer(project: Project) -> Mailer:
    """Return the mailer that `[mail] mailer` names. Raises SettingsError if there is none."""
    name = project.settings.mail.mailer
    if name in MAILERS:
        return MAILERS[name](project)
    from importlib.metadata import entry_points

    strangers = {point.name: point for point in entry_points(group=ENTRY_POINTS)}
    if name in strangers:
        mailer: Mailer = strangers[name].load()(project)
        return mailer
    raise SettingsError(
        f"mail.mailer: mailer {name!r} is not known; there are: {', '.join([*MAILERS, *sorted(strangers)])}",
        path=settings_file.FILE,
    )


def _server(project: Project) -> ServerConfig:
    from pipeline.hear.mailbox import ServerConfig
    from pipeline.secrets import read_secret

    box = project.settings.hear.mailbox
    password = (
        read_secret("hear.mailbox.password", box.password, project.root, project.environ)
        if box.password
        else ""
    )
    return ServerConfig(
        host=box.host,
        port=box.its_port,
        username=box.username or "",
        password=password,
        security=box.security,
        ca_file=str(project.root / box.ca_file) if box.ca_file else None,
    )


def _imap(project: Project) -> Mailbox:
    from pipeline.hear.mailbox import Imap

    box = project.settings.hear.mailbox
    return Imap(_server(project), box.folder, box.after)


def _pop3(project: Project) -> Mailbox:
    from pipeline.hear.mailbox import Pop3

    return Pop3(_server(project))


def _maildir(project: Project) -> Mailbox:
    from pipeline.hear.mailbox import Maildir

    box = project.settings.hear.mailbox
    return Maildir(project.root / (box.path or ""), box.after)


def _mbox(project: Project) -> Mailbox:
    from pipeline.hear.mailbox import Mbox

    box = project.settings.hear.mailbox
    return Mbox(project.root / (box.path or ""), box.after)


#: What `[hear.mailbox] kind` may name.
MAILBOXES: Mapping[str, Callable[[Project], Mailbox]] = {
    "imap": _imap,
    "pop3": _pop3,
    "maildir": _maildir,
    "mbox": _mbox,
}


def make_mailbox(project: Project) -> Mailbox:
    """Return the mailbox that settings name. Raises SettingsError if there is none."""
    kind = project.settings.hear.mailbox.kind
    if kind is None:
        raise SettingsError(
            "hear.mailbox.kind: there is no mailbox to read. Name one under [hear.mailbox] (docs/bounces.md), or "
            "pipe a message in with `newsletter hear -`.",
            path=settings_file.FILE,
        )
    return MAILBOXES[kind](project)


#: What `POST /hooks/<name>` may name. Strangers' come in by the entry point group `newsletter.hooks`: a function from a
#: Project to a Hook.
HOOKS: Mapping[str, Callable[[Project], Hook]] = {}


def hook_makers() -> Mapping[str, Callable[[Project], Hook]]:
    """Return what makes each hook there is, by name; looks through all packages, so ask once."""
    from importlib.metadata import entry_points

    def by(point: EntryPoint) -> Callable[[Project], Hook]:
        def make(project: Project) -> Hook:
            hook: Hook = point.load()(project)
            return hook

        return make

    return {point.name: by(point) for point in entry_points(group=HOOK_POINTS)} | dict(HOOKS)


def open_project(root: Path, clock: str | None = None, environ: Mapping[str, str] | None = None) -> Project:
    """Open the newsletter in a folder.

    `clock` pretends that it is then: a date or a moment, in the newsletter's
    zone unless it names one. Raises SettingsError.
    """
    environ = os.environ if environ is None else environ
    settings = settings_file.load(root / settings_file.FILE, environ)
    return Project(root.resolve(), settings, read_moment(clock, settings) or _now(settings), environ)


def _now(settings: Settings) -> datetime:
    return datetime.now(UTC).astimezone(settings.newsletter.zone).replace(microsecond=0)


def read_moment(text: str | None, settings: Settings) -> datetime | None:
    """Read a date or moment from the command line, in the newsletter's zone unless it names one."""
    if text is None:
        return None
    from pipeline.collect.dates import moment
    from pipeline.errors import UsageError

    zone = settings.newsletter.zone
    try:
        return moment(text, zone).astimezone(zone)
    except ValueError as fault:
        raise UsageError(f"a date on the command line (--clock, --since) {fault}") from fault
