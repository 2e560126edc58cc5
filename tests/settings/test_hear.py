"""The mailbox that reports come to, as settings name it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import SettingsError
from pipeline.hear.mailbox import Imap, Maildir, Mbox, Pop3
from pipeline.project import make_mailbox, open_project

SERVER = 'username = "letter"\npassword = { env = "WORD" }\n'


def project(tmp_path: Path, settings: str, **environ: str):
    (tmp_path / "newsletter.toml").write_text(f"[hear.mailbox]\n{settings}", "utf-8")
    return open_project(tmp_path, environ=environ)


@pytest.mark.parametrize(
    ("settings", "kind", "name"),
    [
        ('kind = "imap"\n' + SERVER, Imap, "the folder INBOX of localhost:993"),
        (
            'kind = "imap"\nfolder = "Reports"\nsecurity = "starttls"\n' + SERVER,
            Imap,
            "Reports of localhost:143",
        ),
        ('kind = "pop3"\n' + SERVER, Pop3, "localhost:995"),
        ('kind = "pop3"\nsecurity = "none"\n' + SERVER, Pop3, "localhost:110"),
        ('kind = "pop3"\nport = 1995\nhost = "mail.example.org"\n' + SERVER, Pop3, "mail.example.org:1995"),
        ('kind = "maildir"\npath = "Maildir"', Maildir, "the Maildir {}/Maildir"),
        ('kind = "mbox"\npath = "/var/mail/letter"', Mbox, "the mbox /var/mail/letter"),
    ],
)
def test_each_kind_of_mailbox_is_made_from_its_settings(tmp_path, settings, kind, name):
    made = make_mailbox(project(tmp_path, settings, WORD="hunter2"))
    assert type(made) is kind
    assert name.format(tmp_path) in made.name


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ('kind = "imap"', "imap needs username and password"),
        ('kind = "pop3"\nusername = "letter"', "pop3 needs username and password"),
        ('kind = "pop3"\nafter = "Heard"\n' + SERVER, "POP3 knows no folders"),
        ('kind = "maildir"', "maildir needs path"),
        ('kind = "mbox"\npath = "m"\nafter = "../etc/passwd"', "without a slash"),
        ('kind = "maildir"\npath = "m"\nafter = ".."', "without a slash"),
        ('kind = "carrier-pigeon"', "kind"),
        ('password = "hunter2"', "a secret does not belong in this file"),
        ('after = ""', "must not be empty"),
        ('folder = "a\\r\\nb"', "must be one line"),
    ],
)
def test_a_mailbox_that_could_not_be_read_is_refused_with_the_reason(tmp_path, settings, why):
    with pytest.raises(SettingsError, match=why) as fault:
        project(tmp_path, settings)
    assert "hear.mailbox" in str(fault.value)
    assert "hunter2" not in str(fault.value)


def test_without_a_mailbox_it_is_said_where_to_name_one(tmp_path):
    with pytest.raises(SettingsError, match=r"Name one under \[hear.mailbox\]"):
        make_mailbox(project(tmp_path, ""))


def test_its_password_in_the_environment_stays_there(tmp_path):
    made = project(
        tmp_path, 'kind = "imap"\nusername = "letter"', NEWSLETTER_HEAR__MAILBOX__PASSWORD="hunter2"
    )
    assert "hunter2" not in repr(made.settings)
    assert make_mailbox(made).name == "the folder INBOX of localhost:993"
    with pytest.raises(
        SettingsError, match=r"hear\.mailbox\.password: the environment variable WORD is not there"
    ):
        make_mailbox(project(tmp_path, 'kind = "imap"\n' + SERVER))


@pytest.mark.parametrize(
    "address", ["letter", "A <a@example.org>", "a@example.org?subject=x@example.org", "ü@example.org"]
)
def test_the_address_to_leave_by_is_one_address(tmp_path, address):
    (tmp_path / "newsletter.toml").write_text(f'[hear]\nunsubscribe = "{address}"', "utf-8")
    with pytest.raises(SettingsError, match=r"hear\.unsubscribe"):
        open_project(tmp_path, environ={})
