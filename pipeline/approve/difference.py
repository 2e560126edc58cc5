"""Says for people what is not as it was approved."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from difflib import unified_diff

from pipeline.approve.parts import VARIANT
from pipeline.model import Post, Seal

_WORDS = {"preheader": "the preheader has changed", "note": "the editor's note has changed"}
#: Whatever else these follow from is told; they are told only if nothing else explains them.
_CONSEQUENCES = {
    "mail": "the mail's bytes are others",
    "envelope": "the return path is another",
    "page": "the web page is another",
}


def changes(
    seal: Seal,
    parts: Mapping[str, str],
    exact: Mapping[str, str] | None,
    subject: str,
    posts: Sequence[Post],
) -> tuple[str, ...]:
    """List, in sentences, what is not as it was sealed; nothing if all is.

    `exact` are the digests of the very bytes, where they were made. A variant
    that only now, or no longer, has readers is no change.
    """
    words = [text for name, text in _WORDS.items() if seal.parts.get(name) != parts.get(name)]
    causes = [
        *_of_subject(seal, subject),
        *words,
        *_of_posts(seal, posts),
        *_of_files(seal, parts, posts),
    ]
    bytes_before, bytes_after = dict(seal.parts), dict(parts)
    if exact is not None:
        alike = seal.exact.keys() & exact.keys()
        bytes_before |= {f"bytes of {name}": value for name, value in _lasting(seal.exact, alike)}
        bytes_after |= {f"bytes of {name}": value for name, value in _lasting(exact, alike)}
    if causes or bytes_before == bytes_after:
        return tuple(causes)
    differing = {
        name.removeprefix("bytes of ")
        for name in bytes_before.keys() | bytes_after.keys()
        if bytes_before.get(name) != bytes_after.get(name)
    }
    return (
        *(text for name, text in _CONSEQUENCES.items() if name in differing),
        *_of_variants(differing),
        *_of_feeds(differing),
    )


def _lasting(exact: Mapping[str, str], alike: Container[str]) -> Iterator[tuple[str, str]]:
    """Yield digests, of variants those only that are on both sides."""
    yield from (
        (name, value) for name, value in exact.items() if name in alike or not name.startswith(VARIANT)
    )


def _of_variants(differing: Iterable[str]) -> Iterator[str]:
    for name in sorted(differing):
        if name.startswith(VARIANT):
            yield f"the mail for readers of {name.removeprefix(VARIANT).replace(' ', ', ')} is another"


def _of_feeds(differing: Iterable[str]) -> Iterator[str]:
    """Tell of feeds in one sentence: one edit changes many of them."""
    feeds = sorted(name.removeprefix("feed ") for name in differing if name.startswith("feed "))
    if feeds:
        more = f" and {len(feeds) - 1} more" if len(feeds) > 1 else ""
        yield f"public/{feeds[0]}{more} would be others: a post that is not in the issue has come, gone or changed"


def _of_files(seal: Seal, parts: Mapping[str, str], posts: Sequence[Post]) -> Iterator[str]:
    """Tell of posts, pictures, templates and settings that are not as they were."""
    titles_told = {post for post, _ in seal.posts} ^ {post.id for post in posts}
    for name in sorted(seal.parts.keys() | parts.keys()):
        kind, _, rest = name.partition(" ")
        before, after = seal.parts.get(name), parts.get(name)
        if before == after or kind not in ("post", "file", "theme", "setting"):
            continue
        if kind == "post" and titles_told and (before is None or after is None):
            continue
        subject = f"the setting {rest}" if kind == "setting" else rest
        yield f"{subject} {'is new' if before is None else 'is gone' if after is None else 'has changed'}"


def _of_subject(seal: Seal, subject: str) -> Iterator[str]:
    if seal.subject != subject:
        yield f"the subject was “{seal.subject}” and is “{subject}”"


def _of_posts(seal: Seal, posts: Sequence[Post]) -> Iterator[str]:
    before, after = dict(seal.posts), {post.id: post.title for post in posts}
    for name in after.keys() - before.keys():
        yield f"a post has come in: “{after[name]}”"
    for name in before.keys() - after.keys():
        yield f"a post has gone: “{before[name]}”"
    if before.keys() == after.keys() and list(before) != list(after):
        yield "the posts stand in another order"


def text_difference(seal: Seal, text: str) -> str:
    """Return what differs in the mail's plain text, as a unified diff; "" if nothing does."""
    lines = unified_diff(
        seal.text.splitlines(), text.splitlines(), "the text as approved", "the text now", n=2, lineterm=""
    )
    return "\n".join(lines)
