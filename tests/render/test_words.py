"""The interface's words: those of every language that comes with the program, and what a newsletter's own may be."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from babel import Locale

from pipeline.errors import ThemeError
from pipeline.render.theme.theme import Theme, builtin_theme
from pipeline.render.theme.words import places
from pipeline.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"
FILES = sorted((builtin_theme() / "words").glob("*.toml"))
ENGLISH = tomllib.loads((builtin_theme() / "words/en.toml").read_text("utf-8"))
#: What is English in other languages, too, and what is only places.
ALIKE = {"feed_label", "feeds"}

Make = Callable[..., Theme]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Open a theme of a language, with files of the newsletter's own by their name in templates/."""

    def made(language: str, files: dict[str, str] | None = None, **tables: dict[str, str]) -> Theme:
        for name, text in (files or {}).items():
            path = tmp_path / "templates" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        settings = Settings.model_validate({"newsletter": {"language": language}, **tables})
        return Theme([tmp_path / "templates"], settings)

    return made


@pytest.mark.parametrize("file", [file for file in FILES if file.stem != "en"], ids=lambda file: file.stem)
def test_a_language_that_ships_has_every_word_with_its_places_and_its_plural_forms(file: Path) -> None:
    text = file.read_text("utf-8")
    words = tomllib.loads(text)
    assert text.startswith("# The words of the theme's interface in ")
    assert list(words) == list(ENGLISH)
    plurals = {*Locale.parse(file.stem).plural_form.tags, "other"}
    for key, english in ENGLISH.items():
        forms = words[key].values() if isinstance(english, dict) else [words[key]]
        if isinstance(english, dict):
            assert words[key].keys() == plurals, key
        for form in forms:
            assert places(form) == places(english), key
            assert form == " ".join(form.split(" ")).strip(), key
            assert "  " not in form, key
            assert not set(form) & set("'\"`"), key
        assert words[key] != english or key in ALIKE, key


@pytest.mark.parametrize("language", [file.stem for file in FILES])
def test_a_newsletter_in_a_language_that_ships_has_no_english_left(make: Make, language: str) -> None:
    theme = make(language)
    assert theme.untranslated == ()
    assert theme.speaks == language
    assert theme.words()["subscribe"] == tomllib.loads(theme.source(f"words/{language}.toml"))["subscribe"]


def test_the_languages_that_ship_are_those_the_settings_page_names() -> None:
    rows = (DOCS / "settings.md").read_text("utf-8").splitlines()
    row = next(row for row in rows if row.startswith("| `language` |"))
    named = row.partition("come in ")[2].partition(";")[0]
    assert re.findall(r"`(\w+)`", named) == [file.stem for file in FILES]


def test_a_word_is_the_newsletters_own_else_its_languages_else_english(make: Make) -> None:
    own = {
        "words/pt.toml": 'subscribe = "Subscrever"\nsave = "Guardar"\n',
        "words/pt-PT.toml": 'save = "Gravar"\n',
        "words/en.toml": 'subscribe = "Sign up"\nsave = "Keep"\n',
    }
    theme = make("pt-pt", own)
    words = theme.words()
    assert (words["save"], words["subscribe"], words["confirm"]) == ("Gravar", "Subscrever", "Confirmar")
    assert theme.words("pt")["save"] == "Guardar"
    assert theme.words("de")["subscribe"] == "Abonnieren"
    assert theme.words("ja")["subscribe"] == "Sign up"


@pytest.mark.parametrize(
    ("language", "counted"),
    [
        ("de", "1 Beitrag, 2 Beiträge, 5 Beiträge, 0 Beiträge"),
        ("fr", "1 article, 2 articles, 5 articles, 0 article"),
        ("pl", "1 artykuł, 2 artykuły, 5 artykułów, 0 artykułów"),
        # There are no Japanese words, so these are English, and are counted as in English.
        ("ja", "1 post, 2 posts, 5 posts, 0 posts"),
    ],
)
def test_posts_are_counted_as_the_words_language_does(make: Make, language: str, counted: str) -> None:
    line = "{% for n in [1, 2, 5, 0] %}{{ words.count_of_posts|plural(n) }}{{ ', ' if not loop.last }}{% endfor %}"
    assert make(language, {"line.txt": line}).render("line.txt") == counted


FAULTS = [
    ('\nsubscribe = "Sign up {zip}"\n', 2, "subscribe: nothing fills {zip} here; this word has no places"),
    ('issue = "No. {nr}"\n', 1, "issue: nothing fills {nr} here; there is: {number}"),
    (
        '[too_often_text]\none = "{n} minute"\nother = "{m} minutes"\n',
        1,
        "too_often_text: nothing fills {m} here; there is: {n}",
    ),
    ('save = "Keep"\nsubscribr = "x"\n', 2, "subscribr: there is no such word. Did you mean subscribe?"),
    ('zzz = "x"\n', 1, "zzz: there is no such word, and no template of yours uses it."),
    (
        '# mine\n[letters]\nwelcome_subject = "Hi"\n',
        2,
        "letters: words stand in no table. Leave that line out.",
    ),
    ('save = { one = "a", other = "b" }\n', 1, "save: nothing is counted here, so write a text"),
    ('count_of_posts = { one = "{n}", fw = "{n}", other = "{n}" }\n', 1, "there is no plural form fw"),
    ('count_of_posts = { one = "{n} post" }\n', 1, "write a text, or plural forms such as one and other"),
    ('\n\n"save" = 3\n', 3, "save: write a text, or plural forms such as one and other"),
]


@pytest.mark.parametrize(("text", "line", "says"), FAULTS, ids=[fault[2] for fault in FAULTS])
def test_a_word_that_would_be_wrong_on_a_page_is_said_before_any_is_made(
    make: Make, text: str, line: int, says: str
) -> None:
    for name in ("words/en.toml", "words/de.toml"):
        with pytest.raises(ThemeError) as caught:
            make("de", {"words/en.toml": "", name: text})
        assert (caught.value.path, caught.value.line) == (f"templates/{name}", line)
        assert says in caught.value.message


def test_a_word_more_is_welcome_if_a_template_or_a_setting_of_the_newsletters_uses_it(make: Make) -> None:
    words = {"words/en.toml": 'motto = "Read slowly, {who}"\nhello = "Hello"\n'}
    page = {"web/motto.html": '{{ words["motto"]|fill(who="Ana") }}'}
    theme = make("en", words | page, issue={"subject": "{{ words.hello }}: {{ lead.title }}"})
    assert theme.render("web/motto.html") == "Read slowly, Ana"
    with pytest.raises(ThemeError, match="hello: there is no such word"):
        make("en", words | page)


def test_a_language_without_words_is_known_to_speak_english(make: Make) -> None:
    without = make("ja-JP")
    assert without.untranslated == tuple(ENGLISH)
    assert without.speaks == "en"
    some = make("ja-JP", {"words/ja.toml": 'subscribe = "購読する"\n'})
    assert set(ENGLISH) - set(some.untranslated) == {"subscribe"}
    assert some.speaks == "ja-JP"
    assert make("en-GB").untranslated == ()
