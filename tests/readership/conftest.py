"""A newsletter without readers, opened in this process, and everybody's exports."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.letter import CLOCK, HERE, SECRET

from pipeline.project import Project, open_project

LISTS = HERE / "tests/audience/lists"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "letter"
    shutil.copytree(LISTS, folder, ignore=shutil.ignore_patterns("*.expected"))
    shutil.copy(HERE / "newsletter.toml", folder)
    return folder


@pytest.fixture
def project(root: Path) -> Project:
    return open_project(root, CLOCK, {"NEWSLETTER_SECRET": SECRET})
