"""Disks that fill up, fail or vanish under a run: it stops, says what to do, and the next run finishes."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time

import pytest
from support.ledger import GIVE_UP, NOW, TOKENS, URL, answer, arm, frozen, subscriber

from pipeline.errors import StoreError
from pipeline.model import Counts, Outcome, Verdict
from pipeline.store import open_store, sqlite

FILE = ".newsletter/newsletter.db"
READERS = 400


def deliver(store, owner, many=READERS):
    """Deliver as a run does; return what the relay was handed."""
    handed = []
    while batch := store.lease(1, owner, min(many, 20)):
        armed = store.commit(owner, [], batch, GIVE_UP)
        taken = [one for one, yes in zip(batch, armed, strict=True) if yes]
        handed += [one.id for one in taken]
        store.commit(owner, [Verdict(answer(one, Outcome.ACCEPTED, "250 ok")) for one in taken], [], GIVE_UP)
        many -= len(batch)
    return handed


def begin(folder):
    """An issue for many readers, some of whom have their copy."""
    store = open_store(URL, folder, TOKENS)
    store.put_subscribers(subscriber(f"r{n}@example.com") for n in range(READERS))
    store.freeze(frozen(), [], NOW)
    store.claim(1, "run")
    return store


def demand_done_with(store):
    """Nothing more is taken up, written down or let go by a store that failed."""
    for attempt in (
        lambda: store.lease(1, "run", 1),
        lambda: store.commit("run", [], [], GIVE_UP),
        lambda: store.claim(1, "again"),
        lambda: store.counts(1),
    ):
        with pytest.raises(StoreError, match="Nothing more is done with it until the next run"):
            attempt()


def demand_finished_by_the_next_run(folder, handed, doubts):
    """Another process finishes; nobody who was `handed` a copy gets another, and only `doubts` may be in doubt."""
    store = open_store(URL, folder, TOKENS)
    store.claim(1, "next")
    accepted = store.counts(1).accepted
    in_doubt = {one.id for one in store.doubts(1)}
    assert in_doubt <= doubts
    again = deliver(store, "next")
    assert not set(again) & set(handed)
    assert accepted + len(again) + len(in_doubt) == READERS
    assert store.counts(1) == Counts(readers=READERS, accepted=accepted + len(again), in_doubt=len(in_doubt))
    assert store.close(1)
    store.close_database()


# --- full --------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path):
    """A file system of four megabytes."""
    if sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("only root can mount a small file system")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"no small file system can be mounted: {mounted.stderr.strip()}")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(disk):
    """Leave not one block."""
    with (disk / "filler").open("wb", buffering=0) as filler:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while True:
                    filler.write(b"x" * size)
            except OSError:
                pass
    return disk / "filler"


def until_it_fails(attempt):
    """Try until the disk is full in earnest: a page that is there already may still be written."""
    for _ in range(2000):
        attempt()


@pytest.mark.parametrize("step", ["arm", "record", "lease", "claim"])
def test_a_disk_that_is_full_stops_the_run_and_loses_nobody(small_disk, step):
    store = begin(small_disk)
    handed = deliver(store, "run", 100)
    batch = store.lease(1, "run", 20)
    verdicts = []
    if step == "record":
        assert all(store.commit("run", [], batch, GIVE_UP))
        verdicts = [Verdict(answer(one, Outcome.ACCEPTED, "250 " + "x" * 900)) for one in batch]
        handed += [one.id for one in batch]
    filler = fill(small_disk)
    attempts = {
        "arm": lambda: store.commit("run", [], batch, GIVE_UP),
        "record": lambda: store.commit("run", verdicts, [], GIVE_UP),
        "lease": lambda: store.lease(1, "run", 1),
        "claim": lambda: store.claim(1, "run"),
    }
    with pytest.raises(StoreError, match=r"newsletter\.db.*(the disk is full\. Make room|No space left)"):
        until_it_fails(attempts[step])
    demand_done_with(store)
    filler.unlink()
    doubts = {one.id for one in batch} if step in ("arm", "record") else set()
    demand_finished_by_the_next_run(small_disk, handed, doubts)


def test_a_file_system_that_became_read_only_says_so(small_disk):
    store = begin(small_disk)
    store.close_database()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    store = open_store(URL, small_disk, TOKENS)
    assert store.counts(1).queued == READERS
    with pytest.raises(StoreError, match=r"no lock can be set beside it: Read-only file system"):
        store.claim(1, "run")
    with pytest.raises(StoreError, match=r"cannot be written: the file or its folder is read-only"):
        store.published(1)
    demand_done_with(store)
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    demand_finished_by_the_next_run(small_disk, [], set())


# --- failing -----------------------------------------------------------------

SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

/* Fails while the file that FAIL_WHILE names is there. */
static int failing(const char *call) {
    const char *flag = getenv("FAIL_WHILE"), *which = getenv("FAIL_CALL");
    if (flag == NULL || which == NULL || access(flag, F_OK) != 0) return 0;
    for (; *which && *call; which++, call++) if (*which != *call) return 0;
    if (*which || *call) return 0;
    errno = EIO;
    return 1;
}
int fsync(int fd) {
    int (*real)(int) = dlsym(RTLD_NEXT, "fsync");
    return failing("sync") ? -1 : real(fd);
}
int fdatasync(int fd) {
    int (*real)(int) = dlsym(RTLD_NEXT, "fdatasync");
    return failing("sync") ? -1 : real(fd);
}
ssize_t pwrite64(int fd, const void *from, size_t many, off64_t at) {
    ssize_t (*real)(int, const void *, size_t, off64_t) = dlsym(RTLD_NEXT, "pwrite64");
    return failing("write") ? -1 : real(fd, from, many, at);
}
ssize_t pread64(int fd, void *to, size_t many, off64_t at) {
    ssize_t (*real)(int, void *, size_t, off64_t) = dlsym(RTLD_NEXT, "pread64");
    return failing("read") ? -1 : real(fd, to, many, at);
}
"""

RUN = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[3:]
from store.test_storage_faults import begin, deliver
from support.ledger import GIVE_UP, answer
from pipeline.errors import StoreError
from pipeline.model import Outcome, Verdict
folder, flag = Path(sys.argv[1]), Path(sys.argv[2])
store = begin(folder)
print(*deliver(store, "run", 100))
batch = store.lease(1, "run", 20)
first, second = batch[:10], batch[10:]
assert all(store.commit("run", [], first, GIVE_UP))
print(*(one.id for one in first))
flag.touch()
def attempt():
    try:
        verdicts = [Verdict(answer(one, Outcome.ACCEPTED)) for one in first]
        print("armed", store.commit("run", verdicts, second, GIVE_UP))
    except StoreError as fault:
        print("StoreError", fault)
attempt()
flag.unlink()
attempt()  # the disk is well again, or says so
"""


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    """A library that makes calls to the disk fail on request."""
    compiler = shutil.which("cc")
    if sys.platform != "linux" or compiler is None:
        pytest.skip("needs Linux and a C compiler")
    folder = tmp_path_factory.mktemp("shim")
    (folder / "shim.c").write_text(SHIM)
    command = [compiler, "-shared", "-fPIC", "-o", str(folder / "shim.so"), str(folder / "shim.c"), "-ldl"]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    if built.returncode:
        pytest.skip(f"the C compiler has no say: {built.stderr[-200:]}")
    return folder / "shim.so"


@pytest.mark.parametrize("call", ["sync", "write"])
def test_a_disk_that_reports_an_error_is_trusted_no_more(tmp_path, shim, call):
    """After a failed sync the system drops what it could not write, and later commits would seem to succeed."""
    run = subprocess.run(
        [sys.executable, "-c", RUN, str(tmp_path), str(tmp_path / "flag"), *sys.path],
        env={
            **os.environ,
            "LD_PRELOAD": str(shim),
            "FAIL_WHILE": str(tmp_path / "flag"),
            "FAIL_CALL": call,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    lines = run.stdout.splitlines()
    assert len(lines) == 4, run.stderr
    handed, armed = ([int(one) for one in line.split()] for line in lines[:2])
    assert lines[2].startswith(f"StoreError {FILE}: the disk reports an error. Make sure of the disk")
    assert lines[3].startswith("StoreError")
    assert "Nothing more is done with it until the next run" in lines[3]
    # What was in the commit that failed may be on the disk or not; nobody was told to let its arms go.
    second = {armed[-1] + n for n in range(1, 11)}
    demand_finished_by_the_next_run(tmp_path, handed + armed, set(armed) | second)


# --- held, damaged, gone -----------------------------------------------------

HOLD = """
import sqlite3, sys
holder = sqlite3.connect(sys.argv[1], isolation_level=None)
holder.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.readline()
holder.execute("ROLLBACK")
"""


@pytest.fixture
def hold(tmp_path):
    """Start another process that holds the store until it is told to let go."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / FILE)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def let_go():
        process.communicate("\n")

    def holding():
        assert process.stdout.readline() == "held\n"
        return let_go

    yield holding
    process.kill()
    process.communicate()


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.2)


@pytest.fixture
def begun(tmp_path, impatient):
    """A run at work, with a batch that is armed."""
    store = begin(tmp_path)
    handed = deliver(store, "run", 100)
    batch = store.lease(1, "run", 20)
    assert all(store.commit("run", [], batch, GIVE_UP))
    return store, handed + [one.id for one in batch], batch


def test_a_store_that_another_process_holds_too_long_stops_the_run(tmp_path, begun, hold):
    store, handed, batch = begun
    let_go = hold()
    before = time.monotonic()
    with pytest.raises(StoreError, match="another process has held the store for over"):
        store.commit("run", [Verdict(answer(one, Outcome.ACCEPTED)) for one in batch], [], GIVE_UP)
    assert time.monotonic() - before < 10
    demand_done_with(store)
    let_go()
    demand_finished_by_the_next_run(tmp_path, handed, {one.id for one in batch})


def test_a_store_that_is_damaged_is_not_sent_from(tmp_path, begun):
    store, handed, batch = begun
    store.close_database()
    good = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(good[:8192] + random.Random(3).randbytes(len(good) - 8192))
    with pytest.raises(StoreError, match=r"damaged\. Put a good copy back"):
        open_store(URL, tmp_path, TOKENS).claim(1, "next")
    (tmp_path / FILE).write_bytes(good)
    demand_finished_by_the_next_run(tmp_path, handed, {one.id for one in batch})


@pytest.mark.parametrize("how", ["removed", "replaced"])
def test_a_store_that_vanishes_under_a_run_stops_it(tmp_path, begun, how):
    """The system would let it write on into a file that has no name any more."""
    store, handed, batch = begun
    (tmp_path / FILE).rename(tmp_path / "aside")
    if how == "replaced":
        shutil.copyfile(tmp_path / "aside", tmp_path / FILE)
    with pytest.raises(StoreError, match=r"was removed or replaced while it was in use\. Put it back"):
        arm(store, batch[0], "run")
    demand_done_with(store)
    (tmp_path / "aside").replace(tmp_path / FILE)
    demand_finished_by_the_next_run(tmp_path, handed, {one.id for one in batch})


def test_a_store_that_was_cut_short_is_not_sent_from(tmp_path, begun):
    store, _, _ = begun
    store.close_database()
    path = tmp_path / FILE
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)
    with pytest.raises(StoreError, match="damaged"):
        open_store(URL, tmp_path, TOKENS).claim(1, "next")


def test_nothing_is_frozen_into_a_damaged_store(tmp_path):
    """Where nothing that the freeze reads is damaged, it would go unnoticed until readers are written to."""
    store = open_store(URL, tmp_path, TOKENS)
    store.freeze(frozen(1, page=b"page" * 50_000), [], NOW)
    store.close_database()
    content = (tmp_path / FILE).read_bytes()
    # A page of overflow, which holds nothing else: its number of the next one points nowhere (fileformat2.html, 1.6).
    begin = next(
        at for at in range(0, len(content), 4096) if set(content[at + 4 : at + 4096]) == set(b"page")
    )
    (tmp_path / FILE).write_bytes(content[:begin] + b"\xff\xff\xff\xff" + content[begin + 4 :])
    store = open_store(URL, tmp_path, TOKENS)
    with pytest.raises(StoreError, match=r"damaged\. Put a good copy back"):
        store.freeze(frozen(2), [], NOW)
    demand_done_with(store)
