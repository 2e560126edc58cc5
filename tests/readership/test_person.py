"""One person, as an editor handles them: shown whole, allowed again, forgotten wherever they stand."""

from __future__ import annotations

import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from support.letter import CLOCK, SECRET, Letter
from support.relay import Relay
from support.relay_script import Script, never, stall
from support.running import READERS, AtWork, address

from pipeline import importing, readership
from pipeline.errors import AudienceError
from pipeline.model import (
    Counts,
    Decision,
    DeliveryState,
    Event,
    EventKind,
    Forgotten,
    LetterKind,
    Preferences,
    Subscriber,
)
from pipeline.model import SubscriberState as S
from pipeline.project import Project, open_project

ANA = "ana@example.com"
#: In the order in which they are sent to.
EVERYBODY = sorted(map(address, range(READERS)))


def opened(root: Path, **environ: str) -> Project:
    return open_project(root, CLOCK, {"NEWSLETTER_SECRET": SECRET, **environ})


def subscribe(project: Project, email: str, **what: object) -> None:
    fields = {"name": "Ana Lima", "state": S.CONFIRMED, "since": project.now, **what}
    person = Subscriber(project.tokens.uid(email), email, **fields)  # type: ignore[arg-type]
    event = Event(project.now, EventKind.CONFIRMED, "by the form: “Yes, send it.”")
    letters = ((LetterKind.WELCOME, project.now),)
    project.store.decide(email, lambda _: Decision(person, events=(event,), letters=letters))


def traces(root: Path, email: str) -> list[str]:
    """Where in a newsletter's folder an address can be read, byte by byte."""
    files = [path for path in root.rglob("*") if path.is_file()]
    return [str(path.relative_to(root)) for path in files if email.encode() in path.read_bytes()]


# --- added, removed, allowed ---------------------------------------------------------


def test_what_an_editor_does_stays_on_record(project: Project) -> None:
    readership.add(project, ANA, "Ana")
    assert readership.remove(project, ANA).state is S.UNSUBSCRIBED
    assert [(one.kind, one.words) for one in readership.known(project, ANA).everything.person.events] == [
        (EventKind.LEFT, "by an editor"),
        (EventKind.ADDED, "by an editor"),
    ]
    with pytest.raises(AudienceError, match="has left, and stays so until they subscribe again"):
        readership.add(project, ANA, "Ana")


def test_a_bounce_that_was_a_mistake_is_lifted_and_mail_goes_on(project: Project) -> None:
    subscribe(project, ANA)
    project.store.decide(ANA, lambda _: Decision(suppress="bounced: 5.1.1 no such user"))
    with pytest.raises(AudienceError, match=r"is suppressed \(bounced: 5\.1\.1 .*subscribers allow ana@"):
        readership.add(project, ANA, "")
    assert readership.allow(project, "ANA@example.com").person.suppressed == "bounced: 5.1.1 no such user"
    assert project.store.readers() == 1
    (event, _) = readership.known(project, ANA).everything.person.events
    assert (event.kind, event.words) == (
        EventKind.ALLOWED,
        "by an editor; it was suppressed: bounced: 5.1.1 no such user",
    )
    assert readership.allow(project, ANA).person.suppressed is None
    assert len(readership.known(project, ANA).everything.person.events) == 2


def test_who_complained_gets_nothing_until_they_ask_again(project: Project) -> None:
    subscribe(project, ANA)
    project.store.decide(ANA, lambda _: Decision(suppress="complained"))
    readership.allow(project, ANA)
    ana = readership.find(project, ANA)
    assert (ana.state, ana.suppressed, project.store.readers()) == (S.UNSUBSCRIBED, None, 0)


def test_an_address_that_never_subscribed_can_be_allowed_too(project: Project) -> None:
    project.store.decide(ANA, lambda _: Decision(suppress="bounced"))
    readership.allow(project, ANA)
    assert readership.add(project, ANA, "Ana").state is S.CONFIRMED


# --- shown ----------------------------------------------------------------------------


def test_all_that_is_kept_is_shown_files_too(sent: Letter) -> None:
    project = opened(sent.root)
    chosen = Preferences(("triggers",), paused_until=project.now + timedelta(days=9))
    subscribe(project, ANA, preferences=chosen)
    project.store.ask(ANA, "A.", project.now)
    known = readership.known(project, "ANA@EXAMPLE.com")
    everything = known.everything
    assert everything.person.subscriber is not None
    assert everything.person.subscriber.preferences == chosen
    assert [(copy.issue, copy.state) for copy in everything.copies] == [(1, DeliveryState.ACCEPTED)]
    assert [letter.kind for letter in everything.letters] == [LetterKind.WELCOME]
    assert [asked.name for asked in everything.requests] == ["A."]
    assert [file.rpartition("/")[0] for file in known.files] == ["outbox/0001", "outbox/mail"]
    assert all("ana@example.com" in (sent.root / file).read_text().casefold() for file in known.files)
    with pytest.raises(AudienceError, match=r"nothing is known of cy@"):
        readership.known(project, "cy@example.com")


# --- forgotten ------------------------------------------------------------------------


@pytest.fixture
def sent(project: Project, root: Path) -> Letter:
    """Issue 1 went to three people, into outbox/; each also has a letter there."""
    letter = Letter(root)
    letter.post("weather", "Weather", "2026-01-01")
    letter.write("readers.csv", f"email,name\n{ANA},Ana\nbo@example.com,Bo\nanan@example.com,\n")
    importing.take_in(project, {"readers.csv": root / "readers.csv"}, lambda *_: None)
    (root / "readers.csv").unlink()
    assert letter.run("send", "--yes").code == 0
    for number, to in enumerate(("“Ana” <ANA@example.com>", "bo@example.com", f"x{ANA}")):
        letter.write(f"outbox/mail/{number}.eml", f"From: a@example.org\r\nTo: {to}\r\n\r\n{ANA}\r\n")
    return letter


def test_who_is_forgotten_can_be_read_nowhere_any_more(sent: Letter) -> None:
    for path in sent.root.glob("*.csv"):
        path.unlink()
    project = opened(sent.root)
    subscribe(project, ANA, preferences=Preferences(("weather",)))
    project.store.ask(ANA, "Ana", project.now)
    assert len(traces(sent.root, ANA)) > 2
    erased = readership.forget(project, "Ana@Example.com")
    assert (erased.found.known, erased.found.copies, erased.found.withdrawn, erased.files) == (True, 1, 0, 2)
    # Two letters to other people hold the address in their words; those are not theirs.
    left = ["outbox/mail/1.eml", "outbox/mail/2.eml"]
    assert sorted(traces(sent.root, ANA)) == left
    assert [path.name for path in (sent.root / "outbox/mail").glob("*.eml")] != []
    assert project.store.counts(1) == Counts(readers=3, accepted=3)
    known = readership.known(project, ANA)
    assert (known.everything.anything, known.everything.forgotten, known.files) == (False, project.now, ())
    assert sent.run("report", "1", "--json").json["accepted"] == 3


def test_receipts_do_not_keep_the_domain_of_somebody_who_is_forgotten(project: Project, root: Path) -> None:
    letter = Letter(root)
    letter.post("weather", "Weather", "2026-01-01")
    letter.write("readers.csv", "email,name\njane@doe-family.example,Jane\nbo@example.com,Bo\n")
    importing.take_in(project, {"readers.csv": root / "readers.csv"}, lambda *_: None)
    (root / "readers.csv").unlink()
    with Relay(Script().to({"jane@doe-family.example"}, "rcpt", never("550 no host doe-family"))) as relay:
        assert letter.run("send", "--yes", env=relay.environment()).code == 0
    assert len(traces(root, "doe-family")) == 3
    # Whatever is wrong with the theme, nothing of them is kept.
    letter.write("templates/words/en.toml", 'subscribr = "Join"\n')
    readership.forget(opened(root), "jane@doe-family.example")
    assert traces(root, "doe-family") == []
    (root / "templates/words/en.toml").unlink()
    assert letter.run("resume", "1").code == 0
    assert "(forgotten)" in letter.run("report", "1").out
    assert "(forgotten)" in (root / ".newsletter/issues/0001/receipt.html").read_text()


def test_only_receipts_that_one_reader_is_known_by_are_made_anew(project: Project, root: Path) -> None:
    letter = Letter(root)
    letter.post("weather", "Weather", "2026-01-01")
    people = ("ann@example.com", "bo@example.com", "cy@example.com", "dee@alone.example")
    letter.write("readers.csv", "\n".join(["email", *people]))
    importing.take_in(project, {"readers.csv": root / "readers.csv"}, lambda *_: None)
    with Relay(Script().to({people[0]}, "dot", never("554 the Doe family moved"))) as relay:
        assert letter.run("send", "--yes", env=relay.environment()).code == 0
    receipt = root / ".newsletter/issues/0001/receipt.json"
    before = receipt.read_bytes()
    # One of several, whose copy was accepted: a letter of many years is not gone through for them.
    readership.forget(project, people[1])
    assert receipt.read_bytes() == before
    for email, told in ((people[0], b"Doe family"), (people[3], b"alone.example")):
        assert told in before
        readership.forget(project, email)
        assert told not in receipt.read_bytes()
    assert b"554" in receipt.read_bytes()


def test_who_is_forgotten_is_added_by_no_list_until_somebody_says_otherwise(project: Project) -> None:
    assert not readership.forget(project, ANA).found.known
    with pytest.raises(AudienceError, match=r"was forgotten, and stays so.*subscribers allow"):
        readership.add(project, ANA, "")
    readership.allow(project, ANA)
    assert readership.add(project, ANA, "").email == ANA


def test_copies_made_under_an_earlier_secret_are_found(sent: Letter) -> None:
    project = opened(
        sent.root, NEWSLETTER_SECRET="quite another secret, long enough", NEWSLETTER_SECRET_OLD=SECRET
    )
    assert len(readership.known(project, ANA).files) == 2
    assert readership.forget(project, ANA).files == 2


def test_forgetting_while_another_process_sends_withdraws_what_has_not_left(
    project: Project, root: Path
) -> None:
    letter = Letter(root)
    letter.post("weather", "Weather", "2026-01-01")
    rows = "".join(f"{address(n)},Reader {n}\n" for n in range(READERS))
    letter.write("readers.csv", f"email,name\n{rows}")
    importing.take_in(project, {"readers.csv": root / "readers.csv"}, lambda *_: None)
    # The third message's answer never comes: two are out, one is armed, the others leased or queued.
    with Relay(Script().nth("dot", 3, stall())) as relay:
        with AtWork(letter, "send", "--yes", env=relay.environment(connections=1)) as run:
            assert relay.wait(2)
            while Counter(states(project)) != {"accepted": 2, "armed": 1, "leased": 9}:
                assert run.process.poll() is None
                time.sleep(0.02)
            found = [readership.forget(project, one).found for one in EVERYBODY[:10]]
            assert [sum(counts) for counts in zip(*map(numbers, found), strict=True)] == [10, 7, 1]
            run.process.kill()
        resumed = letter.run("resume", "1", "--json", env=relay.environment()).json
    assert (resumed["readers"], resumed["accepted"], resumed["withdrawn"], resumed["in_doubt"]) == (
        12,
        4,
        7,
        1,
    )
    assert len({each.recipient for each in relay.deliveries}) == len(relay.deliveries) == 4
    assert [one.email for one in project.store.subscribers()] == EVERYBODY[10:]


def numbers(found: Forgotten) -> tuple[int, int, int]:
    return found.copies, found.withdrawn, found.under_way


def states(project: Project) -> list[DeliveryState]:
    return [copy.state for one in EVERYBODY for copy in project.store.everything(one).copies]
