"""What numbers and headers mean, apart from how they come."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.links.judge import LEAST_REST, LONGEST_REST, USUAL_REST, rest

from .conftest import NOW


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("", USUAL_REST),
        ("soon", USUAL_REST),
        ("120", timedelta(seconds=120)),
        (" 120 ", timedelta(seconds=120)),
        ("0", LEAST_REST),
        ("-5", USUAL_REST),
        ("9" * 400, LONGEST_REST),
        ("Sun, 22 Nov 2026 13:30:00 GMT", timedelta(hours=1.5)),
        ("Sun, 22 Nov 2026 13:30:00 -0000", timedelta(hours=1.5)),
        ("Sun, 22 Nov 2020 13:30:00 GMT", LEAST_REST),
        ("Sun, 22 Nov 2099 13:30:00 GMT", LONGEST_REST),
        ("Sun, 99 Nov 2026 13:30:00 GMT", USUAL_REST),
    ],
)
def test_a_site_gets_the_rest_it_asks_for_within_reason(value, wait):
    assert rest(value, NOW) - NOW == wait


@given(st.text() | st.from_regex(r"[A-Za-z0-9 ,:;()+-]{0,40}"))
def test_no_retry_after_is_a_fault(value):
    assert LEAST_REST <= rest(value, NOW) - NOW <= LONGEST_REST
