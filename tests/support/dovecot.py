"""A Dovecot of our own on loopback, to look into Maildirs as a mail program would: over IMAP, or POP3."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from support.certificates import write_server_pem
from support.daemons import answers, free_port, program, public_folder, run, running, until

#: What every reader opens their mailbox with.
PASSWORD = "what-every-reader-has"

#: As Dovecot 2.3 wants it; 2.4 has another language.
CONFIGURATION = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = {protocols}
listen = 127.0.0.1
ssl = yes
ssl_cert = <{folder}/server.pem
ssl_key = <{folder}/server.pem
first_valid_uid = {owner}
last_valid_uid = {owner}
mail_location = maildir:{maildirs}/%d/%n
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={owner} gid={owner} home={maildirs}/%d/%n allow_all_users=yes
}}
# Nobody is made to wait for having mistyped, nor for a process.
auth_failure_delay = 0
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  service_count = 0
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
  }}
}}
"""
POP3 = """
service pop3-login {{
  service_count = 0
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = {pop3s}
  }}
}}
"""


@dataclass(frozen=True)
class Dovecot:
    """A Dovecot at work: its ports. Those that end in s speak TLS from the start, the others offer it."""

    imap: int
    imaps: int
    pop3: int
    pop3s: int


def missing() -> str:
    """Say what keeps this machine from running a Dovecot of our own; "" if nothing does."""
    if not program("dovecot"):
        return "this machine has no dovecot (Debian: dovecot-imapd)"
    version = run("dovecot", "--version")
    return "" if version.startswith("2.3.") else f"Dovecot 2.3 is asked for, and here is {version.strip()}"


def lacks_pop3() -> str:
    """Say what keeps it from speaking POP3; "" if nothing does."""
    if why := missing():
        return why
    folder = Path(run("doveconf", "-d", "-h", "libexec_dir").strip())
    return (
        "" if (folder / "pop3").exists() else "this machine's dovecot speaks no POP3 (Debian: dovecot-pop3d)"
    )


@contextmanager
def started(maildirs: Path, owner: int) -> Iterator[Dovecot]:
    """Run a Dovecot over the Maildirs `domain/local` in a folder."""
    folder = public_folder("dovecot")
    try:
        dovecot = Dovecot(*(free_port() for _ in range(4)))
        pop3 = not lacks_pop3()
        values = {
            "folder": folder,
            "maildirs": maildirs,
            "owner": owner,
            "password": PASSWORD,
            **asdict(dovecot),
        }
        values["protocols"] = "imap pop3" if pop3 else "imap"
        configuration = folder / "dovecot.conf"
        configuration.write_text((CONFIGURATION + (POP3 if pop3 else "")).format(**values), "utf-8")
        write_server_pem(folder / "server.pem")
        with running(["dovecot", "-F", "-c", str(configuration)]) as process:
            until(lambda: answers(dovecot.imap) or process.poll() is not None, "Dovecot does not answer")
            assert process.poll() is None, (folder / "log").read_text("utf-8")
            yield dovecot
    finally:
        shutil.rmtree(folder)
