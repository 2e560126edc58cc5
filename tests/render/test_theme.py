"""A newsletter's own templates over the built-in ones, and what they may and may not do."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.errors import SettingsError, ThemeError
from pipeline.render.theme.theme import Theme, builtin_theme
from pipeline.settings import Settings

Write = Callable[[str, str], Path]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "templates"


@pytest.fixture
def write(folder: Path) -> Write:
    def put(name: str, text: str) -> Path:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
        return path

    return put


def test_a_newsletters_own_file_stands_before_the_built_in_one(write: Write, folder: Path) -> None:
    write("mail/head.html", "mine")
    theme = Theme([folder, builtin_theme()])
    assert theme.render("mail/head.html") == "mine"
    assert theme.source("mail/mail.css") == Theme().source("mail/mail.css")


def test_an_override_may_build_on_the_file_it_replaces(write: Write, folder: Path) -> None:
    write("web/404.html", "{% extends 'built-in/web/404.html' %}")
    write("mail/mail.css", "p { color: #000000; }")
    write("plain.txt", "{% include 'built-in/words/en.toml' %}")
    assert "read_article" in Theme([folder]).render("plain.txt")
    assert Theme([folder]).source("mail/mail.css") == "p { color: #000000; }"
    assert ".paper" in Theme([folder]).source("built-in/mail/mail.css")


def test_the_built_in_theme_is_found_inside_a_wheel(tmp_path: Path) -> None:
    """Installed, the templates lie inside the package; a copy of it stands for the wheel."""
    import shutil

    import pipeline

    shutil.copytree(Path(pipeline.__file__).parent, tmp_path / "site" / "pipeline")
    shutil.copytree(builtin_theme(), tmp_path / "site" / "pipeline" / "templates", dirs_exist_ok=True)
    code = "from pipeline.render.theme.theme import builtin_theme; print(builtin_theme())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path / "site", capture_output=True, text=True, check=True
    )
    assert Path(done.stdout.strip()) == tmp_path / "site" / "pipeline" / "templates"


FAULTS = [
    ("a\n{% if %}\n", 2, "expected an expression"),
    ("a\n\n{{ post.titel }}", 3, "'titel'"),
    ("{{ nothing }}", 1, "'nothing' is undefined"),
    ("\n{{ 1 / 0 }}", 2, "division"),
    ("\n\n{% include 'web/none.html' %}", 3, "no template 'web/none.html'"),
    ("{% include '../../secret.txt' %}", 1, "no template"),
    ("{{ ''.__class__.__mro__ }}", 1, "unsafe"),
    ("{{ post.burn() }}", 1, "unsafe"),
    ("{% macro a() %}{{ a() }}{% endmacro %}\n{{ a() }}", 1, "calls itself"),
    ("{% for i in range(10 ** 9) %}{% endfor %}", 1, "not for templates"),
    ("{% for i in range(1000000000) %}{% endfor %}", 1, "turns"),
    ("{% for i in range(999999999999999999999999) %}{% endfor %}", 1, "turns"),
    ("{% for i in range(90000) %}\n{% for j in range(90000) %}{% endfor %}{% endfor %}", 2, "turns"),
    ("{{ 'x' * 1000000000 }}", 1, "multiplied"),
    ("{{ [1] * 1000000000 }}", 1, "multiplied"),
    ("{{ words.nonsense }}", 1, "'nonsense'"),
    ("{{ words.issue|fill(nr=1) }}", 1, "{number}"),
]


@dataclass(frozen=True)
class Fire:
    title: str = "Fire"

    def burn(self) -> str:
        return "burnt"


@pytest.mark.parametrize(("text", "line", "says"), FAULTS, ids=[fault[0][:30].strip() for fault in FAULTS])
def test_a_mistake_in_an_override_names_its_file_and_line(
    write: Write, folder: Path, text: str, line: int, says: str
) -> None:
    write("web/part.html", text)
    write("web/page.html", "first line\n{% include 'web/part.html' %}")
    began = time.process_time()
    with pytest.raises(ThemeError) as caught:
        Theme([folder]).render("web/page.html", post=Fire())
    assert (caught.value.path, caught.value.line) == ("templates/web/part.html", line)
    assert says in caught.value.message
    assert time.process_time() - began < 2


def test_a_file_that_is_not_utf8_is_named_with_its_line(write: Write, folder: Path) -> None:
    write("web/page.html", "a\nb\n").write_bytes(b"a\nb \xe9\n")
    with pytest.raises(ThemeError) as caught:
        Theme([folder]).render("web/page.html")
    assert str(caught.value) == "templates/web/page.html:2: not UTF-8. Save the file as UTF-8."


def test_nothing_outside_the_folders_can_be_read(write: Write, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    write("web/page.html", "x")
    (folder / "web" / "link.html").symlink_to(tmp_path / "secret.txt")
    (folder / "away").symlink_to(tmp_path, target_is_directory=True)
    for name in ("web/link.html", "../secret.txt", "away/secret.txt", str(tmp_path / "secret.txt"), "web/\0"):
        with pytest.raises(ThemeError):
            Theme([folder]).render(name)
        with pytest.raises(ThemeError):
            Theme([folder]).source(name)


def test_text_is_escaped_in_html_and_xml_and_left_alone_in_text(write: Write, folder: Path) -> None:
    for name in ("a.html", "a.xml", "a.txt"):
        write(name, "{{ title }}\n")
    theme = Theme([folder])
    assert theme.render("a.html", title="<b> & {{ x }}") == "&lt;b&gt; &amp; {{ x }}\n"
    assert theme.render("a.xml", title="<b>") == "&lt;b&gt;\n"
    assert theme.render("a.txt", title="<b> & {{ x }}") == "<b> & {{ x }}\n"


def test_a_subject_in_the_settings_becomes_one_line_of_plain_text() -> None:
    line = Theme().render_text_line(
        "{{ lead.title }}\n no. {{ number }}",
        "issue.subject",
        lead={"title": "A & <b>\r\nBcc: x\0\x1b"},
        number=3,
    )
    assert line == "A & <b> Bcc: x no. 3"


@pytest.mark.parametrize(
    "template", ["{{ lead.titel }}", "{{ lead", "{{ lead.title.__class__ }}", "{{ 'x' * 10**9 }}"]
)
def test_a_mistake_in_a_setting_names_its_key(template: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Theme().render_text_line(template, "issue.subject", lead={"title": "A"})
    assert str(caught.value).startswith("newsletter.toml: issue.subject: ")


def test_dates_are_shown_in_the_newsletters_language_and_zone(write: Write, folder: Path) -> None:
    write("a.txt", "{{ moment|long_date }} {{ moment|iso }} {{ moment|long_date('fr') }}")
    settings = Settings.model_validate({"newsletter": {"language": "de", "timezone": "Pacific/Auckland"}})
    text = Theme([folder], settings).render("a.txt", moment=datetime(2018, 9, 21, 13, tzinfo=UTC))
    assert text == "22. September 2018 2018-09-22T01:00:00+12:00 22 septembre 2018"


def test_words_fall_back_from_dialect_to_language_to_english(write: Write, folder: Path) -> None:
    write("words/eo.toml", 'read_article = "Legi"\nminutes = "{n} minutoj"\n')
    write("words/eo-ES.toml", 'minutes = "{n} minutoj por legi"\n')
    words = Theme([folder], Settings.model_validate({"newsletter": {"language": "eo-ES"}})).words()
    assert words["read_article"] == "Legi"
    assert words["minutes"] == "{n} minutoj por legi"
    assert words["continue_reading"] == "Continue reading"
    assert Theme([folder]).words("en")["read_article"] == "Read article"


def test_words_count_as_their_language_does(write: Write, folder: Path) -> None:
    write(
        "words/ru.toml", '[count_of_posts]\none = "{n} запись"\nfew = "{n} записи"\nother = "{n} записей"\n'
    )
    write("a.txt", "{% for n in numbers %}{{ words.count_of_posts|plural(n) }},{% endfor %}")
    theme = Theme([folder], Settings.model_validate({"newsletter": {"language": "ru"}}))
    assert theme.render("a.txt", numbers=[1, 3, 5, 21]) == "1 запись,3 записи,5 записей,21 запись,"


def test_what_is_filled_into_a_word_is_escaped(write: Write, folder: Path) -> None:
    write("a.html", "{{ words.read_article_label|fill(title=title) }}")
    assert Theme([folder]).render("a.html", title="<i>{x}") == "Read article: &lt;i&gt;{x}"


def test_a_mistake_in_a_file_of_words_names_file_and_line(write: Write, folder: Path) -> None:
    write("words/en.toml", 'a = "b"\nread_article = oops\n')
    with pytest.raises(ThemeError) as caught:
        Theme([folder])
    assert (caught.value.path, caught.value.line) == ("templates/words/en.toml", 2)


def test_the_digest_changes_with_any_file_and_with_nothing_else(write: Write, folder: Path) -> None:
    before = Theme([folder]).digest
    assert Theme([folder]).digest == before
    write("web/extra.css", "p {}")
    changed = Theme([folder]).digest
    assert changed != before
    write("web/extra.css", "p { }")
    assert Theme([folder]).digest not in (before, changed)
    assert (
        Theme([folder], Settings.model_validate({"newsletter": {"timezone": "Asia/Tokyo"}})).digest != before
    )


def test_a_theme_is_a_snapshot(write: Write, folder: Path) -> None:
    path = write("a.txt", "before")
    theme = Theme([folder])
    path.write_text("after")
    assert theme.render("a.txt") == "before"


def test_chance_is_not_for_templates(write: Write, folder: Path) -> None:
    write("a.txt", "{{ [1, 2]|random }}")
    with pytest.raises(ThemeError):
        Theme([folder]).render("a.txt")


def test_every_built_in_template_can_be_read() -> None:
    theme = Theme()
    names = [path.relative_to(builtin_theme()).as_posix() for path in builtin_theme().rglob("*.html")]
    assert names
    for name in names:
        theme._environment.get_template(name)
