"""newsletter.toml and the environment: what is wrong is said at once, with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from pipeline.errors import SettingsError
from pipeline.settings import Settings
from pipeline.settings_file import load


def read(tmp_path: Path, text: str, **environ: str) -> Settings:
    file = tmp_path / "newsletter.toml"
    file.write_text(text, encoding="utf-8")
    return load(file, environ)


def faults(tmp_path: Path, text: str, **environ: str) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        read(tmp_path, text, **environ)
    return str(refused.value).splitlines()


def test_an_empty_file_has_every_default(tmp_path: Path) -> None:
    assert read(tmp_path, "") == Settings()


def test_all_faults_are_told_at_once_with_key_line_and_what_is_allowed(tmp_path: Path) -> None:
    told = faults(
        tmp_path,
        """
        [newsletter]
        name = "x"
        from = "A, B <a@example.org>"
        fron = "typo"
        language = "english, mostly"
        timezone = "Mars/Olympus"
        url = "letter.example.org"
        [mail.smtp]
        port = 99999
        security = "maybe"
        [posts]
        url = "https://blog.example.org/{yaer}/"
        """,
    )
    for start in (
        'newsletter.toml:4: newsletter.from: write one "Name <name@example.org>"',
        "newsletter.toml:5: newsletter.fron: there is no such setting",
        "newsletter.toml:6: newsletter.language: write a language tag",
        "newsletter.toml:7: newsletter.timezone: write an IANA name",
        "newsletter.toml:8: newsletter.url: write an address like https://",
        "newsletter.toml:10: mail.smtp.port:",
        'newsletter.toml:11: mail.smtp.security: write "starttls", "tls" or "none"',
    ):
        assert [line for line in told if line.startswith(start)], (start, told)
    assert [line for line in told if "posts" in line and "{year}" in line]
    assert len(told) == 8


def keys(section: type[BaseModel], *path: str) -> Iterator[tuple[str, ...]]:
    """Every key of a table and of the tables in it."""
    for name, field in section.model_fields.items():
        at = (*path, field.alias or name)
        yield at
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from keys(field.annotation, *at)


@pytest.mark.parametrize("value", ['""', '"perhaps"', "-1", "1e9", "[1]", "true", "{ x = 1 }", "2026-01-31"])
def test_whatever_is_wrong_is_said_in_words_of_ours(value: str, tmp_path: Path) -> None:
    said = 0
    for path in keys(Settings):
        try:
            read(tmp_path, f"{'.'.join(path)} = {value}")
        except SettingsError as fault:
            said += 1
            for line in str(fault).splitlines():
                place, key, words = line.split(": ", 2)
                assert place.startswith("newsletter.toml")
                assert key.startswith(path[0]), line
                assert not re.search(r"Input|String|Value|valid |pattern|\^|\[type", words), line
    assert said > 10


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("postgresql://localhost/letter", "this version cannot keep its store in PostgreSQL yet"),
        ("mysql://x", "write where the store is kept: sqlite:///FILE"),
    ],
)
def test_a_store_we_cannot_keep_is_a_fault_of_its_key(url: str, why: str, tmp_path: Path) -> None:
    (told,) = faults(tmp_path, f'[store]\nurl = "{url}"')
    assert told.startswith(f"newsletter.toml:2: store.url: {why}")
    (told,) = faults(tmp_path, "", NEWSLETTER_STORE__URL=url)
    assert told.startswith(f"NEWSLETTER_STORE__URL: store.url: {why}")
    assert SettingsError.exit_code == 7


def test_the_environment_lies_over_the_file(tmp_path: Path) -> None:
    settings = read(
        tmp_path,
        '[mail.smtp]\nhost = "a.example"\nport = 25',
        NEWSLETTER_MAIL__SMTP__HOST="b.example",
        NEWSLETTER_NEWSLETTER__FROM="Letter <letter@example.org>",
        NEWSLETTER_POSTS__EXCLUDE='["attic/**", "x.md"]',
        NEWSLETTER_ISSUE__MAX_POSTS="7",
        NEWSLETTER_SECRET="no setting of ours",
        HOME="/somewhere",
    )
    assert (settings.mail.smtp.host, settings.mail.smtp.port) == ("b.example", 25)
    assert settings.newsletter.mailbox.addr_spec == "letter@example.org"
    assert settings.posts.exclude == ["attic/**", "x.md"]
    assert settings.issue.max_posts == 7


def test_a_variable_may_name_a_file_that_holds_the_value(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("sqlite:///elsewhere.db\n")
    settings = read(tmp_path, "", NEWSLETTER_STORE__URL_FILE=str(tmp_path / "url"))
    assert settings.store.url == "sqlite:///elsewhere.db"
    assert (
        "NEWSLETTER_STORE__URL_FILE names a file that cannot be read"
        in faults(tmp_path, "", NEWSLETTER_STORE__URL_FILE=str(tmp_path / "missing"))[0]
    )


def test_a_setting_that_names_a_file_is_set_by_its_own_name(tmp_path: Path) -> None:
    ca_file = read(tmp_path, "", NEWSLETTER_MAIL__SMTP__CA_FILE="/etc/ssl/relay.pem").mail.smtp.ca_file
    assert ca_file == "/etc/ssl/relay.pem"
    (tmp_path / "name").write_text("relay.pem\n")
    named = read(tmp_path, "", NEWSLETTER_MAIL__SMTP__CA_FILE_FILE=str(tmp_path / "name"))
    assert named.mail.smtp.ca_file == "relay.pem"


def test_a_fault_of_the_environment_names_its_variable(tmp_path: Path) -> None:
    told = faults(
        tmp_path,
        '[posts]\nfolder = "posts"',
        NEWSLETTER_MAIL__SMTP__PORT="many",
        NEWSLETTER_NO__SUCH="1",
        NEWSLETTER_POSTS__FOLDER__X="1",
    )
    assert len(told) == 3
    assert any(line.startswith("NEWSLETTER_MAIL__SMTP__PORT: mail.smtp.port:") for line in told)
    assert any(line.startswith("NEWSLETTER_NO__SUCH: no: there is no such setting") for line in told)
    assert "NEWSLETTER_POSTS__FOLDER__X: there is no setting posts.folder.x" in told


@pytest.mark.parametrize("where", ['{ env = "X" }', '{ file = "x" }', '{ keyring = "x" }'])
def test_a_secret_is_named_never_written(where: str, tmp_path: Path) -> None:
    assert read(tmp_path, f"[mail.smtp]\npassword = {where}").mail.smtp.password is not None
    told = faults(tmp_path, '[mail.smtp]\npassword = "hunter2"')
    assert told[0].startswith("newsletter.toml:2: mail.smtp.password: a secret does not belong in this file")
    assert "hunter2" not in "".join(told)
    assert "exactly one place" in faults(tmp_path, '[mail.smtp]\npassword = { env = "X", file = "x" }')[0]


def test_a_secret_in_the_environment_stays_there(tmp_path: Path) -> None:
    settings = read(tmp_path, "", NEWSLETTER_MAIL__SMTP__PASSWORD="hunter2")
    assert settings.mail.smtp.password is not None
    assert settings.mail.smtp.password.env == "NEWSLETTER_MAIL__SMTP__PASSWORD"
    assert "hunter2" not in repr(settings)
    named = read(tmp_path, "", NEWSLETTER_MAIL__SMTP__PASSWORD_FILE="/run/secrets/smtp").mail.smtp.password
    assert named is not None
    assert named.file == "/run/secrets/smtp"


@pytest.mark.parametrize(
    "sender",
    [
        '"A\\r\\nBcc: evil@example.com" <a@example.org>',
        "a@example.org, b@example.org",
        "A <a@example.org> B",
        "Günter <günter@example.org>",
        "nobody",
        "",
    ],
)
def test_a_sender_that_could_become_two_headers_or_addresses_is_refused(sender: str, tmp_path: Path) -> None:
    told = faults(tmp_path, f"[newsletter]\nfrom = '''{sender}'''".replace("\\r\\n", "\r\n"))
    assert "newsletter" in told[0]


@pytest.mark.parametrize("key", ["name", "postal_address", "footer_note", "tagline"])
def test_a_line_of_the_mail_is_one_line(key: str, tmp_path: Path) -> None:
    assert "must be one line" in faults(tmp_path, f'[newsletter]\n{key} = "a\\nBcc: x@example.com"')[0]


def test_broken_toml_is_told_with_its_line(tmp_path: Path) -> None:
    assert faults(tmp_path, '[newsletter]\nname = "x\n')[0].startswith("newsletter.toml:2: not valid TOML")


def test_a_folder_without_settings_says_where_to_go(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"there is no newsletter\.toml in .*-C DIR"):
        load(tmp_path / "newsletter.toml", {})


def test_the_folder_where_we_stand_is_named_not_dotted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match=rf"in {re.escape(str(tmp_path))}\. Go to"):
        load(Path("newsletter.toml"), {})
