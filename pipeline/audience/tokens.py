"""Everything that derives from the installation secret: subscriber ids, tokens, Message-IDs.

A token is 27 bytes in URL-safe base64, few enough that a List-Unsubscribe line
fits its 78 columns: a key id, the subscriber's id hidden, and a MAC of 80 bits
that covers both and the purpose. The MAC also seeds the hiding (as in RFC
5297), so the same token comes out every time and nothing is random. It says
nothing to whoever reads it in a log, and never expires: a link must work two
years later.
"""

from __future__ import annotations

import base64
import contextlib
import hmac
import os
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from secrets import token_hex

from pipeline.errors import SettingsError
from pipeline.model import address_key

#: Where the secret is kept, if the environment does not hold it.
OWN_FILE = ".newsletter/secret"
VARIABLE = "NEWSLETTER_SECRET"
#: Fewer bytes could be guessed (128 bits, NIST SP 800-107, 5.3.4).
STRONG = 16

#: Bytes of the MAC. A forger has to ask us about each guess, and 2**80 of them are out of anyone's reach.
TAG = 10
#: How a person comes by a good one.
MAKE_ONE = "Make one with: python -c 'import secrets; print(secrets.token_hex(32))'"

_TOKEN = re.compile(r"[A-Za-z0-9_-]{36}", re.ASCII)
_UID = re.compile(r"[0-9a-f]{32}", re.ASCII)


class _Keys:
    """One secret's keys, one for each use: what is made with one says nothing about the others."""

    __slots__ = ("address", "hide", "id", "mac", "message")

    def __init__(self, secret: bytes) -> None:
        def derive(use: str) -> bytes:
            return hmac.digest(secret, f"newsletter 1 {use}".encode(), "sha256")

        self.address = derive("address")
        self.message = derive("message-id")
        self.mac = derive("token mac")
        self.hide = derive("token hide")
        #: Says which secret a token was made with, without saying anything about it.
        self.id = derive("key id")[:1]

    def tag(self, purpose: str, uid: bytes) -> bytes:
        return hmac.digest(self.mac, purpose.encode() + b"\0" + uid, "sha256")[:TAG]

    def mask(self, tag: bytes, data: bytes) -> bytes:
        pad = hmac.digest(self.hide, tag, "sha256")
        mixed = int.from_bytes(data) ^ int.from_bytes(pad[: len(data)])
        return mixed.to_bytes(len(data))


class InstallationTokens:
    """Makes and reads whatever derives from the secret (the `Tokens` of edges.py).

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
        return hmac.digest(self._keys.address, address_key(email).encode(), "sha256")[:16].hex()

    def message_id(self, issue: int, uid: str) -> str:
        """Return the left side of a Message-ID, 32 hexadecimal digits (RFC 5322, 3.6.4)."""
        return hmac.digest(self._keys.message, f"{issue} {uid}".encode(), "sha256")[:16].hex()

    def token(self, purpose: str, uid: str) -> str:
        """Return an opaque URL-safe token of 36 characters for one purpose.

        Raises ValueError unless `uid` is 32 hexadecimal digits.
        """
        if not _UID.fullmatch(uid):
            raise ValueError("a subscriber's id is 32 hexadecimal digits")
        keys, plain = self._keys, bytes.fromhex(uid)
        tag = keys.tag(purpose, plain)
        return base64.urlsafe_b64encode(keys.id + tag + keys.mask(tag, plain)).decode("ascii")

    def read(self, purpose: str, token: str) -> str | None:
        """Return whose token it is; None if we did not make it for this purpose. Takes the same time either way."""
        if not _TOKEN.fullmatch(token):
            return None
        data = base64.urlsafe_b64decode(token)
        found: str | None = None
        for keys in self._all:
            plain = keys.mask(data[1 : 1 + TAG], data[1 + TAG :])
            genuine = hmac.compare_digest(keys.id + keys.tag(purpose, plain), data[: 1 + TAG])
            found = plain.hex() if genuine and found is None else found
        return found


class LateTokens:
    """The same, whose secret is looked for, or made, when something first derives from it.

    So looking at a newsletter works where nothing may be written.
    """

    def __init__(self, load: Callable[[], InstallationTokens]) -> None:
        self._load = load

    def uid(self, email: str) -> str:
        """Return a subscriber's permanent id."""
        return self._load().uid(email)

    def token(self, purpose: str, uid: str) -> str:
        """Return an opaque token for one purpose."""
        return self._load().token(purpose, uid)

    def message_id(self, issue: int, uid: str) -> str:
        """Return the left side of a Message-ID."""
        return self._load().message_id(issue, uid)


def weak(secret: bytes) -> bool:
    """Tell whether a secret is so short that its tokens could be guessed."""
    return len(secret) < STRONG


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
