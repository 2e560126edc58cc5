"""What scripts read: exit codes, and one JSON document on standard output with the keys that were promised."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest
from support.letter import Ran, copy_sample

Shape = Mapping[str, Any]
POST: Shape = {"id": str, "title": str, "date": str, "category": str, "path": str}
LEFT_OUT: Shape = {"path": str, "id": str | None, "reason": str, "why": str}
LAST: Shape = {
    "sent": str | None,
    "state": str,
    **dict.fromkeys(("issue", "accepted", "refused", "deferred", "in_doubt", "withdrawn"), int),
}
FINDING: Shape = {"id": str, "severity": str, "message": str, "path": str, "line": int | None, "fix": str}
EIGHT = ("queued", "accepted", "refused", "deferred", "in_doubt", "withdrawn", "expired", "cancelled")
OUTCOME: Shape = {"state": str, "skipped": dict, **dict.fromkeys(("issue", "readers", *EIGHT, "exit"), int)}
REPORT: Shape = {
    **OUTCOME,
    "subject": str,
    "date": str,
    "by_domain": dict,
    "started": str | None,
    "finished": str | None,
    "rate": float | None,
    "over_time": list,
    "refusals": list,
    "why": str,
    "due": str | None,
    "doubts": list,
    "hash": str,
    "bytes": int,
    "variants": dict,
    "heard": dict,
}
PERSON: Shape = {"email": str, "name": str, "state": str, "since": str, "suppressed": str | None}
SKIPS = ["suppressed", "feed-only", "paused", "nothing-chosen"]
REASONS = ["carried", "draft", "future", "expired", "web-only", "before-first", "unreadable", "not-chosen"]


def fits(document: Any, shape: Shape) -> Any:
    """Demand these keys and no others, each of its type; hand the document back."""
    assert document.keys() == shape.keys()
    for key, kind in shape.items():
        # A bool is an int to Python, but not to a script in another language.
        assert isinstance(document[key], kind), (key, document[key])
        assert not isinstance(document[key], bool), (key, document[key])
    return document


def outcome(ran: Ran, shape: Shape = OUTCOME) -> Any:
    """Return how an issue stands: the eight counts add up to its readers, `exit` is the exit code."""
    document = fits(ran.json, shape)
    assert sum(document[count] for count in EIGHT) == document["readers"]
    assert document["exit"] == ran.code
    assert list(document["skipped"]) == SKIPS
    return document


def moment(text: str) -> datetime:
    """Read a moment that names its zone."""
    read = datetime.fromisoformat(text)
    assert read.utcoffset() is not None
    return read


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ran]:
    """Two issues: the first interrupted, and a reader gone before it goes on; the second sent in one go."""
    letter = copy_sample(tmp_path_factory.mktemp("contract") / "letter")
    ran: dict[str, Ran] = {"nobody": letter.run("subscribers", "list", "--json")}
    letter.post("future", "Later", "2026-12-01")
    letter.post("unready", "Unready", "2026-01-01", draft="true")
    letter.write("posts/unreadable.md", "---\ntitle: [\n---\n\nx\n")
    ran["first status"] = letter.run("status", "--json")
    ran["unreadable"] = letter.run("send", "--yes", "--json")
    (letter.root / "posts/unreadable.md").unlink()
    letter.write("more.csv", "email,name,status\nann@example.com,Ann,\nbob@example.net,,\nbad,Bad,\n")
    ran["import"] = letter.run("subscribers", "import", str(letter.root / "more.csv"), "--json")
    letter.write(
        "more.csv", "email,name,status\nann@example.com,Anne,\nbob@example.net,,\nz@example.com,,spam\n"
    )
    ran["import again"] = letter.run("subscribers", "import", str(letter.root / "more.csv"), "--json")
    ran["list"] = letter.run("subscribers", "list", "--json")
    letter.post("active", "Active", "2026-01-02", "[press](javascript:alert(1))")
    ran["check"] = letter.run("check", "--json")
    ran["checks fail"] = letter.run("send", "--yes", "--json")
    (letter.root / "posts/active.md").unlink()
    ran["nobody asked"] = letter.run("send", "--json")
    ran["settings"] = letter.run("status", "--json", env={"NEWSLETTER_NEWSLETTER__TIMEZONE": "Nowhere"})
    letter.write("public", "in the way")
    ran["interrupted"] = letter.run("send", "--yes", "--json")
    (letter.root / "public").unlink()
    ran["open report"] = letter.run("report", "1", "--json")
    letter.run("subscribers", "remove", "bob@example.net")
    ran["resume"] = letter.run("resume", "1", "--json")
    ran["status"] = letter.run("status", "--json")
    ran["nothing to check"] = letter.run("check", "--json")
    ran["nothing new"] = letter.run("send", "--yes", "--json")
    ran["nothing new, code"] = letter.run("send", "--yes", "--json", "--exit-code")
    letter.post("second", "Second", "2026-01-05")
    ran["send"] = letter.run("send", "--yes", "--json", clock="2026-01-11T08:00")
    ran["report"] = letter.run("report", "--json")
    return ran


def test_status_before_the_first_issue_has_no_since_and_no_last(story: dict[str, Ran]) -> None:
    ran = story["first status"]
    status = ran.json
    keys = {"issue", "since", "readers", "skipped", "approved", "posts", "left_out", "last", "unfinished"}
    assert status.keys() == keys
    assert (status["unfinished"], status["approved"]) == (None, None)
    assert status["skipped"] == dict.fromkeys(SKIPS, 0)
    assert (ran.code, ran.err) == (0, "")
    assert (status["issue"], status["since"], status["readers"], status["last"]) == (1, None, 0, None)
    assert len(status["posts"]) == 6
    for post in status["posts"]:
        moment(fits(post, POST)["date"])
        assert post["path"] == f"posts/{post['path'].removeprefix('posts/')}"
    left = {item["path"]: item for item in status["left_out"]}
    assert {path: item["reason"] for path, item in left.items()} == {
        "posts/future.md": "future",
        "posts/unready.md": "draft",
        "posts/unreadable.md": "unreadable",
    }
    assert left["posts/unreadable.md"].pop("line") == 3
    for item in left.values():
        fits(item, LEFT_OUT)
        assert item["reason"] in REASONS
        assert item["why"]


def test_status_after_an_issue_counts_from_it(story: dict[str, Ran]) -> None:
    status = story["status"].json
    assert (status["issue"], status["readers"], status["posts"]) == (2, 1, [])
    assert status["since"] == "2026-01-04T08:00:00-05:00"
    last = fits(status["last"], LAST)
    assert moment(last.pop("sent")) >= moment(status["since"])
    assert last == {
        "issue": 1,
        "state": "sent",
        "accepted": 1,
        "refused": 0,
        "deferred": 0,
        "in_doubt": 0,
        "withdrawn": 1,
    }
    assert [item["reason"] for item in status["left_out"]].count("carried") == 6


def test_check_counts_what_it_lists(story: dict[str, Ran]) -> None:
    ran = story["check"]
    report = ran.json
    assert (ran.code, ran.err) == (3, "")
    found = [fits(finding, FINDING) for finding in report.pop("findings")]
    severities = [finding["severity"] for finding in found]
    assert len(report.pop("passed_ids")) == report["passed"]
    assert fits(report, dict.fromkeys(("issue", "errors", "warnings", "notes", "passed", "ignored"), int))
    assert report["issue"] == 1
    assert report["errors"] == severities.count("error") == 1
    assert report["warnings"] == severities.count("warning")
    assert report["notes"] == severities.count("note")
    assert report["passed"] > 10
    (error,) = (finding for finding in found if finding["severity"] == "error")
    assert (error["id"], error["path"], error["line"]) == ("link-active", "posts/active.md", 6)
    assert error["fix"]


def test_check_without_a_new_post_is_a_document_too(story: dict[str, Ran]) -> None:
    ran = story["nothing to check"]
    assert (ran.code, ran.json["issue"], ran.json["findings"]) == (0, None, [])


def test_import_tells_what_became_of_every_row(story: dict[str, Ran]) -> None:
    first, again = story["import"], story["import again"]
    nothing = {"added": 0, "updated": 0, "unchanged": 0, "refused": 0, "suppressed": 0}
    assert first.json == nothing | {"added": 2, "refused": 1}
    assert (first.code, "more.csv:4: " in first.err) == (0, True)
    assert again.json == nothing | {"updated": 1, "unchanged": 1, "suppressed": 1}


def test_list_shows_everybody_by_address(story: dict[str, Ran]) -> None:
    assert story["nobody"].json == []
    people = [fits(person, PERSON) for person in story["list"].json]
    assert [(p["email"], p["name"], p["state"], p["suppressed"]) for p in people] == [
        ("ann@example.com", "Anne", "confirmed", None),
        ("bob@example.net", "", "confirmed", None),
        ("z@example.com", "", "unsubscribed", "complained"),
    ]
    for person in people:
        moment(person["since"])


def test_an_interrupted_issue_reports_what_is_left_and_resume_finishes_it(story: dict[str, Ran]) -> None:
    ran = story["open report"]
    report = outcome(ran, REPORT)
    assert (report["issue"], report["state"], report["readers"], report["queued"]) == (1, "sending", 2, 2)
    assert (ran.code, report["finished"], report["rate"]) == (5, None, None)
    resumed = outcome(story["resume"])
    assert (resumed["state"], resumed["accepted"], resumed["withdrawn"], resumed["exit"]) == ("sent", 1, 1, 0)


def test_send_and_report_agree(story: dict[str, Ran]) -> None:
    sent, report = outcome(story["send"]), outcome(story["report"], REPORT)
    assert (sent["issue"], sent["state"], sent["readers"], sent["accepted"]) == (2, "sent", 1, 1)
    assert {key: report[key] for key in sent} == sent
    assert report["by_domain"] == {"example.com": {"accepted": 1}}
    (stretch,) = report["over_time"]
    assert (moment(stretch.pop("from")) >= moment(report["started"]), stretch) == (True, {"accepted": 1})
    assert (report["refusals"], report["why"], report["due"], report["doubts"]) == ([], "", None, [])
    assert moment(report["started"]) <= moment(report["finished"])
    assert moment(report["date"]).isoformat() == "2026-01-11T08:00:00-05:00"
    assert report["hash"].isalnum()
    assert report["bytes"] > 1_000


def test_nothing_new_says_so_and_fails_only_if_asked_to(story: dict[str, Ran]) -> None:
    assert story["nothing new"].json == {"issue": None, "state": "nothing-new", "exit": 0}
    assert story["nothing new"].code == 0
    assert story["nothing new, code"].json == {"issue": None, "state": "nothing-new", "exit": 4}
    assert story["nothing new, code"].code == 4


@pytest.mark.parametrize(
    ("which", "code", "says"),
    [
        ("unreadable", 1, "posts/unreadable.md:3: "),
        ("interrupted", 1, "newsletter resume 1"),
        ("nobody asked", 2, "--yes"),
        ("checks fail", 3, "posts/active.md:6 error link-active"),
        ("settings", 7, "NEWSLETTER_NEWSLETTER__TIMEZONE: newsletter.timezone: "),
    ],
)
def test_what_fails_says_why_on_standard_error_and_leaves_standard_output_empty(
    story: dict[str, Ran], which: str, code: int, says: str
) -> None:
    ran = story[which]
    assert (ran.code, ran.out) == (code, "")
    assert says in ran.err
