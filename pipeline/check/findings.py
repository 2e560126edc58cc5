"""Makes findings; a check says them in one word."""

from __future__ import annotations

from pipeline.model import Finding, Severity


def error(id: str, message: str, *, path: str = "", line: int | None = None, fix: str = "") -> Finding:
    """Return a finding that stops the issue."""
    return Finding(id, Severity.ERROR, message, path, line, fix)


def warning(id: str, message: str, *, path: str = "", line: int | None = None, fix: str = "") -> Finding:
    """Return a finding that a person should look at."""
    return Finding(id, Severity.WARNING, message, path, line, fix)


def note(id: str, message: str, *, path: str = "", line: int | None = None, fix: str = "") -> Finding:
    """Return a finding that is only said."""
    return Finding(id, Severity.NOTE, message, path, line, fix)
