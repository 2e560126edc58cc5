"""Talking to servers in a way that nobody on the way can read or pretend to be."""

from __future__ import annotations

import ipaddress
import ssl

from pipeline.errors import SettingsError


def tls_context(ca_file: str | None, setting: str) -> ssl.SSLContext:
    """Return what certificates and host names are verified with, the authorities of a PEM file included.

    Raises SettingsError, which names `setting`, if the file is none.
    """
    context = ssl.create_default_context()
    if ca_file:
        try:
            context.load_verify_locations(ca_file)
        except OSError as fault:  # ssl.SSLError is one: no certificate in it
            raise SettingsError(
                f"{setting}: {ca_file} cannot be used: {fault.strerror or fault}. "
                "It must be a file with certificates in PEM."
            ) from fault
    return context


def loopback(host: str) -> bool:
    """Tell whether a host is this very machine, so that nothing said to it leaves it."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
