"""A Postfix of our own on loopback: takes mail as a provider's submission port does, and files it in Maildirs.

It asks for STARTTLS and a password (Cyrus SASL). All of it lives in one folder
and ends with the `with`. Nothing can leave: there is no SMTP client in its
master.cf, and mail for anyone but its own mailboxes is an error.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import trustme

from support.daemons import HOST, answers, free_port, program, public_folder, run, running, until

USERNAME = "letter"
#: Nothing in it may trip over shell, settings or SASL.
PASSWORD = "it's \"the relay's\" $password = 100% secret"
#: Owner of the Maildirs: a number, so that no account is needed.
OWNER = 5000

MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/mail.log
maillog_file_prefixes = {folder}

# Loopback alone: nothing is looked up, nothing goes on.
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtpd_peername_lookup = no
myhostname = relay.example
mydestination =
mynetworks =
relayhost =
alias_maps =
alias_database =
default_transport = error:5.4.4 nothing leaves this machine
relay_transport = $default_transport
local_transport = $default_transport

# A submission port (RFC 6409): encrypted, and for nobody without the password.
smtpd_tls_security_level = encrypt
smtpd_tls_chain_files = {folder}/relay.pem
smtpd_tls_auth_only = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = cyrus
smtpd_sasl_path = smtpd
# Where Debian looks anyway, whatever this says.
cyrus_sasl_config_path = {folder}/etc/sasl
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions = permit_sasl_authenticated, reject

virtual_mailbox_base = {folder}/mail
virtual_mailbox_domains = {domains}
virtual_mailbox_maps = texthash:{folder}/mailboxes
virtual_uid_maps = static:{owner}
virtual_gid_maps = static:{owner}
"""

#: Name, type, private, unprivileged, chroot, wake up, at most, command (master(5)). No client among them.
MASTER = """
127.0.0.1:{port} inet n - n -     - smtpd
cleanup          unix n - n -     0 cleanup
qmgr             unix n - n 300   1 qmgr
tlsmgr           unix - - n 1000? 1 tlsmgr
rewrite          unix - - n -     - trivial-rewrite
proxymap         unix - - n -     - proxymap
bounce           unix - - n -     0 bounce
defer            unix - - n -     0 bounce
trace            unix - - n -     0 bounce
verify           unix - - n -     1 verify
flush            unix n - n 1000? 0 flush
showq            unix n - n -     - showq
error            unix - - n -     - error
retry            unix - - n -     - error
virtual          unix - n n -     - virtual
anvil            unix - - n -     1 anvil
postlog     unix-dgram n - n -    1 postlogd
"""

SASL = """
pwcheck_method: auxprop
auxprop_plugin: sasldb
sasldb_path: {folder}/etc/sasl/passwords
mech_list: PLAIN LOGIN
"""


@dataclass(frozen=True)
class Postfix:
    """A Postfix at work."""

    folder: Path
    port: int
    #: `mail_version`, as it says itself.
    version: str
    _daemon: ExitStack = field(default_factory=ExitStack, repr=False)

    def start(self) -> None:
        self._daemon.enter_context(_master(self.folder, self.port))

    def stop(self) -> None:
        """End it at once, whatever is under way, as `postfix stop` does."""
        self._daemon.close()

    @property
    def ca_file(self) -> Path:
        """The authority that vouches for it, PEM."""
        return self.folder / "ca.pem"

    @property
    def maildirs(self) -> Path:
        """Where the Maildirs are, as `domain/local`."""
        return self.folder / "mail"

    @property
    def log(self) -> str:
        """What it wrote of its day."""
        return (self.folder / "mail.log").read_text("utf-8")

    def inbox(self, address: str) -> list[bytes]:
        """Every message in one reader's Maildir, with CRLF, which a Maildir keeps as LF."""
        maildir = self.maildirs / _maildir(address)
        return [
            path.read_bytes().replace(b"\n", b"\r\n")
            for folder in ("new", "cur")
            for path in sorted(maildir.glob(f"{folder}/*"))
        ]

    def wait_until_delivered(self) -> None:
        """Return when nothing is left in the queue."""
        until(lambda: not run("postqueue", "-c", str(self.folder / "etc"), "-j"), "the queue is not empty")


def missing() -> str:
    """Say what keeps this machine from running a Postfix of our own; "" if nothing does."""
    if os.geteuid() != 0:
        return "Postfix must be started by root, and these tests are not"
    lacking = [name for name in ("postfix", "postqueue", "postconf", "saslpasswd2") if not program(name)]
    return f"this machine has no {', '.join(lacking)} (Debian: postfix, sasl2-bin)" if lacking else ""


@contextmanager
def started(mailboxes: Iterable[str]) -> Iterator[Postfix]:
    """Run a Postfix that has these mailboxes, until the `with` ends."""
    folder = public_folder("postfix")
    try:
        port = free_port()
        _furnish(folder, port, list(mailboxes))
        # Makes the queue's folders and sees that everything belongs to whom it should.
        run("postfix", "-c", str(folder / "etc"), "check")
        postfix = Postfix(folder, port, run("postconf", "-d", "-h", "mail_version").strip())
        postfix.start()
        try:
            yield postfix
        finally:
            postfix.stop()
    finally:
        shutil.rmtree(folder)


def _furnish(folder: Path, port: int, mailboxes: list[str]) -> None:
    for name in ("etc", "etc/sasl", "queue", "data", "mail"):
        (folder / name).mkdir()
    shutil.chown(folder / "data", "postfix")
    os.chown(folder / "mail", OWNER, OWNER)
    domains = sorted({address.partition("@")[2] for address in mailboxes})
    values = {"folder": folder, "port": port, "owner": OWNER, "domains": ", ".join(domains)}
    for name, text in (("etc/main.cf", MAIN), ("etc/master.cf", MASTER), ("etc/sasl/smtpd.conf", SASL)):
        (folder / name).write_text(text.format(**values), "utf-8")
    (folder / "mailboxes").write_text("".join(f"{address} {_maildir(address)}/\n" for address in mailboxes))

    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    certificate = authority.issue_cert(HOST).private_key_and_cert_chain_pem.bytes()
    (folder / "relay.pem").write_bytes(certificate)
    for path in folder.rglob("*"):
        # Whatever the umask is.
        path.chmod(0o755 if path.is_dir() else 0o644)

    passwords = folder / "etc/sasl/passwords"
    realm = run("postconf", "-c", str(folder / "etc"), "-h", "myhostname").strip()
    run("saslpasswd2", "-p", "-c", "-f", str(passwords), "-u", realm, USERNAME, typed=PASSWORD)
    shutil.chown(passwords, group="postfix")


def _maildir(address: str) -> str:
    local, _, domain = address.partition("@")
    return f"{domain}/{local}"


@contextmanager
def _master(folder: Path, port: int) -> Iterator[None]:
    master = Path(run("postconf", "-d", "-h", "daemon_directory").strip()) / "master"
    # -s: stays in the foreground; -e: ends by itself after ten minutes, should nobody be left to end it.
    command = [str(master), "-c", str(folder / "etc"), "-s", "-e", "600"]
    with running(command) as process:
        until(lambda: answers(port) or process.poll() is not None, "Postfix does not answer")
        assert process.poll() is None, (folder / "mail.log").read_text("utf-8")
        yield
