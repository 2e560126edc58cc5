"""What the tests of mail clients share: the sample's mail, and one with everything that a post can hold."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.collect.folder import Folder
from pipeline.model import Issue, Post
from pipeline.render.addresses import Addresses
from pipeline.render.issue import render_issue
from pipeline.render.theme.theme import Theme
from pipeline.settings_file import FILE, load

ROOT = Path(__file__).parents[2]

EVERYTHING = """
Words with `code`, *stress*, **weight**, ~~a slip~~, a [link](https://e.example/x) and a note.[^1]

## A section with `code`

> Somebody said this.

```python
def choose(posts: Iterable[Post]) -> Choice:
    \"\"\"Split posts.\"\"\"
    return "text" * 10_000  # a comment
```

| Trigger | Share |
|---|--:|
| Weather | 12 % |

### Third

![A chart](https://e.example/chart.png)

<details><summary>More</summary>

Hidden words.

</details>

<figure><img src="https://e.example/b.png" alt="b" width="120" height="10"><figcaption>A caption</figcaption></figure>

H<sub>2</sub>O <kbd>Ctrl</kbd> <mark>seen</mark> <small>small</small> <abbr title="x">abbr</abbr>

---

[^1]: The note itself.
"""


class Bodies:
    """The sample's own bodies, but the first post's holds everything."""

    def __init__(self, folder: Folder, first: str) -> None:
        self.folder, self.first = folder, first

    def body(self, post: Post) -> str:
        return EVERYTHING if post.id == self.first else self.folder.body(post)


def rendered(show: str, everything: bool) -> str:
    settings = load(ROOT / FILE, {})
    settings = settings.model_copy(update={"issue": settings.issue.model_copy(update={"show": show})})
    folder = Folder(ROOT, settings)
    posts = tuple(sorted(folder.read().posts, key=lambda post: post.published, reverse=True))
    source: Any = Bodies(folder, posts[0].id) if everything else folder
    issue = Issue(
        7,
        "The subject",
        "The preheader.",
        posts,
        posts[0],
        "A [note](https://n.example/).",
        datetime(2026, 1, 4, tzinfo=UTC),
    )
    issue = replace(issue, note=issue.note if everything else "")
    return render_issue(issue, source, Addresses(settings, posts, ROOT), Theme([], settings), settings).html


@pytest.fixture(scope="session")
def sample() -> str:
    """The mail a clone sends."""
    return rendered("lead", everything=False)


@pytest.fixture(scope="session")
def full() -> str:
    """A mail with whole posts, one of them with everything."""
    return rendered("full", everything=True)
