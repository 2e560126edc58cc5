"""The page as text: what it says of an issue, and in which words."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import html5lib
import pytest
from support.letter import Letter, copy_sample
from support.preview_page import CLOCK, rich_letter, state_of

from pipeline.approve.records import add_trial
from pipeline.model import Approval, Draft, Reason, Standing, Trial
from pipeline.papers import folder_of
from pipeline.preview.options import READERS, SCHEMES, VIEWS, WIDTHS, Options
from pipeline.preview.page import page_html
from pipeline.preview.sources import known_paths, source_html
from pipeline.preview.state import Fault, State
from pipeline.preview.steps import next_step, steps
from pipeline.project import open_project

XHTML = "{http://www.w3.org/1999/xhtml}"


@pytest.fixture(scope="module")
def mended(tmp_path_factory: pytest.TempPathFactory) -> State:
    """The same without its error."""
    root = rich_letter(tmp_path_factory.mktemp("mended"))
    lead = root / "posts/lead.md"
    lead.write_text(lead.read_text().replace("{{ one }}", "no"))
    return state_of(root)


def page(state: State, **options: Any) -> Any:
    """The page, read by the HTML standard's own parser; its first mistake is an exception."""
    html = page_html(state, Options(**options), token="t0ken", notice="Done & <done>.")
    return html5lib.HTMLParser(strict=True).parse(html)


def text(element: Any) -> str:
    return " ".join(" ".join(element.itertext()).split())


def find(tree: Any, id: str) -> Any:
    return next(element for element in tree.iter() if element.get("id") == id)


def test_what_an_address_does_not_know_is_as_if_it_were_not_there() -> None:
    nonsense = {
        "view": "<x>",
        "w": "9e9",
        "scheme": "",
        "images": "no",
        "text": "201",
        "reader": "me",
        "issue": "²",
    }
    assert Options.read(nonsense) == Options()
    assert Options.read({"issue": "9" * 5000}) == Options()
    assert Options().query() == ""


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_way_of_looking_is_an_address(view: str, scheme: str) -> None:
    for width in WIDTHS:
        for reader in READERS:
            options = Options(
                view, width, scheme, images=False, style=False, zoom=200, reader=reader, issue=41
            )
            assert Options.read(dict(pair.split("=") for pair in options.query().split("&"))) == options


def test_the_posts_stand_in_order_each_with_the_moves_it_can_make(state: State) -> None:
    tree = page(state, view="text")
    posts = [item for item in find(tree, "left").iter(f"{XHTML}li") if item.get("class") == "post"]
    assert [text(post)[:30].rstrip() for post in posts[:2]] == [
        "★ Lead post: Snow & sleep: why",
        "A second post without an excer",
    ]
    assert "20 Nov · Sleep · 38 words" in text(posts[0])
    forms = [[form.get("action") for form in post.iter(f"{XHTML}form")] for post in posts]
    assert [len(each) for each in forms] == [1, 2, 1]
    fields = {field.get("name"): field.get("value") for field in posts[0].iter(f"{XHTML}input")}
    assert fields == {"token": "t0ken", "back": "view=text", "post": "lead", "move": "down"}


def test_what_is_left_out_says_why(state: State) -> None:
    left = text(find(page(state), "left"))
    assert "Left out (2), and why" in left
    assert "Botox at three months marked as a draft in line 4" in left
    assert "Winter light dated 1 December 2026" in left


def test_a_finding_leads_to_its_line(state: State) -> None:
    right = find(page(state), "right")
    assert text(right).startswith("Next step Fix the error.")
    assert "✕ Error Readers would see `{{ one }}`" in text(right)
    kinds = [
        item.get("class").split()[1]
        for item in right.iter(f"{XHTML}li")
        if "finding" in item.get("class", "")
    ]
    assert kinds == sorted(kinds, key=["error", "warning", "note", "passed"].index)
    places = {text(link): link.get("href") for link in right.iter(f"{XHTML}a")}
    assert places["posts/lead.md:16"] == "/source?path=posts%2Flead.md&line=16#L16"
    assert re.search(r"Checks: 1 error, \d+ warnings?, \d+ notes?, \d+ passed", text(right))


def test_links_and_pictures_are_listed_with_what_is_odd_about_them(state: State) -> None:
    tree = page(state)
    links, pictures = text(find(tree, "links")), text(find(tree, "pictures"))
    assert "one https://one.example/ 2 times same text, several targets posts/lead.md:14" in links.replace(
        "/2", "/ 2"
    )
    assert "the reader’s own address for leaving" in links
    assert "hill.png “A hill in the rain” 300 × 120 · 96 bytes" in pictures
    assert "blocked here: not the newsletter’s own" in pictures


def test_headers_and_weight_are_those_of_the_message(state: State) -> None:
    right = text(find(page(state, reader="long"), "right"))
    assert "From The Letter <letter@example.org> To Maximiliane Ännchen" in right
    assert "Subject Snow & sleep: why a title may well run to a second line (55 characters)" in right
    assert "List-Unsubscribe <https://letter.example.org/unsubscribe/sample>" in right
    assert "kB of 102 kB: Gmail will not clip it." in right


def test_what_an_editor_wrote_is_text_and_never_markup(state: State) -> None:
    html = page_html(state, Options(), token='"><script>', notice="<script>")
    assert "<Small>" not in html
    assert html.count("<script") == 1
    assert "The &lt;Small&gt; Letter" in html


def test_with_an_error_nothing_can_be_approved(state: State, mended: State) -> None:
    assert "Not yet: the checks found 1 error." in text(find(page(state), "act-approve"))
    form = find(page(mended), "act-approve")
    fields = {field.get("name"): field.get("value") for field in form.iter(f"{XHTML}input")}
    assert fields["build"] == mended.look.hash  # type: ignore[union-attr]
    assert set(fields) == {"token", "back", "build", "by"}
    tests = {field.get("name") for field in find(page(mended), "act-test").iter(f"{XHTML}input")}
    assert tests == {"token", "back", "to", "by"}


def test_each_step_leads_to_the_next(state: State, mended: State) -> None:
    def told(state: State) -> tuple[str, str]:
        now = next(step for step in steps(state) if step.current)
        return now.text, next_step(state).command

    look = mended.look
    assert look is not None
    trial, old = Trial(look.hash, mended.now, "ana"), Trial("0" * 64, mended.now - timedelta(hours=1), "ana")
    approval = Approval("Ana", mended.now, look.hash, look.frozen.hash)

    def stands(*trials: Trial, approval: Approval | None = None, changes: tuple[str, ...] = ()) -> State:
        return replace(mended, standing=Standing(trials, approval, changes))

    assert told(state) == ("Checks: 1 to fix", "newsletter check")
    assert told(mended) == ("Test", "newsletter test --to you@example.org")
    assert told(stands(old)) == ("Test: changed since", "newsletter test --to you@example.org")
    assert told(stands(trial, old)) == ("Approve", "newsletter approve")
    changed = stands(trial, approval=approval, changes=("the subject was “Rain”",))
    assert told(changed) == ("Approved by Ana: changed since", "newsletter approve")
    assert "the subject was “Rain”" in text(find(page(changed), "right"))
    assert told(stands(trial, approval=approval)) == ("Send", "newsletter send")
    mail = mended.settings.mail.model_copy(update={"test_to": "ana@example.org"})
    usual = replace(mended, settings=mended.settings.model_copy(update={"mail": mail}))
    assert told(usual) == ("Test", "newsletter test")


def test_what_is_approved_for_later_says_from_when_on_it_may_go_out(mended: State) -> None:
    look = mended.look
    assert look is not None
    approval = Approval("A. by", mended.now + timedelta(days=1), look.hash, look.frozen.hash)
    later = replace(mended, standing=Standing(approval=approval))
    assert steps(later)[3].text == "Approved by A. by for Mon 23 Nov 08:00"
    assert next_step(later).words.startswith("Everything is sealed, for Mon 23 Nov 2026 08:00. From then on")
    assert "✓ done: Approved by A. by for Mon 23 Nov 08:00" in text(find(page(later), "top"))


def test_a_build_is_named_as_the_command_line_names_it_and_whole(mended: State) -> None:
    assert mended.look is not None
    value = mended.look.hash
    assert text(find(page(mended), "hash")) == f"{value[:6]}…{value[-4:]} {value}"
    assert f"{value[:6]}…{value[-4:]}" in text(find(page(mended), "act-approve"))


def test_what_is_ignored_is_counted_beside_what_passed(state: State) -> None:
    assert state.look is not None
    assert state.look.report is not None
    report = replace(state.look.report, ignored=3)
    right = text(find(page(replace(state, look=replace(state.look, report=report))), "right"))
    assert re.search(r"Checks: 1 error, .*, 3 ignored, \d+ passed", right)


def test_a_fault_stands_above_the_last_good_render(state: State) -> None:
    fault = Fault("title is missing.", "posts/lead.md", 2, ((1, "---"), (2, "titel: Snow"), (3, "<b>")))
    tree = page(replace(state, faults=(fault,)))
    said = text(find(tree, "faults"))
    assert "posts/lead.md:2 title is missing." in said
    assert "2 ▸ The line at fault: titel: Snow" in said
    assert "Last good render" in text(find(tree, "stage"))
    assert not list(find(tree, "left").iter(f"{XHTML}form"))
    assert "Not yet" in text(find(tree, "act-test"))
    assert next_step(replace(state, faults=(fault,))).words.startswith("Mend posts/lead.md:2.")


def test_a_fault_before_anything_could_be_rendered_is_all_there_is(state: State) -> None:
    tree = page(replace(state, look=None, week=None, faults=(Fault("not UTF-8.", "newsletter.toml"),)))
    assert "Nothing could be rendered yet" in text(find(tree, "stage"))
    assert "newsletter.toml" in text(find(tree, "faults"))


def test_nothing_new_is_friendly_and_says_what_to_do(tmp_path: Path) -> None:
    root = rich_letter(tmp_path / "letter")
    for name in ("lead", "second", "arabic"):
        (root / f"posts/{name}.md").unlink()
    tree = page(state_of(root))
    assert "Nothing is new" in text(find(tree, "stage"))
    assert "date: 2026-11-22" in text(find(tree, "stage"))
    assert "Left out (2)" in text(find(tree, "left"))


def test_a_past_issue_has_counts_and_no_forms(tmp_path: Path) -> None:
    letter: Letter = copy_sample(tmp_path / "letter")
    letter.run("subscribers", "import", "readers.csv")
    assert letter.run("send", "--yes", clock=CLOCK).code == 0
    for state in (state_of(letter.root, number=1), replace(state_of(letter.root), past=((1, "Old"),))):
        tree = page(state, issue=1 if state.look else None)
        past = state.look is not None
        assert bool(list(tree.iter(f"{XHTML}form"))) is False
        assert ("Sent: 3 of 3" in text(find(tree, "top"))) is past
        assert "/?issue=1" in [link.get("href") for link in find(tree, "left").iter(f"{XHTML}a")]
    assert "newsletter report 1" in text(find(page(state_of(letter.root, number=1)), "right"))


def test_a_past_issue_says_whether_what_went_out_was_tested(tmp_path: Path) -> None:
    letter: Letter = copy_sample(tmp_path / "letter")
    letter.run("subscribers", "import", "readers.csv")
    assert letter.run("send", "--yes", clock=CLOCK).code == 0
    project = open_project(letter.root, CLOCK)
    assert steps(state_of(letter.root, number=1))[2].text == "Not tested"
    tested = Trial("1" * 64, project.now, "ana")
    add_trial(folder_of(project, 1), tested)
    past = state_of(letter.root, number=1)
    assert steps(past)[2].text == "Tested"
    assert "Tested 22 Nov 2026" in text(find(page(past), "right"))
    for build, said in ((tested.build, "Tested"), ("2" * 64, "Tested, then changed")):
        approval = Approval("Ana", project.now, build, "0" * 64)
        assert steps(replace(past, standing=replace(past.standing, approval=approval)))[2].text == said


def test_a_file_is_shown_with_its_line_marked(state: State) -> None:
    assert {"posts/lead.md", "posts/draft.md", "newsletter.toml"} <= known_paths(state)
    draft = Draft(1, "issues/0001.md", "Snow", "", ("lead",))
    assert state.week is not None
    assert "issues/0001.md" in known_paths(replace(state, week=replace(state.week, draft=draft)))
    assert not {path for path in known_paths(state) if path.startswith(("/", "."))}
    html = source_html(state, "posts/second.md", 2, "---\ntitle: <b>\n---\n")
    tree = html5lib.HTMLParser(strict=True).parse(html)
    assert text(find(tree, "L2")) == "2 ▸ This line: title: <b>"
    assert "Warning line 6 : “TODO” still stands" in text(tree)


def test_of_a_large_archive_not_every_line_is_on_the_page(state: State) -> None:
    assert state.week is not None
    some = state.week.choice.left_out[0]
    many = tuple(replace(some, path=f"posts/{n}.md", reason=Reason.CARRIED) for n in range(5000))
    choice = replace(state.week.choice, left_out=(*state.week.choice.left_out, *many))
    html = page_html(replace(state, week=replace(state.week, choice=choice)), Options(), token="")
    assert "Left out (5,002), and why" in html
    assert "and 5,000 more" in html
    assert "newsletter status -v" in html
    assert len(html) < 150_000


def test_a_finding_about_no_file_of_the_newsletter_leads_nowhere(state: State) -> None:
    assert state.look is not None
    assert state.look.report is not None
    stranger = replace(state.look.report.findings[0], path="NEWSLETTER__NEWSLETTER__FROM", line=None)
    report = replace(state.look.report, findings=(stranger,))
    right = find(page(replace(state, look=replace(state.look, report=report))), "right")
    assert "NEWSLETTER__NEWSLETTER__FROM" in text(right)
    assert "/source?path=NEWSLETTER__NEWSLETTER__FROM" not in [a.get("href") for a in right.iter(f"{XHTML}a")]
