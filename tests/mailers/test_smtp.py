"""The SMTP mailer beside a real relay: the contract, one way at a time and several at a time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from contracts.mailer import MailerContract
from support.relay import ALL, Relay
from support.relay_script import Script, never

from pipeline.mailers.smtp import Smtp, SmtpConfig


class SmtpContract(MailerContract):
    extensions = ALL
    #: What `[mail.smtp] window` says.
    at_a_time = 1

    @pytest.fixture
    def relay(self) -> Iterator[Relay]:
        with Relay(extensions=self.extensions) as relay:
            yield relay
        assert relay.violations == []

    @pytest.fixture
    def mailer(self, relay: Relay) -> Smtp:
        return Smtp(SmtpConfig(relay.host, relay.port, "none", connections=3, window=self.at_a_time))

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
