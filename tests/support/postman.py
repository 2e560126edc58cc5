"""Postmen at work to their rest, and what the relay has of them."""

from __future__ import annotations

import time

import pytest

from pipeline.store.driver import DRIVER
from support.messages import by_python


def subjects(relay):
    return [by_python(data).subject for data in relay.taken()]


def texts(relay):
    return [by_python(data).text.replace("\r\n", "\n") for data in relay.taken()]


def rounds(postman, most=30):
    """Go on as long as there is something to do at once."""
    for _ in range(most):
        if postman.round() > 0:
            return
    pytest.fail("the postman never comes to rest")


def in_the_ledger(root, statement, rows=1):
    connection = DRIVER.connect(root / ".newsletter/newsletter.db")
    with connection:
        assert connection.execute(statement).rowcount == rows
    connection.close()


def work(house):
    rounds(house.postman())


def until(true, seconds=15):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)
