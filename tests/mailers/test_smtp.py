"""The SMTP mailer beside a real relay: the contract, one way at a time and several at a time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from contracts.mailer import Arming, MailerContract, submission
from support.relay import ALL, Relay
from support.relay_script import Script, never

from pipeline.edges import Mailer
from pipeline.mailers.smtp import Smtp, SmtpConfig
from pipeline.model import Outcome


class SmtpContract(MailerContract):
    extensions = ALL
    #: What `[mail.smtp] window` says.
    at_a_time = 1
    #: What `[mail.smtp] connections` says.
    lines = 1

    @pytest.fixture
    def relay(self) -> Iterator[Relay]:
        with Relay(extensions=self.extensions) as relay:
            yield relay
        assert relay.violations == []

    @pytest.fixture
    def mailer(self, relay: Relay) -> Smtp:
        return Smtp(SmtpConfig(relay.host, relay.port, "none", connections=self.lines, window=self.at_a_time))

    @pytest.fixture
    def unusable(self) -> Iterator[Smtp]:
        with Relay(Script().always("greeting", never())) as relay:
            yield Smtp(SmtpConfig(relay.host, relay.port, "none", window=self.at_a_time))


class TestPipelining(SmtpContract):
    #: One whose dot is still to come, and the one that begins with it.
    window = 2


class TestStepByStep(SmtpContract):
    extensions = frozenset()


class TestWindow(SmtpContract):
    window = at_a_time = 4


class TestWideWindow(SmtpContract):
    window = at_a_time = 100


class TestWindowWithoutChunking(SmtpContract):
    extensions = ALL - {"CHUNKING"}
    window, at_a_time = 2, 4


class TestWindowWithoutPipelining(SmtpContract):
    extensions = ALL - {"PIPELINING"}
    at_a_time = 4


class SeveralConnections(SmtpContract):
    lines = 3

    def test_when_nothing_more_is_to_be_had_just_now_it_finishes_what_is_under_way(
        self, mailer: Mailer, relay: Relay
    ) -> None:
        """It may ask again before all connections are done: one that is slow must not hold up the others."""
        source = [submission(1), None, submission(2), submission(3), None, None, submission(4)]
        answers = list(mailer.submit(source, Arming(relay)))
        assert sorted(answer.submission.delivery.id for answer in answers) == [1, 2, 3, 4]
        assert {answer.outcome for answer in answers} == {Outcome.ACCEPTED}


class TestSeveralConnections(SeveralConnections):
    window = 6


class TestSeveralConnectionsStepByStep(SeveralConnections):
    extensions = frozenset()
    window = 3


class TestSeveralWindows(SeveralConnections):
    window, at_a_time = 12, 4
