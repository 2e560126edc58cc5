"""What readers of chosen categories get of the issue: the links that choose one, and the look at it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipeline.compose.cut import title, variant_of
from pipeline.errors import NewsletterError
from pipeline.preview.gather import faults_of
from pipeline.preview.state import Part

if TYPE_CHECKING:
    from pipeline.model import Variant
    from pipeline.preview.options import Options
    from pipeline.preview.places import Places
    from pipeline.preview.state import Look, State
    from pipeline.variants import Variants

#: So many variants are offered at once; the others wait in a disclosure.
SHOWN = 6
#: An export has pages for so many, those with the most readers: each is a dozen files.
EXPORTED = 6


@dataclass(frozen=True, slots=True)
class Choice:
    """One link."""

    text: str
    href: str
    on: bool


@dataclass(frozen=True, slots=True)
class Choices:
    """All that can be chosen."""

    shown: tuple[Choice, ...] = ()
    folded: tuple[Choice, ...] = ()
    #: Variants that an export has no pages for.
    left_out: int = 0


def names(state: State) -> list[str]:
    """List the variants that somebody gets, the one with the most readers first."""
    counts = state.circulation.variants
    return sorted(filter(None, counts), key=lambda name: (-counts[name], name))


def choices(state: State, options: Options, places: Places, *, live: bool) -> Choices:
    """Return a link for each variant; none if all readers get the same, and nothing else is asked for."""
    look, part, counts = state.look, state.part, state.circulation.variants
    offered = names(state)
    if look is None or not (offered or part):
        return Choices()
    left_out = 0 if live else len(offered[EXPORTED:])
    offered = ["", *(offered if live else offered[:EXPORTED])]
    on = part.variant if part else ""
    made = [
        Choice(
            f"{title(look.categories, name)} ({counts.get(name, 0):,})",
            places.page(replace(options, categories=name)),
            name == on,
        )
        for name in offered
    ]
    if part and on not in offered:
        made.append(Choice(part.title, places.page(options), True))
    # What is looked at never waits in a disclosure.
    first = [each for n, each in enumerate(made) if n <= SHOWN or each.on]
    return Choices(tuple(first), tuple(each for each in made if each not in first), left_out)


def with_part(state: State, part: Part) -> State:
    """Return the state of a page that shows a part of the issue."""
    return replace(state, part=part, faults=(*state.faults, *part.faults))


def part_of(state: State, choice: str) -> Part:
    """Return what readers of a choice get of the issue that a state shows; rendered now, if that was not done yet."""
    look = state.look
    if look is None:
        return Part(choice, title({}, choice), None)
    if look.variants is None:
        return _past(look, choice)
    variant = variant_of(look.categories, choice)
    words = title(look.categories, variant or choice)
    if not variant:
        return Part(choice, words, variant, look if variant == "" else None)
    try:
        cut = _cut(look, look.variants, variant)
    except (NewsletterError, OSError) as fault:
        return Part(choice, words, variant, None, tuple(faults_of(state.root, fault)))
    return Part(choice, words, variant, cut)


def _past(look: Look, name: str) -> Part:
    """Return a variant that was frozen. Others were never made, and nothing is rendered again."""
    words = title(look.categories, name)
    found = next((each for each in look.frozen.variants if each.name == name), None)
    if found is None:
        return Part(name, words, None)
    return Part(
        name, words, name, replace(_bytes(look, found), preheader=found.text.decode().partition("\n")[0])
    )


def _cut(look: Look, variants: Variants, name: str) -> Look:
    """Return the look at one variant, rendered now if it was not yet. Page, feed and files stay the issue's."""
    rendered = variants.rendered(name)
    return replace(
        _bytes(look, variants.frozen(name)),
        preheader=rendered.issue.preheader,
        issue=rendered.issue,
        rendered=rendered,
    )


def _bytes(look: Look, variant: Variant) -> Look:
    frozen = replace(
        look.frozen,
        template=variant.template,
        html=variant.html,
        text=variant.text,
        posts=tuple(post for post in look.frozen.posts if post.id in variant.posts),
        variants=(),
    )
    return replace(look, frozen=frozen)


def posts_in(look: Look | None) -> frozenset[str]:
    """Return the ids of the posts that a look shows."""
    return frozenset(post.id for post in look.frozen.posts) if look else frozenset()


def exported(state: State) -> tuple[str, ...]:
    """List the variants that an export has pages for."""
    return tuple(names(state)[:EXPORTED]) if state.look else ()
