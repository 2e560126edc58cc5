"""Who asks is who the nearest proxy of ours says, and nobody else's word counts."""

from __future__ import annotations

import pytest

from pipeline.web.visitors import Visitor, Visitors

OURS = Visitors(["127.0.0.1", "::1", "10.0.0.0/8"])


def who(peer: str, *forwarded: str, proto: str = "", visitors: Visitors = OURS) -> Visitor:
    headers = [(b"x-forwarded-for", each.encode("latin-1")) for each in forwarded]
    headers += [(b"x-forwarded-proto", proto.encode())] if proto else []
    return visitors.who({"type": "http", "client": (peer, 1), "headers": headers})


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("127.0.0.1", ["192.0.2.1"], "192.0.2.1"),
        ("127.0.0.1", ["198.51.100.7, 192.0.2.1"], "192.0.2.1"),
        ("127.0.0.1", ["198.51.100.7", "192.0.2.1"], "192.0.2.1"),
        ("127.0.0.1", ["192.0.2.1, 10.1.2.3, 10.0.0.1"], "192.0.2.1"),
        ("127.0.0.1", ["10.1.2.3"], "10.1.2.3"),
        ("127.0.0.1", ["192.0.2.1, unknown, 10.0.0.1"], "10.0.0.1"),
        ("127.0.0.1", ["192.0.2.1, \xff\xfe"], "127.0.0.1"),
        ("127.0.0.1", [""], "127.0.0.1"),
        ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", ["192.0.2.1:8080"], "192.0.2.1"),
        ("127.0.0.1", ["::ffff:192.0.2.1"], "192.0.2.1"),
        ("::ffff:127.0.0.1", ["192.0.2.1"], "192.0.2.1"),
        ("::1", ['"[2001:db8:1:2:3:4:5:6]:4711"'], "2001:db8:1:2::/64"),
        ("::1", ["2001:db8:1:2:ffff::%eth0"], "2001:db8:1:2::/64"),
        ("203.0.113.9", ["192.0.2.1"], "203.0.113.9"),
        ("2001:db8::9", ["192.0.2.1"], "2001:db8::/64"),
        ("", ["192.0.2.1"], ""),
    ],
)
def test_the_last_hop_that_is_no_proxy_of_ours_is_counted(
    peer: str, forwarded: list[str], client: str
) -> None:
    assert who(peer, *forwarded).client == client


def test_nobody_is_believed_where_no_proxy_is_named() -> None:
    nobody = Visitors([])
    assert who("127.0.0.1", "192.0.2.1", proto="http", visitors=nobody) == Visitor(
        "127.0.0.1", spoken_for=True
    )
    # From outside anybody can write that header: no reason to warn of a proxy.
    assert not who("8.8.8.8", "192.0.2.1", visitors=nobody).spoken_for


@pytest.mark.parametrize(
    ("proto", "in_the_clear"),
    [("http", True), ("https", False), ("https, http", True), ("HTTP", True), ("x", False)],
)
def test_a_proxy_says_whether_it_was_asked_in_the_clear(proto: str, in_the_clear: bool) -> None:
    assert who("127.0.0.1", proto=proto).in_the_clear is in_the_clear
    assert not who("8.8.8.8", proto=proto).in_the_clear
