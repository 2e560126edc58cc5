"""Providers report by POST: what is proven is taken in, anything else changes nothing and learns nothing."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from datetime import datetime

import pytest
from support.daemons import until
from support.http import Reply, reply
from support.readers import person

import pipeline.project
from pipeline.errors import HookRefused, StoreError
from pipeline.model import Heard, News
from pipeline.project import Project

EMAIL = "bounces@example.com"


class Provider:
    """Believes whoever knows the word."""

    name = "provider"

    def hear(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Sequence[Heard]:
        if headers.get("x-signature") != "the word":
            raise HookRefused("the signature is wrong")
        if body == b"fault":
            raise ZeroDivisionError(EMAIL)
        if body == b"store":
            raise StoreError("another process has held the store")
        return [Heard(News.HARD_BOUNCE, why="no such mailbox", recipients=(body.decode(),))]


@pytest.fixture
def project(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setattr(pipeline.project, "HOOKS", {"provider": lambda _: Provider()})
    project.store.put_subscribers([person(EMAIL, project.now)])
    return project


def report(port: int, name: str, body: bytes, signature: str = "the word") -> Reply:
    head = f"POST /hooks/{name} HTTP/1.1\r\nHost: x\r\nX-Signature: {signature}\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=10) as wire:
        wire.sendall(head.encode() + body)
        return reply(wire)


def suppressed(project: Project) -> str | None:
    found = project.store.subscriber(EMAIL)
    assert found
    return found.suppressed


def test_what_is_proven_is_taken_in(project: Project, port: int) -> None:
    for _ in range(2):  # a provider that got no answer reports again
        assert (report(port, "provider", EMAIL.encode()).status, suppressed(project)) == (
            200,
            "bounced: no such mailbox",
        )


def test_what_is_not_proven_changes_nothing(
    project: Project, port: int, caplog: pytest.LogCaptureFixture
) -> None:
    refused = report(port, "provider", EMAIL.encode(), "forged")
    assert (refused.status, refused.text) == (403, "This is not proven to be yours.\n")
    assert "the signature is wrong" in caplog.text
    for name in ("nobody", "..", "%2e%2e", "x" * 500, "provider%00"):
        assert report(port, name, EMAIL.encode()).status == 404, name
    assert suppressed(project) is None


def test_a_report_has_a_size_and_nobodys_is_not_read_at_all(port: int) -> None:
    assert report(port, "provider", b"x" * 1_000_001).status == 413
    with socket.create_connection(("127.0.0.1", port), timeout=5) as wire:
        wire.sendall(b"POST /hooks/nobody HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\nx")
        assert reply(wire).status == 404


def test_a_hooks_own_fault_tells_nobody_anything(port: int, caplog: pytest.LogCaptureFixture) -> None:
    broken = report(port, "provider", b"fault")
    assert broken.status == 500
    assert broken.headers["x-content-type-options"] == "nosniff"
    # It is answered first, and confessed then.
    until(lambda: "ZeroDivisionError" in caplog.text, "nothing was confessed")
    for said in (broken.text, caplog.text):
        assert EMAIL not in said
    assert "ZeroDivision" not in broken.text


def test_a_store_that_fails_has_the_provider_come_again(port: int) -> None:
    later = report(port, "provider", b"store")
    assert (later.status, later.headers["retry-after"]) == (503, "30")
