"""Whoever waits for the store has it as soon as it is free: a reader who leaves does not stand in a queue."""

from __future__ import annotations

import threading
import time
from statistics import median

from support.ledger import NOW

from pipeline.store.driver import DRIVER

FILE = ".newsletter/newsletter.db"


def test_a_store_that_becomes_free_is_had_at_once(opened, tmp_path):
    store = opened()
    holder = DRIVER.connect(tmp_path / FILE, isolation_level=None, check_same_thread=False)
    late = []
    for _ in range(5):
        holder.execute("BEGIN IMMEDIATE")
        freed = []

        def let_go(freed=freed):
            # SQLite's own waiting looks every 100 ms by now.
            time.sleep(0.35)
            freed.append(time.monotonic())
            holder.execute("ROLLBACK")

        thread = threading.Thread(target=let_go)
        thread.start()
        store.ask("ana@example.org", "", NOW)
        late.append(time.monotonic() - freed[0])
        thread.join()
    holder.close()
    assert median(late) < 0.03
