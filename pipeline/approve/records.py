"""Keeps what was tested and approved beside the issue's other papers, as JSON.

The approval itself stands in the issue's file, where people and git see it;
here is what it takes to say what has changed since.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline.atomic import write_atomic
from pipeline.model import Approval, Seal, Trial

TRIALS, SEAL = "tests.json", "approved.json"


def read_trials(folder: Path) -> tuple[Trial, ...]:
    """Return the test copies of an issue, newest first; none where nothing, or nothing sensible, is written."""
    stored = _read(folder / TRIALS)
    try:
        found = [
            Trial(item["build"], datetime.fromisoformat(item["at"]), item["by"]) for item in stored or ()
        ]
    except (KeyError, TypeError, ValueError):
        return ()
    return tuple(sorted(found, key=lambda trial: trial.at, reverse=True))


def add_trial(folder: Path, trial: Trial) -> None:
    """Remember a test copy."""
    trials = sorted([*read_trials(folder), trial], key=lambda each: each.at)
    _write(folder / TRIALS, [asdict(each) | {"at": each.at.isoformat()} for each in trials])


def read_seal(folder: Path, approval: Approval) -> Seal | None:
    """Return what an approval sealed; None if that is not written here, or is another approval's."""
    stored = _read(folder / SEAL)
    try:
        held = stored["approval"]
        same = Approval(held["by"], datetime.fromisoformat(held["at"]), held["build"], held["mail"])
        if same != approval:
            return None
        return Seal(
            approval=approval,
            parts=dict(stored["parts"]),
            exact=dict(stored["exact"]),
            subject=stored["subject"],
            posts=tuple((str(name), str(title)) for name, title in stored["posts"]),
            text=stored["text"],
        )
    except (KeyError, TypeError, ValueError):
        return None


def write_seal(folder: Path, seal: Seal) -> None:
    """Write down what was approved."""
    document = asdict(seal)
    document["approval"]["at"] = seal.approval.at.isoformat()
    _write(folder / SEAL, document)


def _read(file: Path) -> Any:
    try:
        return json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None


def _write(file: Path, document: object) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(file, (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode())
