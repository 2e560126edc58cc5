"""Where links may lead this program: to public addresses, and to no others whatever they call themselves."""

from __future__ import annotations

import socket

import pytest
from support.elsewhere import Site

from pipeline.links.places import public
from pipeline.model import LinkState

#: After IANA's registries of special-purpose addresses, and the ways in which IPv6 wraps them.
NOT_PUBLIC = """
0.0.0.0 10.0.0.1 100.64.0.1 127.0.0.1 127.255.255.254 169.254.169.254 172.16.0.1 172.31.255.255 192.0.2.1 192.168.1.1
198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255
:: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 64:ff9b::10.0.0.1 64:ff9b::7f00:1
100::1 2001:db8::1 2002:7f00:1:: 2002:c0a8:101::1 fc00::1 fd12:3456::1 fe80::1 fe80::1%eth0 fec0::1 ff02::1
not-an-address 127.1 0x7f000001
""".split()  # noqa: SIM905 -- read as a list
PUBLIC = "8.8.8.8 93.184.215.14 2606:4700::1111 2a00:1450:4001::1 ::ffff:8.8.8.8 64:ff9b::808:808".split()  # noqa: SIM905


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_what_is_not_public_is_refused(address):
    assert public(address, 443)


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_public_may_be_asked_on_the_web_s_ports_only(address):
    assert not public(address, 80)
    assert not public(address, 8443)
    assert [bool(public(address, port)) for port in (22, 25, 3306, 6379, 9200)] == [True] * 5


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f.1",
        "017700000001",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "localhost",
    ],
)
def test_no_spelling_of_this_machine_is_asked(go, host):
    """The system's own resolver reads 127.1 and its like; what it says is judged, not what was written."""
    from pipeline.links.request import look_up

    with Site() as site:
        url = f"http://{host}:{site.port}/"
        (answer,) = go(url, look_up=look_up, allowed=public).values()
    assert answer.state is LinkState.NOT_CHECKED
    assert answer.why == "the address is not a public one"
    assert not site.asked


def test_the_address_that_was_checked_is_the_one_that_is_connected_to(go):
    """A name whose second look-up leads elsewhere (DNS rebinding) gains nothing: there is none."""
    with Site() as site, Site() as inside:
        looked_up = []

        def rebinding(host, port):
            looked_up.append(host)
            return ["127.0.0.1"] if len(looked_up) <= 2 else ["127.0.0.2"]

        found = go(site.url("/"), look_up=rebinding)
    assert [answer.state for answer in found.values()] == [LinkState.ALIVE]
    # Once for robots.txt and once for the page: each connection has its own check.
    assert len(looked_up) == len(site.asked) == 2
    assert not inside.asked


def test_of_a_name_with_public_and_private_addresses_only_the_public_ones_are_asked(go):
    with Site() as site:
        (answer,) = go(site.url("/"), look_up=lambda host, port: ["10.0.0.1", "127.0.0.1", "::1"]).values()
    assert answer.state is LinkState.ALIVE


def test_the_next_address_is_tried_where_the_first_takes_no_connection(go):
    with Site() as site:
        (answer,) = go(
            site.url("/"),
            look_up=lambda host, port: ["127.0.0.9", "127.0.0.1"],
            allowed=lambda address, port: "",
        ).values()
    assert answer.state is LinkState.ALIVE


def test_a_host_that_takes_no_connections_is_failing(go):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    (answer,) = go(f"http://closed.example:{port}/").values()
    assert answer.state is LinkState.FAILING
    assert answer.why == "takes no connections"
