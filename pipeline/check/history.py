"""Checks against the issues that are out already."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from pipeline.check.findings import warning
from pipeline.check.links import own_page, spoken
from pipeline.check.material import Material
from pipeline.check.texts import levelled, short
from pipeline.model import Finding


def subject_repeated(m: Material) -> Iterator[Finding]:
    """No earlier issue had this subject, under which mail programs would put both into one conversation."""
    subject = levelled(m.rendered.issue.subject)
    same = [issue.number for issue in m.earlier if subject and levelled(issue.subject) == subject]
    if same:
        path, line = m.head("subject")
        yield warning(
            "subject-repeated",
            f"issue {same[-1]} had this subject",
            path=path,
            line=line,
            fix="write another, so that inboxes do not take the two for one",
        )


def link_repeated(m: Material) -> Iterator[Finding]:
    """No earlier issue led readers to the same page. The newsletter's own pages and whole sites do not count."""
    ran = {_same(url): issue.number for issue in m.earlier for url in issue.links}
    for link in m.links():
        number = ran.get(_same(link.url))
        if number and link.path and not own_page(m, link.url) and not _whole_site(link.url):
            yield warning(
                "link-repeated",
                f"issue {number} had a link to {spoken(link.url)}",
                path=link.path,
                line=link.line,
                fix=f"readers may know it; say what is new, or “{short(link.text)}” can go without a link",
            )


def _same(url: str) -> str:
    """Level what makes no other page of an address: scheme, `www.`, a slash at the end, a place within it."""
    rest = url.partition("#")[0].partition("://")[2].removeprefix("www.")
    return rest.rstrip("/")


def _whole_site(url: str) -> bool:
    parts = urlsplit(url)
    return parts.path in ("", "/") and not parts.query
