"""From a clone to a sent issue, by the real command."""

from __future__ import annotations

import email
import email.policy
from pathlib import Path

from support.letter import Letter, copy_sample


def test_three_readers_get_a_letter_and_the_site_is_there(sent: Letter) -> None:
    mails = sent.files("outbox/0001")
    assert len(mails) == 3
    assert all(name.endswith(".eml") for name in mails)
    to = sorted(str(email.message_from_bytes(m, policy=email.policy.default)["To"]) for m in mails.values())
    assert [t.rsplit("<")[-1].rstrip(">") for t in to] == [
        "ana@example.com",
        "maximiliane@example.com",
        "reader@example.com",
    ]
    public = sent.files("public")
    for path in (
        "index.html",
        "issues/1/index.html",
        "feeds/index.html",
        "feeds/all.rss.xml",
        "feeds/all.atom.xml",
        "feeds/all.json",
        "feeds/cluster-headaches.rss.xml",
        "feeds/cluster-headaches.atom.xml",
        "categories/alternative-therapies/index.html",
        "posts/when-botox-eases-the-aura/index.html",
    ):
        assert path in public, path
    assert {"email.html", "email.txt", "receipt.json", "receipt.html"} == set(
        sent.files(".newsletter/issues/0001")
    )
    assert "sent:" in (sent.root / "issues/0001.md").read_text("utf-8")


def test_the_summary_says_what_to_open(sample: Letter) -> None:
    sample.run("subscribers", "import", "readers.csv")
    ran = sample.run("send", "--yes")
    assert ran.code == 0
    assert "Issue 1 is out: 3 accepted." in ran.out
    shown = [
        line.split("  ")[-1] if "(" not in line else line.split("  ")[-2] for line in ran.out.splitlines()
    ]
    named = [Path(place.split()[-1]) for place in shown if str(sample.root) in place]
    assert len(named) == 3
    assert all(path.exists() for path in named), named


def test_a_second_send_says_there_is_nothing_new(sent: Letter) -> None:
    before = {folder: sent.files(folder) for folder in ("public", "outbox", "issues")}
    ran = sent.run("send", "--yes")
    assert ran.code == 0
    assert "nothing new" in ran.out
    assert sent.run("send", "--yes", "--json").json == {"issue": None, "state": "nothing-new", "exit": 0}
    assert sent.run("send", "--yes", "--exit-code").code == 4
    assert before == {folder: sent.files(folder) for folder in before}


def test_two_clones_with_one_clock_and_secret_make_the_same_bytes(sent: Letter, tmp_path: Path) -> None:
    twin = copy_sample(tmp_path / "twin")
    twin.run("subscribers", "import", "readers.csv")
    twin.run("send", "--yes")
    for folder in ("public", "outbox", "issues"):
        assert twin.files(folder) == sent.files(folder)


def test_another_secret_makes_other_tokens_and_the_same_site(sent: Letter, tmp_path: Path) -> None:
    twin = copy_sample(tmp_path / "twin")
    other = {"NEWSLETTER_SECRET": "another secret, as long as it has to be, or longer"}
    twin.run("subscribers", "import", "readers.csv", env=other)
    twin.run("send", "--yes", env=other)
    assert twin.files("public") == sent.files("public")
    assert not set(twin.files("outbox/0001")) & set(sent.files("outbox/0001"))


def test_the_json_of_send_and_report_adds_up(sample: Letter) -> None:
    sample.run("subscribers", "import", "readers.csv")
    sent = sample.run("send", "--yes", "--json").json
    eight = ("queued", "accepted", "refused", "deferred", "in_doubt", "withdrawn", "expired", "cancelled")
    assert sent["readers"] == 3 == sum(sent[state] for state in eight)
    assert sent | {"accepted": 3, "state": "sent", "exit": 0, "issue": 1} == sent
    report = sample.run("report", "1", "--json").json
    assert report["by_domain"] == {"example.com": {"accepted": 3}}
    assert report | sent == report
    assert {"started", "finished", "rate", "hash", "bytes"} <= set(report)


def test_a_lost_receipt_is_written_again_and_does_not_cost_a_week(sent: Letter) -> None:
    (sent.root / ".newsletter/issues/0001/receipt.html").unlink()
    sent.post("2026-01-02-fresh", "Fresh", "2026-01-02")
    ran = sent.run("send", "--yes", "--json")
    assert ran.json["issue"] == 2
    assert (sent.root / ".newsletter/issues/0001/receipt.html").exists()
    assert len(sent.files("outbox/0001")) == 3
