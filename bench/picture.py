"""Renews the pictures in docs/: the sample's own mail as a reader sees it, or its preview as an editor does.

    python bench/picture.py             docs/sample-issue.png
    python bench/picture.py --preview   docs/preview-light.png, -dark, -phone and -phone-dark

Needs what the tests need, and an installed Chromium (CHROMIUM names another one).
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, sync_playwright

HERE = Path(__file__).resolve().parents[1]
DOCS = HERE / "docs"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
#: The moment of cutting that the mail's picture shows.
CLOCK = "2026-01-04T08:00"
WIDTH = 800
#: The picture ends above this card, counted from one: the rest is more of the same.
LAST_CARD = 3
#: When the issue before went out, and when somebody looks at the next one: a post of that December is not due.
SENT, LOOKED = "2025-10-26T08:00", "2025-11-16T08:00"
#: Name, width, height and colour scheme of the preview's pictures.
PREVIEWS = (
    ("preview-light", 1500, 900, "light"),
    ("preview-dark", 1500, 900, "dark"),
    ("preview-phone", 390, 2600, "light"),
    ("preview-phone-dark", 390, 2600, "dark"),
)


def command(folder: Path, clock: str, *words: str) -> list[str]:
    """Name the real command for the newsletter in a folder, at a moment."""
    return [sys.executable, "-m", "pipeline", "-C", str(folder), "--clock", clock, *words]


def run(folder: Path, clock: str, *words: str) -> None:
    """Run the real command for the newsletter in a folder, at a moment."""
    silent = subprocess.DEVNULL
    subprocess.run(command(folder, clock, *words), cwd=HERE, check=True, stdout=silent, stderr=silent)


@contextmanager
def sample() -> Iterator[Path]:
    """Copy the sample newsletter into a folder of its own."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        for each in ("newsletter.toml", "posts", "readers.csv"):
            (shutil.copytree if (HERE / each).is_dir() else shutil.copy)(HERE / each, folder / each)
        yield folder


@contextmanager
def browser() -> Iterator[Browser]:
    """Start the browser."""
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM)), None)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--no-first-run"]
        )
        yield chromium
        chromium.close()


def take_mail(picture: Path) -> None:
    """Photograph the sample's first issue from its top to above the last card."""
    with sample() as folder, browser() as chromium:
        run(folder, CLOCK, "build")
        page = chromium.new_page(viewport={"width": WIDTH, "height": 900}, color_scheme="light")
        page.goto((folder / ".newsletter/issues/0001/email.html").as_uri())
        end = page.locator("h3").nth(LAST_CARD - 1).locator("xpath=ancestor::tr[1]").bounding_box()
        assert end is not None
        clip = {"x": 0, "y": 0, "width": WIDTH, "height": end["y"]}
        page.screenshot(path=picture, full_page=True, clip=clip)  # type: ignore[arg-type]


@contextmanager
def previewing(folder: Path) -> Iterator[str]:
    """Serve the preview of a newsletter; gives its address."""
    with subprocess.Popen(
        command(folder, LOOKED, "preview", "-p", "0"), cwd=HERE, stdout=subprocess.PIPE, encoding="utf-8"
    ) as process:
        try:
            assert process.stdout
            found = re.search(r"http://\S+/", process.stdout.readline())
            assert found
            yield found[0]
        finally:
            process.terminate()


def take_previews(folder: Path) -> list[Path]:
    """Photograph the preview of the sample's second issue, at a desk and on a phone, in both schemes."""
    made = []
    with sample() as letter, browser() as chromium:
        run(letter, SENT, "subscribers", "import", "readers.csv")
        run(letter, SENT, "send", "--yes")
        with previewing(letter) as url:
            for name, width, height, scheme in PREVIEWS:
                page = chromium.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
                page.goto(url if scheme == "light" else f"{url}?scheme=dark", wait_until="load")
                page.wait_for_function("() => parseInt(document.getElementById('frame').style.height) > 400")
                made.append(folder / f"{name}.png")
                page.screenshot(path=made[-1])
                page.close()
    return made


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--preview", action="store_true", help="the preview's pictures instead of the mail's")
    if parser.parse_args().preview:
        pictures = take_previews(DOCS)
    else:
        pictures = [DOCS / "sample-issue.png"]
        take_mail(pictures[0])
    for picture in pictures:
        print(f"{picture.relative_to(HERE)}  {picture.stat().st_size / 1000:.0f} kB")
