"""A send killed at any moment: run again, and everybody has one copy, as if nothing had happened."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.kills import READERS, Twins, live, make_twins

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="SIGKILL is not known here")

#: Shares of a send's cost, and copies that must have been filed: from reading posts to the last word.
MOMENTS = [
    *((share, 0) for share in (0.6, 0.7, 0.8, 0.88, 0.94)),
    *((0.0, copies) for copies in (1, 2, 5, 9, READERS - 1, READERS, READERS)),
]


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Twins:
    return make_twins(tmp_path_factory.mktemp("twins"))


@pytest.mark.parametrize(("share", "copies"), MOMENTS)
def test_after_a_kill_the_next_send_leaves_what_an_undisturbed_one_would(
    twins: Twins, tmp_path: Path, share: float, copies: int
) -> None:
    life = live(twins, tmp_path / "letter", share * twins.takes, copies)
    assert life.faults == []
