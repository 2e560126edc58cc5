"""`newsletter serve`: the pages on which readers come, choose and go, and the site if it is asked for."""

from __future__ import annotations

import logging

import click

from pipeline.cli.context import Context, Verb, pass_context
from pipeline.errors import NewsletterError, installing

#: What the extra `web` brings.
EXTRA = frozenset({"starlette", "uvicorn", "anyio", "h11", "limits"})


@click.command(cls=Verb)
@click.option(
    "-p",
    "--port",
    type=click.IntRange(0, 65535),
    metavar="PORT",
    default=8080,
    help="The port, 8080 if you name none; 0 takes any that is free.",
)
@click.option(
    "-b",
    "--bind",
    metavar="ADDR",
    default="127.0.0.1",
    help="The address to listen at, 127.0.0.1 if you name none.",
)
@click.option("--site", is_flag=True, help="Serve public/ as well, below /.")
@pass_context
def command(context: Context, port: int, bind: str, site: bool) -> int:
    """Serve the pages on which readers subscribe, confirm, choose and leave, and take in providers' reports.

    Runs until Ctrl-C or SIGTERM, which is the ordinary end; requests under way are finished first.
    """
    try:
        from pipeline.web.serve import concerns, listen, serve
    except ModuleNotFoundError as fault:
        if (fault.name or "").partition(".")[0] not in EXTRA:
            raise
        raise NewsletterError(f"serving needs a web server ({fault.name}). {installing('web')}") from fault
    from pipeline.project import open_project
    from pipeline.serving.server import url_of

    project = context.project
    tell(context)
    listener = listen(bind, port)

    def ready() -> None:
        context.warn()
        at = url_of(listener)
        for concern in concerns(project, at, site=site):
            click.echo(f"warning: {concern}", err=True)
        what = "readers' pages and the site" if site else "readers' pages"
        context.say(f"Serving {what} at {at}  Ctrl-C stops it")

    serve(
        project,
        lambda: open_project(context.root, context.clock),
        listener,
        ready,
        site=site,
        pretends=context.clock is not None,
    )
    context.hint("Stopped; what was under way is finished.")
    return 0


def tell(context: Context) -> None:
    """Have what goes wrong while it runs, and with -v every request, written to standard error, a line each."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    log = logging.getLogger("pipeline")
    log.addHandler(handler)
    log.propagate = False
    log.setLevel(logging.DEBUG if context.verbose else logging.WARNING)
