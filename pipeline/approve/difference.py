"""Says for people what is not as it was approved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import unified_diff

from pipeline.model import Post, Seal

#: What a part's name begins with -> how people are told of it.
_KINDS = {
    "post": "{name} has changed",
    "file": "{name} has changed",
    "feed": "public/{name} would be another",
    "theme": "{name} has changed",
    "setting": "the setting {name} has changed",
}
#: Follow from something else nearly always, so they are told only if nothing else explains them.
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

    `exact` are the digests of the very bytes, where they were made.
    """
    told = [*_of_subject(seal, subject), *_of_posts(seal, posts)]
    gone_or_new = {post for post, _ in seal.posts} ^ {post.id for post in posts}
    for name in sorted(seal.parts.keys() | parts.keys()):
        kind, _, rest = name.partition(" ")
        before, after = seal.parts.get(name), parts.get(name)
        if before == after or not rest:
            continue
        if kind == "post" and gone_or_new and None in (before, after):
            continue  # a post that came or went has been told by its title
        how = f"{rest} is new" if before is None else f"{rest} is gone" if after is None else ""
        told.append(how or _KINDS[kind].format(name=rest))
    for name, sentence in _CONSEQUENCES.items():
        differs = seal.parts.get(name) != parts.get(name) or (
            exact and seal.exact.get(name) != exact.get(name)
        )
        if differs and not told:
            told.append(sentence)
    if exact is not None and not told:
        told += [
            _KINDS["feed"].format(name=name.removeprefix("feed "))
            for name in sorted(seal.exact.keys() | exact.keys())
            if seal.exact.get(name) != exact.get(name)
        ]
    return tuple(told)


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
