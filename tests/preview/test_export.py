"""The preview as a folder: complete, the same every time, and at home wherever it is opened."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

from pipeline.errors import Refused
from pipeline.preview.export import LIST, export
from pipeline.preview.options import SCHEMES, VIEWS
from pipeline.preview.state import Fault

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from pipeline.preview.state import State


@pytest.fixture(scope="module")
def folder(state: State, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export") / "preview"
    export(state, folder)
    return folder


def content(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_each_view_and_scheme_is_there_and_every_link_within_leads_somewhere(
    folder: Path, state: State
) -> None:
    files = content(folder)
    for view in VIEWS:
        for scheme in SCHEMES if view == "html" else SCHEMES[:2]:
            assert f"frames/{view}-{scheme}.html" in files
    for name, data in files.items():
        if name.endswith(".html"):
            text = data.decode()
            assert str(state.root) not in text
            assert 'http-equiv="Content-Security-Policy" content="default-src &#' in text, name
            here = (folder / name).parent
            for target in re.findall(r"""(?:src|href)="([^"#:]+)""" + '"', text):
                assert (here / unquote(target)).resolve().is_file(), (name, target)
    assert not any(b"<form" in data or b"<script" in data for data in files.values())
    assert files["issue-1-short.eml"].startswith(b"From: ")
    assert files[LIST].decode().split() == sorted(files)


def test_the_same_state_gives_the_same_bytes_over_an_earlier_export(folder: Path, state: State) -> None:
    before = content(folder)
    (folder / "web-dark.html").write_text("changed")
    export(state, folder)
    assert content(folder) == before


def test_where_the_newsletter_lies_is_not_told(tmp_path: Path, state: State) -> None:
    fault = Fault("cannot be read", f"{state.root}/posts/lead.md")
    assert export(replace(state, look=None, faults=(fault,)), tmp_path) == ("index.html", LIST, "preview.css")
    text = (tmp_path / "index.html").read_text("utf-8")
    assert str(state.root) not in text
    assert "posts/lead.md" in text


def test_a_folder_that_holds_other_things_is_left_alone(tmp_path: Path, state: State) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    (tmp_path / LIST).write_text(f"../outside.txt\n{LIST}\n")
    (tmp_path.parent / "outside.txt").write_text("mine too")
    with pytest.raises(Refused, match=r"holds other things \(thesis.txt\)"):
        export(state, tmp_path)
    with pytest.raises(Refused, match="is a file"):
        export(state, tmp_path / "thesis.txt")
    assert sorted(content(tmp_path)) == [LIST, "thesis.txt"]
    (tmp_path / "thesis.txt").unlink()
    (tmp_path / LIST).write_text("frames/html-light.html\n")
    (tmp_path / "frames").mkdir()
    (tmp_path / "frames/mine.html").write_text("mine")
    with pytest.raises(Refused, match="holds other things"):
        export(state, tmp_path)
    assert (tmp_path.parent / "outside.txt").read_text() == "mine too"


def test_a_folder_that_holds_other_things_is_not_walked_through(tmp_path: Path, state: State) -> None:
    (tmp_path / "a disk").mkdir()
    (tmp_path / "a disk/deep").mkdir()
    (tmp_path / "a disk/deep/file").write_text("mine")
    # As the folders of other people on a whole disk.
    (tmp_path / "a disk").chmod(0)
    try:
        with pytest.raises(Refused, match=r"holds other things \(a disk\)"):
            export(state, tmp_path)
    finally:
        (tmp_path / "a disk").chmod(0o755)


@pytest.mark.browser
def test_it_opens_from_a_disk_with_its_style_and_pictures_and_asks_for_nothing_else(
    browser: Browser, folder: Path
) -> None:
    page = browser.new_page(viewport={"width": 1500, "height": 900}, color_scheme="dark")
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.goto((folder / "index.html").as_uri())
    page.get_by_role("link", name="Web page").click()
    page.get_by_role("link", name="Dark", exact=True).click()
    assert page.url.endswith("/web-dark.html")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(17, 22, 24)"
    hill = page.frames[1].locator("img").first
    assert hill.evaluate("image => image.naturalWidth") == 300
    assert all(address.startswith("file:") for address in asked)
    assert said == []
    page.close()
