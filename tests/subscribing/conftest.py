"""The sample newsletter, opened, with verbs called as the web's pages call them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.letter import SECRET, copy_sample

from pipeline.project import Project, open_project


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    copy_sample(tmp_path / "letter")
    opened = open_project(tmp_path / "letter", "2026-01-04T08:00", {"NEWSLETTER_SECRET": SECRET})
    yield opened
    opened.store.close_database()  # type: ignore[attr-defined]
