"""The command `newsletter`: reads arguments, calls one verb, prints.

Commands are imported when they are named, so that `--help` stays quick.
"""

from __future__ import annotations

import gc
import sys
from importlib import import_module
from pathlib import Path

import click

from pipeline import __version__
from pipeline.cli.context import Context, common_options
from pipeline.errors import NewsletterError

#: Command -> its one line of help; the module in this folder has the same name.
COMMANDS = {
    "status": "What the next issue takes, what is left out and why, and how the last one went.",
    "draft": "Write issues/NNNN.md to edit: subject, preheader, posts in order, your note.",
    "preview": "See the issue in a browser as readers will, live while you write.",
    "check": "Look for what readers should not see; --json and --strict for scripts.",
    "build": "Write the public site and the issue's files, without sending.",
    "test": "Send yourself one copy, marked [TEST], counted nowhere.",
    "approve": "Seal what was looked at; a later change makes send refuse and show it.",
    "send": "Compose, render, check, freeze, publish and deliver the next issue.",
    "resume": "Go on with an issue that was interrupted or paused, from its frozen bytes.",
    "pause": "Hold an issue back: a run at work ends before its next message.",
    "cancel": "Call an issue off: who does not have it yet never gets it.",
    "settle": "Say what became of copies in doubt: accepted, or once more.",
    "report": "The receipt of an issue: counts by answer and by domain, rate, doubts.",
    "serve": "Serve the pages on which readers subscribe, choose and leave; --site for the whole site.",
    "hear": "Read what came back: bounces, complaints, mails by which readers leave.",
    "subscribers": "Import, add, remove, list, show, forget and export the people who read.",
}


class Commands(click.Group):
    """Knows its commands by name and imports one when it is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"pipeline.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            close = get_close_matches(args[0], COMMANDS, 1)
            hint = f" Did you mean `{close[0]}`?" if close else " `newsletter -h` lists them."
            raise click.UsageError(f"There is no command {args[0]!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands without importing one."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Begin with `newsletter status`. Every command ends by naming the next one.",
)
@common_options
@click.version_option(__version__, "-V", "--version", message="newsletter %(version)s")
@click.pass_context
def newsletter(ctx: click.Context, /, **common: object) -> None:
    """A weekly newsletter from a folder of Markdown posts.

    Write in posts/, look with `newsletter status` and `newsletter check`, send with `newsletter send`.
    """
    ctx.obj = Context()
    ctx.obj.take(common)


def main() -> None:
    """Run the command line; end with an exit code of docs/commands.md."""
    # A command is short and holds what it reads to its end: looking for garbage among 10,000 posts finds none.
    gc.set_threshold(100_000, 50, 100)
    try:
        code = newsletter.main(standalone_mode=False)
    except NewsletterError as fault:
        code = explain(fault)
    except click.ClickException as fault:
        fault.show()
        code = 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("\nStopped. What was written down stands; the same command goes on from there.", err=True)
        code = 130
    except BrokenPipeError:
        # Whoever read our output has seen enough; the interpreter must not complain about it at its end.
        sys.stdout = None
        code = 0
    except OSError as fault:
        said = f"newsletter: {fault.filename or 'the system'}: {fault.strerror or fault}"
        again = ["Mend that, then run the command again."]
        click.echo("\n".join([said, *(notes(fault) or again)]), err=True)
        code = 1
    except Exception as fault:
        code = confess(fault)
    sys.exit(code if isinstance(code, int) else 0)


def confess(fault: Exception) -> int:
    """Own up to a fault of ours in two lines; with -v, the traceback that its report needs."""
    if {"-v", "--verbose"} & set(sys.argv[1:]):
        import traceback

        traceback.print_exception(fault)
    last = fault.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    place = f" at {Path(last.tb_frame.f_code.co_filename).name}:{last.tb_lineno}" if last else ""
    click.echo(
        f"newsletter: a fault of the program itself: {type(fault).__name__}{place}: {fault}\n"
        "What was written down stands; the same command goes on from there. Please report this, with what the "
        "command prints if you add -v.",
        err=True,
    )
    return 1


def explain(fault: NewsletterError) -> int:
    """Print what is wrong and what to do; return the exit code."""
    click.echo("\n".join([f"newsletter: {fault}", *notes(fault)]), err=True)
    return fault.exit_code


def notes(fault: BaseException) -> list[str]:
    """Return what was added to a fault on its way up."""
    return list(getattr(fault, "__notes__", ()))
