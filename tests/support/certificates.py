"""Certificates for relays on loopback: one that a client may trust, and three that it must not."""

from __future__ import annotations

import atexit
import shutil
import ssl
import tempfile
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Literal

import trustme

Certificate = Literal["good", "stranger", "other name", "expired"]


@cache
def _authority(name: str) -> trustme.CA:
    return trustme.CA(organization_name=name)


@cache
def ca_file() -> Path:
    """Write the authority that signs good certificates to a PEM file, which goes when the process does."""
    folder = Path(tempfile.mkdtemp(prefix="relay-ca-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = folder / "ca.pem"
    _authority("Relays for tests").cert_pem.write_to_path(str(path))
    return path


@cache
def server_context(certificate: Certificate = "good") -> ssl.SSLContext:
    """Make a server's side of TLS for `localhost` and 127.0.0.1, or one that says something wrong."""
    authority = _authority("Somebody else" if certificate == "stranger" else "Relays for tests")
    names = ("elsewhere.example",) if certificate == "other name" else ("localhost", "127.0.0.1")
    ends = datetime(2020, 1, 1, tzinfo=UTC) if certificate == "expired" else None
    begins = datetime(2019, 1, 1, tzinfo=UTC) if ends else None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names, not_before=begins, not_after=ends).configure_cert(context)
    return context


def write_server_pem(path: Path) -> None:
    """Write key and certificate of a server that may be trusted, for programs that want them in a file."""
    issued = _authority("Relays for tests").issue_cert("localhost", "127.0.0.1")
    path.write_bytes(issued.private_key_and_cert_chain_pem.bytes())
    path.chmod(0o600)
