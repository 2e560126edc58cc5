"""Secrets come from where the settings say, and a fault names the setting and the place, never the secret."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from pipeline.errors import SettingsError
from pipeline.mailers.smtp import Smtp
from pipeline.project import make_mailer, open_project
from pipeline.secrets import read_secret
from pipeline.settings import Secret

NAME = "mail.smtp.password"


def read(secret: Secret, root: Path, **environ: str) -> str:
    return read_secret(NAME, secret, root, environ)


def test_from_the_environment(tmp_path: Path) -> None:
    assert read(Secret(env="WORD"), tmp_path, WORD=" s3cret \n") == "s3cret"


def test_from_a_file_beside_the_newsletter_or_anywhere(tmp_path: Path) -> None:
    (tmp_path / "word").write_text("s3cret\n")
    assert read(Secret(file="word"), tmp_path) == "s3cret"
    assert read(Secret(file=str(tmp_path / "word")), Path("/")) == "s3cret"


def test_from_the_keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keyring, errors = ModuleType("keyring"), ModuleType("keyring.errors")
    keyring.get_password = lambda service, name: {("newsletter", "relay"): "s3cret"}.get((service, name))  # type: ignore[attr-defined]
    errors.KeyringError = RuntimeError  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    monkeypatch.setitem(sys.modules, "keyring.errors", errors)
    assert read(Secret(keyring="relay"), tmp_path) == "s3cret"
    with pytest.raises(
        SettingsError, match=r"mail\.smtp\.password: the keyring's entry 'other' is not there"
    ):
        read(Secret(keyring="other"), tmp_path)


def test_without_the_package_the_keyring_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(SettingsError, match=r"pip install '\.\[keyring\]'"):
        read(Secret(keyring="relay"), tmp_path)


@pytest.mark.parametrize(
    ("secret", "environ", "why"),
    [
        (Secret(env="WORD"), {}, "environment variable WORD is not there. Set WORD"),
        (Secret(env="WORD"), {"WORD": " "}, "environment variable WORD is empty"),
        (Secret(env="WORD"), {"WORD": "s3cret\nmore"}, "more than one line"),
        (Secret(file="gone"), {}, "the file gone is not there"),
        (Secret(file="."), {}, "cannot be read"),
        (Secret(file="binary"), {}, "is not text"),
    ],
)
def test_a_secret_that_is_not_there_is_named_by_its_setting(
    secret: Secret, environ: dict[str, str], why: str, tmp_path: Path
) -> None:
    (tmp_path / "binary").write_bytes(b"s3cret\xff")
    with pytest.raises(SettingsError, match=r"^mail\.smtp\.password: ") as told:
        read(secret, tmp_path, **environ)
    assert why in str(told.value)
    assert "s3cret" not in f"{told.value} {told.value.__cause__!r}"


SMTP = """
[mail]
mailer = "smtp"
[mail.smtp]
host = "relay.example.org"
username = "letter"
password = { env = "WORD" }
connections = 7
[mail.smtp.timeouts]
dot = 60
"""


def test_the_settings_make_a_mailer_that_shows_no_secret(tmp_path: Path) -> None:
    (tmp_path / "newsletter.toml").write_text(SMTP)
    mailer = make_mailer(open_project(tmp_path, environ={"WORD": "s3cret"}))
    assert isinstance(mailer, Smtp)
    assert mailer.name == "smtp"
    assert "relay.example.org:587" in repr(mailer)
    assert mailer._config.connections == 7
    assert "s3cret" not in f"{mailer!r} {mailer._config!r}"
    assert (mailer._config.password, mailer._config.timeouts.dot, mailer._config.timeouts.greeting) == (
        "s3cret",
        60,
        300,
    )


def test_a_password_that_is_missing_is_said_when_the_mailer_is_made(tmp_path: Path) -> None:
    (tmp_path / "newsletter.toml").write_text(SMTP)
    project = open_project(tmp_path, environ={})
    with pytest.raises(
        SettingsError, match=r"mail\.smtp\.password: the environment variable WORD is not there"
    ):
        make_mailer(project)
