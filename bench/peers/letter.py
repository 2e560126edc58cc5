"""Makes the newsletter that is delivered, frozen and enrolled, and what the peers need to send the same copies.

python bench/peers/letter.py FOLDER --readers N [--size 40960] [--unfrozen]

Run in a process of its own, so that whoever measures stays small. Goes the real way: posts, checks, freeze,
publish. `FOLDER/letter` is then a newsletter of which only `resume 1` is left; `FOLDER/copies.json` holds
the same bodies as Jinja templates, and the readers with their personal links.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from pipeline import publishing, weekly
from pipeline.deliver.message import Splicer
from pipeline.model import Delivery, DeliveryState, Recipient, RenderedIssue, Subscriber, SubscriberState
from pipeline.project import Project, open_project

CLOCK = "2026-11-22 09:00"
ENVIRONMENT = {"NEWSLETTER_SECRET": "a secret that is long enough for a benchmark"}
SETTINGS = """
[newsletter]
name = "The Headache Letter"
from = "The Headache Letter <letter@example.org>"
reply_to = "editor@example.org"
url = "https://letter.example.org"
postal_address = "12 Example Street, Exampletown"

[issue]
show = "full"

[mail]
mailer = "smtp"

[mail.smtp]
host = "127.0.0.1"
security = "none"
"""
VOCABULARY = (
    "morning evening weather pressure light screen coffee water sleep neck walk week month year doctor diary "
    "attack aura signal nerve muscle study group trial result question answer change pattern trigger remedy "
    "quiet sudden regular early late strong mild often rarely together again before after between “within” naïve"
)
WORDS = VOCABULARY.split()
FIRST = ("Ana", "Bo", "Chloë", "Dmitri", "Eve", "Fatima", "José", "Mary Ann", "Søren", "Wei")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--readers", type=int, required=True)
    parser.add_argument("--size", type=int, default=40960, help="bytes of a copy")
    parser.add_argument("--copies", type=int, default=0, help="readers to list for the peers")
    parser.add_argument(
        "--unfrozen", action="store_true", help="stop before the freeze: `send` is left to do"
    )
    asked = parser.parse_args()
    told = make(asked.folder, asked.readers, asked.size, asked.copies, freeze=not asked.unfrozen)
    print(json.dumps(told))


def make(folder: Path, readers: int, size: int, copies: int = 0, *, freeze: bool = True) -> dict[str, float]:
    """Make everything; return a copy's size in bytes, and the seconds that importing and freezing took."""
    root = folder / "letter"
    (root / "posts").mkdir(parents=True)
    (root / "newsletter.toml").write_text(SETTINGS, "utf-8")
    words = 2000
    for _ in range(6):  # the copy's size is nearly linear in the words; one that is short is not used
        rendered, is_now = _attempt(root, words)
        if size <= is_now <= size * 1.01:
            break
        words += round((size * 1.005 - is_now) / 17.5)
    project = _open(root)
    start = time.perf_counter()
    project.store.put_subscribers(_people(project, readers))
    imported = time.perf_counter()
    if not freeze:
        return {"import": imported - start}
    week = weekly.collect(project)
    prepared = weekly.prepare(project, week)
    made = weekly.build(project, prepared)
    before = time.perf_counter()
    frozen = weekly.freeze(project, prepared, made)
    enrolled = time.perf_counter()
    publishing.publish(project, week)
    project.store.published(frozen.number)
    if copies:
        people = [_copy(project, n) for n in range(copies)]
        material = {"subject": frozen.subject, "sender": "letter@example.org", "readers": people}
        material |= _templates(rendered)
        (folder / "copies.json").write_text(json.dumps(material), "utf-8")
    splicer = Splicer(frozen, project.tokens)
    one = splicer.submission(_delivery(project)).data
    (folder / "one.eml").write_bytes(one)
    return {"bytes": len(one), "import": imported - start, "freeze": enrolled - before}


def _attempt(root: Path, words: int) -> tuple[RenderedIssue, int]:
    """Write a post of so many words; return the issue rendered and the size of one copy."""
    from pipeline.deliver.freeze import freeze

    chance = random.Random(20261122)
    text = "\n\n".join(" ".join(chance.choices(WORDS, k=60)).capitalize() + "." for _ in range(words // 60))
    rest = " ".join(chance.choices(WORDS, k=words % 60))
    head = "---\ntitle: Sleep, weather and the Monday headache\ndate: 2026-11-20\nsummary: What we know.\n---\n\n"
    (root / "posts" / "sleep.md").write_text(f"{head}{text}\n\n{rest} end.\n", "utf-8")
    project = _open(root)
    rendered = weekly.prepare(project, weekly.collect(project)).rendered
    frozen = freeze(rendered, project.settings, [])
    return rendered, len(Splicer(frozen, project.tokens).submission(_delivery(project)).data)


def _open(root: Path) -> Project:
    return open_project(root, CLOCK, ENVIRONMENT)


def _person(number: int) -> tuple[str, str]:
    return f"reader{number}@example{number % 50}.com", f"{FIRST[number % len(FIRST)]} Number{number}"


def _people(project: Project, readers: int) -> Iterator[Subscriber]:
    since = project.now - timedelta(days=300)
    for number in range(readers):
        email, name = _person(number)
        yield Subscriber(project.tokens.uid(email), email, name, SubscriberState.CONFIRMED, since)


def _delivery(project: Project) -> Delivery:
    email, name = _person(0)
    recipient = Recipient(project.tokens.uid(email), email, name, project.now.date())
    return Delivery(1, 1, recipient, DeliveryState.LEASED)


def _copy(project: Project, number: int) -> dict[str, str]:
    """Return what a template needs of one reader."""
    email, name = _person(number)
    uid = project.tokens.uid(email)
    return {
        "email": email,
        "name": name,
        "confirmed": "26 January 2026",
        "message_id": f"{project.tokens.message_id(1, uid)}@example.org",
        "unsubscribe": f"https://letter.example.org/unsubscribe/{project.tokens.token('unsubscribe', uid)}",
        "preferences": f"https://letter.example.org/preferences/{project.tokens.token('preferences', uid)}",
    }


def _templates(rendered: RenderedIssue) -> dict[str, str]:
    """Return both bodies with Jinja's fields in place of our marks."""
    made = {}
    for kind, body in (("text", rendered.text), ("html", rendered.html)):
        if "{{" in body or "{%" in body:
            raise SystemExit("the bodies hold braces of their own")
        for field in ("name", "unsubscribe", "preferences", "confirmed"):
            made[kind] = made.get(kind, body).replace(getattr(rendered.marks, field), f"{{{{ {field} }}}}")
    return made


if __name__ == "__main__":
    main()
