"""A file is its old self or its new self."""

from __future__ import annotations

import os
import resource
import signal
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from pipeline.atomic import write_atomic


def test_a_new_file_holds_the_bytes_and_nothing_lies_beside_it(tmp_path: Path) -> None:
    write_atomic(tmp_path / "0001.md", b"one")
    write_atomic(tmp_path / "0001.md", b"two")
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("0001.md", b"two")]


@pytest.mark.parametrize(
    ("umask", "asked", "given"), [(0o022, 0o644, 0o644), (0o077, 0o644, 0o600), (0, 0o600, 0o600)]
)
def test_the_mode_is_what_was_asked_narrowed_by_the_umask(
    tmp_path: Path, umask: int, asked: int, given: int
) -> None:
    before = os.umask(umask)
    try:
        write_atomic(tmp_path / "secret", b"s", asked)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == given


def test_a_link_at_the_place_is_replaced_and_what_it_led_to_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "passwd").write_bytes(b"root")
    (tmp_path / "page").symlink_to(tmp_path / "passwd")
    write_atomic(tmp_path / "page", b"page")
    assert (tmp_path / "passwd").read_bytes() == b"root"
    assert not (tmp_path / "page").is_symlink()


def test_a_name_as_long_as_names_may_be_is_written(tmp_path: Path) -> None:
    path = tmp_path / ("ü" * 127)
    write_atomic(path, b"x")
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_write_that_fails_leaves_the_old_bytes_and_no_litter(tmp_path: Path) -> None:
    write_atomic(tmp_path / "receipt", b"old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            write_atomic(tmp_path / "receipt", b"n" * 10_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("receipt", b"old")]


def test_a_writer_killed_at_any_moment_leaves_a_whole_file(tmp_path: Path) -> None:
    target = tmp_path / "receipt.json"
    write_atomic(target, b"a" * 300_000)
    script = """
        import itertools, sys
        from pathlib import Path
        from pipeline.atomic import write_atomic
        print("at work", flush=True)
        for letter in itertools.cycle((b"b", b"c")):
            write_atomic(Path(sys.argv[1]), letter * 300_000)
    """
    for moment in range(6):
        with subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(script), str(target)], stdout=subprocess.PIPE
        ) as writer:
            assert writer.stdout
            try:
                writer.stdout.readline()
                for _ in range(20 + 7 * moment):
                    whole(target)
            finally:
                writer.kill()
        whole(target)


def whole(path: Path) -> None:
    data = path.read_bytes()
    assert len(data) == 300_000
    assert len(set(data)) == 1
