"""Everybody who is measured: how they are started, and why they are left out where they are not there."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from processes import HERE, Cost, reports, whole

#: Bytes of one copy on the wire.
SIZE = 40960
SECRET = "a secret that is long enough for a benchmark"


@dataclass(frozen=True)
class Scene:
    """What all of them are given."""

    #: What letter.py made.
    folder: Path
    port: int
    connections: int
    #: Ours; 0: as many as the others.
    our_connections: int = 0
    #: A node_modules folder.
    nodemailer: Path | None = None
    #: BDAT messages of ours under way together on one connection.
    window: int = 1
    #: Build every message before the clock starts, where a peer would build it meanwhile.
    prebuilt: bool = False


@dataclass(frozen=True)
class Peer:
    """One sender."""

    what: str
    run: Callable[[Scene, int], Cost]
    #: How many times fewer messages it sends in a round.
    slower: int = 1
    #: Why it cannot be measured; "" if it can.
    missing: Callable[[Scene], str] = lambda _: ""


def make_letter(folder: Path, readers: int) -> None:
    """Make a frozen newsletter with so many readers, and what the peers send the same copies with."""
    subprocess.run(
        [
            *(sys.executable, str(HERE / "letter.py"), str(folder), f"--size={SIZE}"),
            *(f"--readers={readers}", f"--copies={readers}"),
        ],
        check=True,
        stdout=subprocess.DEVNULL,
    )


def settings(scene: Scene) -> dict[str, str]:
    """Return the environment that points a newsletter at the sink."""
    return {
        "NEWSLETTER_SECRET": SECRET,
        "NEWSLETTER_MAIL__SMTP__PORT": str(scene.port),
        "NEWSLETTER_MAIL__SMTP__CONNECTIONS": str(scene.our_connections or scene.connections),
        "NEWSLETTER_MAIL__SMTP__WINDOW": str(scene.window),
    }


def _fresh(scene: Scene) -> str:
    """Return a new copy of the frozen newsletter, its ledger on disk."""
    root = scene.folder / "round"
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(scene.folder / "letter", root)
    os.sync()
    return str(root)


def _ours(scene: Scene, messages: int) -> Cost:
    return reports([sys.executable, str(HERE / "ours.py"), _fresh(scene)], messages, settings(scene))


def _command(scene: Scene, messages: int) -> Cost:
    command = [sys.executable, "-m", "pipeline", "-C", _fresh(scene), "resume", "1"]
    return whole(command, messages, {**settings(scene), "PYTHONPATH": str(HERE.parents[1])})


def _smtp_source(scene: Scene, messages: int) -> Cost:
    return whole(
        [
            *(_found("smtp-source"), "-d", "-s", str(scene.connections), "-l", str(SIZE)),
            *("-m", str(messages), f"127.0.0.1:{scene.port}"),
        ],
        messages,
    )


def _python(script: str) -> Callable[[Scene, int], Cost]:
    def run(scene: Scene, messages: int) -> Cost:
        command = [sys.executable, str(HERE / script), *_asked(scene, messages)]
        return reports([*command, *(["--prebuilt"] if scene.prebuilt else [])], messages)

    return run


def _nodemailer(scene: Scene, messages: int) -> Cost:
    return reports(
        ["node", str(HERE / "with_nodemailer.cjs"), *_asked(scene, messages)], messages, _node_path(scene)
    )


def _asked(scene: Scene, messages: int) -> list[str]:
    return [
        str(scene.folder),
        *("--port", str(scene.port), "--messages", str(messages), "--connections", str(scene.connections)),
    ]


def _node_path(scene: Scene) -> dict[str, str]:
    return {"NODE_PATH": str(scene.nodemailer.resolve())} if scene.nodemailer else {}


def _found(program: str) -> str:
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin") or ""


def _no_program(program: str) -> Callable[[Scene], str]:
    return lambda _: "" if _found(program) else "not installed"


def _no_package(name: str) -> Callable[[Scene], str]:
    return lambda _: "" if importlib.util.find_spec(name) else "not installed: pip install '.[bench]'"


def _no_nodemailer(scene: Scene) -> str:
    if not _found("node"):
        return "node is not installed"
    asks = subprocess.run(
        ["node", "-e", "require('nodemailer')"],
        capture_output=True,
        check=False,
        env={**os.environ, **_node_path(scene)},
    )
    return "not found: name its node_modules folder with --nodemailer" if asks.returncode else ""


PEERS = {
    "ours": Peer("ours, the whole ledger", _ours),
    "command": Peer("newsletter resume, start-up and all", _command),
    "smtp-source": Peer("smtp-source -d, Postfix's own, in C", _smtp_source, 1, _no_program("smtp-source")),
    "smtplib": Peer("smtplib, EmailMessage, Jinja", _python("with_smtplib.py"), 20),
    "aiosmtplib": Peer(
        "aiosmtplib, EmailMessages built before", _python("with_aiosmtplib.py"), 10, _no_package("aiosmtplib")
    ),
    "nodemailer": Peer("nodemailer, pool", _nodemailer, 10, _no_nodemailer),
}
