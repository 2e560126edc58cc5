"""Walks the tutorial as a reader would, and writes what each command prints below it.

`PYTHONPATH=tests python -m support.tutorial` renews docs/tutorial.md; tests/project/test_tutorial.py compares.
Edits that the text asks for are marked for us in comments that no reader sees:
`<!-- tutorial: drop FILE | WORDS -->`, `replace FILE | OLD | NEW`, `write FILE` (the next block), `type WORDS`.
"""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from support.letter import HERE, SECRET, Letter, copy_sample

PAGE = HERE / "docs/tutorial.md"
#: What the page calls the folder of the clone.
FOLDER = "~/newsletter"
CLOCK = "2026-11-22T09:00"
#: After it, a person types.
PROMPT = b"Enter to stop: "
#: A reader's mark, or a whole block.
STEP = re.compile(
    r"^<!-- tutorial: (?P<verb>\w+) (?P<words>[^\n]*) -->$|^```\n(?P<block>.*?)^```$", re.M | re.S
)


def walk(text: str, to: Path) -> str:
    """Do all that the page says in a copy of the sample; return the page as it should be."""
    letter = copy_sample(to)
    pending: list[tuple[str, str]] = []

    def do(step: re.Match[str]) -> str:
        if step["verb"] in ("write", "type"):
            pending.append((step["verb"], step["words"]))
        elif step["verb"]:
            edit(letter, step["verb"], step["words"].split(" | "))
        elif pending and pending[0][0] == "write":
            letter.write(pending.pop()[1], step["block"])
        elif step["block"].startswith("$ "):
            typed = pending.pop()[1] if pending else ""
            return f"```\n{transcript(letter, step['block'], typed)}```"
        return step[0]

    walked = STEP.sub(do, text)
    assert not pending, f"the tutorial marks something that no block follows: {pending}"
    return walked


def edit(letter: Letter, verb: str, words: list[str]) -> None:
    if verb == "replace":
        letter.replace(*words)
        return
    assert verb == "drop", f"there is no mark {verb!r}"
    file, which = words
    lines = (letter.root / file).read_text("utf-8").splitlines(keepends=True)
    kept = [line for line in lines if which not in line]
    assert len(kept) == len(lines) - 1, f"{which!r} is not in exactly one line of {file}"
    letter.write(file, "".join(kept))


def transcript(letter: Letter, block: str, typed: str) -> str:
    """Return a block's commands, each with what it prints now."""
    commands = [line for line in block.splitlines() if line.startswith("$ ")]
    return "".join(f"{command}\n{on_a_terminal(letter, command[2:], typed)}" for command in commands)


def on_a_terminal(letter: Letter, command: str, typed: str) -> str:
    """Run a command where it thinks that a person sits; return all that this person sees."""
    program = f"{sys.executable} -m pipeline --clock {CLOCK}"
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        re.sub(r"^newsletter\b", lambda _: program, command),
        shell=True,
        cwd=letter.root,
        env={
            **os.environ,
            "NEWSLETTER_SECRET": SECRET,
            "PYTHONPATH": str(HERE),
            "TERM": "dumb",
            "NO_COLOR": "1",
        },
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    seen = b""
    while chunk := read(ours):
        seen += chunk
        if typed and PROMPT in seen:
            os.write(ours, typed.encode() + b"\n")
            typed = ""
    os.close(ours)
    process.wait(timeout=60)
    return tidy(seen.decode().replace("\r\n", "\n").replace(str(letter.root), FOLDER))


def read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux says so when the last process has left the terminal
        return b""


def tidy(text: str) -> str:
    """Leave out what stays on no screen: trailing blanks, and empty lines at the end."""
    return "".join(f"{line.rstrip()}\n" for line in text.rstrip().splitlines())


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        PAGE.write_text(walk(PAGE.read_text("utf-8"), Path(folder, "letter").resolve()), encoding="utf-8")
