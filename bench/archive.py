"""Measures how an archive of many posts is read and built, beside other generators on the same files.

    python bench/archive.py [--posts 10000] [--keep FOLDER]

Every figure is the wall time of one whole process, the best of several runs
where a run changes nothing. Each peer is measured in the same run on the same
files; a peer that is not installed is named as such. The ratio is to the plain
listing, which is the least that any program must do to see what has changed.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

VOCABULARY = (
    "morning evening weather pressure light screen coffee water sleep neck walk week month year doctor diary "
    "attack aura signal nerve muscle study group trial result question answer change pattern trigger remedy "
    "quiet sudden regular early late strong mild often rarely together again before after between within"
)
WORDS = VOCABULARY.split()
#: As after an ordinary installation: byte code is kept.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
CATEGORIES = ("Triggers", "Sleep", "Research", "Letters", "Remedies")

LISTING = """
import os, sys
def walk(folder):
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            walk(entry.path)
        else:
            entry.stat()
walk(sys.argv[1])
"""


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    #: None: could not be measured, and `note` says why.
    seconds: float | None
    note: str = ""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--posts", type=int, default=10_000, help="how many posts (default: %(default)s)")
    parser.add_argument("--words", type=int, default=300, help="words in each (default: %(default)s)")
    parser.add_argument("--keep", type=Path, help="make everything in this new folder and leave it there")
    options = parser.parse_args()
    root = options.keep or Path(tempfile.mkdtemp(prefix="archive-"))
    try:
        make_archive(root / "letter" / "posts", options.posts, options.words)
        print(f"{options.posts:,} posts of {options.words} words; {machine()}\n")
        table(measure(root, options.posts))
    finally:
        if not options.keep:
            shutil.rmtree(root, ignore_errors=True)


# --- the files ----------------------------------------------------------------


def make_archive(folder: Path, count: int, words: int) -> None:
    """Write posts that look like posts: a head that all generators read, paragraphs, lists, links, some code."""
    chance = random.Random(20260101)
    first = date(1998, 1, 4)
    for number in range(count):
        day = first + timedelta(days=number)
        slug = f"{'-'.join(chance.sample(WORDS, 3))}-{number}"
        file = folder / str(day.year) / f"{day}-{slug}.md"
        file.parent.mkdir(parents=True, exist_ok=True)
        head = (
            f"---\ntitle: {sentence(chance, 6).rstrip('.')} ({number})\ndate: {day}\nslug: {slug}\n"
            f"author: The newsletter desk\ncategory: {chance.choice(CATEGORIES)}\n"
            f"summary: {sentence(chance, 14)}\n---\n\n"
        )
        file.write_text(head + body(chance, words), encoding="utf-8")


def body(chance: random.Random, words: int) -> str:
    parts: list[str] = []
    while len(" ".join(parts).split()) < words:
        kind = chance.random()
        if kind < 0.1:
            parts.append("\n".join(f"- {sentence(chance, 7)}" for _ in range(4)))
        elif kind < 0.15:
            parts.append(f"## {sentence(chance, 4).rstrip('.')}")
        elif kind < 0.18:
            parts.append('```python\nfor day in diary:\n    print(day.attacks, "of", day.hours)\n```')
        else:
            text = " ".join(sentence(chance, 12) for _ in range(5))
            parts.append(
                f"{text} See [{chance.choice(WORDS)}](https://blog.example.org/{chance.choice(WORDS)}/)."
            )
    return "\n\n".join(parts) + "\n"


def sentence(chance: random.Random, words: int) -> str:
    return " ".join(chance.choices(WORDS, k=words)).capitalize() + "."


# --- the measurements ---------------------------------------------------------


def measure(root: Path, posts: int) -> Iterator[Row]:
    letter = root / "letter"
    (letter / "newsletter.toml").write_text(
        '[newsletter]\nname = "Archive"\nfrom = "a@example.org"\nurl = "https://example.org"\n'
        'postal_address = "12 Example Street"\n',
        encoding="utf-8",
    )
    yield Row("start Python, do nothing", best([sys.executable, "-c", ""]))
    yield Row(
        "plain listing (scandir and stat)", best([sys.executable, "-c", LISTING, str(letter / "posts")])
    )
    yield from ours(letter, posts)
    yield from pelican(letter, root / "pelican")
    yield from hugo(letter, root / "hugo")


def ours(letter: Path, posts: int) -> Iterator[Row]:
    """The walk of a newsletter that begins over an old archive, then lives with it."""
    command = [sys.executable, "-m", "pipeline", "-C", str(letter)]
    status, build = [*command, "status"], [*command, "build", "--latest", "5"]
    once([*command, "status", "-h"])
    yield Row("newsletter --help", best([*command, "--help"]))
    yield Row("newsletter status, first time", once(status), "every file read")
    yield Row("newsletter status, again", best(status))
    touch_one(letter)
    yield Row("newsletter status, one post changed", once(status))
    yield Row("newsletter build, first time", once(build), f"{posts:,} pages, feeds, the mail")
    yield Row("newsletter build, again", best(build, 3))
    touch_one(letter)
    yield Row("newsletter build, one post changed", once(build))
    add_one(letter)
    yield Row("newsletter build, one post new", once(build), "the newest are named under every post")
    once([*command, "subscribers", "add", "reader@example.com"])
    yield Row("newsletter send, the first issue", once([*command, "send", "--yes", "--latest", "5"]))
    yield Row("newsletter status, all in the ledger", best(status))


def touch_one(letter: Path) -> None:
    file = sorted((letter / "posts").rglob("*.md"))[-20]
    file.write_text(file.read_text("utf-8") + "\nOne more line.\n", encoding="utf-8")


def add_one(letter: Path) -> None:
    file = letter / "posts" / "new.md"
    file.write_text("---\ntitle: The newest of all\ndate: 2026-01-01\n---\n\nIt is short.\n", "utf-8")


def pelican(letter: Path, out: Path) -> Iterator[Row]:
    """Pelican with its default theme, post pages and the same feeds; its cache of parsed posts on."""
    out.mkdir()
    settings = out / "pelicanconf.py"
    settings.write_text(
        f"PATH = {str(letter / 'posts')!r}\nOUTPUT_PATH = {str(out / 'output')!r}\n"
        f"CACHE_PATH = {str(out / 'cache')!r}\n"
        "SITENAME = 'Archive'\nSITEURL = 'https://example.org'\nTIMEZONE = 'UTC'\nDEFAULT_LANG = 'en'\n"
        "FEED_ALL_ATOM = 'feeds/all.atom.xml'\nFEED_ALL_RSS = 'feeds/all.rss.xml'\nFEED_MAX_ITEMS = 20\n"
        "CACHE_CONTENT = True\nLOAD_CONTENT_CACHE = True\nCONTENT_CACHING_LAYER = 'reader'\n",
        encoding="utf-8",
    )
    if not can([sys.executable, "-c", "import pelican, markdown"]):
        yield Row("Pelican", None, "not installed: pip install '.[bench]'")
        return
    version = output([sys.executable, "-m", "pelican", "--version"])
    command = [sys.executable, "-m", "pelican", "-s", str(settings), "-q"]
    yield Row(f"Pelican {version}, first time", once(command))
    yield Row(f"Pelican {version}, again", once(command))


def hugo(letter: Path, out: Path) -> Iterator[Row]:
    """Hugo with the least theme that gives a page for each post."""
    if shutil.which("hugo") is None:
        yield Row("Hugo", None, "not installed")
        return
    layouts = out / "layouts" / "_default"
    layouts.mkdir(parents=True)
    page = "<!doctype html><title>{{ .Title }}</title><h1>{{ .Title }}</h1>{{ .Content }}\n"
    (layouts / "single.html").write_text(page, encoding="utf-8")
    (layouts / "list.html").write_text(
        "<!doctype html><title>{{ .Title }}</title>{{ range (.Paginate .Pages).Pages }}"
        '<p><a href="{{ .Permalink }}">{{ .Title }}</a></p>{{ end }}\n'.replace(
            ".Paginate(.Pages)", "(.Paginate .Pages)"
        ),
        encoding="utf-8",
    )
    (out / "config.toml").write_text(
        f'baseURL = "https://example.org/"\ntitle = "Archive"\ncontentDir = "{letter / "posts"}"\n',
        encoding="utf-8",
    )
    version = re.split(r"[+ -]", output(["hugo", "version"]).removeprefix("hugo "))[0]
    command = ["hugo", "--quiet", "--source", str(out)]
    yield Row(f"Hugo {version}, first time", once(command))
    yield Row(f"Hugo {version}, again", best(command, 3))


def machine() -> str:
    """Say on what was measured, and when."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, {memory:.0f} GB, {platform.system()}, "
        f"Python {platform.python_version()}, {output([sys.executable, '-m', 'pipeline', '--version'])}"
    )


# --- tools --------------------------------------------------------------------


def once(command: list[str]) -> float:
    """Seconds that one whole process takes. A process that fails ends the benchmark with what it said."""
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=ENVIRONMENT)
    seconds = time.perf_counter() - start
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return seconds


def best(command: list[str], runs: int = 5, measure_once: Callable[[list[str]], float] = once) -> float:
    return min(measure_once(command) for _ in range(runs))


def can(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def output(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def table(rows: Iterator[Row]) -> None:
    """Print each row as soon as it is known, with its ratio to the plain listing."""
    listing = None
    print(f"{'':<40} {'seconds':>8} {'x listing':>10}")
    for row in rows:
        if row.seconds is None:
            print(f"{row.what:<40} {'-':>8} {'-':>10}  {row.note}", flush=True)
            continue
        if row.what.startswith("plain listing"):
            listing = row.seconds
        ratio = f"{row.seconds / listing:.1f}" if listing else ""
        print(f"{row.what:<40} {row.seconds:>8.3f} {ratio:>10}  {row.note}".rstrip(), flush=True)


if __name__ == "__main__":
    main()
