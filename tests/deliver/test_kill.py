"""Runs killed with SIGKILL, anywhere: after the next one, everybody has one copy and the ledger says so."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.sending import SomeTokens

from pipeline.deliver.points import Point
from pipeline.edges import Store
from pipeline.model import Counts, IssueState
from pipeline.store import open_store

READERS = 20
LEDGER = "newsletter.db"
HERE = Path(__file__).parent

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")


@pytest.fixture(scope="module")
def runs() -> Iterator[subprocess.Popen[str]]:
    places = os.pathsep.join([str(HERE.parents[1]), str(HERE.parent)])
    with subprocess.Popen(
        [sys.executable, str(HERE / "killed_run.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": places},
        encoding="utf-8",
    ) as process:
        yield process
        assert process.stdin
        process.stdin.close()


def kill(runs: subprocess.Popen[str], root: Path, when: str, number: float = 1) -> str:
    assert runs.stdin
    assert runs.stdout
    runs.stdin.write(f"{root}\t{when}\t{number}\n")
    runs.stdin.flush()
    said = runs.stdout.readline().strip()
    assert said in {"killed", "done"}, said
    return said


def let_run(runs: subprocess.Popen[str], root: Path) -> str:
    return kill(runs, root, Point.CLOSED, 2)


def copies(root: Path) -> Counter[str]:
    """Address -> copies in the outbox; every file is whole."""
    found: Counter[str] = Counter()
    for path in (root / "outbox").rglob("*.eml"):
        data = path.read_bytes()
        assert data.endswith(b"--\r\n")
        to = re.search(rb"\r\nTo: .*<(.*)>\r\n", data)
        assert to
        found[to[1].decode()] += 1
    return found


def demand_an_honest_ledger(store: Store, root: Path) -> None:
    """Hold the ledger a kill left against the outbox: at most the one message under way may differ."""
    counts = store.counts(1)
    there = copies(root)
    assert set(there.values()) <= {1}
    assert sum(vars_of(counts)) == counts.readers == READERS
    assert counts.accepted <= len(there) <= counts.accepted + counts.in_doubt + 1


def vars_of(counts: Counts) -> list[int]:
    return [getattr(counts, name) for name in counts.__dataclass_fields__ if name != "readers"]


def demand_nobody_twice_and_nobody_forgotten(store: Store, root: Path) -> None:
    assert copies(root) == Counter(f"reader{n}@example.com" for n in range(1, READERS + 1))
    assert store.counts(1) == Counts(readers=READERS, accepted=READERS)
    record = store.issue(1)
    assert record
    assert record.state is IssueState.SENT
    assert [path.suffix for path in (root / "outbox" / "0001").iterdir()] == [".eml"] * READERS


#: A run of twenty leases and closes once; the rest it does for every delivery.
ONCE = (Point.LEASED, Point.CLOSED)
KILLS = [(point, nth) for point in Point for nth in ((1,) if point in ONCE else (1, READERS))]


@pytest.mark.parametrize(("point", "nth"), KILLS)
def test_nobody_twice_and_nobody_forgotten(
    runs: subprocess.Popen[str], store: Store, filled: Path, point: Point, nth: int
) -> None:
    assert kill(runs, filled, point, nth) == "killed"
    demand_an_honest_ledger(store, filled)
    assert let_run(runs, filled) == "done"
    demand_nobody_twice_and_nobody_forgotten(store, filled)


def test_killed_at_one_point_after_another_until_it_is_done(
    runs: subprocess.Popen[str], store: Store, filled: Path
) -> None:
    for point in [*Point][:-1] * 2:
        assert kill(runs, filled, point, 1 if point in ONCE else 2) == "killed"
        demand_an_honest_ledger(store, filled)
    assert let_run(runs, filled) == "done"
    demand_nobody_twice_and_nobody_forgotten(store, filled)


#: Newsletters until one is killed in the middle: on a busy machine a run can be over before its killer has its turn.
TRIES = 20


@pytest.mark.parametrize("seed", range(3))
def test_killed_at_random_moments(runs: subprocess.Popen[str], filled: Path, seed: int) -> None:
    moments, haste = random.Random(seed), 1.0
    for number in range(TRIES):
        folder = filled / f"{number}"
        folder.mkdir()
        shutil.copy(filled / LEDGER, folder)
        store = open_store(f"sqlite:///{LEDGER}", folder, SomeTokens())
        found = []
        for _ in range(12):
            kill(runs, folder, "after", haste * moments.uniform(0, 5) ** 2 / 3)
            demand_an_honest_ledger(store, folder)
            found.append(copies(folder).total())
        assert let_run(runs, folder) == "done"
        demand_nobody_twice_and_nobody_forgotten(store, folder)
        store.close_database()
        if any(0 < many < READERS for many in found):
            return
        haste *= 0.5 if found[0] else 2.0
    pytest.fail("no kill came in the middle")
