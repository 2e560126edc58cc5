"""Measures how soon a save is on screen: the preview at work, a Chromium that looks at it, files that are saved.

    python bench/preview.py [--saves 30] [--posts 20] [--words 500]

Each save changes one word of one post. The clock begins when the file is
written and ends in the browser, at the first frame painted after the word
stands in the mail that the page shows. Needs what the tests need, and an
installed Chromium (CHROMIUM names another one).
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

from archive import make_archive
from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).resolve().parents[1]
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
#: What must not take longer, in milliseconds.
LIMIT = 300
#: As after an ordinary installation: byte code is kept.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
SETTINGS = """\
[newsletter]
name = "The Bench Letter"
from = "The Bench Letter <letter@example.org>"
url = "https://letter.example.org"
postal_address = "12 Example Street, Exampletown"
[issue]
show = "{show}"
"""
#: Wall clock in the browser, in milliseconds of the epoch.
NOW = "performance.timeOrigin + performance.now()"
#: Notes when each version was told, once for the page's life.
LISTEN = f"""() => {{
  window.told = [];
  new EventSource("/events").onmessage = () => window.told.push({NOW});
}}"""
#: Waits for a word in the frame and one painted frame more; says when that was, and when what had arrived.
WAIT = f"""word => new Promise(done => {{
  const look = () => {{
    const text = document.getElementById("frame")?.contentDocument?.body?.textContent ?? "";
    if (!text.includes(word)) return requestAnimationFrame(look);
    requestAnimationFrame(() => {{
      const seen = {NOW};
      const last = part => performance.getEntriesByType("resource").filter(entry => entry.name.includes(part)).at(-1);
      const arrived = part => performance.timeOrigin + (last(part)?.responseEnd ?? 0);
      done({{ seen, told: window.told.at(-1), page: arrived("/state"), frame: arrived("/frame") }});
      performance.clearResourceTimings();
    }});
  }};
  look();
}})"""
STAGES = ("noticed, looked at again, told", "page fetched", "frame fetched", "set, painted")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--saves", type=int, default=30, help="how many of each (default: %(default)s)")
    parser.add_argument("--posts", type=int, default=20, help="posts of the issue (default: %(default)s)")
    parser.add_argument("--words", type=int, default=500, help="words of each (default: %(default)s)")
    options = parser.parse_args()
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        sys.exit("There is no Chromium on this machine: install one, or set CHROMIUM to its path.")
    load = os.getloadavg()[0]
    print(
        f"{options.posts} posts of {options.words} words, {options.saves} saves each; {machine()}, load {load:.1f}\n"
    )
    print(f"{'from a save to the screen, ms':<34} {'median':>8} {'p95':>8} {'most':>8}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        print(f"{'two frames of an idle page':<34} {idle(browser.new_page()):>8.0f}")
        for show in ("lead", "full"):
            with newsletter(options.posts, options.words, show) as root:
                with previewing(root) as url:
                    page = browser.new_page(viewport={"width": 1500, "height": 1000})
                    page.goto(url)
                    rows = list(measure(page, root, options.saves, show))
                    page.close()
                report(show, rows, looking(root))
        browser.close()


def machine() -> str:
    return f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


def idle(page: Page) -> float:
    """Take the time that no page can undercut: from a frame to the one after the next."""
    page.set_content("<p>Nothing</p>")
    return statistics.median(
        page.evaluate(
            "() => new Promise(d => { const t = performance.now();"
            " requestAnimationFrame(() => requestAnimationFrame(() => d(performance.now() - t))); })"
        )
        for _ in range(10)
    )


@contextmanager
def newsletter(posts: int, words: int, show: str) -> Iterator[Path]:
    root = Path(tempfile.mkdtemp(prefix="preview-"))
    try:
        make_archive(root / "posts", posts, words)
        (root / "newsletter.toml").write_text(SETTINGS.format(show=show), "utf-8")
        yield root
    finally:
        shutil.rmtree(root, ignore_errors=True)


@contextmanager
def previewing(root: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "pipeline", "-C", str(root), "preview", "-p", "0"]
    with subprocess.Popen(
        command,
        cwd=HERE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env={**ENVIRONMENT, "PYTHONUNBUFFERED": "1"},
    ) as process:
        try:
            assert process.stdout
            said = process.stdout.readline()
            found = re.search(r"http://\S+/", said)
            assert found, said
            yield found[0]
        finally:
            process.terminate()


def measure(page: Page, root: Path, saves: int, show: str) -> Iterator[Sequence[float]]:
    """Save again and again; yield the total and its stages, in milliseconds."""
    page.evaluate(LISTEN)
    files = sorted((root / "posts").rglob("*.md"))
    for number in range(saves + 2):
        file = files[number % len(files)]
        word = f"zebra{number}"
        text = file.read_text("utf-8")
        # Cards show the excerpt, whole posts their text.
        changed = (
            f"{text}\nA {word}.\n" if show == "full" else re.sub(r"(?m)^summary: ", f"summary: {word} ", text)
        )
        begun = time.time() * 1000
        file.write_text(changed, "utf-8")
        found = page.evaluate(WAIT, word)
        moments = [begun, found["told"], found["page"], found["frame"], found["seen"]]
        if number >= 2:  # the first ones fill memories
            yield [
                found["seen"] - begun,
                *(later - earlier for earlier, later in pairwise(moments)),
            ]
        # People pause longer between two saves; the checks of this one are through by then.
        time.sleep(1)


def looking(root: Path) -> tuple[float, float]:
    """Take the time of looking again alone, and of the checks that follow, in a process that does nothing else."""
    code = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from pipeline.preview.live import Live, Wanted\n"
        "live = Live(Wanted(Path(sys.argv[1])), print)\n"
        "file = next(Path(sys.argv[1], 'posts').rglob('*.md'))\n"
        "for _ in range(12):\n"
        "    file.write_text(file.read_text('utf-8') + '\\nA word.\\n', 'utf-8')\n"
        "    start = time.perf_counter()\n"
        "    shown = []\n"
        "    live.state = live._renewed(set(), lambda _: bool(shown.append(time.perf_counter())) or True)\n"
        "    print((shown[0] - start) * 1000, (time.perf_counter() - shown[0]) * 1000)\n"
    )
    out = subprocess.run(
        [sys.executable, "-c", code, str(root)],
        cwd=HERE,
        env=ENVIRONMENT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    rows = [line.split() for line in out.splitlines()[2:]]
    return statistics.median(float(look) for look, _ in rows), statistics.median(
        float(check) for _, check in rows
    )


def report(show: str, rows: list[Sequence[float]], alone: tuple[float, float]) -> None:
    totals = sorted(row[0] for row in rows)
    p95 = totals[min(len(totals) - 1, round(len(totals) * 0.95))]
    verdict = f"{'under' if totals[-1] < LIMIT else 'NOT always under'} {LIMIT} ms"
    middle = statistics.median(totals)
    print(f"{f'show = {show}':<34} {middle:>8.0f} {p95:>8.0f} {totals[-1]:>8.0f}   {verdict}")
    for place, stage in enumerate(STAGES, 1):
        took = sorted(row[place] for row in rows)
        share = statistics.mean(took) / statistics.mean(totals)
        print(f"  {stage:<32} {statistics.median(took):>8.0f} {'':>8} {took[-1]:>8.0f}   {share:.0%}")
        if place == 1:
            print(f"    {'looking again, measured alone':<30} {alone[0]:>8.0f}")
    print(f"  {'checks, shown afterwards':<32} {alone[1]:>8.0f}\n", flush=True)


if __name__ == "__main__":
    main()
