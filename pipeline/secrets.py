"""Reads a secret from where newsletter.toml says that it is kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pipeline.errors import SettingsError, installing
from pipeline.settings import Secret


def read_secret(setting: str, secret: Secret, root: Path, environ: Mapping[str, str]) -> str:
    """Return the secret that `setting`, like "mail.smtp.password", is about, without white space around it.

    Files are relative to the newsletter's folder. Raises SettingsError, which
    names the setting and the place, never any of the secret.
    """
    if secret.env is not None:
        value, place = environ.get(secret.env), f"the environment variable {secret.env}"
        remedy = f"Set {secret.env} where this command runs"
    elif secret.file is not None:
        value, place = _from_file(setting, root / secret.file), f"the file {secret.file}"
        remedy = "Write the secret into it, alone"
    else:
        value, place = _from_keyring(setting, secret.keyring or ""), f"the keyring's entry {secret.keyring!r}"
        remedy = f"Make it with: keyring set newsletter {secret.keyring}"
    if value is None or not value.strip():
        raise SettingsError(f"{setting}: {place} is {'not there' if value is None else 'empty'}. {remedy}.")
    value = value.strip()
    if not value.isprintable():
        raise SettingsError(f"{setting}: {place} holds more than one line, or control characters. {remedy}.")
    return value


def _from_file(setting: str, path: Path) -> str | None:
    try:
        return path.read_text("utf-8-sig")
    except FileNotFoundError:
        return None
    except OSError as fault:
        raise SettingsError(
            f"{setting}: {path} cannot be read: {fault.strerror}. It must be a file that you may read."
        ) from fault
    except UnicodeDecodeError:
        # Not `from`: it holds what it could not read.
        raise SettingsError(f"{setting}: {path} is not text in UTF-8.") from None


def _from_keyring(setting: str, name: str) -> str | None:
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError as fault:
        raise SettingsError(
            f"{setting}: the keyring needs the package `keyring`. "
            f"Keep the secret in a file or the environment, or install it. {installing('keyring')}"
        ) from fault
    try:
        value: str | None = keyring.get_password("newsletter", name)
    except KeyringError as fault:
        raise SettingsError(
            f"{setting}: the keyring cannot be read: {type(fault).__name__}. Unlock it."
        ) from None
    return value
