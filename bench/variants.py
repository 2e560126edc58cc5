"""Measures what readers' chosen categories cost an issue: one more mail to render for each distinct choice.

python bench/variants.py [--posts 20] [--categories 8] [--variants 200] [--show lead]

Processor time of this process, so that others at work on the machine count little. A run of its own for each
set of numbers.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent / "peers"))

from letter import WORDS
from machine import machine

from pipeline import inspection, weekly
from pipeline.audience.addresses import make_subscriber
from pipeline.model import Decision, Preferences
from pipeline.project import Project, open_project

SETTINGS = """
[newsletter]
name = "The Headache Letter"
from = "The Headache Letter <letter@example.org>"
url = "https://letter.example.org"
postal_address = "12 Example Street, Exampletown"

[issue]
max_posts = 1000
show = "{show}"
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--posts", type=int, default=20)
    parser.add_argument("--categories", type=int, default=8)
    parser.add_argument("--variants", type=int, default=200)
    parser.add_argument("--show", choices=("lead", "full", "cards"), default="lead")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-variants-") as folder:
        print(machine(Path(folder)))
        measure(Path(folder), asked.posts, asked.categories, asked.variants, asked.show)


def measure(root: Path, posts: int, categories: int, variants: int, show: str) -> None:
    write(root, posts, categories, show)
    project = open_project(root, "2026-11-22 09:00", {"NEWSLETTER_SECRET": "a secret of a benchmark"})
    choose(project, categories, variants)
    prepared = weekly.prepare(project, weekly.collect(project, latest=posts))
    cut, before = prepared.variants, peak()
    checked = cost(lambda: inspection.report(project, prepared.issue, prepared.rendered))
    rendered = cost(lambda: list(cut.told()))
    frozen = cost(cut.all_frozen)
    both = cost(lambda: prepared.report)
    made = weekly.build(project, prepared)
    start = time.perf_counter()
    weekly.freeze(project, prepared, made)
    written = time.perf_counter() - start
    count = len(made.frozen.variants)
    size = sum(len(each.template) + len(each.html) + len(each.text) for each in made.frozen.variants)
    each = [f"{1000 * seconds / count:.1f}" for seconds in (rendered, frozen, max(both - checked, 0))]
    print(f"  {posts} posts in {categories} categories, show = {show!r}, {count} variants")
    print(f"  for each: rendered in {each[0]} ms, made bytes in {each[1]} ms, checked in {each[2]} ms")
    print(
        f"  together {rendered + frozen + both - checked:.1f} s of the processor; frozen in {written:.2f} s"
    )
    print(
        f"  {size / count / 1000:.0f} kB each in the ledger; peak {peak():.0f} MB, {before:.0f} MB without them\n"
    )


def write(root: Path, posts: int, categories: int, show: str) -> None:
    chance = random.Random(20261122)
    (root / "posts").mkdir()
    (root / "newsletter.toml").write_text(SETTINGS.format(show=show), "utf-8")
    for n in range(posts):
        text = "\n\n".join(" ".join(chance.choices(WORDS, k=60)) + "." for _ in range(5))
        head = f"title: Sleep, weather and headache {n}\ndate: 2026-11-{1 + n % 20:02}"
        head += f"\ncategory: Category {n % categories}"
        (root / f"posts/post-{n}.md").write_text(
            f"---\n{head}\nauthor: A\nexcerpt: What we know.\n---\n\n{text}\n", "utf-8"
        )


def choose(project: Project, categories: int, variants: int) -> None:
    """Let one reader choose everything, and one each of so many different sets of categories."""
    slugs = [f"category-{n}" for n in range(categories)]
    sets = (chosen for size in range(1, categories) for chosen in itertools.combinations(slugs, size))
    for n, chosen in enumerate([(), *itertools.islice(sets, variants)]):
        person = make_subscriber(f"reader{n}@example.com", "", project.now, project.tokens)
        wants = replace(person, preferences=Preferences(tuple(sorted(chosen))))
        project.store.decide(person.email, lambda _, wants=wants: Decision(wants))


def cost(work: Callable[[], object]) -> float:
    """Return what something costs, in seconds of the processor."""
    before = sum(os.times()[:2])
    work()
    return sum(os.times()[:2]) - before


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
