"""An editor moves house with their readers: tries it first, brings several files, and finds everybody as they stood."""

from __future__ import annotations

import itertools
import shutil
from collections import Counter
from pathlib import Path

import pytest
from support.letter import CLOCK

from pipeline import importing
from pipeline.errors import AudienceError
from pipeline.importing import Recognised
from pipeline.project import Project, open_project

WORDS = ("subscribed", "unsubscribed", "cleaned", "nonsubscribed")
MAILCHIMP = [f"{word}_members_export_1a2b3c4d5e.csv" for word in WORDS]


def take(project: Project, *names: str, **how: object) -> dict[str, int]:
    lists = {name: project.root / name for name in names}
    return importing.take_in(project, lists, lambda *_: None, **how)  # type: ignore[arg-type]


def table(project: Project) -> str:
    return "".join(importing.export(project))


def test_a_rehearsal_makes_neither_a_store_nor_a_secret(root: Path) -> None:
    project = open_project(root, CLOCK, {})
    before = sorted(root.rglob("*"))
    counts = take(project, "kit.csv", rehearse=True)
    assert sorted(root.rglob("*")) == before
    assert counts == {"added": 5, "updated": 0, "unchanged": 0, "refused": 0, "suppressed": 2}
    assert take(project, "kit.csv") == counts
    assert (root / ".newsletter/secret").exists()


def test_several_files_are_one_import_in_whatever_order(project: Project) -> None:
    # One of those whose mail bounced is among the subscribed as well.
    file = project.root / MAILCHIMP[0]
    row = next(line for line in file.read_text().splitlines() if line.startswith("cy@"))
    file.write_text(file.read_text() + row.replace("cy@example.net", "gus@example.org") + "\n")
    outcomes = set()
    for order in itertools.islice(itertools.permutations(MAILCHIMP), 0, None, 5):
        again = open_project(project.root, CLOCK, project.environ)
        counts = take(again, *order)
        outcomes.add((*counts.items(), table(again)))
        shutil.rmtree(project.root / ".newsletter")
    ((*_, people),) = outcomes
    states = {line.split(",")[0]: line.split(",")[2] for line in people.splitlines()[1:]}
    assert Counter(states.values()) == {"confirmed": 3, "unsubscribed": 3, "suppressed": 1, "unconfirmed": 1}
    assert (states["gus@example.org"], states["hal@example.org"]) == ("suppressed", "unconfirmed")


def test_one_file_that_cannot_be_read_takes_nobody_in(project: Project) -> None:
    (project.root / "zz.csv").write_text('email,name\nana@example.com,"Ana\n')
    with pytest.raises(AudienceError, match=r"zz\.csv:2: a quotation mark opens here and nothing closes it"):
        take(project, "zz.csv", "kit.csv")
    assert list(project.store.subscribers()) == []


def test_an_editor_is_told_what_a_list_was_taken_for_and_how_its_rows_stand(project: Project) -> None:
    heads: dict[str, Recognised] = {}
    take(project, *MAILCHIMP[1:3], "kit.csv", "subscribers.csv", rehearse=True, recognised=heads.__setitem__)
    assert {name: (head.service, head.named, dict(head.rows)) for name, head in heads.items()} == {
        MAILCHIMP[1]: ("Mailchimp's export", "unsubscribed", {"unsubscribed": 3}),
        MAILCHIMP[2]: ("Mailchimp's export", "mail to them bounced", {"suppressed": 1}),
        "kit.csv": (
            *("Kit's export", ""),
            {"confirmed": 3, "suppressed": 2, "unconfirmed": 1, "unsubscribed": 1},
        ),
        "subscribers.csv": (
            "listmonk's export",
            "",
            {"unconfirmed": 2, "unsubscribed": 1, "suppressed": 1},
        ),
    }
    assert "does not tell who unsubscribed" in heads["subscribers.csv"].note
    assert heads[MAILCHIMP[1]].ignored == ("Contact Status",)


def test_where_a_file_cannot_tell_who_left_the_editor_can_say_it(project: Project) -> None:
    take(project, "subscribers.csv")
    assert project.store.readers() == 0
    heads: dict[str, Recognised] = {}
    take(project, "subscribers.csv", said="confirmed", recognised=heads.__setitem__)
    assert (project.store.readers(), heads["subscribers.csv"].note) == (2, "")
    (project.root / "gone.csv").write_text("email\nana@example.com\n")
    take(project, "gone.csv", said="unsubscribed")
    assert project.store.readers() == 1


def test_what_was_exported_comes_in_elsewhere_as_it_was(project: Project, tmp_path: Path) -> None:
    take(project, *MAILCHIMP, "kit.csv", "buttondown.csv")
    out = table(project)
    (tmp_path / "other").mkdir()
    shutil.copy(project.root / "newsletter.toml", tmp_path / "other")
    (tmp_path / "other/list.csv").write_text(out, newline="")
    other = open_project(
        tmp_path / "other", CLOCK, {"NEWSLETTER_SECRET": "quite another secret, long enough"}
    )
    heads: dict[str, Recognised] = {}
    take(other, "list.csv", recognised=heads.__setitem__)
    assert heads["list.csv"].service == "our own export"
    assert table(other) == out
