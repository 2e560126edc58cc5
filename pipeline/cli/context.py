"""What every command is given: where it works, what time it is, how it may speak."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console

    from pipeline.project import Project


@dataclass
class Context:
    """The common options, and the newsletter they name."""

    root: Path
    clock: str | None = None
    verbose: bool = False
    quiet: bool = False
    no_color: bool = False

    @cached_property
    def project(self) -> Project:
        """The newsletter, opened at its first use."""
        from pipeline.project import open_project

        return open_project(self.root, self.clock)

    @cached_property
    def console(self) -> Console:
        """Standard error with colour and bars, where a person looks at it."""
        from rich.console import Console

        plain = self.no_color or bool(os.environ.get("NO_COLOR"))
        return Console(stderr=True, no_color=plain, highlight=False, soft_wrap=True)

    def say(self, text: str = "") -> None:
        """Print an answer for a person, on standard output."""
        if not self.quiet:
            click.echo(text)

    def hint(self, text: str) -> None:
        """Print something beside the answer, on standard error."""
        if not self.quiet:
            click.echo(text, err=True)

    @staticmethod
    def json(document: object) -> None:
        """Print exactly one JSON document on standard output."""
        click.echo(json.dumps(document, ensure_ascii=False, indent=2))

    @staticmethod
    def interactive() -> bool:
        """Tell whether a person can be asked."""
        return sys.stdin.isatty() and sys.stderr.isatty()


pass_context = click.make_pass_decorator(Context)
