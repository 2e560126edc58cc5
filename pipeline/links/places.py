"""Decides where a link may lead this program: to the public web, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

#: Ports on which the web is served. A link to another one could make this program speak to a mail
#: server or a database (fetch.spec.whatwg.org, "bad port", lists them one by one).
PORTS = frozenset({80, 443, 8080, 8443})

#: IPv6 addresses that a translator turns into the IPv4 address in their last 32 bits (RFC 6052, 2.1).
TRANSLATED = IPv6Network("64:ff9b::/96")

#: Says why an address and port are not asked; "" if they may be.
Guard = Callable[[str, int], str]


def public(address: str, port: int) -> str:
    """Say why this IP address and port are not asked; "" if they are part of the public web."""
    try:
        found = ip_address(address)
    except ValueError:
        return "its host has no usable address"
    if not all(_is_public(each) for each in (found, *_inside(found))):
        return "the address is not a public one"
    if port not in PORTS:
        return f"port {port} is not one of the web's"
    return ""


def _inside(address: IPv4Address | IPv6Address) -> list[IPv4Address]:
    """List the IPv4 addresses that an IPv6 address would be turned into on the way."""
    if isinstance(address, IPv4Address):
        return []
    inner = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in TRANSLATED:
        inner.append(IPv4Address(int(address) & 0xFFFF_FFFF))
    return [each for each in inner if each]


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    # These are judged by what is inside; of themselves they count as reserved.
    if isinstance(address, IPv6Address) and (address.ipv4_mapped or address in TRANSLATED):
        return True
    # `is_global` alone lets multicast pass, and what it covers has grown with Python's versions.
    return address.is_global and not (
        address.is_multicast
        or address.is_private
        or address.is_loopback
        or address.is_link_local
        or address.is_unspecified
        or address.is_reserved
        or (isinstance(address, IPv6Address) and address.is_site_local)
    )
