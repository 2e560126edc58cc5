"""Tells who asks, behind the proxies whose word is taken; for counting, never for writing down."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING

from pipeline.serving.headers import values

if TYPE_CHECKING:
    from starlette.types import Scope

Address = IPv4Address | IPv6Address

#: A household or a machine has a whole network of them (RFC 6177), so they count as one.
PREFIX = 64


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks."""

    #: Whom limits count: an IPv4 address, an IPv6 network, or "" for all of whom nothing is known.
    client: str
    #: True if a proxy says that it was asked without TLS.
    in_the_clear: bool = False
    #: True if a neighbour who is not trusted spoke for somebody else: a proxy that settings do not name.
    spoken_for: bool = False


class Visitors:
    """Knows the proxies."""

    def __init__(self, trusted: Iterable[str]) -> None:
        self._trusted = [ip_network(each) for each in trusted]

    def trusts(self, host: str) -> bool:
        """Tell whether a peer is one of the proxies."""
        address = _read(host)
        return address is not None and self._is_proxy(address)

    def who(self, scope: Scope) -> Visitor:
        """Return who is behind a request."""
        peer = _read((scope.get("client") or ("",))[0])
        told = ",".join(values(scope, b"x-forwarded-for")).split(",")
        if peer is None or not self._is_proxy(peer):
            near = peer is not None and peer.is_private
            return Visitor(_limit_key(peer), spoken_for=near and bool(told[0]))
        proto = values(scope, b"x-forwarded-proto")
        in_the_clear = bool(proto) and proto[-1].rpartition(",")[2].strip().lower() == "http"
        return Visitor(_limit_key(self._behind(peer, told)), in_the_clear)

    def _behind(self, peer: Address, told: Sequence[str]) -> Address:
        """Return the last hop that no proxy of ours is: whatever stands to the left of it anybody can write."""
        found = peer
        for hop in reversed(told):
            address = _read(hop)
            if address is None:
                break
            found = address
            if not self._is_proxy(address):
                break
        return found

    def _is_proxy(self, address: Address) -> bool:
        return any(address in network for network in self._trusted)


def _read(text: str) -> Address | None:
    """Read an address as proxies write it: perhaps in brackets, perhaps with a port."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def limit_key(host: str) -> str:
    """Return whom limits count for a peer's address: a whole network where a household has one."""
    return _limit_key(_read(host))


def _limit_key(address: Address | None) -> str:
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, PREFIX), strict=False))
    return "" if address is None else str(address)
