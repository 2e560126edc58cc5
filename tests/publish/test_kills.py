"""A run killed anywhere leaves the old site or the new one, and the next run puts everything right."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a forked child")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: a SIGKILL loses nothing there, and hundreds of syncs cost nothing."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path / "site"
        return
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield Path(folder, "site")


def killer(*arguments: object) -> list[dict]:
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("killer.py"), *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_killed_before_any_step_the_site_is_the_old_or_the_new_one(place: Path) -> None:
    found = killer("every", "exchanged", place, 1)
    assert len(found) > 40
    assert {one["after"] for one in found} == {"old", "new"}
    assert [one for one in found if not one["healed"]] == []
    # Once it is the new one, it stays so.
    states = [one["after"] for one in found]
    assert states == sorted(states, reverse=True)


def test_where_folders_cannot_be_exchanged_one_moment_has_no_site_and_the_next_run_finds_it(
    place: Path,
) -> None:
    found = killer("every", "two renames", place, 1)
    states = [one["after"] for one in found]
    assert set(states) == {"old", "new", "none"}
    assert states.count("none") == 1
    assert [one for one in found if not one["healed"]] == []


def test_file_by_file_no_file_is_torn_and_the_next_run_completes_the_site(place: Path) -> None:
    found = killer("every", "file by file", place, 2)
    assert {one["after"] for one in found} == {"old", "half", "new"}
    assert [one for one in found if not one["healed"]] == []


def test_killed_at_random_moments_readers_never_meet_two_versions(place: Path) -> None:
    *kills, reader = killer("random", "exchanged", place, 40)
    assert {one["after"] for one in kills} <= set("ABCDEFG")
    assert len({one["after"] for one in kills}) > 1
    assert set(reader["kinds"]) <= set("ABCDEFGZ")
    assert reader["passes"] > 20
    assert reader["last"] == "Z"
