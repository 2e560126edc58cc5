"""What a build consists of, by name, so that two builds can be compared and a difference has one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from pipeline.model import FrozenIssue, Issue, SiteFile

if TYPE_CHECKING:
    from pipeline.settings import Settings

#: Where the ledger is kept and which mailbox is read change nothing that readers get; an address may hold a password.
_NOT_SEALED: Any = {"store": True, "hear": {"mailbox": True}}
#: Begins the name of a variant among the very bytes.
VARIANT = "variant "
_DATE = re.compile(rb"^Date:[^\r]*\r\n", re.MULTILINE)


def parts(
    frozen: FrozenIssue,
    issue: Issue,
    feeds: Iterable[SiteFile],
    files: Mapping[str, bytes],
    theme: Mapping[str, str],
    settings: Settings,
) -> dict[str, str]:
    """Name all that sending would put into the world: part -> SHA-256, hexadecimal.

    `feeds` count by what they are made from, `files` are the pictures and
    attachments by path, `theme` is the digest of each template and of the
    program. The moment of cutting counts by its day only, as readers see it.
    """
    return {
        "mail": _sha(_DATE.sub(b"", frozen.template, count=1)),
        "envelope": _sha(frozen.sender.encode()),
        "page": _sha(frozen.page),
        "subject": _sha(issue.subject.encode()),
        "preheader": _sha(issue.preheader.encode()),
        "note": _sha(issue.note.encode()),
        "posts": _sha(repr([post.id for post in issue.posts]).encode()),
        **{f"post {post.path}": post.digest for post in issue.posts},
        **{f"file {path}": _sha(data) for path, data in files.items()},
        **{f"feed {feed.path}": feed.inputs for feed in feeds},
        **{f"theme {name}": digest for name, digest in theme.items()},
        **{f"setting {key}": _sha(value.encode()) for key, value in _flat(settings)},
    }


def exact(frozen: FrozenIssue, feeds: Iterable[SiteFile]) -> dict[str, str]:
    """Return the digests of the very bytes: the mail with its Date, its variants, the page, every feed.

    Variants are no parts of a build: they follow from what it is made of, and
    which of them there are is the readers' choice.
    """
    return {
        "mail": frozen.hash,
        **{f"{VARIANT}{variant.name}": _sha(variant.template) for variant in frozen.variants},
        "page": _sha(frozen.page),
        **{f"feed {feed.path}": _sha(feed.make()) for feed in feeds},
    }


def _flat(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield every setting as "mail.smtp.host" and its value as JSON."""
    waiting: list[tuple[str, Any]] = [
        ("", settings.model_dump(mode="json", by_alias=True, exclude=_NOT_SEALED))
    ]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, dict) and (value or not name):
            waiting += [(f"{name}.{key}" if name else key, inner) for key, inner in value.items()]
        else:
            yield name, json.dumps(value, sort_keys=True, ensure_ascii=False)


def _sha(data: bytes) -> str:
    return sha256(data).hexdigest()
