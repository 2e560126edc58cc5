"""Publishes in a child that is killed, again and again, and prints what was found after each kill; run as a script.

A kill comes before the n-th thing the child asks of the file system (the
interpreter announces each to an audit hook), for every n there is; or at
random moments, while a reader walks the site.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

from pipeline.model import SiteFile
from pipeline.publish import beside, tree
from pipeline.publish.paths import INSIDE

STEPS = (
    "open",
    "os.mkdir",
    "os.link",
    "os.rename",
    "os.remove",
    "os.rmdir",
    "os.scandir",
    "os.chmod",
    "os.chown",
)


def files(version: str, pages: int) -> list[SiteFile]:
    """Pages that all say the version, one that never changes, and one that has its own address in each."""
    said = version.encode() * 2000
    paths = [f"posts/p{page}/index.html" for page in range(pages)]
    paths += ["index.html", "feeds/all.json", f"only/{version}/index.html"]
    made = [SiteFile(path, version, lambda: said) for path in paths]
    return [*made, SiteFile("same.css", "same", lambda: b"same")]


def seen(public: Path) -> dict[str, str]:
    """What each file says, by one pass through one open folder."""
    found = {}
    top = os.open(public, os.O_RDONLY)
    try:
        for folder, folders, names, number in os.fwalk(".", dir_fd=top):
            folders[:] = [name for name in folders if name != INSIDE]
            for name in names:
                with os.fdopen(os.open(name, os.O_RDONLY, dir_fd=number), "rb") as file:
                    data = file.read()
                whole = len(set(data)) == 1 or name in ("same.css", "CNAME", ".newsletter-files")
                found[os.path.normpath(f"{folder}/{name}")] = chr(data[0]) if whole else "torn"
    finally:
        os.close(top)
    return found


def version_of(public: Path, pages: int) -> str:
    """A version if all of the site is of it; "none" without a site, else "half"."""
    try:
        found = seen(public)
    except FileNotFoundError:
        return "none" if not os.path.lexists(public) else "torn"
    for noted in ("CNAME", ".newsletter-files", "same.css"):
        if found.pop(noted, None) is None:
            return "lost"
    said = set(found.values())
    wanted = {file.path for file in files(min(said), pages)} - {"same.css"}
    return said.pop() if len(said) == 1 and set(found) == wanted else "half"


def go(way: str, root: Path, version: str, pages: int) -> None:
    if way == "two renames":
        beside.exchange = lambda one, other: False
    if way == "file by file":
        tree._exchangeable = lambda public: False
    tree.publish(root / "public", files(version, pages), root / ".newsletter/site.json")


def child(way: str, root: Path, version: str, pages: int, step: int) -> int:
    """Fork, publish, and die before the given step; return the child's number."""
    number = os.fork()
    if number:
        return number
    left = step

    def count(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        if event in STEPS:
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    if step >= 0:
        sys.addaudithook(count)
    go(way, root, version, pages)
    os._exit(0)


def say(found: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()  # or a fork would say it again


def every_step(way: str, root: Path, stride: int) -> None:
    root.mkdir()
    go("exchanged", root, "A", 1)
    (root / "public/CNAME").write_text("C")
    standing = "A"
    for step in range(0, 10_000, stride):
        coming = "B" if standing == "A" else "A"
        _, status = os.waitpid(child(way, root, coming, 1, step), 0)
        after = version_of(root / "public", 1)
        following = (standing, coming)[step // stride % 2]
        go(way, root, following, 1)
        litter = sorted({path.name for path in root.iterdir()} - {"public", ".newsletter"})
        healed = version_of(root / "public", 1) == following and not litter
        named = {standing: "old", coming: "new"}.get(after, after)
        say({"step": step, "after": named, "healed": healed, "litter": litter})
        standing = following
        if not os.WIFSIGNALED(status):
            return


def at_random(way: str, root: Path, kills: int) -> None:
    root.mkdir()
    go("exchanged", root, "A", 12)
    (root / "public/CNAME").write_text("C")
    source, sink = os.pipe()
    reader = os.fork()
    if not reader:
        read_on(root / "public", sink)
    dice, begun = random.Random(7), time.monotonic()
    go(way, root, "B", 12)
    usual, standing = time.monotonic() - begun, "B"
    for kill in range(kills):
        version = "CDEFGB"[kill % 6]
        publisher = child(way, root, version, 12, -1)
        time.sleep(dice.uniform(0, 1.5 * usual))
        os.kill(publisher, signal.SIGKILL)
        os.waitpid(publisher, 0)
        after = version_of(root / "public", 12)
        # Whatever else this machine does meanwhile, some come too early and some too late.
        usual *= 1.2 if after == standing else 0.9
        standing = after
        say({"step": kill, "after": after, "healed": True})
    go(way, root, "Z", 12)
    os.kill(reader, signal.SIGTERM)
    os.waitpid(reader, 0)
    os.close(sink)
    passes = os.read(source, 1_000_000).decode().split()
    last = version_of(root / "public", 12)
    say({"passes": len(passes), "kinds": sorted(set(passes)), "last": last})


def read_on(public: Path, sink: int) -> None:
    """Walk the site for ever; a pass whose tree was retired meanwhile is begun anew, as a request would be."""
    while True:
        try:
            before = public.stat().st_ino
            kind = version_of(public, 12)
            if public.stat().st_ino != before and kind in ("torn", "half", "lost"):
                continue
        except FileNotFoundError:
            kind = "none"
        os.write(sink, f"{kind}\n".encode())


if __name__ == "__main__":
    what, way, root = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    if what == "every":
        every_step(way, root, int(sys.argv[4]))
    else:
        at_random(way, root, int(sys.argv[4]))
