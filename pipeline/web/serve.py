"""Serves the readers' pages until it is told to end, with the postman beside them."""

from __future__ import annotations

import errno
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pipeline.errors import NewsletterError, SettingsError, UsageError
from pipeline.postman import Postman
from pipeline.serving import server
from pipeline.serving.server import configure
from pipeline.web.app import Desk, make_app
from pipeline.web.keeper import Keeper, Open, clock_of
from pipeline.web.limits import Limits
from pipeline.web.pages import Place
from pipeline.web.protocol import Wary, WaryServer
from pipeline.web.rehearsal import rehearse
from pipeline.web.site import INDEX, Site
from pipeline.web.visit import Visit
from pipeline.web.visitors import Visitors

if TYPE_CHECKING:
    from pipeline.project import Project

HOST, PORT = "127.0.0.1", 8080
#: The port of addresses that name none (RFC 9110, 4.2.1).
HTTP = 80
#: What a system says of an address that is none of its own, or of a kind that it does not have.
NOT_OURS = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
#: Seconds that requests under way have to be finished in, once it is told to end.
PATIENCE = 25
#: Seconds that the letter under way has after that.
LETTER = 20

_log = logging.getLogger("pipeline.web")


def listen(address: str, port: int) -> socket.socket:
    """Take a port of an address. Raises UsageError for what is no address, NewsletterError if it cannot be had."""
    try:
        found = socket.getaddrinfo(
            address.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except OSError as fault:
        raise _no_address(address, fault) from fault
    family, _, _, _, place = found[0]
    try:
        return server.listen(family, place)
    except OSError as fault:
        if fault.errno in NOT_OURS:
            raise _no_address(address, fault) from fault
        raise NewsletterError(
            f"port {port} of {address} cannot be had: {fault.strerror}. Take another with -p; 0 takes any that is free."
        ) from fault


def _no_address(address: str, fault: OSError) -> UsageError:
    return UsageError(f"-b {address}: {fault.strerror}. Name an address of this machine, like {HOST}.")


def concerns(project: Project, at: str, *, site: bool) -> list[str]:
    """Say what readers will not get as things stand: mail that cannot go, pages that are not there, buttons.

    `at` is where it listens, like http://127.0.0.1:8080/; `site` is whether public/ is served as well.
    """
    settings, found = project.settings, []
    if project.theme.untranslated and settings.checks.get("words-missing") != "off":
        found.append(
            f"for want of words in {settings.newsletter.language}, pages and letters say "
            f"{'everything' if project.theme.speaks == 'en' else 'some things'} in English. Write "
            f"templates/words/{settings.newsletter.language}.toml."
        )
    try:
        if settings.mail.mailer == "outbox":
            found.append(
                "confirmations are not sent: the outbox mailer writes them into outbox/mail/. Set mailer under [mail]."
            )
        else:
            _ = project.mailer
    except SettingsError as fault:
        found.append(f"confirmations cannot be sent, so nobody can subscribe: {fault}")
    if site and not (project.public / INDEX).is_file():
        found.append("public/ is not there yet, so / leads nowhere. Make it with: newsletter build")
    if urlsplit(settings.web_url).scheme != "https":
        where = "" if _leads_to(settings.web_url, at) else f"Links in letters lead there, not to {at} here. "
        found.append(
            f"web.url is {settings.web_url}. {where}Without https, mail programs offer no button to unsubscribe "
            "(RFC 8058, 3.1)."
        )
    elif not settings.web.trusted_proxies:
        found.append(
            "web.trusted_proxies is empty. Something in front of this must speak https; name its address, or all "
            "readers count as one client."
        )
    return found


def _leads_to(url: str, at: str) -> bool:
    """Tell whether somebody on this machine who follows an address comes to where we listen."""
    asked, ours = urlsplit(url), urlsplit(at)
    near = asked.hostname in ("localhost", "127.0.0.1", "::1", ours.hostname)
    return near and (asked.port or HTTP) == ours.port


def serve(
    project: Project,
    again: Callable[[], Project],
    listener: socket.socket,
    ready: Callable[[], None],
    *,
    site: bool,
    pretends: bool,
) -> None:
    """Answer until Ctrl-C or SIGTERM; `ready` is called when the first request can come.

    `again` opens the newsletter anew, `site` is whether public/ is served as
    well, and `pretends` whether the project's moment is a pretended one. Raises
    what opening raises.
    """
    settings, web = project.settings, urlsplit(project.settings.web_url)
    clock, visitors = clock_of(project, pretends=pretends), Visitors(settings.web.trusted_proxies)
    opened = Open(project)

    def reopened() -> Project:
        other = again()
        other.had_store = True
        return other

    postman = Postman(reopened, clock, lambda text: _log.warning("newsletter: %s", text))
    desk = Desk(
        Keeper(opened, lambda: Open(reopened()), clock),
        Limits(settings.web.subscribe_limit),
        postman.wake,
        Site(project.public, f"{web.scheme}://{web.netloc}") if site else None,
    )
    rehearse(Visit(project, opened.pages, clock(), Place(), "", desk.limits, opened.categories))

    class Connection(Wary):
        trusts = staticmethod(visitors.trusts)

    app = make_app(desk, visitors, settings.web_url)
    http = WaryServer(configure(app, PATIENCE, http=Connection), ready)
    try:
        with at_work(postman):
            server.run(http, http.serve(sockets=[listener]))
    finally:
        desk.close()


@contextmanager
def at_work(postman: Postman) -> Iterator[None]:
    """Have the postman work in a thread of his own; at the end he finishes the letter that is under way."""
    stop = threading.Event()
    thread = threading.Thread(target=postman.run, args=(stop,), name="postman", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        postman.wake()
        thread.join(LETTER)
        if thread.is_alive():
            # A relay that does not answer: what is under way is in doubt, as it would be after a crash.
            postman.abandon()
            thread.join(1)
