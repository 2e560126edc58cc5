"""`newsletter hear`, as an operator's schedule and a mail server's pipe run it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from support.boxes import MaildirBox
from support.letter import HERE, SECRET, Letter
from support.reports import ANA, BEN, CLEO, DORA, names, own_reader

CLOCK = "2026-11-23T08:00"


@pytest.fixture
def command(letter):
    """The real command in the newsletter's folder, with a Maildir to read."""
    made = Letter(letter.project.root)
    made.write(
        "newsletter.toml",
        '[newsletter]\nname = "The Headache Letter"\n[hear.mailbox]\nkind = "maildir"\npath = "Maildir"\n',
    )
    made.box = MaildirBox(made.root / "Maildir")
    return made


def run(command, *words, **more):
    return command.run("hear", *words, clock=CLOCK, **more)


def test_a_schedule_reads_the_mailbox_and_says_what_was_in_it(letter, command):
    for name, reader in (("postfix-user-unknown", ANA), ("complaint-yahoo", BEN), ("leave-gmail", CLEO)):
        command.box.put(letter.report(name, reader))
    for name in ("postfix-blocked-by-a-list", "away-german", "a-person-asks-something"):
        command.box.put(letter.report(name, DORA))
    dry = run(command, "--dry-run", "--json")
    ran = run(command)
    assert (dry.code, ran.code) == (0, 0)
    assert dry.json["suppressed"] == 2
    said = ran.out.splitlines()
    assert said[0] == "6 messages: 1 hard bounce, 1 complaint, 1 left by mail."
    assert said[1] == "No more mail goes to 2 addresses."
    assert said[2] == "Besides: 1 refused because of us, 1 out of office, 1 not understood."
    assert said[3].startswith("  1 x the server refuses us, not the reader: 554 5.7.1 Service unavailable")
    assert said[4] == "1 message for a person to read, still in the mailbox."
    assert "@" not in ran.out + ran.err
    assert "Next: newsletter subscribers" in ran.err
    again = run(command, "--json")
    assert (again.code, again.json["read"]) == (0, 0)
    assert run(command).out == "Nothing has come back.\n"


def pipe(command, message, *words):
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "-C", str(command.root), "--clock", CLOCK, "hear", *words],
        cwd=HERE,
        env={**os.environ, "NEWSLETTER_SECRET": SECRET},
        input=message,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert b"Traceback" not in done.stderr
    return done


@pytest.mark.parametrize("word", ["-", "--stdin"])
def test_a_mail_server_pipes_one_message_in(letter, command, word):
    done = pipe(command, letter.report("qmail-no-mailbox"), word, "--json")
    assert (done.returncode, json.loads(done.stdout)["hard_bounces"]) == (0, 1)
    assert letter.known().person.suppressed == "bounced: there is no such mailbox"
    assert command.box.holds() == []


def test_what_no_program_understands_is_said_to_be_gone_with_the_pipe(letter, command):
    done = pipe(command, letter.report("a-person-asks-something"), "-")
    assert b"1 message for a person to read, gone with the pipe." in done.stdout


def test_without_a_mailbox_or_with_one_that_cannot_be_read_it_ends_with_7(command):
    command.write("newsletter.toml", "")
    ran = run(command)
    assert ran.code == 7
    assert "Name one under [hear.mailbox]" in ran.err
    command.write("newsletter.toml", '[hear.mailbox]\nkind = "mbox"\npath = "nowhere"')
    ran = run(command)
    assert ran.code == 7
    assert "is not there. Check hear.mailbox.path." in ran.err
    assert run(command, "+").code == 2


def test_killed_at_any_moment_every_report_is_heard_in_the_end_and_counts_once(letter, command):
    readers = [own_reader(name) for name in names()][:24]
    for reader in readers:
        command.box.put(letter.report("postfix-verp", reader))
    for left in (18, 7):
        with subprocess.Popen(
            [sys.executable, "-m", "pipeline", "-C", str(command.root), "--clock", CLOCK, "hear"],
            cwd=HERE,
            env={**os.environ, "NEWSLETTER_SECRET": SECRET},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            end = time.monotonic() + 60
            while command.box.waiting() > left and time.monotonic() < end and process.poll() is None:
                time.sleep(0.005)
            process.send_signal(signal.SIGKILL)
    assert run(command).code == 0
    assert command.box.holds() == []
    for reader in readers:
        person = letter.known(reader).person
        assert (person.suppressed, len(person.events)) == ("bounced: there is no such mailbox", 1)
