"""Without a network nothing is said against any link."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.elsewhere import Site, look_up, offline

from pipeline.links.visit import OFFLINE
from pipeline.model import LinkState

MANY = [f"http://host{n}.invalid/" for n in range(20)]


def test_where_no_name_can_be_looked_up_every_link_is_unchecked_and_none_is_blamed(go):
    found = go(*MANY, look_up=offline, witness="letter.example")
    assert set(found.values()) == {OFFLINE}


def test_being_offline_is_seen_before_every_host_has_been_tried(go):
    tried = []

    def counting(host, port):
        tried.append(host)
        return offline(host, port)

    go(*MANY, look_up=counting, witness="letter.example", hosts=4)
    assert len(tried) < 12


def test_some_resolvers_say_no_such_name_when_there_is_no_network_and_the_newsletter_s_own_tells(go):
    def no_name(host, port):
        raise socket.gaierror(socket.EAI_NONAME, "nodename nor servname provided, or not known")

    assert set(go(*MANY, look_up=no_name, witness="letter.example").values()) == {OFFLINE}
    (answer,) = go("http://mistyped.invalid/", witness="letter.example").values()
    assert answer.state is LinkState.DEAD


def test_one_answer_from_anywhere_makes_the_others_count(go):
    with Site() as site:
        found = go(site.url("/"), "http://mistyped.invalid/", witness="nowhere.invalid")
    assert [answer.state for answer in found.values()] == [LinkState.ALIVE, LinkState.DEAD]


def test_a_server_that_takes_no_connections_is_proof_of_a_network(go):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    found = go(f"http://closed.example:{port}/", "http://mistyped.invalid/", witness="nowhere.invalid")
    assert [answer.state for answer in found.values()] == [LinkState.FAILING, LinkState.DEAD]


def test_names_from_a_resolver_nearby_are_no_network_if_there_is_no_way_out(go):
    # TCP has no way to the broadcast address, so the kernel says what it says without a network.
    found = go(*MANY[:2], look_up=lambda host, port: ["255.255.255.255"], allowed=lambda address, port: "")
    assert set(found.values()) == {OFFLINE}


@pytest.fixture
def full():
    """A port that takes no more connections and does not say so, like a host that is down."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(8):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def test_one_host_that_is_silent_is_down_but_if_all_are_it_is_us(go, full):
    urls = [f"http://host{n}.example:{full}/" for n in range(3)]
    twice = ["127.0.0.1", "::ffff:127.0.0.1"]  # as a host has two addresses
    (answer,) = go(
        urls[0], connect=0.2, look_up=lambda host, port: twice, allowed=lambda address, port: ""
    ).values()
    assert (answer.state, answer.why) == (LinkState.FAILING, "did not answer")
    assert set(go(*urls, connect=0.2).values()) == {OFFLINE}


def test_a_resolver_that_hangs_holds_nobody_up(go):
    def hanging(host, port):
        time.sleep(8)
        return look_up(host, port)

    began = time.monotonic()
    found = go(*MANY[:3], look_up=hanging, link=0.3, visit=1.0)
    assert set(found.values()) == {OFFLINE}
    assert time.monotonic() - began < 7


def test_what_is_wrong_with_an_address_itself_is_said_offline_too(go):
    found = go("http://[::1", "http://user:secret@a.invalid/", *MANY[:2], look_up=offline)
    assert [answer.state for answer in found.values()][:2] == [LinkState.DEAD, LinkState.NOT_CHECKED]
    assert list(found.values())[2:] == [OFFLINE] * 2


HANGING = """
import sys, time, datetime
from pipeline.links.visit import Doors, visit

def hanging(host, port):
    print("asking", flush=True)
    time.sleep(60)

visit(["http://a.invalid/"], agent="x", now=datetime.datetime.now(datetime.UTC), doors=Doors(look_up=hanging))
"""


@pytest.mark.skipif(os.name == "nt", reason="signals are sent as on Unix")
def test_ctrl_c_ends_it_at_once_even_while_a_resolver_hangs():
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", HANGING], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "asking\n"
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        _, said = process.communicate(timeout=20)
        assert time.monotonic() - began < 5
    assert "KeyboardInterrupt" in said
