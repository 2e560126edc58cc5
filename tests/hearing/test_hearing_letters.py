"""What comes back of single mails; and that whoever names thousands keeps nobody busy."""

from __future__ import annotations

from datetime import timedelta

import pytest
from support.reports import report

from pipeline.model import EventKind

EVE = "eve@reader.example"


def written(letter):
    """Eve has asked; return the code of the confirmation that she gets, and the token for its link."""
    from pipeline import subscribing
    from pipeline.deliver.letter import Bodies, submission

    project = letter.project
    subscribing.ask(project, EVE, "", project.now)
    [request] = project.store.requests(1)
    subscribing.answer(project, request, project.now)
    [waiting] = project.store.letters(1)
    sent = submission(
        waiting, "Please confirm", Bodies("text", "<p>page</p>"), project.settings, project.tokens
    )
    return sent.message_id.partition("@")[0], project.tokens.dated("confirm", waiting.uid, waiting.at)


def test_a_confirmation_that_bounces_is_known_by_its_own_code(letter):
    code, _ = written(letter)
    bounce = report("postfix-user-unknown", code).replace(b"ana@", b"eve@")
    assert letter.hear(bounce).suppressed == 1
    person = letter.known(EVE).person
    assert person.suppressed == "bounced: there is no such mailbox"
    assert [event.kind for event in person.events] == [EventKind.HARD_BOUNCE, EventKind.ASKED]
    assert letter.hear(bounce).repeated == 1


def test_a_confirmation_that_bounces_after_it_was_confirmed_is_no_news(letter):
    from pipeline import subscribing

    code, link = written(letter)
    subscribing.confirm(letter.project, link, "Yes.", letter.project.now + timedelta(hours=1))
    letter.hear(report("postfix-user-unknown", code).replace(b"ana@", b"eve@"))
    assert letter.known(EVE).person.suppressed is None


def test_a_complaint_about_a_letter_is_known_by_whom_the_returned_copy_was_for(letter):
    code, _ = written(letter)
    complaint = report("complaint-yahoo", code).replace(b"Original-Rcpt-To: ana@reader.example\r\n", b"")
    letter.hear(complaint.replace(b"<ana@reader.example>", b"<eve@reader.example>"))
    assert letter.known(EVE).person.suppressed == "complained"


# --- whoever wants to keep us busy ---------------------------------------------------


def looked_up(letter, monkeypatch, message):
    asked = []
    really = letter.project.store.subscriber
    monkeypatch.setattr(
        letter.project.store, "subscriber", lambda email: asked.append(email) or really(email)
    )
    letter.hear(message)
    return len(asked)


@pytest.mark.parametrize(("proof", "most"), [(True, 100), (False, 0)])
def test_of_a_report_that_names_thousands_only_the_first_are_looked_up(letter, monkeypatch, proof, most):
    many = b"".join(b"Original-Rcpt-To: r%d@reader.example\r\n" % number for number in range(900))
    message = letter.report("complaint-yahoo").replace(b"Original-Rcpt-To: ana@reader.example\r\n", many)
    if not proof:
        message = message.replace(b"Message-ID", b"X-ID").replace(b"/unsubscribe/", b"/x/")
    assert many[:50] in message
    assert looked_up(letter, monkeypatch, message) == most
