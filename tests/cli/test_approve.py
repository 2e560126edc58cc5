"""What was approved is what is sent: every change after the approval is refused and named, and none is invented."""

from __future__ import annotations

import email
import email.policy
import json
import shutil
from collections.abc import Callable
from email.message import EmailMessage
from hashlib import sha256
from pathlib import Path

import pytest
from support.letter import HERE, SECRET, Letter

from pipeline import approving, weekly
from pipeline.errors import DraftError, NotApproved, Refused
from pipeline.model import Approval
from pipeline.project import open_project

MONDAY, EVENING, TUESDAY = "2026-11-23T09:00", "2026-11-23T17:40", "2026-11-24T08:00"
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001"
    "a5f645400000000049454e44ae426082"
)


@pytest.fixture(scope="module")
def written_once(tmp_path_factory: pytest.TempPathFactory) -> Letter:
    """A newsletter with two posts, one of them with a picture, and a reader."""
    made = Letter(tmp_path_factory.mktemp("written"))
    shutil.copy(HERE / "newsletter.toml", made.root)
    made.post("weather", "Weather and sleep", "2026-11-20", "It rained. ![a grey sky](sky.png)")
    made.post("coffee", "Coffee", "2026-11-19")
    (made.root / "posts/sky.png").write_bytes(PIXEL)
    made.write("readers.csv", "email,name\nann@example.com,Ann\n")
    assert made.run("subscribers", "import", str(made.root / "readers.csv")).code == 0
    return made


@pytest.fixture(scope="module")
def approved_once(written_once: Letter, tmp_path_factory: pytest.TempPathFactory) -> Letter:
    made = Letter(shutil.copytree(written_once.root, tmp_path_factory.mktemp("approved") / "letter"))
    assert made.run("approve", "--by", "Ana", clock=EVENING).code == 0
    return made


@pytest.fixture
def written(written_once: Letter, tmp_path: Path) -> Letter:
    return Letter(shutil.copytree(written_once.root, tmp_path / "letter"))


@pytest.fixture
def approved(approved_once: Letter, tmp_path: Path) -> Letter:
    return Letter(shutil.copytree(approved_once.root, tmp_path / "letter"))


def would_send(letter: Letter, clock: str = TUESDAY) -> Approval | None:
    """Take the steps of `send` up to where it asks whether it may; return under whose word it would go out."""
    project = open_project(letter.root, clock, {"NEWSLETTER_SECRET": SECRET})
    prepared = weekly.prepare_next(project, None, None)
    assert prepared is not None
    return approving.demand(project, prepared, weekly.build(project, prepared))


def message(data: bytes) -> EmailMessage:
    read = email.message_from_bytes(data, policy=email.policy.default)
    assert isinstance(read, EmailMessage)
    return read


def test_what_was_approved_on_monday_is_sent_on_tuesday_byte_for_byte(approved: Letter) -> None:
    seal = json.loads((approved.root / ".newsletter/issues/0001/approved.json").read_text("utf-8"))
    ran = approved.run("send", "--yes", clock=TUESDAY)
    assert ran.code == 0, ran
    assert "approved by Ana, Mon 23 Nov 2026 17:40, unchanged since" in ran.err
    mail = approved.run("report", "1", "--json").json["hash"]
    assert mail == seal["exact"]["mail"]
    # The build is something else, and another hash by its name would be looked for in vain.
    told = approved.run("report", "1").out
    assert f"\nMail      {mail[:6]}…{mail[-4:]}, frozen Mon 23 Nov 2026" in told
    assert "Build" not in told
    (mail,) = approved.files("outbox/0001").values()
    assert message(mail)["Date"] == "Mon, 23 Nov 2026 17:40:00 -0500"
    public = approved.files("public")
    for part, digest in seal["exact"].items():
        if part.startswith("feed "):
            assert sha256(public[part.removeprefix("feed ")]).hexdigest() == digest, part
    assert sha256(public["issues/1/index.html"]).hexdigest() == seal["exact"]["page"]


def post_changes(letter: Letter) -> str:
    letter.replace("posts/weather.md", "It rained", "It poured")
    return "posts/weather.md has changed"


def head_changes(letter: Letter) -> str:
    letter.replace("posts/coffee.md", "title: Coffee", "title: Tea")
    return "posts/coffee.md has changed"


def picture_changes(letter: Letter) -> str:
    (letter.root / "posts/sky.png").write_bytes(PIXEL + b"\0")
    return "posts/sky.png has changed"


def subject_changes(letter: Letter) -> str:
    letter.replace("issues/0001.md", 'subject: "Weather and sleep"', 'subject: "Sleep"')
    return "the subject was “Weather and sleep” and is “Sleep”"


def preheader_changes(letter: Letter) -> str:
    letter.replace("issues/0001.md", 'preheader: "', 'preheader: "So! ')
    return "the preheader has changed"


def note_comes(letter: Letter) -> str:
    with (letter.root / "issues/0001.md").open("a", encoding="utf-8") as file:
        file.write("\nHello, readers.\n")
    return "the editor's note has changed"


def post_goes(letter: Letter) -> str:
    letter.replace("issues/0001.md", '  - "coffee"  # Coffee\n', "")
    return "a post has gone: “Coffee”"


def order_changes(letter: Letter) -> str:
    letter.replace("issues/0001.md", '  - "coffee"  # Coffee\n', "")
    letter.replace("issues/0001.md", "posts:\n", 'posts:\n  - "coffee"\n')
    return "the posts stand in another order"


def post_comes(letter: Letter) -> str:
    letter.post("tea", "Tea", "2026-11-18")
    letter.replace("issues/0001.md", '  - "coffee"', '  - "tea"\n  - "coffee"')
    return "a post has come in: “Tea”"


def theme_changes(letter: Letter) -> str:
    letter.write("templates/words/en.toml", 'rss = "Feed"\n')
    return "templates/words/en.toml is new"


def setting_changes(letter: Letter) -> str:
    letter.replace("newsletter.toml", "12 Example Street", "13 Example Street")
    return "the setting newsletter.postal_address has changed"


def relay_changes(letter: Letter) -> str:
    with (letter.root / "newsletter.toml").open("a", encoding="utf-8") as file:
        file.write("\n[mail.pace]\nper_second = 3\n")
    return "the setting mail.pace.per_second has changed"


def other_post_comes(letter: Letter) -> str:
    letter.post("tea", "Tea", "2026-11-18")
    return "a post that is not in the issue has come, gone or changed"


CHANGES = (
    post_changes,
    head_changes,
    picture_changes,
    subject_changes,
    preheader_changes,
    note_comes,
    post_goes,
    order_changes,
    post_comes,
    theme_changes,
    setting_changes,
    relay_changes,
    other_post_comes,
)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_change_after_the_approval_is_refused_and_named(
    approved: Letter, change: Callable[..., str]
) -> None:
    said = change(approved)
    with pytest.raises(NotApproved) as refused:
        would_send(approved)
    assert said in str(refused.value)
    with pytest.raises(NotApproved) as again:
        would_send(approved)
    assert str(again.value) == str(refused.value), "a refused send must leave everything as it was"


def test_the_command_ends_with_6_and_shows_the_lines_that_differ(approved: Letter) -> None:
    before = (approved.root / "posts/weather.md").read_bytes()
    post_changes(approved)
    ran = approved.run("send", "--yes", clock=TUESDAY)
    assert ran.code == 6, ran
    assert "newsletter: issues/0001.md: not as Ana approved it on Mon 23 Nov 2026 17:40:" in ran.err
    differing = [line for line in ran.err.splitlines() if "rained" in line or "poured" in line]
    assert [line[:10] for line in differing] == ["-It rained", "+It poured"]
    assert not (approved.root / "outbox").exists()
    (approved.root / "posts/weather.md").write_bytes(before)
    assert would_send(approved), "a change that was taken back is no change"


def test_it_can_be_approved_again(approved: Letter) -> None:
    post_changes(approved)
    assert approved.run("approve", "--by", "Bo", clock=TUESDAY).code == 0
    again = would_send(approved)
    assert again is not None
    assert (again.by, f"{again.at:%a %H:%M}") == ("Bo", "Tue 08:00")


def test_without_the_line_there_is_no_approval(approved: Letter) -> None:
    file = approved.root / "issues/0001.md"
    text = file.read_text("utf-8")
    file.write_text(
        "".join(line for line in text.splitlines(True) if not line.startswith("approved:")), "utf-8"
    )
    post_changes(approved)
    assert would_send(approved) is None


def test_on_a_machine_without_its_record_a_change_is_still_noticed(approved: Letter) -> None:
    (approved.root / ".newsletter/issues/0001/approved.json").unlink()
    assert would_send(approved)
    post_changes(approved)
    with pytest.raises(NotApproved, match="nobody can say what"):
        would_send(approved)


def test_another_date_in_the_line_is_another_mail(approved: Letter) -> None:
    approved.replace("issues/0001.md", "2026-11-23T17:40:00", "2026-11-22T17:40:00")
    with pytest.raises(NotApproved, match="something has changed"):
        would_send(approved)


def test_a_line_that_is_no_approval_is_named_with_its_place(approved: Letter) -> None:
    file = approved.root / "issues/0001.md"
    lines = file.read_text("utf-8").splitlines()
    place = next(n for n, line in enumerate(lines, 1) if line.startswith("approved:"))
    lines[place - 1] = "approved: yes"
    file.write_text("\n".join(lines) + "\n", "utf-8")
    with pytest.raises(DraftError, match="approved is not as `newsletter approve` writes it") as fault:
        would_send(approved)
    assert (fault.value.path, fault.value.line) == ("issues/0001.md", place)


def test_an_approval_for_the_evening_is_not_one_for_the_morning(approved: Letter) -> None:
    with pytest.raises(Refused, match="approved for Mon 23 Nov 2026 17:40; it is not that yet"):
        would_send(approved, MONDAY)


def test_what_has_an_error_or_is_not_there_cannot_be_approved(written: Letter) -> None:
    written.post("broken", "Broken", "2026-11-21", '<img src="sky.png">')
    assert written.run("approve", "--by", "Ana", clock=EVENING).code == 3
    assert not (written.root / "issues").exists()
    assert written.run("approve", "--by", " ", clock=EVENING).code == 2
    assert written.run("approve", "--by", "Ana", clock="2020-01-01").code == 1


def test_only_the_build_that_was_looked_at_is_approved(written: Letter) -> None:
    project = open_project(written.root, EVENING, {"NEWSLETTER_SECRET": SECRET})
    prepared = weekly.prepare_next(project, None, None)
    assert prepared is not None
    real = weekly.build(project, prepared).hash
    other = f"{int(real[0], 16) ^ 1:x}{real[1:]}"
    for wrong in ("0" * 64, other, "", real[:7], f"{other[:6]}…{real[-4:]}", f"{real[:6]}…{'0' * 58}"):
        with pytest.raises(NotApproved, match="has changed since you looked at it"):
            approving.approve(project, "Ana", wrong)
    assert not (written.root / "issues").exists()
    for right in (real, f"sha256:{real[:12]}", f"{real[:6]}…{real[-4:]}", f"{real[:6]}...{real[-4:]}"):
        assert approving.approve(project, "Ana", right).build == real


class TestGuards:
    def test_nothing_goes_out_unapproved_where_that_is_required(self, written: Letter) -> None:
        guard(written, "required")
        ran = written.run("send", "--yes", clock=EVENING)
        assert (ran.code, "nobody has approved issue 1" in ran.err) == (6, True)
        assert written.run("approve", "--by", "Ana", clock=EVENING).code == 0
        assert would_send(written)

    def test_the_second_person_is_another(self, written: Letter) -> None:
        guard(written, "second-person")
        ran = written.run("approve", "--by", "Ana", clock=EVENING)
        assert (ran.code, "nobody has sent a test copy of this build" in ran.err) == (6, True)
        assert written.run("test", "--to", "ana@example.com", "--by", "Ana", clock=MONDAY).code == 0
        ran = written.run("approve", "--by", "Ana", clock=EVENING)
        assert (ran.code, "Ana sent the test copy" in ran.err) == (6, True)
        assert written.run("approve", "--by", "Bo", clock=EVENING).code == 0
        assert would_send(written)

    def test_a_test_of_the_day_before_counts(self, written: Letter) -> None:
        guard(written, "second-person")
        assert written.run("test", "--to", "ana@example.com", "--by", "Ana", clock=MONDAY).code == 0
        assert written.run("approve", "--by", "Bo", clock=TUESDAY).code == 0

    def test_a_test_of_another_build_does_not_count(self, written: Letter) -> None:
        guard(written, "second-person")
        assert written.run("test", "--to", "ana@example.com", "--by", "Ana", clock=MONDAY).code == 0
        post_changes(written)
        assert written.run("approve", "--by", "Bo", clock=EVENING).code == 6


def guard(letter: Letter, approval: str) -> None:
    with (letter.root / "newsletter.toml").open("a", encoding="utf-8") as file:
        file.write(f'\n[guards]\napproval = "{approval}"\n')


class TestTestCopies:
    def test_one_real_copy_marked_and_counted_nowhere(self, written: Letter) -> None:
        ran = written.run(
            "test", "--to", "ann@example.com", "--to", "ed@example.org", "--by", "Ed", clock=MONDAY
        )
        assert ran.code == 0, ran
        copies = [message(data) for data in written.files("outbox/mail").values()]
        assert sorted(copy["To"] for copy in copies) == ["Ann <ann@example.com>", "ed@example.org"]
        assert {copy["Subject"] for copy in copies} == {"[TEST] Weather and sleep"}
        assert written.run("status", "--json").json["issue"] == 1
        assert not (written.root / "issues").exists()
        assert not (written.root / "public").exists()

    def test_its_links_change_nothing_and_the_rest_is_as_readers_get_it(self, written: Letter) -> None:
        assert written.run("test", "--to", "ann@example.com", clock=MONDAY).code == 0
        (mark,) = written.files("outbox/mail").values()
        assert written.run("send", "--yes", clock=MONDAY).code == 0
        (real,) = written.files("outbox/0001").values()
        tried, sent = message(mark), message(real)
        assert tried["List-Unsubscribe"].strip() == "<https://letter.example.org/unsubscribe/test>"
        assert tried["Message-ID"] != sent["Message-ID"]
        for kind in ("plain", "html"):
            one, other = (m.get_body((kind,)) for m in (tried, sent))
            assert one is not None
            assert other is not None
            token = sent["List-Unsubscribe"].split("/")[-1].rstrip(">")
            text = other.get_content().replace(token, "test")
            choice = text.partition("/preferences/")[2][:36]
            assert one.get_content() == text.replace(choice, "test")

    def test_nothing_keeps_the_address(self, written: Letter) -> None:
        assert written.run("test", "--to", "secret.editor@example.org", clock=MONDAY).code == 0
        kept = written.files(".newsletter")
        assert not [name for name, data in kept.items() if b"secret.editor" in data]

    def test_it_goes_where_the_settings_say(self, written: Letter) -> None:
        ran = written.run("test", clock=MONDAY)
        assert (ran.code, "newsletter test --to ADDRESS, or set [mail] test_to" in ran.err) == (2, True)
        written.replace("newsletter.toml", "[mail]\n", '[mail]\ntest_to = "ed@example.org"\n')
        assert written.run("test", clock=MONDAY).code == 0

    def test_a_wrong_address_is_refused_before_anything_leaves(self, written: Letter) -> None:
        ran = written.run("test", "--to", "no address", clock=MONDAY)
        assert ran.code == 1
        assert not (written.root / "outbox").exists()
