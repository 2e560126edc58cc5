"""A newcomer adds a check by following docs/adding-a-check.md, and it works."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from support.letter import HERE

from .conftest import CLOCK, Edits, Letter

PAGE = HERE / "docs/adding-a-check.md"


def blocks() -> list[str]:
    """The page's code, in order: the check, its line in the catalogue, its fault."""
    return re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.M | re.S)


def install(checkout: Path) -> None:
    """Do what the page's steps say."""
    check, line, _ = blocks()
    message, catalogue = checkout / "pipeline/check/message.py", checkout / "pipeline/check/catalogue.py"
    message.write_text(f"{message.read_text('utf-8')}\n\n{check}", "utf-8")
    names = catalogue.read_text("utf-8")
    last = re.findall(r"^        message\.\w+,\n", names, re.M)[-1]
    catalogue.write_text(names.replace(last, last + line), "utf-8")


def test_the_check_of_the_page_works_in_ten_lines(letter: Callable[[Edits], Letter], tmp_path: Path) -> None:
    check, line, fault = blocks()
    assert len((check + line + fault).splitlines()) <= 10
    checkout = tmp_path / "checkout"
    for folder in ("pipeline", "templates"):
        shutil.copytree(HERE / folder, checkout / folder, ignore=shutil.ignore_patterns("__pycache__"))
    install(checkout)
    words = dict(re.findall(r'snow\("([^"]+)", "([^"]+)"\)', fault))
    made = letter({"posts/snow.md": tuple(words.items())})
    command = [sys.executable, "-m", "pipeline", "-C", str(made.root), "--clock", CLOCK, "check"]
    ran = subprocess.run(
        command, cwd=checkout, capture_output=True, encoding="utf-8", timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert (
        "posts/snow.md:2 warning shouting SNOW ON THE ROOFS is all capitals\n    write a sentence\n"
        in ran.stdout
    )
