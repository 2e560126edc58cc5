"""What derives from the installation secret holds for good, and cannot be made by anyone else."""

from __future__ import annotations

import base64
import os
import stat
import string
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.audience.tokens import InstallationTokens, load_old_secrets, load_secret, weak
from pipeline.errors import SettingsError

SECRET = b"a secret that is long enough"
TOKENS = InstallationTokens(SECRET)
UIDS = st.binary(min_size=16, max_size=16).map(bytes.hex)


def test_every_spelling_of_an_address_is_one_reader(tokens: InstallationTokens) -> None:
    assert tokens.uid("Ana@example.org") == tokens.uid("ana@EXAMPLE.org")
    assert tokens.uid("ana@example.org") != tokens.uid("anna@example.org")
    assert len(tokens.uid("ana@example.org")) == 32


def test_ids_and_tokens_are_the_same_on_every_machine_that_knows_the_secret() -> None:
    code = (
        "from pipeline.audience.tokens import InstallationTokens as T; t = T(b'a secret that is long enough');"
        "u = t.uid('ana@example.org'); print(u, t.token('unsubscribe', u), t.message_id(7, u))"
    )
    elsewhere = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    uid = TOKENS.uid("ana@example.org")
    assert elsewhere.stdout.split() == [uid, TOKENS.token("unsubscribe", uid), TOKENS.message_id(7, uid)]


def test_message_ids_differ_between_issues_readers_and_installations(tokens: InstallationTokens) -> None:
    other = InstallationTokens(b"another secret, also long enough")
    ids = {
        tokens.message_id(1, "aa"),
        tokens.message_id(2, "aa"),
        tokens.message_id(1, "ab"),
        other.message_id(1, "aa"),
        tokens.message_id(11, "1aa"),
        tokens.message_id(111, "aa"),
    }
    assert len(ids) == 6


@given(uid=UIDS, purpose=st.sampled_from(["unsubscribe", "preferences", "confirm"]))
def test_a_token_brings_back_its_reader_for_its_purpose_only(uid: str, purpose: str) -> None:
    token = TOKENS.token(purpose, uid)
    assert set(token) <= set(string.ascii_letters + string.digits + "-_")
    assert len(token) == 36
    assert TOKENS.read(purpose, token) == uid
    assert TOKENS.read(purpose + "x", token) is None
    assert uid not in token


@given(
    uid=UIDS, place=st.integers(0, 35), letter=st.sampled_from(string.ascii_letters + string.digits + "-_")
)
def test_a_token_with_one_letter_changed_is_nobody_s(uid: str, place: int, letter: str) -> None:
    token = TOKENS.token("unsubscribe", uid)
    forged = token[:place] + letter + token[place + 1 :]
    assert TOKENS.read("unsubscribe", forged) == (uid if forged == token else None)


@given(st.one_of(st.text(), st.text(alphabet=string.ascii_letters + "-_", min_size=36, max_size=36)))
def test_no_made_up_token_is_anybody_s(token: str) -> None:
    assert TOKENS.read("unsubscribe", token) is None


@pytest.mark.parametrize(
    "token", ["", "A" * 35, "A" * 37, "A" * 36 + "\n", "é" * 36, "A" * 10_000_000, "\0" * 36]
)
def test_a_token_of_another_shape_is_nobody_s(tokens: InstallationTokens, token: str) -> None:
    assert tokens.read("unsubscribe", token) is None


def test_neighbours_tokens_have_nothing_in_common(tokens: InstallationTokens) -> None:
    one, two = (tokens.token("unsubscribe", uid) for uid in ("0" * 32, "0" * 31 + "1"))
    alike = sum(a == b for a, b in zip(one[2:], two[2:], strict=True))
    assert alike < 10


def test_a_link_in_an_old_mail_works_after_the_secret_was_changed() -> None:
    new = b"the secret that came afterwards"
    uid = TOKENS.uid("ana@example.org")
    link = TOKENS.token("unsubscribe", uid)
    assert InstallationTokens(new, old=[SECRET]).read("unsubscribe", link) == uid
    assert InstallationTokens(new).read("unsubscribe", link) is None
    assert InstallationTokens(new, old=[SECRET]).token("unsubscribe", uid) == InstallationTokens(new).token(
        "unsubscribe", uid
    )


def test_the_secret_is_not_shown_when_the_tokens_are_printed() -> None:
    shown = repr(TOKENS) + str(TOKENS) + repr(vars(TOKENS))
    assert "long enough" not in shown
    assert SECRET.hex() not in shown


def test_a_secret_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    first = load_secret(tmp_path, {})
    file = tmp_path / ".newsletter" / "secret"
    assert load_secret(tmp_path, {}) == first == file.read_bytes().strip()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert sorted(path.name for path in file.parent.iterdir()) == [".gitignore", "secret"]


def test_of_many_first_runs_at_once_all_get_the_same_secret(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from pipeline.audience.tokens import load_secret;"
        "print(load_secret(Path(sys.argv[1]), {}).decode())"
    )
    runs = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    assert len({run.communicate()[0] for run in runs}) == 1


def test_the_environment_comes_before_the_file(tmp_path: Path) -> None:
    named = tmp_path / "mounted"
    named.write_text("from a mounted file, long enough\n")
    both = {"NEWSLETTER_SECRET": "from the environment itself", "NEWSLETTER_SECRET_FILE": str(named)}
    assert load_secret(tmp_path, both) == b"from the environment itself"
    del both["NEWSLETTER_SECRET"]
    assert load_secret(tmp_path, both) == b"from a mounted file, long enough"
    assert not (tmp_path / ".newsletter").exists()


@pytest.mark.parametrize("secret", ["a", "hunter2", "fifteen letters"])
def test_a_secret_that_can_be_guessed_is_known_for_one(tmp_path: Path, secret: str) -> None:
    assert weak(load_secret(tmp_path, {"NEWSLETTER_SECRET": secret}))
    assert not weak(load_secret(tmp_path, {"NEWSLETTER_SECRET": "sixteen letters!"}))


@pytest.mark.parametrize("secret", ["", "  "])
def test_an_empty_variable_is_no_secret(tmp_path: Path, secret: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load_secret(tmp_path, {"NEWSLETTER_SECRET": secret})
    assert "NEWSLETTER_SECRET is empty" in str(refused.value)


def test_an_emptied_secret_file_is_not_replaced_behind_the_editors_back(tmp_path: Path) -> None:
    file = tmp_path / ".newsletter" / "secret"
    file.parent.mkdir()
    file.touch()
    with pytest.raises(SettingsError, match="is empty"):
        load_secret(tmp_path, {})
    assert file.read_bytes() == b""


def test_a_secret_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="nowhere"):
        load_secret(tmp_path, {"NEWSLETTER_SECRET_FILE": str(tmp_path / "nowhere")})


@pytest.mark.skipif(os.name != "posix", reason="file modes")
def test_a_run_killed_while_making_the_secret_leaves_none_or_a_whole_one(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from pipeline.audience import tokens;"
        "os.link = lambda *a: os._exit(9); tokens.load_secret(Path(sys.argv[1]), {})"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert killed.returncode == 9
    assert not (tmp_path / ".newsletter" / "secret").exists()
    assert len(load_secret(tmp_path, {})) == 64


MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2106, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(uid=UIDS, at=MOMENTS)
def test_a_dated_token_brings_back_its_second_too(uid: str, at: datetime) -> None:
    token = TOKENS.dated("confirm", uid, at)
    assert len(token) == 42
    assert TOKENS.read_dated("confirm", token) == (uid, at.replace(microsecond=0))
    assert TOKENS.read_dated("undo", token) is None
    assert TOKENS.read("confirm", token) is None
    assert uid not in token


@pytest.mark.parametrize("place", range(42))
def test_no_letter_of_a_dated_token_can_be_changed(place: int) -> None:
    token = TOKENS.dated("confirm", "0" * 32, datetime(2026, 11, 28, tzinfo=UTC))
    forged = [token[:place] + letter + token[place + 1 :] for letter in "Aaz9_-" if letter != token[place]]
    genuine = base64.urlsafe_b64decode(token + "==")
    # The last letter holds two bits that mean nothing; what is decoded must be the same for it to count.
    for each in forged:
        if base64.urlsafe_b64decode(each + "==") != genuine:
            assert TOKENS.read_dated("confirm", each) is None


def test_a_moment_that_no_token_can_hold_is_an_error() -> None:
    for year in (1960, 2107):
        with pytest.raises(ValueError, match="cannot stand"):
            TOKENS.dated("confirm", "0" * 32, datetime(year, 1, 1, tzinfo=UTC))


def test_a_reader_is_known_under_every_secret_the_newest_first() -> None:
    old = InstallationTokens(b"the secret of last year, long enough")
    both = InstallationTokens(SECRET, [b"the secret of last year, long enough"])
    assert both.uids("Ana@example.org") == (TOKENS.uid("ana@example.org"), old.uid("ana@example.org"))
    assert both.marks("ana@example.org") == (*TOKENS.marks("ANA@example.org"), *old.marks("ana@example.org"))
    assert not set(both.uids("ana@example.org")) & set(both.marks("ana@example.org"))


def test_old_secrets_come_from_a_variable_a_named_file_or_beside_todays(tmp_path: Path) -> None:
    assert load_old_secrets(tmp_path, {}) == ()
    (tmp_path / ".newsletter").mkdir()
    (tmp_path / ".newsletter/secret.old").write_text("one\n\ntwo\n")
    (tmp_path / "elsewhere").write_text("three")
    assert load_old_secrets(tmp_path, {}) == (b"one", b"two")
    assert load_old_secrets(tmp_path, {"NEWSLETTER_SECRET_OLD_FILE": str(tmp_path / "elsewhere")}) == (
        b"three",
    )
    assert load_old_secrets(tmp_path, {"NEWSLETTER_SECRET_OLD": "four\nfive"}) == (b"four", b"five")
    with pytest.raises(SettingsError, match="not there"):
        load_old_secrets(tmp_path, {"NEWSLETTER_SECRET_OLD_FILE": str(tmp_path / "missing")})
