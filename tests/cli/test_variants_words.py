"""What is said in a variant, what the checks find only there, and where its files lie."""

from __future__ import annotations

import re

import pytest
from support.choosing import THEIRS, choose, opened, said
from support.letter import HERE, Letter
from support.messages import by_python

from pipeline import approving, editing, weekly
from pipeline.errors import Refused, SettingsError
from pipeline.papers import variant_folder
from pipeline.project import Project

# --- words -------------------------------------------------------------------------


def subjects(project: Project) -> dict[str, tuple[str, str]]:
    """Subject and preheader of the issue and of each variant."""
    prepared = weekly.prepare_next(project, None, None)
    assert prepared is not None
    issues = {"": prepared.issue} | {
        name: prepared.variants.rendered(name).issue for name in prepared.variants.names
    }
    return {name: (issue.subject, issue.preheader) for name, issue in issues.items()}


def test_words_that_a_person_wrote_stay_and_so_does_the_note(chosen: Letter) -> None:
    project = opened(chosen)
    before = subjects(project)
    assert before["sleep-rest"] == ("A nap", "Lie down.")
    path = editing.draft(project, None, None)
    assert path is not None
    # A draft that nobody has touched says what the settings say.
    assert subjects(opened(chosen)) == before
    chosen.replace(path, 'subject: "Weather and the head"', 'subject: "What a week"')
    with (chosen.root / path).open("a", encoding="utf-8") as file:
        file.write("\nHello from the *desk*.\n")
    project = opened(chosen)
    assert subjects(project) == {name: ("What a week", preheader) for name, (_, preheader) in before.items()}
    prepared = weekly.prepare_next(project, None, None)
    assert prepared is not None
    for name in prepared.variants.names:
        assert "Hello from the" in prepared.variants.rendered(name).text
        # "View in browser" leads to the issue's page; nobody pays for another.
        assert prepared.variants.rendered(name).page == ""


def test_a_lead_that_somebody_chose_leads_wherever_it_remains(chosen: Letter) -> None:
    path = editing.draft(opened(chosen), None, None)
    assert path is not None
    chosen.replace(path, 'lead: "weather"', 'lead: "snow"')
    prepared = weekly.prepare_next(opened(chosen), None, None)
    assert prepared is not None
    leads = {name: prepared.variants.rendered(name).issue.lead.id for name in prepared.variants.names}
    assert leads == {"sleep-rest": "nap", "sleep-rest weather": "snow", "weather": "snow"}


# --- faults that only a variant has ------------------------------------------------


NO_SUBJECT = "{% if lead.category == 'Weather' %}{{ lead.title }}{% endif %}"


def test_an_empty_subject_made_anew_is_found_before_anything_leaves(chosen: Letter) -> None:
    chosen.replace("newsletter.toml", 'subject = "{{ lead.title }}"', f'subject = "{NO_SUBJECT}"')
    ran = said(chosen, "send", "--yes")
    assert ran.code == 3
    assert re.search(
        r"newsletter\.toml:\d+ +error +subject +for readers of Sleep & rest: the issue has no subject",
        ran.err,
    )
    assert not (chosen.root / "outbox").exists()
    found = said(chosen, "check", "--json").json
    assert (found["errors"], "subject" in found["passed_ids"]) == (1, False)


def test_an_error_of_a_template_says_in_which_variant(chosen: Letter) -> None:
    chosen.replace("newsletter.toml", 'subject = "{{ lead.title }}"', 'subject = "{{ posts[1].title }}"')
    project = opened(chosen)
    prepared = weekly.prepare_next(project, None, None)
    assert prepared is not None
    with pytest.raises(
        SettingsError, match=r"^newsletter\.toml: for readers of Sleep & rest: issue\.subject: "
    ):
        _ = prepared.report


def test_what_is_wrong_with_the_whole_issue_is_said_once(chosen: Letter) -> None:
    chosen.replace("newsletter.toml", 'subject = "{{ lead.title }}"', 'subject = "{# none #}"')
    chosen.write("templates/mail/mail.txt", "{{ issue.subject }}")
    prepared = weekly.prepare_next(opened(chosen), None, None)
    assert prepared is not None
    ids = [finding.id for finding in prepared.report.findings if finding.severity == "error"]
    assert sorted(set(ids)) == ["postal-address", "subject", "text-part", "unsubscribe"]
    assert not [finding for finding in prepared.report.findings if "for readers of" in finding.message]


def test_a_theme_that_loses_the_way_out_where_there_are_no_cards_is_found(chosen: Letter) -> None:
    theme = (HERE / "templates/mail/mail.txt").read_text("utf-8")
    chosen.write("templates/mail/mail.txt", f"{{% if cards %}}{theme}{{% else %}}A nap{{% endif %}}")
    prepared = weekly.prepare_next(opened(chosen), None, None)
    assert prepared is not None
    told = [finding for finding in prepared.report.findings if "for readers of" in finding.message]
    assert {finding.id for finding in told} == {"postal-address", "unsubscribe"}
    assert all("Sleep & rest: the text part" in finding.message for finding in told)


# --- test copies, papers -----------------------------------------------------------


def test_a_test_copy_can_be_what_readers_of_some_categories_get(chosen: Letter) -> None:
    ran = said(chosen, "test", "--to", "ana@example.org", "--categories", "recipes,sleep-rest")
    assert ran.code == 0, ran
    (mail,) = chosen.files("outbox/mail").values()
    seen = by_python(mail)
    assert (seen.subject, "Snow" in seen.text) == ("[TEST] A nap", False)
    with pytest.raises(Refused, match=r"nothing in issue 1 is for readers of recipes.*sleep-rest, weather"):
        approving.try_out(opened(chosen), ["ana@example.org"], None, choice="recipes")


def test_a_build_leaves_no_variant_behind_that_nobody_would_get_any_more(chosen: Letter) -> None:
    folder = ".newsletter/issues/0001/variants"
    assert editing.build(opened(chosen), None, None, None).variants == 3
    project = opened(chosen)
    for who in ("rainy", "most", "sleepy"):
        choose(project, f"{who}@example.com")
    assert editing.build(project, None, None, None).variants == 1
    assert {name.split("/")[0] for name in chosen.files(folder)} == {"sleep-rest"}


def test_a_variant_with_a_name_that_no_folder_can_have_gets_one_of_its_own() -> None:
    assert variant_folder("a b-c") == "a+b-c"
    one, other = (variant_folder(" ".join([*["天气" * 20] * 3, end])) for end in "ab")
    assert one != other
    assert max(len(one.encode()), len(other.encode())) < 255


def test_nobody_gets_an_issue_in_which_nothing_is_for_anybody(chosen: Letter) -> None:
    project = opened(chosen)
    for who in THEIRS:
        choose(project, f"{who}@example.com", "recipes")
    prepared = weekly.prepare_next(opened(chosen), None, None)
    assert prepared is not None
    with pytest.raises(Refused, match=r"nobody would get it.*6 have chosen nothing that is in it"):
        weekly.guard(opened(chosen), prepared, attended=True)
