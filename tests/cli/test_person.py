"""What `newsletter subscribers show`, `allow` and `forget` print, ask and refuse."""

from __future__ import annotations

import pytest
from support.letter import Letter
from support.tutorial import on_a_terminal

ANA = "ana@example.com"
SHOWN = {
    *("email", "name", "state", "since", "suppressed"),
    *("consent", "preferences", "events", "copies", "letters", "requests", "files", "forgotten"),
}


@pytest.fixture
def gone(sent: Letter) -> Letter:
    """After the first issue, of which Ana got a copy; then mail to her bounced, an editor says."""
    sent.run("subscribers", "import", "-", "--as", "suppressed", stdin=f"email,status\n{ANA},bounced\n")
    return sent


def test_a_person_is_shown_whole_allowed_and_forgotten(gone: Letter) -> None:
    shown = gone.run("subscribers", "show", ANA)
    assert shown.out.splitlines()[:5] == [
        "ana@example.com  Ana",
        "  confirmed since Mon 5 Jan 2026 00:00",
        "  suppressed: bounced",
        "  consent: Mon 5 Jan 2026 00:00, with a list that was imported",
        "  gets everything",
    ]
    assert "issue 1      accepted" in shown.out
    assert "\nFiles\n  outbox/0001/" in shown.out
    document = gone.run("subscribers", "show", ANA, "--json").json
    assert document.keys() == SHOWN
    assert (document["state"], document["suppressed"], document["copies"][0]["state"]) == (
        *("confirmed", "bounced", "accepted"),
    )
    allowed = gone.run("subscribers", "allow", ANA, "nobody@example.com").out
    assert f"{ANA} was suppressed (bounced), and is not any more." in allowed
    assert "nobody@example.com was not suppressed." in allowed
    assert gone.run("subscribers", "show", ANA, "--json").json["events"][0]["kind"] == "allowed"

    unasked = gone.run("subscribers", "forget", ANA)
    assert (unasked.code, "add --yes" in unasked.err) == (2, True)
    ran = gone.run("subscribers", "forget", ANA, "--yes", "--json")
    assert ran.json == {"known": True, "withdrawn": 0, "under_way": 0, "copies": 1, "files": 1}
    assert gone.run("subscribers", "import", "readers.csv", "--json").json == {
        "added": 0,
        "updated": 0,
        "unchanged": 2,
        "refused": 0,
        "suppressed": 1,
    }
    assert "not among the subscribers\n  forgotten on " in gone.run("subscribers", "show", ANA).out


def test_on_a_terminal_somebody_types_the_address_before_it_is_erased(sample: Letter) -> None:
    sample.run("subscribers", "import", "readers.csv")
    command = f"newsletter subscribers forget {ANA}"
    refused = on_a_terminal(sample, command, "bo@example.com")
    assert "“bo@example.com” is not that address: nothing has changed." in refused
    assert f"newsletter subscribers remove {ANA}" in refused
    assert sample.run("subscribers", "show", ANA).code == 0
    assert f"{ANA} is forgotten. No import brings them back." in on_a_terminal(
        sample, command, "Ana@example.com"
    )
