"""Ours: `weekly.resume` of a frozen issue, from its ledger on disk, as `newsletter resume 1` does it.

Programs are read and the ledger is opened before the clock starts; the whole command is measured beside this one.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from clock import measured

from pipeline import weekly
from pipeline.project import open_project


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="a newsletter with issue 1 frozen")
    asked = parser.parse_args()
    project = open_project(asked.folder, environ=os.environ)
    import pipeline.deliver.run  # noqa: F401  # what resume reads when it is first called

    _ = (project.store.readers(), project.mailer, project.tokens, project.theme)
    with measured():
        record = weekly.resume(project, 1, lambda _: None, lambda: False)
    if record.counts.accepted != record.counts.readers:
        raise SystemExit(f"not everybody was given a copy: {record.counts}")


if __name__ == "__main__":
    main()
