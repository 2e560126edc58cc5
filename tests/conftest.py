"""What every room's tests share: how they run beside each other, and a browser, if this machine has one."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# A busy machine is not a failure.
hypothesis.settings.register_profile(
    "patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("patient")

# What is begun in the background of a script ignores Ctrl-C, which several tests send.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

#: The first is Chromium without its window, which costs half the processor time.
CHROMIUM = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
#: Rooms whose tests take little time. They begin last, so that in the end nobody waits for one long file.
QUICK_ROOMS = (
    "audience",
    "collect",
    "compose",
    "settings",
    "check",
    "publish",
    "deliver",
    "store",
    "clients",
    "render",
)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One process more than there are processors, as many tests wait; none but this where files are named."""
    named = [Path(argument.partition("::")[0]) for argument in config.args]
    return 0 if all(path.suffix == ".py" for path in named) else min(os.cpu_count() or 1, 8) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.parent.name in QUICK_ROOMS)


# One for each file: while a driver lives, its event loop counts as running in this thread, and a file that happens to
# come next in the same process could begin none of its own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """An installed Chromium; `REQUIRE_BROWSER=1` turns its absence from a skip into a failure."""
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        if os.environ.get("REQUIRE_BROWSER"):
            pytest.fail("REQUIRE_BROWSER is set, and there is no Chromium")
        pytest.skip("there is no Chromium on this machine (install one, or set CHROMIUM to its path)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=list(QUIET))
        yield chromium
        chromium.close()
