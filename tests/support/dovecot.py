"""A Dovecot of our own on loopback, to look into Maildirs as a mail program would: over IMAP."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.daemons import answers, free_port, program, public_folder, run, running, until

#: What every reader opens their mailbox with.
PASSWORD = "what-every-reader-has"

#: As Dovecot 2.3 wants it; 2.4 has another language.
CONFIGURATION = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
ssl = no
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
service imap-login {{
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
"""


def missing() -> str:
    """Say what keeps this machine from running a Dovecot of our own; "" if nothing does."""
    if not program("dovecot"):
        return "this machine has no dovecot (Debian: dovecot-imapd)"
    version = run("dovecot", "--version")
    return "" if version.startswith("2.3.") else f"Dovecot 2.3 is asked for, and here is {version.strip()}"


@contextmanager
def started(maildirs: Path, owner: int) -> Iterator[int]:
    """Run a Dovecot over the Maildirs `domain/local` in a folder, and give the port of its IMAP."""
    folder = public_folder("dovecot")
    try:
        port = free_port()
        values = {"folder": folder, "maildirs": maildirs, "owner": owner, "port": port, "password": PASSWORD}
        configuration = folder / "dovecot.conf"
        configuration.write_text(CONFIGURATION.format(**values), "utf-8")
        with running(["dovecot", "-F", "-c", str(configuration)]) as process:
            until(lambda: answers(port) or process.poll() is not None, "Dovecot does not answer")
            assert process.poll() is None, (folder / "log").read_text("utf-8")
            yield port
    finally:
        shutil.rmtree(folder)
