"""An issue on its way, and what a person does about it: stop, pause, go on, help, call off."""

from __future__ import annotations

import json
import re
import signal
import time

import pytest
from support.letter import Letter
from support.relay import Relay
from support.relay_script import Script, closing, later, never, stall
from support.running import READERS, AtWork, address, everybody_once, numbers, on_screen, slowly
from support.tutorial import on_a_terminal

#: Long enough that each step of a run can be seen.
SLOW = 0.2
STOPPING = "Stopping: finishing what is under way (at most 30 s); once more ends it now."


@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_says_who_has_it_and_resume_reaches_the_others(crowd: Letter, which: int) -> None:
    with Relay(holds_after=3) as relay:
        with AtWork(crowd, "send", "--yes", env=slowly(relay)) as run:
            assert relay.hears(4)
            run.signal(which)
            assert run.says(STOPPING)
            relay.go_on()
            ran = run.ends()
        assert ran.code == 130
        have, have_not, to_go = numbers(
            ran.out,
            r"Stopped\. (\d+) have it, (\d+) do not\. `newsletter resume 1` sends only to the (\d+)\.",
        )
        assert have == len(relay.deliveries) >= 4
        assert have_not == to_go == READERS - have > 0
        resumed = crowd.run("resume", "1", "--json", env=relay.environment())
        assert (resumed.code, resumed.json["accepted"]) == (0, READERS)
        everybody_once(relay)


def test_a_second_ctrl_c_ends_it_now_and_the_copy_under_way_is_in_doubt(crowd: Letter) -> None:
    with Relay(Script().nth("dot", 3, stall())) as relay:
        with AtWork(crowd, "send", "--yes", env=slowly(relay)) as run:
            assert relay.hears(3)  # which the relay will never say
            run.signal()
            assert run.says(STOPPING)
            begin = time.monotonic()
            run.signal()
            assert run.ends().code == 130
            assert time.monotonic() - begin < 10
        report = crowd.run("report", "1", "--json")
        assert (report.code, report.json["accepted"], report.json["in_doubt"]) == (5, 2, 1)
        assert crowd.run("resume", "1", env=relay.environment()).code == 5
        assert len(relay.deliveries) == READERS - 1


def test_a_pause_is_noticed_before_the_next_message(crowd: Letter) -> None:
    with Relay(holds_after=2) as relay:
        with AtWork(crowd, "send", "--yes", env=slowly(relay)) as run:
            assert relay.hears(3)
            paused = crowd.run("pause", "1")
            relay.go_on()
            ran = run.ends()
        assert paused.code == 0
        have, have_not = numbers(paused.out, r"Issue 1 is paused\. (\d+) ha(?:s|ve) it, (\d+) do not\.")
        assert have + have_not == READERS
        assert f"process {run.process.pid} on " in paused.out
        assert "Next: newsletter resume 1, or newsletter cancel 1" in paused.out
        assert ran.code == 5
        accepted, left = numbers(ran.out, r"Issue 1 is paused: (\d+) accepted, (\d+) not yet handed over\.")
        assert accepted == len(relay.deliveries) < READERS
        assert left == READERS - accepted

        again = crowd.run("pause", "1")
        assert (again.code, "is paused already" in again.out) == (0, True)
        assert "Issue 1 is paused" in crowd.run("status").out

        crowd.post("news", "News", "2026-01-02")
        refused = crowd.run("send", "--yes", env=relay.environment())
        assert refused.code == 1
        assert "newsletter resume 1" in refused.err
        assert "newsletter cancel 1" in refused.err
        assert len(relay.deliveries) == accepted
        assert crowd.run("resume", "1", env=relay.environment()).code == 0
        everybody_once(relay)
        assert crowd.run("status", "--json").json["unfinished"] is None


def test_a_second_send_is_told_who_is_at_work_and_join_helps(crowd: Letter) -> None:
    readers = 60
    rows = "".join(f"{address(n)},Reader {n}\n" for n in range(readers))
    crowd.run("subscribers", "import", "-", stdin=f"email,name\n{rows}")
    # With leases so short, a run takes only a few deliveries at a time.
    pace = {"NEWSLETTER_MAIL__PACE__PER_SECOND": "10", "NEWSLETTER_MAIL__LEASE": "4"}
    with Relay(latency=0.4) as relay:
        with AtWork(crowd, "send", "--yes", env=slowly(relay) | pace) as run:
            assert relay.wait(1)
            busy = crowd.run("send", "--yes", env=slowly(relay))
            (at_work,) = crowd.run("status", "--json").json["unfinished"]["at_work"]
            with AtWork(crowd, "resume", "1", "--join", "--json", env=slowly(relay) | pace) as helper:
                while relay.connections < 2 and helper.process.poll() is None:
                    time.sleep(0.02)
                relay.latency = 0
                joined = helper.ends()
            ran = run.ends()
        assert busy.code == 1
        assert f"process {run.process.pid} on " in busy.err
        assert "newsletter resume 1 --join" in busy.err
        assert "going on with it" not in busy.err
        assert at_work["process"] == run.process.pid
        assert joined.code in (0, 5)
        assert {ran.code, joined.code} & {0}
        everybody_once(relay, readers)
        assert relay.connections == 2
        assert crowd.run("report", "--json").json["state"] == "sent"


def test_send_join_helps_too(crowd: Letter) -> None:
    with Relay(holds_after=1) as relay:
        with AtWork(crowd, "send", "--yes", env=slowly(relay)) as run:
            assert relay.hears(2)
            with AtWork(crowd, "send", "--yes", "--join", env=relay.environment()) as helper:
                relay.go_on()
                joined = helper.ends()
            ran = run.ends()
        assert {ran.code, joined.code} & {0}, (ran, joined)
        everybody_once(relay)


def test_an_issue_called_off_reaches_nobody_else_and_says_so_everywhere(crowd: Letter) -> None:
    with Relay(holds_after=2) as relay:
        with AtWork(crowd, "send", "--yes", env=slowly(relay)) as run:
            assert relay.hears(3)
            unasked = crowd.run("cancel", "1")
            called_off = crowd.run("cancel", "1", "--yes")
            relay.go_on()
            ran = run.ends()
        assert (unasked.code, "--yes" in unasked.err) == (2, True)
        assert called_off.code == 0
        assert f"process {run.process.pid} on " in called_off.out
        accepted, cancelled = numbers(ran.out, r"Issue 1 was called off: (\d+) accepted, (\d+) cancelled\.")
        assert accepted == len(relay.deliveries) < READERS
        assert (ran.code, cancelled) == (0, READERS - accepted)
        receipt = json.loads((crowd.root / ".newsletter/issues/0001/receipt.json").read_text())
        assert (receipt["state"], receipt["cancelled"]) == ("cancelled", cancelled)
        assert "\ncancelled: 2026-01-04" in (crowd.root / "issues/0001.md").read_text()

        assert "called off already" in crowd.run("cancel", "1", "--yes").out
        for verb in ("resume", "pause"):
            refused = crowd.run(verb, "1", env=relay.environment())
            assert (refused.code, "called off" in refused.err) == (1, True)
        crowd.post("news", "News", "2026-01-02")
        assert crowd.run("send", "--yes", "--json", env=relay.environment()).json["issue"] == 2
        assert len(relay.deliveries) == accepted + READERS


def test_calling_off_asks_for_the_number_still_to_come(crowd: Letter) -> None:
    with Relay(Script().always("rcpt", later())) as relay:
        assert crowd.run("send", "--yes", env=relay.environment()).code == 5
    wrong = on_a_terminal(crowd, "newsletter cancel 1", "3")
    assert "Type how many will never get it" in wrong
    assert "nothing has changed" in wrong
    assert crowd.run("report", "1", "--json").json["cancelled"] == 0
    right = on_a_terminal(crowd, "newsletter cancel 1", str(READERS))
    assert f"Issue 1 was called off: 0 accepted, {READERS} cancelled." in right
    assert crowd.run("report", "1", "--json").json["exit"] == 0


def test_what_is_out_can_be_neither_paused_nor_called_off(crowd: Letter) -> None:
    assert crowd.run("send", "--yes").code == 0
    for words in (("pause", "1"), ("cancel", "1", "--yes")):
        ran = crowd.run(*words)
        assert (ran.code, "newsletter report 1" in ran.err) == (1, True)
    assert crowd.run("report", "1", "--json").json["state"] == "sent"
    assert "no issue 7" in crowd.run("pause", "7").err


def test_a_relay_that_refuses_everybody_pauses_the_issue_and_send_tries_again(crowd: Letter) -> None:
    with Relay(Script().always("rcpt", never("550 5.7.1 We do not know you"))) as relay:
        ran = crowd.run("send", "--yes", "--json", env=slowly(relay))
        assert ran.code == 7
        assert (ran.json["state"], ran.json["exit"]) == ("paused", 7)
        assert "550 5.7.1 We do not know you" in ran.err
        assert "Once that is mended: newsletter resume 1" in ran.err
        assert "5.7.1 We do not know you" in crowd.run("status").out
        report = crowd.run("report", "1", "--json")
        assert (report.code, "5.7.1" in report.json["why"]) == (7, True)
        assert report.json["refusals"][0]["reply"].startswith("550 5.7.1 We do not know you")
        relay.script = Script()
        crowd.post("news", "News", "2026-01-02")
        again = crowd.run("send", "--yes", "--json", env=relay.environment())
        # Those who were refused in so many words stay refused; nobody else is.
        assert (again.json["issue"], again.json["state"]) == (1, "sent")
        assert again.json["refused"] == 5
        assert len(relay.deliveries) == READERS - 5


def test_a_person_who_pauses_what_a_relay_refused_keeps_send_from_trying(crowd: Letter) -> None:
    with Relay(Script().always("mail", never())) as relay:
        assert crowd.run("send", "--yes", env=relay.environment()).code == 7
        assert "paused already" in crowd.run("pause", "1").out
        relay.script = Script()
        assert crowd.run("send", "--yes", env=relay.environment()).code == 1
        assert relay.deliveries == []
        assert crowd.run("resume", "1", env=relay.environment()).code == 0
        everybody_once(relay)


def test_a_relay_that_is_not_there_leaves_everything_as_it_is(crowd: Letter) -> None:
    with Relay() as relay:
        gone = relay.environment()
    ran = crowd.run("send", "--yes", "--json", env=gone)
    assert ran.code == 7
    assert (ran.json["state"], ran.json["queued"], ran.json["exit"]) == ("sending", READERS, 7)
    assert "newsletter resume 1" in ran.err
    assert "Next: newsletter resume 1" in crowd.run("status").out


def test_deferred_copies_rest_until_a_person_asks(crowd: Letter) -> None:
    patient = {"NEWSLETTER_MAIL__RETRY__FIRST": "3000"}
    with Relay(Script().to({address(1), address(2)}, "rcpt", later())) as relay:
        env = relay.environment() | patient
        ran = crowd.run("send", "--yes", env=env)
        assert ran.code == 5
        numbers(ran.out, r"Issue 1 is not out yet: 10 accepted, 2 deferred \(next try \D*(\d\d):(\d\d)\)\.")
        assert "Next: newsletter resume 1" in ran.out
        relay.script = Script()
        resting = crowd.run("resume", "1", "--due", "--json", env=env)
        assert (resting.code, resting.json["deferred"]) == (5, 2)
        assert crowd.run("resume", "1", env=env).code == 0
        everybody_once(relay)


def test_a_fault_of_the_connection_does_not_count_as_the_readers(crowd: Letter) -> None:
    with Relay(Script().nth("mail", 3, closing())) as relay:
        ran = crowd.run("send", "--yes", "--json", env=relay.environment())
        if ran.code == 5:
            ran = crowd.run("resume", "1", "--json", env=relay.environment())
        assert (ran.code, ran.json["refused"]) == (0, 0)
        everybody_once(relay)


def test_in_a_pipe_a_run_says_what_is_ahead_and_quiet_says_nothing(crowd: Letter) -> None:
    with Relay() as relay:
        ran = crowd.run("send", "--yes", env=relay.environment())
        assert f"Issue 1: {READERS} to hand over\n" in ran.err
        assert "\x1b" not in ran.err
        crowd.post("news", "News", "2026-01-02")
        assert crowd.run("-q", "send", "--yes", env=relay.environment()).err == ""


def test_on_a_terminal_a_bar_shows_how_far_it_is_and_ctrl_c_takes_its_place(crowd: Letter) -> None:
    with Relay(latency=SLOW) as relay:
        code, seen = on_screen(crowd, "send", "--yes", env=slowly(relay), stop=lambda: relay.wait(6))
    assert code == 130
    assert re.search(rf"━.* [4-7]/{READERS}  [\d.]+/s  0:0\d left", seen), seen
    assert f"\r\x1b[2K{STOPPING}\r\n" in seen
    assert seen.rindex("sends only to the") > seen.rindex("left")
