"""What follows from what comes back: for the reader whose copy it is about, and for nobody else."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import timedelta

import pytest
from support.boxes import MaildirBox
from support.letter import SECRET
from support.reports import ANA, BEN, CLEO, DORA, expected, names, own_reader, report

from pipeline import hearing
from pipeline.errors import StoreError
from pipeline.hear import News, Nothing, parse
from pipeline.hear.mailbox import Pipe
from pipeline.model import BOUNCED, Decision, Event, EventKind, Evidence, SubscriberState

KINDS = {
    "hard-bounce": EventKind.HARD_BOUNCE,
    "soft-bounce": EventKind.SOFT_BOUNCE,
    "complaint": EventKind.COMPLAINED,
    "unsubscribe": EventKind.LEFT,
}
#: These name two recipients, of whom the reader is the one who was not reached.
FOR_THE_READER = {"two-recipients-of-different-fates": "hard-bounce"}


@pytest.mark.parametrize("name", names())
def test_each_message_has_its_consequence_for_its_reader_and_for_nobody_else(crowd, name):
    reader = own_reader(name)
    tally = crowd.hear(crowd.report(name, reader).replace(ANA.encode(), reader.encode()))
    news = FOR_THE_READER.get(name, expected()[name]["news"])
    proof = expected()[name]["evidence"]
    person = crowd.known(reader).person
    assert [event.kind for event in person.events] == ([KINDS[news]] if news in KINDS and proof else [])
    assert (person.suppressed or "").startswith(BOUNCED) == (news == "hard-bounce" and bool(proof))
    assert (person.suppressed == "complained") == (news == "complaint")
    assert (person.subscriber.state is SubscriberState.UNSUBSCRIBED) == (news == "unsubscribe")
    assert not any(person.events or person.suppressed for person in crowd.everybody())
    assert tally.read == 1
    assert tally.unknown == (news in KINDS and not proof)


def test_forged_messages_about_another_reader_change_nothing(letter):
    before = letter.everybody()
    for name in names():
        letter.hear(report(name))  # what looks like a code and a token, and names Ana
        assert letter.everybody() == before, name


@pytest.mark.parametrize(
    "name", ["postfix-user-unknown", "complaint-yahoo", "leave-gmail", "qmail-no-mailbox", "postfix-verp"]
)
def test_who_uses_their_own_proof_against_another_reader_harms_only_themselves(letter, name):
    before = letter.everybody()
    letter.hear(letter.report(name, BEN))  # Ben's own code and token, in a report that names Ana
    ana, ben, *others = letter.everybody()
    assert (ana, *others) == (before[0], *before[2:])
    assert len(ben.events) == 1


def test_proofs_of_two_readers_in_one_report_prove_nothing(letter):
    before = letter.everybody()
    mixed = letter.report("postfix-user-unknown").replace(
        letter.copies[ANA].token.encode(), letter.copies[BEN].token.encode()
    )
    assert letter.hear(mixed).unknown == 1
    assert letter.everybody() == before


@pytest.mark.parametrize(
    "name", ["postfix-user-unknown", "postfix-mailbox-full", "complaint-yahoo", "leave-gmail"]
)
def test_the_same_report_twice_counts_once(letter, name):
    letter.hear(letter.report(name))
    once = letter.known()
    assert letter.hear(letter.report(name), letter.report(name)).repeated == 1
    assert letter.known() == once


def test_the_history_says_why_in_the_server_s_words_without_an_address(letter):
    letter.hear(letter.report("postfix-user-unknown"))
    [event] = letter.known().person.events
    assert event == Event(
        letter.project.now,
        EventKind.HARD_BOUNCE,
        "there is no such mailbox: 550 5.1.1 [...]: Recipient address rejected: User unknown in virtual mailbox table",
        1,
    )
    assert letter.known().person.suppressed == "bounced: there is no such mailbox"


def test_a_code_alone_is_enough_even_if_nobody_is_named(letter):
    anonymous = letter.report("complaint-verp-only")
    assert b"ana" not in anonymous
    letter.hear(anonymous)
    assert letter.known().person.suppressed == "complained"


def test_a_token_alone_is_enough(letter):
    letter.hear(letter.report("postfix-user-unknown").replace(letter.copies[ANA].code.encode(), b"f" * 32))
    [event] = letter.known().person.events
    assert (event.kind, event.issue) == (EventKind.HARD_BOUNCE, None)


def test_a_code_of_an_issue_long_past_is_still_good_if_the_report_names_its_reader(letter):
    late = replace_now(letter, hearing.RECENT + timedelta(days=30))
    late.hear(letter.report("postfix-verp"))
    assert late.known().person.suppressed
    late.hear(letter.report("complaint-verp-only", BEN))
    assert late.known(BEN).person.suppressed is None


def replace_now(letter, later):
    letter.project.now += later
    return letter


def test_after_a_change_of_the_secret_copies_in_flight_are_still_known(opened, letter):
    project = opened(NEWSLETTER_SECRET="another secret, also long enough", NEWSLETTER_SECRET_OLD=SECRET)
    for name in ("postfix-verp", "leave-gmail"):
        reader = ANA if name == "postfix-verp" else BEN
        tally = hearing.listen(project, Pipe(io.BytesIO(letter.report(name, reader))), project.now)
        assert tally.unknown == 0
    assert project.store.everything(ANA).person.suppressed
    assert project.store.everything(BEN).person.subscriber.state is SubscriberState.UNSUBSCRIBED


def test_a_mailbox_that_stays_full_loses_its_reader_after_weeks_not_after_one(letter):
    bounce = parse(letter.report("postfix-mailbox-full"))
    decided = [decide_again(letter, bounce, week) for week in range(6)]
    assert decided == ["", "", "", "", "", "bounced again and again: the mailbox is full"]


def decide_again(letter, bounce, week):
    from pipeline.hear.decide import decide

    now = letter.project.now + timedelta(weeks=week)
    decided = letter.project.store.decide(ANA, lambda person: decide(person, bounce, now, week + 1))
    return decided.suppress


def test_a_bounce_from_before_a_fresh_confirmation_is_no_news(letter):
    started = letter.project.store.issue(1).started
    confirmed = Event(started + timedelta(hours=1), EventKind.CONFIRMED)
    letter.project.store.decide(ANA, lambda person: Decision(events=(confirmed,)))
    assert letter.hear(letter.report("postfix-user-unknown")).repeated == 1
    assert letter.known().person.suppressed is None
    letter.hear(letter.report("complaint-yahoo"))
    assert letter.known().person.suppressed == "complained"


def test_news_of_somebody_who_was_forgotten_is_about_nobody(letter):
    letter.project.store.forget(ANA, letter.project.now)
    assert letter.hear(letter.report("postfix-user-unknown")).unknown == 1
    assert letter.hear(letter.report("leave-gmail")).unknown == 1
    assert letter.known().person.events == ()


def test_who_left_by_mail_gets_no_more(letter):
    before = letter.project.store.readers()
    letter.hear(letter.report("leave-gmail"))
    assert letter.project.store.readers() == before - 1
    [event] = letter.known().person.events
    assert (event.kind, event.words) == (EventKind.LEFT, "by mail")


# --- a mailbox ------------------------------------------------------------------


@pytest.fixture
def box(tmp_path):
    return MaildirBox(tmp_path / "Maildir")


def listen(letter, box, **more):
    return hearing.listen(letter.project, box.mailbox(), letter.project.now, **more)


def test_what_was_understood_is_taken_out_and_what_only_a_person_understands_stays(letter, box):
    for name in names():
        box.put(letter.report(name))
    tally = listen(letter, box)
    assert tally.read == len(names())
    left = sum(each.get("nothing") == "not understood" for each in expected().values())
    assert tally.left == left == len(box.holds())
    assert (tally.nothing[Nothing.NOT_UNDERSTOOD], tally.unknown) == (left, 1)
    assert listen(letter, box).read == 0


def test_a_wish_of_somebody_whom_nobody_knows_stays_for_a_person(letter, box):
    for name in ("leave-gmail", "complaint-redacted", "postfix-user-unknown"):
        box.put(report(name))
    tally = listen(letter, box)
    assert (tally.unknown, tally.left, len(box.holds())) == (3, 2, 2)


def test_a_dry_run_says_the_same_and_changes_nothing(letter, box):
    for name, reader in (
        ("postfix-user-unknown", ANA),
        ("complaint-yahoo", BEN),
        ("leave-gmail", CLEO),
        ("away-german", DORA),
    ):
        box.put(letter.report(name, reader))
    before, held = letter.everybody(), box.holds()
    dry = listen(letter, box, dry_run=True)
    assert (letter.everybody(), box.holds()) == (before, held)
    assert listen(letter, box).document() == dry.document() | {"left": 0}
    assert dry.document() == {
        "read": 4,
        "hard_bounces": 1,
        "soft_bounces": 0,
        "complaints": 1,
        "unsubscribed": 1,
        "repeated": 0,
        "unknown": 0,
        "nothing": {"out of office": 1},
        "suppressed": 2,
        "left": 0,
    }


def test_a_message_leaves_its_mailbox_only_when_its_decision_is_written_down(letter, box, monkeypatch):
    for name, reader in (("postfix-user-unknown", ANA), ("complaint-yahoo", BEN)):
        box.put(letter.report(name, reader))
    really = letter.project.store.decide_by_uid

    def fails_for_ben(uid, decision):
        if uid == letter.project.tokens.uid(BEN):
            raise StoreError("disk full")
        return really(uid, decision)

    monkeypatch.setattr(letter.project.store, "decide_by_uid", fails_for_ben)
    with pytest.raises(StoreError, match="disk full"):
        listen(letter, box)
    assert letter.known().person.suppressed
    assert [parse(message).news for message in box.holds()] == [News.COMPLAINT]
    monkeypatch.undo()
    listen(letter, box)
    assert letter.known(BEN).person.suppressed == "complained"


def test_more_messages_than_are_looked_at_together(letter, box, monkeypatch):
    monkeypatch.setattr(hearing, "BATCH", 2)
    for reader in (ANA, BEN, CLEO, DORA, ANA):
        box.put(letter.report("postfix-verp", reader))
    tally = listen(letter, box)
    assert (tally.news[News.HARD_BOUNCE], tally.repeated, box.holds()) == (4, 1, [])


def test_refusals_that_are_about_us_are_shown_to_the_editor(letter, box):
    box.put(letter.report("postfix-blocked-by-a-list"))
    tally = listen(letter, box)
    [(said, count)] = tally.against_us.items()
    assert count == 1
    assert said.startswith(
        "the server refuses us, not the reader: 554 5.7.1 Service unavailable; Client host"
    )


# --- a provider's hook ----------------------------------------------------------


def test_a_hook_whose_request_is_proven_is_believed_about_an_address(letter):
    events = [replace(parse(report("postfix-user-unknown")), evidence=Evidence())]
    tally = hearing.take(letter.project, events, letter.project.now)
    assert (tally.news[News.HARD_BOUNCE], tally.suppressed) == (1, 1)
    assert letter.known().person.suppressed


def test_a_hook_s_evidence_counts_more_than_the_address_it_names(letter):
    event = parse(letter.report("postfix-user-unknown", BEN))
    hearing.take(letter.project, [event], letter.project.now)
    assert letter.known().person.suppressed is None
    assert letter.known(BEN).person.suppressed


def test_a_hook_about_nobody_we_know_or_about_several_changes_nothing(letter):
    before = letter.everybody()
    event = replace(parse(report("postfix-user-unknown")), evidence=Evidence())
    events = [
        replace(event, recipients=recipients)
        for recipients in (("x@x.example",), (ANA, BEN), ("no address",), ())
    ]
    assert hearing.take(letter.project, events, letter.project.now).unknown == 4
    assert letter.everybody() == before


def test_an_address_is_known_in_any_spelling(letter):
    event = replace(
        parse(report("postfix-user-unknown")),
        evidence=Evidence(),
        recipients=("ANA@Reader.EXAMPLE",),
        fates=(),
    )
    hearing.take(letter.project, [event], letter.project.now)
    assert letter.known().person.suppressed


def test_the_ledger_is_walked_through_only_for_a_code_whose_reader_nobody_named(letter, monkeypatch):
    asked = []
    really = letter.project.store.enrolled
    monkeypatch.setattr(
        letter.project.store, "enrolled", lambda number: asked.append(number) or really(number)
    )
    letter.hear(letter.report("postfix-user-unknown"))
    assert asked == []  # the report names its reader: nothing has to be walked through
    letter.hear(letter.report("complaint-verp-only", BEN))
    assert asked == [1]
