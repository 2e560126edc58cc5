"""A reader's whole walk, by browser and mail: they come, get an issue, choose, leave, and get nothing more."""

from __future__ import annotations

import re
import time
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import TYPE_CHECKING

import pytest
from support.letter import CLOCK, SECRET, Letter, copy_sample
from support.readers import FORM, ONE_CLICK, Serve, dump, person, serve, settled
from support.relay import Relay

from pipeline.project import open_project

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

READER = "wanda@example.org"
SITE = "https://letter.example.org"


def mails(relay: Relay) -> list[EmailMessage]:
    """What the reader has in their mailbox, oldest first."""
    return [
        message_from_bytes(taken.data, policy=default)
        for taken in relay.deliveries
        if taken.recipient == READER
    ]


def links(mail: EmailMessage) -> list[str]:
    """Every address in a mail, headers included."""
    text = mail.get_body(("plain",)).get_content() + mail.get_body(("html",)).get_content()  # type: ignore[union-attr]
    text += " ".join(str(value) for value in mail.values())
    return sorted(set(re.findall(rf"{re.escape(SITE)}(/[^\s\"'<>)\]]*)", text)))


def arrives(relay: Relay, number: int) -> EmailMessage:
    until = time.monotonic() + 20
    while len(mails(relay)) < number:
        assert time.monotonic() < until
        time.sleep(0.05)
    return mails(relay)[-1]


def scanned(http: Serve, relay: Relay) -> None:
    """A scanner opens every link of every mail, twice."""
    for _ in range(2):
        for mail in mails(relay):
            for link in links(mail):
                for method in ("GET", "HEAD"):
                    status = http.ask(link, method, Sec_Purpose="prefetch", Purpose="prefetch").status
                    # Before the first issue there is no site yet.
                    assert status in (200, 404), link


@pytest.mark.browser
def test_a_reader_comes_reads_chooses_and_leaves(browser: Browser, tmp_path: Path) -> None:
    letter: Letter = copy_sample(tmp_path / "letter")
    with Relay() as relay, serve(letter, "--site", env=relay.environment()) as http:
        context = browser.new_context(java_script_enabled=False)
        page = context.new_page()
        page.goto(f"{http.url}subscribe")
        page.get_by_label("Your mail address").fill(READER)
        page.get_by_role("button", name="Subscribe").click()
        page.get_by_role("heading", name="Look in your mailbox").wait_for()

        confirmation = arrives(relay, 1)
        (link,) = [each for each in links(confirmation) if each.startswith("/confirm/")]
        before = settled(letter)
        scanned(http, relay)
        assert dump(letter) == before
        page.goto(http.url + link[1:])
        page.get_by_role("button", name="Confirm").click()
        page.get_by_role("heading", name="You are in").wait_for()
        arrives(relay, 2)

        assert letter.run("send", "--yes", env=relay.environment()).code == 0
        issue = arrives(relay, 3)
        assert "When Botox eases the aura" in issue["Subject"]
        before = settled(letter)
        scanned(http, relay)
        assert dump(letter) == before

        (link,) = [each for each in links(issue) if each.startswith("/preferences/")]
        page.goto(http.url + link[1:])
        page.get_by_label("Only what is in these categories").check()
        page.get_by_label("Botox").check()
        page.get_by_role("button", name="Save").click()
        page.get_by_role("status").wait_for()
        letter.post("rain", "Rain again", "2026-01-03", category="Weather")
        letter.post("aura", "Aura again", "2026-01-03", category="Botox")
        project = open_project(letter.root, CLOCK, {"NEWSLETTER_SECRET": SECRET})
        project.store.put_subscribers([person("other@example.org", project.now)])
        assert letter.run("send", "--yes", env=relay.environment()).code == 0
        chosen = arrives(relay, 4)
        text = chosen.get_body(("plain",)).get_content()  # type: ignore[union-attr]
        assert ("Aura again" in text, "Rain again" in text) == (True, False)

        # As a mail program does: one POST, no cookies, no redirect followed.
        assert chosen["List-Unsubscribe-Post"] == ONE_CLICK
        found = re.search(rf"<{re.escape(SITE)}(/unsubscribe/[\w-]+)>", chosen["List-Unsubscribe"])
        assert found
        reply = http.ask(found[1], "POST", ONE_CLICK.encode(), Content_Type=FORM)
        assert (reply.status, "set-cookie" in reply.headers, "location" in reply.headers) == (
            200,
            False,
            False,
        )
        letter.post("last", "Botox once more", "2026-01-03", category="Botox")
        assert letter.run("send", "--yes", env=relay.environment()).code == 0
        assert len(mails(relay)) == 4
        assert context.cookies() == []
        context.close()
        assert http.ends()[0] == 0
        assert relay.violations == []
