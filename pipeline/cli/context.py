"""What every command is given: where it works, what time it is, how it may speak."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from rich.console import Console

    from pipeline.project import Project

Function = TypeVar("Function", bound=Callable[..., Any])

#: Understood before and after the command's name.
COMMON: tuple[Callable[[Function], Function], ...] = (
    click.option(
        "-C", "--project", type=click.Path(path_type=Path), metavar="DIR", help="The newsletter's folder."
    ),
    click.option("--clock", metavar="TIME", help="Pretend it is then, like 2026-01-31T08:00."),
    click.option("-v", "--verbose", is_flag=True, help="Say more."),
    click.option("-q", "--quiet", is_flag=True, help="Say only what went wrong."),
    click.option("--no-color", is_flag=True, help="No colour; the variable NO_COLOR says the same."),
)


def common_options(function: Function) -> Function:
    """Add -C, --clock, -v, -q and --no-color."""
    for option in reversed(COMMON):
        function = option(function)
    return function


class Context:
    """The common options, and the newsletter they name."""

    def __init__(self) -> None:
        self.root = Path()
        self.clock: str | None = None
        self.verbose = False
        self.quiet = False
        self.no_color = bool(os.environ.get("NO_COLOR"))

    def take(self, options: Mapping[str, Any]) -> None:
        """Heed the common options that were given; what was not given stays."""
        self.root = options["project"] or self.root
        self.clock = self.clock if options["clock"] is None else options["clock"]
        self.verbose |= options["verbose"]
        self.quiet |= options["quiet"]
        self.no_color |= options["no_color"]

    @cached_property
    def project(self) -> Project:
        """The newsletter, opened at its first use."""
        from pipeline.project import open_project

        return open_project(self.root, self.clock)

    @cached_property
    def console(self) -> Console:
        """Standard error with colour and bars, where a person looks at it."""
        from rich.console import Console

        return Console(stderr=True, no_color=self.no_color, highlight=False, soft_wrap=True)

    def say(self, text: str = "") -> None:
        """Print an answer for a person, on standard output."""
        if not self.quiet:
            click.echo(text)

    def hint(self, text: str) -> None:
        """Print something beside the answer, on standard error."""
        if not self.quiet:
            click.echo(text, err=True)

    def warn(self) -> None:
        """Print, once, what the newsletter's opening had to warn of."""
        project = self.__dict__.get("project")
        while project and project.warnings:
            click.echo(f"warning: {project.warnings.pop(0)}", err=True)

    @staticmethod
    def json(document: object) -> None:
        """Print exactly one JSON document on standard output."""
        click.echo(json.dumps(document, ensure_ascii=False, indent=2))

    @staticmethod
    def json_list(items: Iterable[object]) -> None:
        """Print one JSON document that is a list, item by item, so that it may be of any length."""
        before = "[\n"
        for item in items:
            text = json.dumps(item, ensure_ascii=False, indent=2)
            click.echo(before + "  " + text.replace("\n", "\n  "), nl=False)
            before = ",\n"
        click.echo("[]" if before == "[\n" else "\n]")

    @staticmethod
    def interactive() -> bool:
        """Tell whether a person can be asked."""
        return sys.stdin.isatty() and sys.stderr.isatty()


class Verb(click.Command):
    """A command that understands the common options too, and hands its function the Context first."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        common_options(self)
        self.params += reversed(self.__dict__.pop("__click_params__", []))

    def invoke(self, ctx: click.Context) -> Any:
        """Take the common options out of the way, then run."""
        ours = {name: ctx.params.pop(name) for name in ("project", "clock", "verbose", "quiet", "no_color")}
        ctx.obj.take(ours)
        try:
            return super().invoke(ctx)
        finally:
            ctx.obj.warn()


pass_context = click.make_pass_decorator(Context)

#: An issue's number; files and the ledger have room for nine digits.
NUMBER = click.IntRange(min=1, max=999_999_999)

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead.")
by_option = click.option("--by", metavar="NAME", help="In whose name; by default your login name.")
join_option = click.option("--join", is_flag=True, help="Help a run that is at work on it already.")
since_option = click.option(
    "--since", metavar="DATE", help="Older posts count as published before; no issue will carry them."
)
latest_option = click.option(
    "--latest",
    type=click.IntRange(min=1),
    metavar="N",
    help="Take the newest N; other new posts count as published before.",
)
