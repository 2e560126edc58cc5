"""issues/NNNN.md: the draft an editor writes in, later the record of what went out.

The program writes a whole file once. After that it only sets single lines of
the front matter, so that an editor's order, comments and note stay as typed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path, PurePosixPath

from pipeline.atomic import write_atomic
from pipeline.compose.draft_head import HeadReader
from pipeline.compose.reorder import move
from pipeline.errors import DraftError, PostError
from pipeline.frontmatter.heads import read as read_head
from pipeline.frontmatter.heads import split
from pipeline.frontmatter.text import decode
from pipeline.model import Approval, CarriedPost, Draft, Fingerprint, FrozenIssue, Issue, Post

FOLDER = "issues"


def path_of(number: int) -> str:
    """Return "issues/0042.md"."""
    return f"{FOLDER}/{number:04d}.md"


def read_all(root: Path) -> dict[int, Draft]:
    """Read every issue file of a newsletter; a name that is not a number is not one."""
    drafts: dict[int, Draft] = {}
    for file in sorted((root / FOLDER).glob("*.md")):
        if re.fullmatch(r"\d{1,9}", file.stem):
            draft = read(root, file)
            if draft.number in drafts:
                raise DraftError(
                    f"says number {draft.number}, as {drafts[draft.number].path} does.", path=draft.path
                )
            drafts[draft.number] = draft
    return drafts


def read(root: Path, file: Path) -> Draft:
    """Read one issue file. Raises DraftError with the line at fault."""
    path = file.relative_to(root).as_posix()
    try:
        data = file.read_bytes()
    except OSError as fault:
        raise DraftError(f"cannot be read: {fault.strerror}", path=path) from fault
    return _parse(data, path)


def _parse(data: bytes, path: str) -> Draft:
    """Take what an issue file says out of its bytes."""
    try:
        text = decode(data)
        parts = split(text)
        head = read_head(parts)
    except PostError as fault:
        raise DraftError(fault.message, path=path, line=fault.line) from fault
    reader = HeadReader(path, head)
    number = reader.number()
    _split(text, path)  # where lines can be set later, when the issue can no longer wait
    file = PurePosixPath(path)
    if number != int(file.stem):
        raise reader.fault("number", f"is {number}, but the file is named {file.name}")
    return Draft(
        number=number,
        path=path,
        subject=reader.text("subject"),
        preheader=reader.text("preheader"),
        posts=reader.names("posts"),
        lead=reader.text("lead"),
        note=parts.body.rstrip() + "\n" if parts.body.strip() else "",
        note_line=parts.body_line,
        since=reader.moment("since"),
        latest=reader.whole("latest"),
        frozen=reader.moment("frozen"),
        sent=reader.moment("sent"),
        cancelled=reader.moment("cancelled"),
        approval=reader.approval("approved"),
        fingerprints=reader.mapping("fingerprints"),
        lines=head.lines,
    )


def carried(drafts: Mapping[int, Draft]) -> tuple[CarriedPost, ...]:
    """Return what the issue files say went out: a second memory beside the store, kept in git."""
    return tuple(
        CarriedPost(
            post, draft.number, Fingerprint(draft.fingerprints[post]) if post in draft.fingerprints else None
        )
        for draft in drafts.values()
        if draft.frozen or draft.sent
        for post in draft.posts
    )


def _quoted(value: str) -> str:
    """A JSON string is a YAML double-quoted scalar (YAML 1.2.2, 1.2)."""
    return json.dumps(value, ensure_ascii=False)


def compose_text(issue: Issue, *, since: datetime | None = None, latest: int | None = None) -> str:
    """Return the file that `newsletter draft` writes."""
    lines = [
        "---",
        f"number: {issue.number}",
        f"subject: {_quoted(issue.subject)}",
        f"preheader: {_quoted(issue.preheader)}",
        f"lead: {_quoted(issue.lead.id)}",
        "# In this order. Delete a line, and that post comes back next time.",
        "posts:",
        *(f"  - {_quoted(post.id)}{_comment(post)}" for post in issue.posts),
    ]
    if since is not None:
        lines.append(f"since: {since.isoformat()}")
    if latest is not None:
        lines.append(f"latest: {latest}")
    return "\n".join([*lines, "---", "", issue.note.strip(), ""]).rstrip("\n") + "\n"


def _comment(post: Post) -> str:
    title = " ".join(post.title.split())
    return f"  # {title}" if title != post.id else ""


def write_new(root: Path, issue: Issue, *, since: datetime | None = None, latest: int | None = None) -> str:
    """Write the draft of an issue that has none; return its path. Raises DraftError if the file is there."""
    path = path_of(issue.number)
    if (root / path).exists():
        raise DraftError("is there already; edit it, or delete it to begin again.", path=path)
    _write(root / path, compose_text(issue, since=since, latest=latest))
    return path


def reorder(root: Path, number: int, post: str, step: int) -> None:
    """Move a post of the draft's list one place up (-1) or down (1); all else stays as it was typed.

    Raises DraftError if it cannot go there, or if the list is written in a way that only a person can change.
    """
    path = path_of(number)
    before = read(root, root / path)
    posts = list(before.posts)
    at = posts.index(post) if post in posts else -1
    if at < 0 or not 0 <= at + step < len(posts):
        raise DraftError(f"`{post}` cannot be moved there.", path=path, line=before.lines.get("posts"))
    posts[at], posts[at + step] = posts[at + step], posts[at]
    try:
        changed = move((root / path).read_bytes().decode(), at, step).encode()
        after = _parse(changed, path)
    except (UnicodeDecodeError, DraftError):
        after = before
    # Read again before it is written: whatever way the list was typed, nothing else may have come of it.
    lead = posts[0] if before.lead and before.lead == before.posts[0] else before.lead
    if replace(after, lines={}) != replace(before, posts=tuple(posts), lead=lead, lines={}):
        raise DraftError(
            "this list cannot be changed by itself; write one post a line, as `- name`, or move it by hand.",
            path=path,
            line=before.lines.get("posts"),
        )
    _write_bytes(root / path, changed)


def record_words(root: Path, number: int, subject: str, preheader: str) -> None:
    """Set subject and preheader of a draft, where each stands on a line; else they stay as they were typed."""
    path = path_of(number)
    before = read(root, root / path)
    text = decode((root / path).read_bytes())
    _set(root / path, {"subject": _quoted(subject), "preheader": _quoted(preheader)})
    try:
        after = read(root, root / path)
    except DraftError:
        after = before
    if replace(after, lines={}) != replace(before, subject=subject, preheader=preheader, lines={}):
        _write(root / path, text)


def record_frozen(root: Path, frozen: FrozenIssue, composed: Issue | None = None) -> None:
    """Note in the issue's file that it left the editor's hands, with what it carried.

    Writes the file first if the issue was sent without a draft (`composed`)
    and none is there. Idempotent.
    """
    path = root / path_of(frozen.number)
    if not path.exists():
        posts = "\n".join(f"  - {_quoted(post.id)}" for post in frozen.posts)
        text = f"---\nnumber: {frozen.number}\nsubject: {_quoted(frozen.subject)}\nposts:\n{posts}\n---\n"
        if composed is not None:
            text = compose_text(composed)
        _write(path, text)
    marks = ", ".join(f"{_quoted(p.id)}: {p.fingerprint.exact}" for p in frozen.posts if p.fingerprint)
    _set(path, {"frozen": frozen.date.isoformat(), "fingerprints": f"{{{marks}}}"})


def record_approved(root: Path, number: int, approval: Approval) -> None:
    """Note in the draft who approved which build, and when."""
    words = f"by: {_quoted(approval.by)}, at: {_quoted(approval.at.isoformat())}"
    # Digits alone would be read as a number.
    hashes = f"build: {_quoted(approval.build)}, mail: {_quoted(approval.mail)}"
    _set(root / path_of(number), {"approved": f"{{{words}, {hashes}}}"})


def record_sent(root: Path, number: int, moment: datetime) -> None:
    """Note in the issue's file that every delivery has come to an end. Idempotent."""
    path = root / path_of(number)
    if path.exists():
        _set(path, {"sent": moment.isoformat()})


def record_cancelled(root: Path, number: int, moment: datetime) -> None:
    """Note in the issue's file that it was called off. Idempotent: the first moment stays."""
    path = root / path_of(number)
    if path.exists() and read(root, path).cancelled is None:
        _set(path, {"cancelled": moment.isoformat()})


def record_reopened(root: Path, number: int) -> None:
    """Take back that every delivery has come to an end. Idempotent."""
    path = root / path_of(number)
    if path.exists():
        _set(path, {"sent": None})


def _set(path: Path, values: Mapping[str, str | None]) -> None:
    """Set single top-level lines of a YAML head, or take them out (None), leaving every other line alone."""
    text = decode(path.read_bytes())
    opening, head, rest = _split(text, path_of(int(path.stem)))
    lines = head.split("\n")
    for key, value in values.items():
        line = f"{key}: {value}"
        at: Sequence[int] = [n for n, old in enumerate(lines) if old.startswith(f"{key}:")]
        if value is None:
            lines = [old for n, old in enumerate(lines) if n not in at]
        elif at:
            lines[at[0]] = line
        else:
            lines.append(line)
    changed = opening + "\n".join(lines) + rest
    if changed != text:
        _write(path, changed)


def _write(path: Path, text: str) -> None:
    _write_bytes(path, text.encode())


def _write_bytes(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(exist_ok=True)
        write_atomic(path, data)
    except OSError as fault:
        raise DraftError(
            f"cannot be written: {fault.strerror}. {FOLDER}/ must be a folder that you may write to.",
            path=f"{FOLDER}/{path.name}",
        ) from fault


def _split(text: str, path: str) -> tuple[str, str, str]:
    found = re.match(r"(---[ \t]*\n)(.*?)(\n---[ \t]*(?:\n.*)?)\Z", text, re.DOTALL)
    if found is None:
        raise DraftError("its front matter must be YAML between two lines `---`.", path=path, line=1)
    return found[1], found[2], found[3]
