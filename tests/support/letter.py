"""A newsletter in a folder of its own, and the real command to run in it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parents[2]
SECRET = "a secret that only these tests know, long enough"
CLOCK = "2026-01-04T08:00"


@dataclass
class Ran:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def spent() -> float:
    """Seconds of processor time that finished commands took: on a busy machine the clock says nothing of a command."""
    times = os.times()
    return times.children_user + times.children_system


@dataclass
class Letter:
    """A newsletter's folder."""

    root: Path

    def run(
        self, *words: str, clock: str | None = CLOCK, env: dict[str, str] | None = None, stdin: str = ""
    ) -> Ran:
        """Run the real command in a process of its own."""
        command = [sys.executable, "-m", "pipeline", "-C", str(self.root)]
        done = subprocess.run(
            [*command, *(["--clock", clock] if clock else []), *words],
            cwd=HERE,
            env={**os.environ, "NEWSLETTER_SECRET": SECRET, **(env or {})},
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        assert "a fault of the program itself" not in done.stderr, done.stderr
        return Ran(done.returncode, done.stdout, done.stderr)

    def write(self, path: str, text: str) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def post(self, name: str, title: str, date: str, body: str = "Some words to read.", **head: str) -> Path:
        extra = "".join(f"{key}: {value}\n" for key, value in head.items())
        return self.write(f"posts/{name}.md", f"---\ntitle: {title}\ndate: {date}\n{extra}---\n\n{body}\n")

    def replace(self, path: str, old: str, new: str) -> None:
        text = (self.root / path).read_text("utf-8")
        assert old in text
        self.write(path, text.replace(old, new))

    def files(self, folder: str) -> dict[str, bytes]:
        base = self.root / folder
        return {
            f.relative_to(base).as_posix(): f.read_bytes() for f in sorted(base.rglob("*")) if f.is_file()
        }

    def new(self) -> list[str]:
        """Ids of the posts that the next issue takes."""
        return [post["id"] for post in self.run("status", "--json").json["posts"]]


def copy_sample(to: Path) -> Letter:
    for name in ("newsletter.toml", "readers.csv"):
        to.mkdir(exist_ok=True)
        shutil.copy(HERE / name, to / name)
    shutil.copytree(HERE / "posts", to / "posts")
    return Letter(to)


def send_sample(to: Path) -> Letter:
    """The sample newsletter after its first issue."""
    letter = copy_sample(to)
    assert letter.run("subscribers", "import", "readers.csv").code == 0
    ran = letter.run("send", "--yes")
    assert ran.code == 0, ran
    return letter
