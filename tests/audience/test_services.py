"""A list comes in as the service it lived with wrote it, and nobody in it is mailed who may have left.

Beside every file in lists/ stands what it must be taken for. The people are invented; what is real are the
columns, the words and the dates, as far as their services let them be known (pipeline/audience/services.py).
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pipeline.audience.columns import Columns, recognise
from pipeline.audience.services import SERVICES, service_of
from pipeline.audience.standing import AGREED, BLOCKED, BY_NAME, LEFT, RULES, Standing, level, severest
from pipeline.audience.table import RefusedRow, read
from pipeline.audience.tokens import InstallationTokens
from pipeline.model import Subscriber
from pipeline.model import SubscriberState as S

LISTS = sorted((Path(__file__).parent / "lists").glob("*.csv"))
ZONE = ZoneInfo("America/New_York")
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=ZONE)
TOKENS = InstallationTokens(b"a secret that is long enough")


def taken(path: Path, said: Standing | None = None) -> tuple[Columns, list[Subscriber | RefusedRow]]:
    heads: list[Columns] = []
    rows = list(read(path, NOW, TOKENS, ZONE, said=said, recognised=heads.append))
    return heads[0], rows


def told(row: Subscriber | RefusedRow) -> str:
    if isinstance(row, RefusedRow):
        return f"line {row.line} refused: {row.reason}"
    since = "now" if row.since == NOW else row.since.isoformat(sep=" ")
    return " | ".join((row.email, row.name or "-", row.state, row.suppressed or "-", since))


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_a_service_s_file_is_known_and_everybody_in_it_stands_where_they_stood(path: Path) -> None:
    columns, rows = taken(path)
    found = [columns.service.name, columns.used(), *map(told, rows)]
    assert found == path.with_suffix(".expected").read_text("utf-8").splitlines()


def test_there_is_a_file_of_every_service() -> None:
    assert {taken(path)[0].service.name for path in LISTS} | {"our own export"} == {
        service.name for service in SERVICES
    }


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.encode("utf-16"),
        lambda text: text.encode("utf-16-le"),
        lambda text: text.encode("utf-16-be"),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.replace("\n", "\r").encode(),
        lambda text: ("sep=,\n" + text).encode(),
        lambda text: (text.partition("\n")[0].upper() + "\n" + text.partition("\n")[2]).encode(),
    ],
    ids=["BOM", "UTF-16", "UTF-16-LE", "UTF-16-BE", "CRLF", "CR", "sep=", "UPPER"],
)
def test_a_spreadsheet_s_way_of_saving_it_changes_nothing(path: Path, encode, tmp_path: Path) -> None:
    again = tmp_path / path.name
    again.write_bytes(encode(path.read_text("utf-8")))

    def people(file: Path) -> list[Subscriber | str]:
        return [row if isinstance(row, Subscriber) else row.reason.casefold() for row in taken(file)[1]]

    assert people(again) == people(path)


@pytest.mark.parametrize("said", ["unsubscribed", "suppressed"])
@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_no_word_in_a_list_outdoes_an_editor_who_says_that_all_of_them_left(path: Path, said: str) -> None:
    for row in taken(path, BY_NAME[said])[1]:
        if isinstance(row, Subscriber):
            assert row.state is S.UNSUBSCRIBED or (said == "suppressed" and row.suppressed)


def test_an_editor_s_word_confirms_those_of_whom_listmonk_says_nothing_and_nobody_else() -> None:
    path = next(path for path in LISTS if path.name == "subscribers.csv")
    assert [row.state for row in taken(path, AGREED)[1]] == [
        S.CONFIRMED,
        S.UNSUBSCRIBED,
        S.UNSUBSCRIBED,
        S.CONFIRMED,
    ]


@pytest.mark.parametrize(
    ("name", "state", "suppressed"),
    [
        ("subscribed_members_export_0a1b.csv", S.CONFIRMED, None),
        ("unsubscribed_members_export_0a1b.csv", S.UNSUBSCRIBED, None),
        ("Unsubscribed_email_audience_export_0a1b (1).csv", S.UNSUBSCRIBED, None),
        ("cleaned_email_audience_export_0a1b.csv", S.CONFIRMED, "bounced"),
        ("nonsubscribed_email_audience_export_0a1b.csv", S.UNCONFIRMED, None),
        ("unsubscribers.csv", S.UNSUBSCRIBED, None),
        ("unsubscribed 2026-11-20.csv", S.UNSUBSCRIBED, None),
        # Tidied by somebody, perhaps; no service calls a file so.
        ("cleaned.csv", S.CONFIRMED, None),
        ("unsubscribed removed.csv", S.CONFIRMED, None),
    ],
)
def test_a_file_named_for_those_who_left_says_so_of_all_of_them(
    tmp_path: Path, name: str, state: S, suppressed: str | None
) -> None:
    path = tmp_path / name
    path.write_text("email,name\nana@example.com,Ana\n")
    columns, (row,) = taken(path)
    assert (row.state, row.suppressed) == (state, suppressed)
    assert (columns.named is not None) == (state is not S.CONFIRMED or suppressed is not None)


def rows_of(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "list.csv"
    path.write_text(text, "utf-8", newline="")
    return [told(row) for row in taken(path)[1]]


def test_of_several_columns_the_most_restrictive_counts(tmp_path: Path) -> None:
    assert rows_of(
        tmp_path,
        "email,status,confirmed,Unsubscribed At,bounced\n"
        "a@example.com,confirmed,yes,,\n"
        "b@example.com,confirmed,no,,\n"
        "c@example.com,confirmed,yes,2024-01-02,\n"
        "d@example.com,pending,2024-01-02,,yes\n"
        "e@example.com,complained,yes,,no\n"
        "f@example.com,bounced,yes,null,0\n",
    ) == [
        "a@example.com | - | confirmed | - | now",
        "b@example.com | - | unconfirmed | - | now",
        "c@example.com | - | unsubscribed | - | 2024-01-02 00:00:00-05:00",
        "d@example.com | - | unconfirmed | bounced | 2024-01-02 00:00:00-05:00",
        "e@example.com | - | unsubscribed | complained | now",
        "f@example.com | - | confirmed | bounced | now",
    ]


def test_whoever_left_is_recorded_whatever_else_is_wrong_with_the_row(tmp_path: Path) -> None:
    assert rows_of(
        tmp_path,
        "email,name,status,optin_time,unsub_time\n"
        'a@example.com,"two\nlines",nonsense,1/2/2020,3/4/2020\n'
        "b@example.com,B,cleaned,1/2/2020,\n"
        "c@example.com,C,nonsense,,\n"
        "d@example.com,D,,1/2/2020,\n"
        "no address,E,,,2024-01-01\n",
    ) == [
        "a@example.com | - | unsubscribed | - | now",
        "b@example.com | B | confirmed | bounced | now",
        "line 5 refused: status 'nonsense' is not known; write confirmed, unconfirmed, unsubscribed or suppressed",
        "line 6 refused: '1/2/2020' is not a date; write one like 2026-01-31 or 2026-01-31 08:00",
        "line 7 refused: an address has an @ in it, like ana@example.org",
    ]


def test_a_title_that_stands_twice_is_heeded_twice(tmp_path: Path) -> None:
    assert rows_of(
        tmp_path,
        "Email,Status,Email,Status,Name,Name\n"
        "a@example.com,subscribed,,unsubscribed,A,B\n"
        ",subscribed,b@example.com,,,\n",
    ) == [
        "a@example.com | A | unsubscribed | - | now",
        "b@example.com | - | confirmed | - | now",
    ]


def test_of_two_columns_of_addresses_the_plainest_is_theirs(tmp_path: Path) -> None:
    header = "Email,Email Address,MEMBER_RATING,LEID,EUID"
    assert rows_of(tmp_path, f"{header}\nboss@example.com,ana@example.com,2,1,a\n") == [
        "ana@example.com | - | confirmed | - | now"
    ]


def test_a_title_of_two_lines_does_not_end_the_header(tmp_path: Path) -> None:
    text = 'email,"What do you\nlike, best?",name\na@example.com,tea,A\nnobody,,\n'
    assert rows_of(tmp_path, text) == [
        "a@example.com | A | confirmed | - | now",
        "line 4 refused: an address has an @ in it, like ana@example.org",
    ]


def test_a_state_of_the_union_is_no_state_of_a_subscription(tmp_path: Path) -> None:
    assert rows_of(tmp_path, "email,status,state,city\na@example.com,active,TX,Exampletown\n") == [
        "a@example.com | - | confirmed | - | now"
    ]
    # Where no other column says it, nobody can know which it is.
    (row,) = rows_of(tmp_path, "email,state,city\na@example.com,TX,Exampletown\n")
    assert row.startswith("line 2 refused: state 'TX' is not known")


@pytest.mark.parametrize(
    ("header", "ignored"),
    [
        ("email,Contact Status,TAGS", ("Contact Status",)),
        ("email,marketing consent,email_opt_out_reason", ("marketing consent", "email_opt_out_reason")),
        ("email,status,confirm_time,name,notes", ()),
        ("email,status,state,city", ("state",)),
        ("Email Address,MEMBER_RATING,STATE,CONFIRM_IP,UNSUB_CAMPAIGN_TITLE,SMS_MARKETING_STATUS", ()),
        ("email,active_subscription,email_disabled,expiry", ()),
    ],
)
def test_a_column_that_looks_like_a_state_and_is_not_heeded_is_named(
    header: str, ignored: tuple[str, ...]
) -> None:
    columns = recognise(header.split(","))
    assert columns is not None
    assert columns.ignored == ignored


@pytest.mark.parametrize(
    ("header", "service"),
    [
        ("email,first_name,last_name,status,created_at", ""),
        ("email,name,confirmed", ""),
        ("EMAIL,FNAME,LNAME,MEMBER_RATING,OPTIN_TIME,CONFIRM_TIME", "Mailchimp's export"),
        ("email,name,status,since,suppressed", "our own export"),
    ],
)
def test_a_list_is_taken_for_a_service_s_only_by_columns_of_its_own(header: str, service: str) -> None:
    assert service_of([level(word) for word in header.split(",")]).name == service


def test_names_are_written_in_the_tables_as_they_are_compared() -> None:
    names = {*RULES}
    for service in SERVICES:
        names |= {*service.rules, *service.consent, *service.never}.union(*service.marks)
    assert {name for name in names if level(name) != name} == set()


def test_of_two_reasons_not_to_mail_the_graver_one_is_kept() -> None:
    bounced, ours = Standing(S.CONFIRMED, "bounced"), Standing(S.CONFIRMED, "three soft bounces")
    complained = Standing(S.CONFIRMED, "complained")
    assert severest((BLOCKED, ours)) == severest((ours, BLOCKED)) == ours
    assert severest((complained, bounced, LEFT)) == Standing(S.UNSUBSCRIBED, "complained")
    assert severest((AGREED, bounced, BLOCKED)) == bounced
