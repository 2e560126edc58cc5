"""What goes wrong at a terminal: each said with its place, an exit code and the next step."""

from __future__ import annotations

import pytest
from support.letter import Letter


def test_a_weak_secret_is_taken_and_warned_of_once(sample: Letter) -> None:
    weak = {"NEWSLETTER_SECRET": "hunter2"}
    ran = sample.run("subscribers", "add", "ana@example.com", "--json", env=weak)
    assert ran.code == 0
    assert ran.json["email"] == "ana@example.com"
    assert ran.err.count("warning: the installation secret") == 1
    assert "hunter2" not in ran.err
    assert "warning" not in sample.run("subscribers", "add", "bo@example.com").err


def test_looking_makes_no_secret(sample: Letter) -> None:
    unusable = {"NEWSLETTER_SECRET": ""}
    assert sample.run("status", env=unusable).code == 0
    assert sample.run("subscribers", "add", "ana@example.com", env=unusable).code == 7


@pytest.mark.parametrize(
    "head", ['+++\nnumber = 1\nposts = ["weather"]\n+++\n', "number: 1\nposts: weather\n\n"]
)
def test_an_issue_file_that_could_not_be_added_to_is_refused_before_anything_is_frozen(
    sample: Letter, head: str
) -> None:
    sample.post("weather", "Weather", "2026-01-01")
    sample.run("subscribers", "add", "ana@example.com")
    sample.write("issues/0001.md", head)
    ran = sample.run("send", "--yes")
    assert (ran.code, "issues/0001.md:" in ran.err) == (1, True), ran
    assert "is frozen" not in ran.err
    assert "no issue has been sent" in sample.run("report").err


def test_a_fault_after_the_freeze_says_how_to_go_on(sample: Letter) -> None:
    sample.run("subscribers", "add", "ana@example.com")
    sample.write("public", "in the way")
    ran = sample.run("send", "--yes")
    assert ran.code == 1
    assert ran.err.rstrip().endswith("To go on: newsletter resume 1")
    (sample.root / "public").unlink()
    assert sample.run("resume", "1").code == 0


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("resume", "99"), 1, "newsletter status"),
        (("resume", "9" * 30), 2, "not in the range"),
        (("report",), 1, "newsletter status"),
        (("build", "7"), 1, "newsletter build 1"),
        (("--clock", "", "status"), 2, "Write a date like"),
    ],
)
def test_a_number_or_time_that_is_none_names_the_way_on(
    sample: Letter, words: tuple[str, ...], code: int, says: str
) -> None:
    ran = sample.run(*words)
    assert (ran.code, ran.out) == (code, "")
    assert says in ran.err


@pytest.mark.parametrize("url", ["sqlite://///", "sqlite:///posts"])
def test_a_store_that_is_a_folder_is_named(sample: Letter, url: str) -> None:
    ran = sample.run("status", env={"NEWSLETTER_STORE__URL": url})
    assert ran.code == 1
    assert "write sqlite:///FILE" in ran.err


@pytest.mark.parametrize(
    "env",
    [
        {"NEWSLETTER_MAIL__MAILER": "pigeon"},
        {"NEWSLETTER_MAIL__MAILER": "smtp", "NEWSLETTER_MAIL__SMTP__CA_FILE": "nowhere.pem"},
        {
            "NEWSLETTER_MAIL__MAILER": "smtp",
            "NEWSLETTER_MAIL__SMTP__USERNAME": "letter",
            "NEWSLETTER_MAIL__SMTP__PASSWORD_FILE": "/nowhere",
        },
    ],
)
def test_a_mailer_that_cannot_be_made_stops_send_before_anything_is_frozen(
    sample: Letter, env: dict[str, str]
) -> None:
    sample.run("subscribers", "add", "ana@example.com")
    ran = sample.run("send", "--yes", env=env)
    assert ran.code == 7
    assert "no issue has been sent" in sample.run("report").err
