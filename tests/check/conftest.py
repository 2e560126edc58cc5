"""A newsletter in which every check is content, to be spoilt in one place."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path

import pytest
from support.pictures import png

from pipeline import editing
from pipeline.check.run import Report
from pipeline.project import Project, open_project
from pipeline.render.theme.theme import Theme
from pipeline.settings import Newsletter, Settings

CLOCK = "2026-01-04T08:00"
SECRET = {"NEWSLETTER_SECRET": "a secret that only these tests know, long enough"}
SETTINGS = """\
[newsletter]
name = "The Letter"
from = "The Letter <letter@example.org>"
url = "https://letter.example.org"
language = "en"
timezone = "UTC"
postal_address = "12 Example Street, Exampletown"

[issue]
subject = "{{ lead.title }}"
show = "full"

[checks]
"""
SNOW = """\
---
title: Snow on the roofs
date: 2026-01-02
author: Ana Ruiz
category: Weather
excerpt: Where it fell, and how long it will stay.
---

Since Friday, January 2, 2026, it has snowed in the hills.

## What is known

The [report of the weather office](https://weather.example/report) says so.

![A drift against a barn door](drift.png)

### How it is measured

With a `{{ ruler }}`, TKs and other tools.

    TODO: this is code, {{ like_this }}

Last line.
"""
RAIN = """\
---
title: Rain in the valley
date: 2026-01-01
author: Ben Ode
category: Weather
excerpt: The river stands high, but the bridge is open.
---

The river stands high.
"""

#: Path -> the text or bytes that is to be there, or pairs of what is replaced by what.
Edits = Mapping[str, str | bytes | tuple[tuple[str, str], ...]]


@lru_cache(maxsize=8)
def built_in(newsletter: str) -> Theme:
    return Theme([], Settings.model_validate({"newsletter": Newsletter.model_validate_json(newsletter)}))


class Letter:
    """A newsletter's folder, and its checks."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def edit(self, edits: Edits) -> None:
        for path, change in edits.items():
            file = self.root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(change, bytes):
                file.write_bytes(change)
                continue
            text = change if isinstance(change, str) else file.read_text("utf-8")
            for old, new in () if isinstance(change, str) else change:
                assert old in text, f"{path} does not hold {old!r}"
                text = text.replace(old, new, 1)
            file.write_text(text, "utf-8", newline="")

    def open(self, environ: Mapping[str, str] | None = None) -> Project:
        project = open_project(self.root, CLOCK, SECRET | dict(environ or {}))
        if not (self.root / "templates").exists():
            # The built-in theme is the same for all, and compiling it is most of what a check costs.
            project.__dict__["theme"] = built_in(project.settings.newsletter.model_dump_json())
        return project

    def check(self, environ: Mapping[str, str] | None = None) -> Report:
        return editing.check(self.open(environ), None, None)


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sound")
    made = Letter(root)
    made.edit(
        {
            "newsletter.toml": SETTINGS,
            "posts/snow.md": SNOW,
            "posts/rain.md": RAIN,
            "posts/drift.png": png(400, 300),
        }
    )
    made.check()  # opens the store, so that copies need not
    return root


@pytest.fixture
def letter(sound: Path, tmp_path: Path) -> Callable[[Edits], Letter]:
    """Make a copy of the sound newsletter, spoilt."""

    def make(edits: Edits) -> Letter:
        shutil.copytree(sound, tmp_path / "letter", dirs_exist_ok=True)
        made = Letter(tmp_path / "letter")
        made.edit(edits)
        return made

    return make
