"""The headers that answers carry: what a browser may do with them, and what it must not tell others."""

from __future__ import annotations

from collections.abc import Mapping

#: Every answer's, unless it says otherwise itself. Tokens stand in addresses, so no address may be told to others.
PLAIN: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Robots-Tag": "noindex",
    "Cache-Control": "no-store",
}
#: Two years, as browsers' preload list asks for (hstspreload.org); for this name only, since others are not ours.
HSTS = {"Strict-Transport-Security": "max-age=63072000"}
