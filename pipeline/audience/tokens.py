"""Everything that derives from the installation secret: subscriber ids, tokens, Message-IDs.

A token is 27 bytes in URL-safe base64, few enough that a List-Unsubscribe line
fits its 78 columns: a key id, the subscriber's id hidden, and a MAC of 80 bits
that covers both and the purpose. The MAC also seeds the hiding (as in RFC
5297), so the same token comes out every time and nothing is random. It says
nothing to whoever reads it in a log, and never expires: a link must work two
years later. A dated token (42 characters) also holds a second, and whoever
reads it decides for how long it counts.
"""

from __future__ import annotations

import base64
import contextlib
import hmac
import os
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex

from pipeline.errors import SettingsError
from pipeline.model import address_key

#: Where the secret is kept, if the environment does not hold it.
OWN_FILE = ".newsletter/secret"
VARIABLE = "NEWSLETTER_SECRET"
#: Earlier secrets, whose links in mails already sent still work: one a line. Beside the file, or in a variable.
OLD = "_OLD"
OLD_FILE = ".newsletter/secret.old"
#: Fewer bytes could be guessed (128 bits, NIST SP 800-107, 5.3.4).
STRONG = 16

#: Bytes of the MAC. A forger has to ask us about each guess, and 2**80 of them are out of anyone's reach.
TAG = 10
#: How a person comes by a good one.
MAKE_ONE = "Make one with: python -c 'import secrets; print(secrets.token_hex(32))'"

#: Bytes of a subscriber's id, and of a dated token's seconds since 1970 (until 2106).
UID, SECONDS = 16, 4
_TOKEN = re.compile(r"[A-Za-z0-9_-]{36}", re.ASCII)
_DATED = re.compile(r"[A-Za-z0-9_-]{42}", re.ASCII)
_UID = re.compile(r"[0-9a-f]{32}", re.ASCII)


class _Keys:
    """One secret's keys, one for each use: what is made with one says nothing about the others."""

    __slots__ = ("address", "forgotten", "hide", "id", "mac", "message")

    def __init__(self, secret: bytes) -> None:
        def derive(use: str) -> bytes:
            return hmac.digest(secret, f"newsletter 1 {use}".encode(), "sha256")

        self.address = derive("address")
        self.forgotten = derive("forgotten")
        self.message = derive("message-id")
        self.mac = derive("token mac")
        self.hide = derive("token hide")
        #: Says which secret a token was made with, without saying anything about it.
        self.id = derive("key id")[:1]

    def uid(self, email: str) -> str:
        return hmac.digest(self.address, address_key(email).encode(), "sha256")[:UID].hex()

    def mark(self, email: str) -> str:
        return hmac.digest(self.forgotten, address_key(email).encode(), "sha256")[:UID].hex()

    def message_id(self, issue: int, uid: str) -> str:
        return hmac.digest(self.message, f"{issue} {uid}".encode(), "sha256")[:16].hex()

    def tag(self, purpose: str, plain: bytes) -> bytes:
        return hmac.digest(self.mac, purpose.encode() + b"\0" + plain, "sha256")[:TAG]

    def mask(self, tag: bytes, data: bytes) -> bytes:
        pad = hmac.digest(self.hide, tag, "sha256")
        mixed = int.from_bytes(data) ^ int.from_bytes(pad[: len(data)])
        return mixed.to_bytes(len(data))


class InstallationTokens:
    """Makes and reads whatever derives from the secret (the `Tokens` of edges/).

    `old` secrets still read the tokens they made; new ones are made with
    `secret` only. Holds no secret itself, only keys made from it.
    """

    def __init__(self, secret: bytes, old: Sequence[bytes] = ()) -> None:
        for one in (secret, *old):
            _check(one, "the installation secret")
        self._keys = _Keys(secret)
        self._all = (self._keys, *map(_Keys, old))

    def __repr__(self) -> str:
        return f"<InstallationTokens, {len(self._all)} key(s)>"

    def uid(self, email: str) -> str:
        """Return a subscriber's permanent 32 hexadecimal digits, the same for every spelling of the address."""
        return self._keys.uid(email)

    def uids(self, email: str) -> tuple[str, ...]:
        """Return the ids that the address has, or would have, under every secret; today's first."""
        return tuple(keys.uid(email) for keys in self._all)

    def marks(self, email: str) -> tuple[str, ...]:
        """Return what stays of a forgotten address, under every secret, today's first; 32 hexadecimal digits each."""
        return tuple(keys.mark(email) for keys in self._all)

    def message_id(self, issue: int, uid: str) -> str:
        """Return the left side of a Message-ID, 32 hexadecimal digits (RFC 5322, 3.6.4)."""
        return self._keys.message_id(issue, uid)

    def message_ids(self, issue: int, uid: str) -> tuple[str, ...]:
        """Return the same as it is, or would be, under every secret; today's first."""
        return tuple(keys.message_id(issue, uid) for keys in self._all)

    def token(self, purpose: str, uid: str) -> str:
        """Return an opaque URL-safe token of 36 characters for one purpose.

        Raises ValueError unless `uid` is 32 hexadecimal digits.
        """
        return self._seal(purpose, _bytes_of(uid))

    def dated(self, purpose: str, uid: str, at: datetime) -> str:
        """Return an opaque URL-safe token of 42 characters that also holds a moment, to the second.

        Raises ValueError unless `uid` is 32 hexadecimal digits and the moment is between 1970 and 2106.
        """
        try:
            seconds = int(at.timestamp()).to_bytes(SECONDS)
        except OverflowError as fault:
            raise ValueError(f"{at} cannot stand in a token") from fault
        return self._seal(purpose, _bytes_of(uid) + seconds)

    def read(self, purpose: str, token: str) -> str | None:
        """Return whose token it is; None if we did not make it for this purpose. Takes the same time either way."""
        plain = self._open(purpose, token) if _TOKEN.fullmatch(token) else None
        return None if plain is None else plain.hex()

    def read_dated(self, purpose: str, token: str) -> tuple[str, datetime] | None:
        """Return whose token it is and its moment, in UTC; None if we did not make it for this purpose."""
        plain = self._open(purpose, token) if _DATED.fullmatch(token) else None
        if plain is None:
            return None
        return plain[:UID].hex(), datetime.fromtimestamp(int.from_bytes(plain[UID:]), UTC)

    def _seal(self, purpose: str, plain: bytes) -> str:
        keys = self._keys
        tag = keys.tag(purpose, plain)
        sealed = keys.id + tag + keys.mask(tag, plain)
        return base64.urlsafe_b64encode(sealed).decode("ascii").rstrip("=")

    def _open(self, purpose: str, token: str) -> bytes | None:
        data = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        found: bytes | None = None
        for keys in self._all:
            plain = keys.mask(data[1 : 1 + TAG], data[1 + TAG :])
            genuine = hmac.compare_digest(keys.id + keys.tag(purpose, plain), data[: 1 + TAG])
            found = plain if genuine and found is None else found
        return found


def _bytes_of(uid: str) -> bytes:
    if not _UID.fullmatch(uid):
        raise ValueError("a subscriber's id is 32 hexadecimal digits")
    return bytes.fromhex(uid)


class LateTokens:
    """The same, whose secret is looked for, or made, when something first derives from it.

    So looking at a newsletter works where nothing may be written.
    """

    def __init__(self, load: Callable[[], InstallationTokens]) -> None:
        self._load = load

    def uid(self, email: str) -> str:
        """Return a subscriber's permanent id."""
        return self._load().uid(email)

    def uids(self, email: str) -> tuple[str, ...]:
        """Return the ids an address has under every secret."""
        return self._load().uids(email)

    def marks(self, email: str) -> tuple[str, ...]:
        """Return what stays of a forgotten address, under every secret."""
        return self._load().marks(email)

    def token(self, purpose: str, uid: str) -> str:
        """Return an opaque token for one purpose."""
        return self._load().token(purpose, uid)

    def message_id(self, issue: int, uid: str) -> str:
        """Return the left side of a Message-ID."""
        return self._load().message_id(issue, uid)


def weak(secret: bytes) -> bool:
    """Tell whether a secret is so short that its tokens could be guessed."""
    return len(secret) < STRONG


def has_secret(root: Path, environ: Mapping[str, str]) -> bool:
    """Tell whether there is an installation secret, without making one."""
    return VARIABLE in environ or f"{VARIABLE}_FILE" in environ or (root / OWN_FILE).exists()


def load_secret(root: Path, environ: Mapping[str, str]) -> bytes:
    """Return the installation secret: NEWSLETTER_SECRET, the file NEWSLETTER_SECRET_FILE names, or our own.

    Our own is `.newsletter/secret`, made at first use, readable by its owner
    only. Raises SettingsError, which never holds any of it.
    """
    if VARIABLE in environ:
        return _check(environ[VARIABLE].strip().encode(), VARIABLE)
    named = environ.get(f"{VARIABLE}_FILE")
    path = Path(named) if named else root / OWN_FILE
    try:
        if not named and not path.exists():
            _make(path)
        content = path.read_bytes().strip()
    except OSError as fault:
        what = f"{VARIABLE}_FILE names {named}, which" if named else OWN_FILE
        raise SettingsError(f"{what} cannot be read or made: {fault.strerror}") from fault
    return _check(content, named or OWN_FILE)


def load_old_secrets(root: Path, environ: Mapping[str, str]) -> tuple[bytes, ...]:
    """Return earlier secrets: NEWSLETTER_SECRET_OLD, the file that NEWSLETTER_SECRET_OLD_FILE names, or our own.

    One a line, the newest first; none at all is the usual case. Raises SettingsError.
    """
    if VARIABLE + OLD in environ:
        return _each_line(environ[VARIABLE + OLD].encode())
    named = environ.get(f"{VARIABLE}{OLD}_FILE")
    path = Path(named) if named else root / OLD_FILE
    try:
        return _each_line(path.read_bytes())
    except FileNotFoundError:
        if not named:
            return ()
        raise SettingsError(f"{VARIABLE}{OLD}_FILE names {named}, which is not there") from None
    except OSError as fault:
        raise SettingsError(f"{named or OLD_FILE} cannot be read: {fault.strerror}") from fault


def _each_line(content: bytes) -> tuple[bytes, ...]:
    return tuple(filter(None, map(bytes.strip, content.splitlines())))


def _check(secret: bytes, place: str) -> bytes:
    if not secret:
        raise SettingsError(f"{place} is empty, so there is no secret. {MAKE_ONE}")
    return secret


def _make(path: Path) -> None:
    """Write a new secret; of two processes that do so at once, the first wins. Never leaves half a file."""
    if not path.parent.is_dir():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # A folder of our own making never ends up in anyone's git.
        (path.parent / ".gitignore").write_text("*\n", "utf-8")
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=".secret-")  # mode 0600
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(token_hex(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        # A link fails where a rename would replace: a secret once made is never lost.
        with contextlib.suppress(FileExistsError):
            os.link(beside, path)
    finally:
        Path(beside).unlink()
    if os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
