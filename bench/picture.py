"""Renews docs/sample-issue.png, the README's picture: the sample's own mail as a reader sees it.

Needs what the tests need, and an installed Chromium (CHROMIUM names another one).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright

HERE = Path(__file__).resolve().parents[1]
PICTURE = HERE / "docs" / "sample-issue.png"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
#: The moment of cutting that the picture shows.
CLOCK = "2026-01-04T08:00"
WIDTH = 800
#: The picture ends above this card, counted from one: the rest is more of the same.
LAST_CARD = 3


def build(folder: Path) -> Path:
    """Build the sample's first issue in a folder; return its mail."""
    for name in ("newsletter.toml", "posts"):
        (shutil.copytree if (HERE / name).is_dir() else shutil.copy)(HERE / name, folder / name)
    command = [sys.executable, "-m", "pipeline", "-C", str(folder), "--clock", CLOCK, "build"]
    subprocess.run(command, cwd=HERE, check=True, stdout=subprocess.DEVNULL)
    return folder / ".newsletter/issues/0001/email.html"


def take(mail: Path, picture: Path) -> None:
    """Photograph the mail from its top to above the last card."""
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--no-first-run"]
        )
        page = browser.new_page(viewport={"width": WIDTH, "height": 900}, color_scheme="light")
        page.goto(mail.as_uri())
        end = page.locator("h3").nth(LAST_CARD - 1).locator("xpath=ancestor::tr[1]").bounding_box()
        assert end is not None
        clip = {"x": 0, "y": 0, "width": WIDTH, "height": end["y"]}
        page.screenshot(path=picture, full_page=True, clip=clip)  # type: ignore[arg-type]
        browser.close()


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        take(build(Path(folder)), PICTURE)
    print(f"{PICTURE.relative_to(HERE)}  {PICTURE.stat().st_size / 1000:.0f} kB")
