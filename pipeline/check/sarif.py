"""Writes a report as SARIF 2.1.0 (OASIS), which forges show beside the lines of a pull request."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from pipeline.check.catalogue import OTHERS, texts
from pipeline.check.material import SETTINGS
from pipeline.check.mend import lines
from pipeline.check.run import Report
from pipeline.model import Finding, Severity

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
#: What paths are relative to: the newsletter's folder. Forges take this name for the top of what was checked out.
BASE = "%SRCROOT%"
#: Names our way of making fingerprints; a new way needs a new number.
FINGERPRINT = "newsletterCheck/v1"


def document(
    report: Report,
    sources: Mapping[str, str],
    version: str,
    severities: Mapping[str, str],
    mended: Callable[[Finding], str | None],
) -> dict[str, Any]:
    """Return one SARIF document with a rule for every check and a result for every finding.

    `sources` are the texts that findings are about, by path; `mended` returns
    such a text after the finding's fix, None if it has none.
    """
    rules = _rules(severities)
    places = {rule["id"]: place for place, rule in enumerate(rules)}
    seen: Counter[str] = Counter()
    results = []
    for finding in report.findings:
        result: dict[str, Any] = {
            "ruleId": finding.id,
            "ruleIndex": places[finding.id],
            "level": str(finding.severity),
            "message": {"text": _message(finding)},
            "locations": [_location(finding, sources)],
            "partialFingerprints": {FINGERPRINT: _fingerprint(finding, sources, seen)},
        }
        after = mended(finding)
        if after is not None:
            result["fixes"] = [_fix(finding, sources[finding.path], after)]
        results.append(result)
    driver = {"name": "newsletter check", "semanticVersion": version, "rules": rules}
    base = {BASE: {"description": {"text": "The newsletter's folder."}}}
    run = {
        "tool": {"driver": driver},
        "originalUriBaseIds": base,
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rules(severities: Mapping[str, str]) -> list[dict[str, Any]]:
    rules = []
    for name, text in texts().items():
        title, _, rest = text.partition("\n")
        rule: dict[str, Any] = {
            "id": name,
            "shortDescription": {"text": title},
            "fullDescription": {"text": " ".join(text.split())},
            "help": {
                "text": f"{' '.join(rest.split()) or title} To silence it on one line: check: ignore {name}"
            },
        }
        if name in severities:
            off = severities[name] == Severity.OFF
            level = "none" if off else severities[name]
            rule["defaultConfiguration"] = {"enabled": not off, "level": level}
        rule["properties"] = {"tags": ["reading" if name in OTHERS else "issue"]}
        rules.append(rule)
    return rules


def _message(finding: Finding) -> str:
    variable = f"{finding.path}: " if _is_variable(finding.path) else ""
    message = f"{variable}{finding.message}"
    return f"{message} ({finding.fix})" if finding.fix else message


def _is_variable(path: str) -> bool:
    """Tell whether a place is a variable of the environment, which no forge can show."""
    return bool(path) and "/" not in path and "." not in path


def _location(finding: Finding, sources: Mapping[str, str]) -> dict[str, Any]:
    """Say where: what is about the whole issue stands at the top of newsletter.toml, for lack of a better place."""
    of_a_file = finding.path and not _is_variable(finding.path)
    path, line = (finding.path, finding.line) if of_a_file else (SETTINGS, 1)
    place: dict[str, Any] = {
        "artifactLocation": {"uri": quote(path, safe="/!$&'()*+,;=@~"), "uriBaseId": BASE}
    }
    if line or path in sources:
        place["region"] = {"startLine": line or 1}
    return {"physicalLocation": place}


def _fingerprint(finding: Finding, sources: Mapping[str, str], seen: Counter[str]) -> str:
    """Name a finding by its line's text instead of its number, so that it is the same one when lines above change."""
    written = lines(sources.get(finding.path, ""))
    on_a_line = finding.line is not None and finding.line <= len(written)
    what = written[(finding.line or 1) - 1].strip() if on_a_line else finding.message
    mark = sha256(f"{finding.id}\0{finding.path}\0{what}".encode()).hexdigest()[:32]
    seen[mark] += 1
    return f"{mark}:{seen[mark]}"


def _fix(finding: Finding, before: str, after: str) -> dict[str, Any]:
    """Describe a fix as the lines that go and what stands there instead."""
    old, new = lines(before), lines(after)
    start = next(
        (n for n, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new))
    )
    rest = 0
    while rest < min(len(old), len(new)) - start and old[-1 - rest] == new[-1 - rest]:
        rest += 1
    end = len(old) - rest
    region = {"startLine": start + 1, "startColumn": 1, "endLine": end + 1, "endColumn": 1}
    if end == len(old) and end > start:
        region |= {"endLine": end, "endColumn": len(old[-1]) + 1}
    uri = _location(finding, {})["physicalLocation"]["artifactLocation"]
    replacement = {
        "deletedRegion": region,
        "insertedContent": {"text": "".join(new[start : len(new) - rest])},
    }
    return {
        "description": {"text": finding.fix},
        "artifactChanges": [{"artifactLocation": uri, "replacements": [replacement]}],
    }
