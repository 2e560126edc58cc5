"""`newsletter preview`: the issue in a browser, live, or as a folder of pages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.cli.context import NUMBER, Context, Verb, latest_option, pass_context, since_option
from pipeline.errors import NewsletterError, installing

if TYPE_CHECKING:
    from pipeline.preview.live import Wanted


#: What the extra `web` brings.
EXTRA = frozenset({"starlette", "uvicorn", "watchfiles", "anyio", "h11"})


@click.command(cls=Verb)
@click.argument("number", type=NUMBER, required=False)
@click.option(
    "-p",
    "--port",
    type=click.IntRange(0, 65535),
    metavar="PORT",
    help="Just this port; 0 takes any that is free.",
)
@click.option(
    "-b", "--bind", metavar="ADDR", default="127.0.0.1", help="Another address of this machine's own."
)
@click.option("-o", "--open", "open_it", is_flag=True, help="Open it in the browser.")
@click.option(
    "--export", type=click.Path(path_type=Path), metavar="DIR", help="Write the pages to a folder instead."
)
@since_option
@latest_option
@pass_context
def command(
    context: Context,
    number: int | None,
    port: int | None,
    bind: str,
    open_it: bool,
    export: Path | None,
    since: str | None,
    latest: int | None,
) -> int:
    """Show issue NUMBER (the next one by default) in a browser, as readers will get it.

    Every save of a post, a draft, a template or newsletter.toml shows at once. Ends with Ctrl-C.
    """
    try:
        from pipeline.preview import serve  # noqa: F401
        from pipeline.preview.live import Wanted
    except ModuleNotFoundError as fault:
        if (fault.name or "").partition(".")[0] not in EXTRA:
            raise
        raise NewsletterError(
            f"the preview needs a web server ({fault.name}). {installing('web')}"
        ) from fault
    from pipeline.project import read_moment

    project = context.project
    wanted = Wanted(project.root, number, context.clock, read_moment(since, project.settings), latest)
    if export is not None:
        return write(context, wanted, export)
    return show(context, wanted, bind, port, open_it=open_it)


def show(context: Context, wanted: Wanted, bind: str, port: int | None, *, open_it: bool) -> int:
    """Serve the preview until Ctrl-C, which is the ordinary end."""
    import logging

    from pipeline.preview.live import Live
    from pipeline.preview.serve import listen, serve
    from pipeline.serving.server import url_of

    if context.verbose:
        logging.getLogger("pipeline").setLevel(logging.DEBUG)
    listener = listen(bind, port)
    live = Live(wanted, context.hint)
    url = url_of(listener)

    def ready() -> None:
        context.say(f"Preview of issue {live.state.number}: {url}  Ctrl-C stops it")
        if open_it:
            click.launch(url)

    serve(live, listener, ready)
    return 0


def write(context: Context, wanted: Wanted, folder: Path) -> int:
    """Write every view as a page of its own, to attach to a review."""
    from pipeline.preview.export import export
    from pipeline.preview.live import Live

    state = Live(wanted, context.hint).state
    export(state, folder)
    context.say(f"Wrote the preview of issue {state.number}. Open {folder / 'index.html'}")
    return 0
