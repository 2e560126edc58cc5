"""An editor's look at a letter: a real mail, as somebody new gets it, that changes nothing and is counted nowhere."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner
from support.messages import by_python, demand_a_sound_message
from support.relay_script import Script, never

from pipeline import approving
from pipeline.cli import newsletter
from pipeline.errors import MailerUnusable
from pipeline.model import LetterKind

ME = "me@example.com"


@pytest.mark.parametrize("kind", list(LetterKind))
def test_a_test_letter_is_marked_and_its_links_open_nothing(house, relay, kind):
    house.send_issue(1)
    house.confirms(ME)
    house.drop()
    before = house.store.everything(ME)
    assert approving.try_letter(house.open(), kind, [ME, "you@example.com"]) == 2
    assert {each.recipient for each in relay.deliveries} == {ME, "you@example.com"}
    for data in relay.taken():
        demand_a_sound_message(data)
        seen = by_python(data)
        assert seen.subject.startswith("[TEST] ")
        links = re.findall(
            r"https://letter\.example\.org/(?:confirm|unsubscribe|preferences)/(\w+)", seen.text
        )
        assert set(links) == {"test"}
        assert ("this is “it”" in seen.html) is (kind is LetterKind.WELCOME)
    assert house.store.everything(ME) == before
    assert house.waiting() == []


def test_the_command_sends_one_and_says_so(house, relay):
    def run(*words):
        return CliRunner(env=dict(house.environ)).invoke(newsletter, ["-C", str(house.root), "test", *words])

    done = run("--letter", "confirmation", "--to", ME)
    assert done.output == "1 test copy of the letter 'confirmation' handed over.\n"
    assert by_python(relay.taken()[0]).subject == "[TEST] Please confirm: The Headache Letter"
    wrong = run("--letter", "welcome", "--to", ME, "--by", "Ana")
    assert "about the next issue" in str(wrong.exception)
    assert "'confirmation', 'already', 'welcome'" in run("--letter", "goodbye").output
    assert len(relay.deliveries) == 1


def test_a_relay_that_does_not_take_it_is_an_error(house, relay):
    relay.script = Script().always("rcpt", never())
    with pytest.raises(MailerUnusable, match="took 0 of 1 test copies"):
        approving.try_letter(house.open(), LetterKind.ALREADY, [ME])
