"""Makes a Post of a file's bytes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from hashlib import sha256
from pathlib import PurePosixPath

from pipeline.collect import dates, excerpt, names, nearmiss
from pipeline.collect.identity import fingerprint
from pipeline.collect.keys import Given, Keys, sort, squash, text_of
from pipeline.errors import PostError
from pipeline.frontmatter import heads
from pipeline.frontmatter.text import decode, one_line
from pipeline.model import Finding, Post, Severity
from pipeline.slugs import slugify

MAX_TITLE = 500
#: What an unfinished post without a date is given; it is never shown.
UNDATED = datetime(1970, 1, 1, tzinfo=UTC)

_READY = frozenset(("published", "publish", "public", "future"))
_UNREADY = frozenset(("draft", "drafts", "pending", "private", "hidden", "skip", "idea", "unpublished"))
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_HEADING = re.compile(
    r" {0,3}#[ \t]+([^\n]*?)[ \t]*#*[ \t]*(?:\n|$)|([^\n#>=-][^\n]*)\n {0,3}=+[ \t]*(?:\n|$)"
)


@dataclass(frozen=True, slots=True)
class Parts:
    """A file's text, split and sorted; all that is needed to make a post or to show its body."""

    kind: heads.Kind
    keys: Keys
    body: str
    body_line: int
    #: The heading that stands for a title where there is no front matter; it is not in `body`.
    heading: str


def parts_of(data: bytes) -> Parts:
    """Split a file's bytes. Raises PostError with a line, without a path."""
    split = heads.split(decode(data))
    keys = sort(heads.read(split))
    if split.kind != "none":
        return Parts(split.kind, keys, split.body, split.body_line, "")
    found = _HEADING.match(split.body)
    if not found:
        return Parts("none", keys, split.body, split.body_line, "")
    body = split.body[found.end() :].lstrip("\n")
    line = split.body_line + split.body.count("\n", 0, len(split.body) - len(body))
    return Parts("none", keys, body, line, excerpt.plain(found[1] or found[2] or ""))


def post_of(data: bytes, file: PurePosixPath, path: str, zone: tzinfo) -> Post | None:
    """Make a post of one file; None for a README without front matter, which is about the folder.

    `file` is relative to the posts folder, `path` is what people are shown.
    Raises PostError with the place.
    """
    try:
        parts = parts_of(data)
        if parts.kind == "none" and file.stem.lower() == "readme":
            return None
        return _post(parts, sha256(data).hexdigest(), file, path, zone)
    except PostError as fault:
        fault.path = path
        raise


def _post(parts: Parts, digest: str, file: PurePosixPath, path: str, zone: tzinfo) -> Post:
    keys = parts.keys
    draft = _draft(keys) or names.in_drafts(file)
    title = _title(parts, file, draft=draft)
    slug, slug_given = _slug(parts, title, file)
    prose = excerpt.prose(parts.body)
    short = excerpt.plain(keys.text("excerpt")) or excerpt.before_more(parts.body)
    lines = keys.lines()
    findings = list(nearmiss.findings(keys.extra_lines, lines, path))
    if given := bool(short):
        short = one_line(short)
    else:
        short = one_line(excerpt.first_sentence(prose))
        findings.append(_derived(short, path, parts.body_line))
    image, image_alt = _image(keys)
    updated, expires = keys.get("lastmod"), keys.get("expiryDate")
    in_newsletter, featured = keys.get("newsletter"), keys.get("featured")
    tags = keys.get("tags")
    return Post(
        id=_id(keys) or slug,
        slug=slug,
        title=title,
        published=_published(keys, file, zone, draft=draft),
        path=path,
        digest=digest,
        fingerprint=fingerprint(title, parts.body),
        body_line=parts.body_line,
        updated=updated.moment(zone) if updated else None,
        expires=expires.moment(zone, last=True) if expires else None,
        authors=_authors(keys),
        author_title=keys.text("author_title"),
        category=_category(keys) or names.folder_category(file),
        excerpt=short,
        excerpt_given=given,
        tags=tags.items() if tags else (),
        lang=_lang(keys),
        image=image,
        image_alt=image_alt,
        draft=draft,
        in_newsletter=in_newsletter.flag() if in_newsletter else True,
        featured=featured.flag() if featured else False,
        words=excerpt.words(prose),
        extra=keys.extra,
        references=excerpt.references(prose),
        lines=lines,
        findings=tuple(findings),
        slug_given=slug_given,
    )


def _title(parts: Parts, file: PurePosixPath, *, draft: bool) -> str:
    given = parts.keys.get("title")
    title = given.text() if given else parts.heading
    if len(title) > MAX_TITLE:
        raise PostError(
            f"title has {len(title):,} characters; at most {MAX_TITLE}.", line=given.line if given else 1
        )
    if title:
        return title
    if draft:
        return names.humanise(dates.without_date(names.stem(file))) or file.stem
    way = (
        "Begin the file with front matter, or with a heading."
        if parts.kind == "none"
        else "Add a line `title: ...`."
    )
    raise PostError(f"title is missing. {way}", line=1)


def _slug(parts: Parts, title: str, file: PurePosixPath) -> tuple[str, bool]:
    """Return the slug and whether the author gave it."""
    for given in parts.keys.all("slug"):
        slug = names.address_slug(given.text())
        if len(slug.encode()) > names.MAX_SLUG_BYTES:
            raise given.fault(
                f"is longer than the {names.MAX_SLUG_BYTES} bytes that an address's last part may have."
            )
        if slug:
            return slug, True
        if squash(given.key) == "slug":
            raise given.fault(f'is "{given.text()[:40]}", which holds no letter or digit.')
    # Pelican makes addresses of titles, the others of file names.
    slug = names.shorten(slugify(title)) if parts.kind == "pelican" else names.file_slug(file)
    slug = slug or names.file_slug(file) or names.shorten(slugify(title))
    if not slug:
        raise PostError(
            "no address can be made of this file's name or title. Add a line `slug: ...`.", line=1
        )
    return slug, False


def _id(keys: Keys) -> str:
    given = keys.get("id")
    text = given.text() if given else ""
    if given and (len(text) > names.MAX_SLUG_BYTES or not text.isprintable()):
        raise given.fault(f"is too long; at most {names.MAX_SLUG_BYTES} characters that can be seen.")
    return text


def _published(keys: Keys, file: PurePosixPath, zone: tzinfo, *, draft: bool) -> datetime:
    given = keys.get("date")
    published = keys.known.get("draft", {}).get("published")
    if not given and published and _is_date(published):
        given = published
    if given:
        return given.moment(zone)
    from_address = (Given(key.key, dates.in_path(key.text()), key.line) for key in keys.all("slug"))
    from_name = Given(f"date in the file's name {file.name}", names.file_date(file), 1)
    found = next((place for place in (from_name, *from_address) if place.value), None)
    if found:
        return found.moment(zone)
    if draft:
        return UNDATED
    raise PostError(
        f"date is missing. Add a line `date: 2026-01-31`, or name the file 2026-01-31-{file.name}.", line=1
    )


def _is_date(given: Given) -> bool:
    return isinstance(given.value, date) or bool(re.search(r"\d{4}", str(given.value)))


def _draft(keys: Keys) -> bool:
    for given in keys.all("draft"):
        alias = squash(given.key)
        if alias == "draft":
            return given.flag()
        if alias == "published":
            if not _is_date(given):
                return not given.flag()
        elif (word := given.text().lower()) in _UNREADY:
            return True
        elif word not in _READY:
            raise given.fault(f'is "{word[:40]}". Write draft or published.')
    return False


def _authors(keys: Keys) -> tuple[str, ...]:
    given = keys.get("author")
    if not given:
        return ()
    # A comma in the singular belongs to the name: "Ana Ruiz, MD".
    alone = isinstance(given.value, str) and squash(given.key) == "author"
    return (given.text(),) if alone else given.items()


def _category(keys: Keys) -> str:
    for given in keys.all("category"):
        several = isinstance(given.value, list) or "categories" in given.key.lower()
        if found := (given.items() if several else (given.text(),)):
            return found[0]
    return ""


def _image(keys: Keys) -> tuple[str, str]:
    given, alt = keys.get("image"), keys.text("image_alt")
    if not given:
        return "", alt
    value = given.value[0] if isinstance(given.value, list) else given.value
    if isinstance(value, dict):
        source = next((value[key] for key in ("image", "src", "url", "path") if value.get(key)), "")
        return text_of(given, source), alt or text_of(given, value.get("alt"))
    return text_of(given, value), alt


def _lang(keys: Keys) -> str:
    given = keys.get("lang")
    lang = given.text().replace("_", "-") if given else ""
    if given and not _LANGUAGE.fullmatch(lang):
        raise given.fault(f'is "{lang[:40]}". Write a language tag like en, de-CH or pt-BR.')
    return lang


def _derived(sentence: str, path: str, line: int) -> Finding:
    message = (
        "the excerpt is the first sentence"
        if sentence
        else "there is no excerpt, and no sentence to take for one"
    )
    return Finding(
        "excerpt-derived", Severity.NOTE, message, path, line, "Add a line `excerpt: ...` of your own."
    )
