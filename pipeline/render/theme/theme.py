"""The theme: Jinja templates, stylesheets and words, a newsletter's own laid over the built-in ones.

The only module that knows Jinja. A theme is a snapshot: all its files are
read when it is opened, so that its digest and its output belong together.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from jinja2 import BaseLoader, StrictUndefined, TemplateNotFound, TemplateSyntaxError, select_autoescape

import pipeline
from pipeline.errors import NewsletterError, SettingsError, ThemeError
from pipeline.render.theme.files import Files
from pipeline.render.theme.sandbox import Sandbox, allowance
from pipeline.render.theme.words import Words, fill, plural, read_words
from pipeline.render.wrap import WIDTH, columns, wrap
from pipeline.slugs import slugify

if TYPE_CHECKING:
    from datetime import date, datetime
    from types import TracebackType

    from jinja2 import Environment

    from pipeline.settings import Settings

#: An override reaches the file it stands in front of as "built-in/mail/mail.html".
BUILT_IN = "built-in/"


def builtin_theme() -> Path:
    """Find the theme that comes with the program: inside the wheel, or beside the package in a checkout."""
    package = Path(pipeline.__file__).parent
    for folder in (package / "templates", package.parent / "templates"):
        if (folder / "words" / "en.toml").is_file():
            return folder
    raise ThemeError("the built-in theme is missing: install newsletter-pipeline again")


class Theme:
    """Templates by name, like "mail/mail.html"; the first folder that has a file provides it.

    The built-in theme comes last, named or not. `settings` say in which
    language and zone people are shown things.
    """

    def __init__(self, folders: Sequence[Path] = (), settings: Settings | None = None) -> None:
        own = builtin_theme()
        self.language = settings.newsletter.language if settings else "en"
        self.zone = settings.newsletter.zone if settings else ZoneInfo("UTC")
        #: Templates that stand in settings.
        self._in_settings = [settings.issue.subject, settings.issue.preheader] if settings else []
        self._builtin = Files(own, "the built-in theme")
        overrides = [folder for folder in folders if folder.resolve() != own.resolve()]
        self._folders = [*(Files(folder) for folder in overrides), self._builtin]
        self._environment = self._make_environment()

    def render(self, name: str, **context: object) -> str:
        """Fill one template; the same context gives the same text.

        Raises ThemeError with file and line for whatever goes wrong in a template.
        """
        try:
            with allowance():
                return self._environment.get_template(name).render(context)
        except NewsletterError:
            raise
        except Exception as fault:
            raise self._explain(fault, name) from fault

    def render_text_line(self, template: str, where: str, **context: object) -> str:
        """Fill a template that stands in a setting, as one line of plain text.

        `where` is the setting's key, like "issue.subject"; SettingsError names it.
        """
        try:
            with allowance():
                text = self._environment.from_string(template).render(context)
        except NewsletterError:
            raise
        except Exception as fault:
            raise SettingsError(f"{where}: {_sentence(fault)}", path="newsletter.toml") from fault
        return _one_line(text)

    def word(self, key: str, **values: object) -> str:
        """Return one of the interface's words, its {places} filled, as one line of plain text.

        Raises ThemeError, naming the key, if it cannot be.
        """
        try:
            template = self._environment.from_string("{{ words[key]|fill(**values) }}")
            text = template.render(key=key, values=values)
        except Exception as fault:
            raise ThemeError(
                f"{key}: {_sentence(fault)}", path=f"templates/words/{self.language}.toml"
            ) from fault
        return _one_line(text)

    def source(self, name: str) -> str:
        """Return a file's text as it is, line ends as `\\n`: a stylesheet, for one."""
        return self._find(name)[1]

    def texts(self, folder: str) -> dict[str, str]:
        """Return the text of every file that is in use below a folder like "mail/", by its path for people."""
        names = {name for files in self._folders for name in files.data if name.startswith(folder)}
        found = {}
        for name in sorted(names):
            files, text = self._find(name)
            found[files.display(name)] = text
        return found

    def words(self, language: str | None = None) -> Words:
        """Return the interface's words, by key.

        A key is looked for in the language, its base language, then English;
        each in the newsletter's own file first. Raises ThemeError for a file
        that cannot be used.
        """
        if language and language != self.language:
            return read_words(self._word_files(language), self._named)
        return self._words

    @cached_property
    def untranslated(self) -> tuple[str, ...]:
        """Keys of the words that are English only because nobody wrote them in the newsletter's language."""
        if self.language.lower().partition("-")[0] == "en":
            return ()
        common = self._word_files("en")
        others = [file for file in self._word_files(self.language) if file not in common]
        theirs = {key for _, text in others for key in tomllib.loads(text)}
        return tuple(key for key in tomllib.loads(common[0][1]) if key not in theirs)

    @cached_property
    def speaks(self) -> str:
        """The language in which the words come: the newsletter's, or English if there is none in that."""
        every = tomllib.loads(self._word_files("en")[0][1])
        return "en" if len(self.untranslated) == len(every) else self.language

    @cached_property
    def _words(self) -> Words:
        return read_words(self._word_files(self.language), self._named)

    def _named(self, key: str) -> bool:
        """Tell whether a template of the newsletter's own names a word."""
        name = re.compile(rf"(?<![\w-]){re.escape(key)}(?![\w-])")
        return any(name.search(text) for text in self._own)

    @cached_property
    def _own(self) -> list[str]:
        """The text of every template of the newsletter's own."""
        templates = [
            data.decode("utf-8", "replace")
            for files in reversed(self._folders)
            if files is not self._builtin
            for name, data in files.data.items()
            if not name.startswith("words/")
        ]
        return [*self._in_settings, *templates]

    @cached_property
    def digest(self) -> str:
        """SHA-256 over everything that can change what templates make, hexadecimal."""
        total = sha256(f"{pipeline.__version__}\0{self.language}\0{self.zone.key}".encode())
        for files in self._folders:
            for name, data in sorted(files.data.items()):
                total.update(f"\0{name}\0{len(data)}\0".encode() + data)
            total.update(b"\0\0")
        return total.hexdigest()

    @cached_property
    def digests(self) -> Mapping[str, str]:
        """SHA-256 of every file of the theme by its path, and of the program that fills them; hexadecimal."""
        found = {"the program": sha256(pipeline.__version__.encode()).hexdigest()}
        for files in self._folders:
            beside = "built-in " if files is self._builtin else ""
            found |= {
                f"{beside}{files.display(name)}": sha256(data).hexdigest()
                for name, data in files.data.items()
            }
        return found

    def _find(self, name: str) -> tuple[Files, str]:
        folders = [self._builtin] if name.startswith(BUILT_IN) else self._folders
        name = name.removeprefix(BUILT_IN)
        for files in folders:
            text = files.text(name)
            if text is not None:
                return files, text
        raise ThemeError(f"there is no template {name!r} in {' or '.join(files.title for files in folders)}")

    def _word_files(self, language: str) -> list[tuple[str, str]]:
        """List path and text of the words that a language can draw on, weakest first."""
        # Tags are alike in any case (RFC 5646, 2.1.1): pt-br is pt-BR.
        parts = language.lower().split("-")
        tags = dict.fromkeys(["en", *("-".join(parts[: n + 1]) for n in range(len(parts)))])
        return [
            (files.display(name), files.text(name) or "")
            for tag in tags
            for files in reversed(self._folders)
            for name in sorted(files.data)
            if name.lower() == f"words/{tag}.toml"
        ]

    def _make_environment(self) -> Sandbox:
        environment = Sandbox(
            loader=_Loader(self._find),
            autoescape=select_autoescape(("html", "xml"), default=False, default_for_string=False),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            auto_reload=False,
        )
        environment.filters.update(
            long_date=self._long_date,
            iso=self._iso,
            slugify=slugify,
            wrap=_wrap,
            underline=_rule,
            fill=fill,
            plural=plural,
        )
        environment.globals.update(words=self.words(), language=self.language, speaks=self.speaks)
        return environment

    def _long_date(self, moment: datetime | date, language: str = "") -> str:
        from pipeline.dates import long_date

        return long_date(self._day(moment), language or self.language)

    def _day(self, moment: datetime | date) -> date:
        return moment.astimezone(self.zone).date() if hasattr(moment, "astimezone") else moment

    def _iso(self, moment: datetime | date) -> str:
        """Write a moment as HTML's <time datetime> wants it, in the newsletter's zone."""
        return (
            moment.astimezone(self.zone).isoformat() if hasattr(moment, "astimezone") else moment.isoformat()
        )

    def _explain(self, fault: Exception, name: str) -> ThemeError:
        """Say at which template and line a rendering stopped."""
        place, line = _place(fault, fault.__traceback__)
        if not place:
            place = self._find(name)[0].display(name)
        return ThemeError(_sentence(fault), path=place, line=line)


class _Loader(BaseLoader):
    """Gives Jinja the theme's files; their display path becomes the frames' file name."""

    def __init__(self, find: Callable[[str], tuple[Files, str]]) -> None:
        self.find = find

    def get_source(self, _environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        try:
            files, text = self.find(template)
        except ThemeError as fault:
            if fault.path:
                raise
            raise TemplateNotFound(template, fault.message) from None
        return text, f"{_FRAME}{files.display(template.removeprefix(BUILT_IN))}", lambda: True


#: Begins the file name of every template's frames, so that they can be told from Python's.
_FRAME = "theme:"


def _wrap(text: str) -> str:
    """Break plain text into lines of 72 columns."""
    return "\n".join(wrap(text, WIDTH))


def _rule(text: str, mark: str = "=") -> str:
    """Return a line as long as a text is wide, to stand under it."""
    return mark * min(columns(text), WIDTH)


def _place(fault: Exception, trace: TracebackType | None) -> tuple[str, int | None]:
    """Find the innermost template and line: Jinja puts a frame for each into the traceback."""
    if isinstance(fault, TemplateSyntaxError) and fault.filename:
        return fault.filename.removeprefix(_FRAME), fault.lineno
    place, line = "", None
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if file.startswith(_FRAME):
            place, line = file.removeprefix(_FRAME), trace.tb_lineno
        trace = trace.tb_next
    return place, line


def _one_line(text: str) -> str:
    return " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", text).split())


def _sentence(fault: Exception) -> str:
    if isinstance(fault, RecursionError):
        return "a template calls itself without end"
    text = str(getattr(fault, "message", None) or fault) or type(fault).__name__
    text = re.sub(
        r"^'[\w.]+(?: object)?' has no attribute '(\w+)'", r"there is nothing called '\1' here", text
    )
    text = text.rstrip(".")
    return text[:1].lower() + text[1:] if text[1:2].islower() else text
