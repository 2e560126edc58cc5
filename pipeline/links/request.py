"""Asks one address once: looks its host up, checks where that is, connects there and nowhere else, reads the head.

httpx2 is used through its transport alone, below everything that would add to
a request (cookies, credentials, proxies, a Referer) or follow a redirect.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import ssl
import threading
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, TypeVar

from pipeline.links.judge import Fault, fault
from pipeline.links.places import Guard
from pipeline.model import LinkAnswer, LinkState

if TYPE_CHECKING:
    import httpx2

Result = TypeVar("Result")

#: Finds the IP addresses of a host and port; raises OSError like socket.getaddrinfo. May block.
LookUp = Callable[[str, int], Sequence[str]]

#: Of a host's addresses, how many are tried.
MOST_ADDRESSES = 3
#: What the resolver says of names that do not exist; all else may be over in a minute.
NO_SUCH_HOST = frozenset(
    getattr(socket, name) for name in ("EAI_NONAME", "EAI_NODATA") if hasattr(socket, name)
)
#: What this machine says where there is no way out of it.
NO_WAY_OUT = frozenset({errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL})


@dataclass(frozen=True, slots=True)
class Reply:
    """The head of one HTTP answer, and as much of its body as was asked for."""

    code: int
    location: str = ""
    retry_after: str = ""
    body: bytes = b""


def look_up(host: str, port: int) -> list[str]:
    """Ask the system's resolver."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(info[4][0]) for info in found))


class Asker:
    """Holds what all requests of one visit share, and remembers whether anything could be reached."""

    def __init__(
        self, agent: str, allowed: Guard, look_up: LookUp, trust: ssl.SSLContext | None, connect: float
    ) -> None:
        import httpx2

        self._connect = connect
        self._agent = agent
        self._allowed = allowed
        self._look_up = look_up
        # No connection is kept, so that every request goes through the check of its address.
        self._transport = httpx2.AsyncHTTPTransport(
            verify=trust or True, limits=httpx2.Limits(max_keepalive_connections=0)
        )
        #: A server took a connection, or said that it takes none: there is a network.
        self.reached = False
        #: A name was looked up with success.
        self.resolved = False
        #: Hosts that were tried and not reached, though not for want of a way out of this machine.
        self.silent: set[str] = set()

    async def close(self) -> None:
        """Give back what the transport holds."""
        await self._transport.aclose()

    async def ask(self, method: str, url: str, keep: int = 0) -> Reply:
        """Send one request, and return the answer's head and up to `keep` bytes of its body.

        Raises Fault if there is no answer. Knows no deadline but the connection's: that is the caller's.
        """
        target = read(url)
        port = target.port or (443 if target.scheme == "https" else 80)
        addresses = await self.find(target.raw_host.decode("ascii"), port)
        for address in addresses[:-1]:
            with contextlib.suppress(_NotReached):
                return await self._exchange(method, target, address, keep)
        return await self._exchange(method, target, addresses[-1], keep)

    async def find(self, host: str, port: int) -> list[str]:
        """Return addresses of a host that may be asked, at least one. Raises Fault."""
        try:
            found = await _in_thread(self._look_up, host, port)
        except UnicodeError:  # a label that no name can have
            raise fault(LinkState.DEAD, "leads to a host that cannot exist") from None
        except socket.gaierror as failed:
            if failed.errno in NO_SUCH_HOST:
                raise fault(LinkState.DEAD, "leads to a host that does not exist") from None
            raise fault(LinkState.FAILING, "leads to a host whose name could not be looked up") from None
        except OSError:
            raise fault(LinkState.FAILING, "leads to a host whose name could not be looked up") from None
        self.resolved |= not _is_address(host)
        reasons = {address: self._allowed(address, port) for address in found}
        usable = [address for address, reason in reasons.items() if not reason]
        if not usable:
            why = next(iter(reasons.values()), "its host has no usable address")
            raise fault(LinkState.NOT_CHECKED, why)
        # One of each family first: a machine may have a way out by one of them only.
        return sorted(usable, key=lambda a: usable.index(a) if _first(a, usable) else 100)[:MOST_ADDRESSES]

    async def _exchange(self, method: str, target: httpx2.URL, address: str, keep: int) -> Reply:
        import httpx2

        connected = False

        async def watch(event: str, _: object) -> None:
            nonlocal connected
            if event == "connection.connect_tcp.complete":
                connected = self.reached = True

        # The connection goes to the address that was checked: no second look-up could say otherwise. TLS still
        # demands the host's name of the certificate.
        request = httpx2.Request(
            method,
            target.copy_with(host=address),
            headers={
                "Host": target.netloc.decode("ascii"),
                "User-Agent": self._agent,
                "Accept": "*/*",
                "Accept-Encoding": "identity",
                "Connection": "close",
            },
            extensions={
                "timeout": {"connect": self._connect},
                "sni_hostname": target.raw_host.decode("ascii"),
                "trace": watch,
            },
        )
        try:
            response = await self._transport.handle_async_request(request)
            try:
                return await _read(response, keep)
            finally:
                await response.aclose()
        except (httpx2.TransportError, OSError) as failed:
            raise self._explain(failed, target.host, connected) from failed

    def _explain(self, failed: Exception, host: str, connected: bool) -> Fault:
        import httpx2

        causes = list(_causes(failed))
        for cause in causes:
            if isinstance(cause, ssl.SSLCertVerificationError):
                return fault(
                    LinkState.CERTIFICATE, f"has a certificate that is not to be trusted: {_words(cause)}"
                )
            if isinstance(cause, ssl.SSLError):
                return fault(LinkState.FAILING, "cannot agree with us on a safe connection (TLS)")
        if connected and isinstance(failed, httpx2.ConnectError | httpx2.ConnectTimeout):
            return fault(LinkState.FAILING, "did not make a safe connection (TLS)")
        if connected and isinstance(failed, httpx2.RemoteProtocolError) and "disconnected" not in str(failed):
            return fault(LinkState.FAILING, "answers with something that is not HTTP", connected=True)
        if connected:
            return fault(LinkState.FAILING, "closed the connection without an answer", connected=True)
        codes = {cause.errno for cause in causes if isinstance(cause, OSError)}
        if errno.ECONNREFUSED in codes:
            self.reached = True
            return _NotReached(LinkAnswer(LinkState.FAILING, "takes no connections"))
        if codes & NO_WAY_OUT:
            return _NotReached(LinkAnswer(LinkState.FAILING, "cannot be reached from here"))
        self.silent.add(host)
        return _NotReached(LinkAnswer(LinkState.FAILING, "did not answer"))


class _NotReached(Fault):
    """This address took no connection; the host's next one might."""


def read(url: str) -> httpx2.URL:
    """Take an address apart. Raises Fault for one that is not to be asked."""
    import httpx2

    try:
        target = httpx2.URL(url)
        target.netloc.decode("ascii")  # what stands in brackets may be no host at all
    except (httpx2.InvalidURL, ValueError):
        raise fault(LinkState.DEAD, "is not an address that can be opened") from None
    if target.scheme not in ("http", "https"):
        raise fault(LinkState.NOT_CHECKED, "only http and https addresses are asked")
    if not target.raw_host or (target.port is not None and not 0 < target.port < 65536):
        raise fault(LinkState.DEAD, "is not an address that can be opened")
    if target.userinfo:
        raise fault(LinkState.NOT_CHECKED, "the address holds a name or a password")
    return target


def follow(url: str, location: str) -> str:
    """Return where a redirect leads. Raises Fault if that is no web page."""
    import httpx2

    try:
        return str(httpx2.URL(url).join(location).copy_with(fragment=None))
    except (httpx2.InvalidURL, ValueError):
        raise fault(LinkState.FAILING, "redirects to what is not an address") from None


async def _read(response: httpx2.Response, keep: int) -> Reply:
    headers = response.headers
    body = b""
    if keep:
        stream: Any = response.stream
        async for chunk in stream:
            body += chunk
            if len(body) >= keep:
                break
    if headers.get("Content-Encoding", "").lower() in ("gzip", "x-gzip"):  # sent though not asked for
        try:
            body = zlib.decompressobj(wbits=31).decompress(body[:keep], keep)
        except zlib.error:
            body = b""
    return Reply(
        response.status_code, headers.get("Location", ""), headers.get("Retry-After", ""), body[:keep]
    )


def _causes(failed: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while failed is not None and failed not in found:
        found.append(failed)
        failed = failed.__cause__ or failed.__context__
    return found


def _words(refused: ssl.SSLCertVerificationError) -> str:
    words = getattr(refused, "verify_message", "") or "it could not be verified"
    return " ".join(str(words).rstrip(".").split())[:120]


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _first(address: str, among: Sequence[str]) -> bool:
    """Tell whether an address is the first of its family."""
    return next(each for each in among if (":" in each) == (":" in address)) == address


async def _in_thread(function: Callable[..., Result], *args: object) -> Result:
    """Run what blocks in a thread that nobody waits for at the end.

    The event loop's own threads would be waited for, and a resolver can take
    minutes: Ctrl-C would seem to do nothing.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Result] = loop.create_future()

    def settle(put: Callable[[Any], None], value: object) -> None:
        if not future.done():  # nobody waits any more
            put(value)

    def hand_over(put: Callable[[Any], None], value: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(settle, put, value)

    def work() -> None:
        try:
            result = function(*args)
        except Exception as failed:
            hand_over(future.set_exception, failed)
        else:
            hand_over(future.set_result, result)

    threading.Thread(target=work, daemon=True, name="look-up").start()
    return await future
