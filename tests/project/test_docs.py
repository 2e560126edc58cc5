"""The papers say what the program does: settings, commands, checks, codes, and links that lead somewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

import click
import pytest
from pydantic import BaseModel

from pipeline import errors
from pipeline.check import catalogue
from pipeline.cli import COMMANDS, newsletter
from pipeline.settings import Settings

#: Keys that are documented under their table's name, because two short tables share a heading.
SHARED = {"store": "store.", "web": "web."}


def settings_keys(model: type[BaseModel], table: str = "") -> Iterator[tuple[str, str, Any]]:
    """Yield table, key and field of every setting, as newsletter.toml writes them."""
    for name, field in model.model_fields.items():
        key = field.alias or name
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            if table:
                yield table, key, None
            yield from settings_keys(field.annotation, f"{table}.{key}" if table else key)
        elif key != "checks":
            yield table, key, field


@pytest.mark.parametrize(("table", "key", "field"), list(settings_keys(Settings)))
def test_every_setting_is_explained_with_its_default(root, tables, table, key, field):
    page = tables((root / "docs/settings.md").read_text("utf-8"))
    rows = page.under("`[store]`" if table in SHARED else f"`[{table}]`")
    row = rows.get(f"`{SHARED.get(table, '')}{key}`")
    assert row, f"docs/settings.md does not explain {table}.{key}"
    default, meaning = row
    assert len(meaning) > 10
    if field is not None and field.default is not None:
        assert default == f"`{json.dumps(field.default)}`"
    for choice in choices(field.annotation) if field is not None else ():
        assert f"`{choice}`" in meaning, f"{table}.{key} does not say what {choice} means"


def choices(annotation: Any) -> tuple[str, ...]:
    return get_args(annotation) if get_origin(annotation) is Literal else ()


def test_no_setting_is_explained_that_is_not_there(root, tables):
    known = {f"`{SHARED.get(table, '')}{key}`" for table, key, _ in settings_keys(Settings)}
    rows = tables((root / "docs/settings.md").read_text("utf-8")).rows
    assert {cells[0] for _, cells in rows} - {"key", "---"} <= known


def commands(
    group: click.Group = newsletter, name: str = "newsletter"
) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for each in group.list_commands(context):
        command = group.get_command(context, each)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, f"{name} {each}")
        yield f"{name} {each}", command


def sections(text: str) -> dict[str, str]:
    """Heading -> the text below it, up to the next heading."""
    parts = re.split(r"^#+ (.*)$", text, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_command_and_option_is_explained(root):
    page = sections((root / "docs/commands.md").read_text("utf-8"))
    common = page["Options of every command"]
    found = dict(commands())
    assert {name.split()[1] for name in found} == set(COMMANDS)
    missing = []
    for name, command in found.items():
        text = page.get(f"`{name}`")
        if text is None:
            missing.append(name)
            continue
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                missing += [
                    f"{name} {option}"
                    for option in parameter.opts
                    if f"`{option}" not in text and f"`{option}" not in common
                ]
            elif (parameter.metavar or parameter.name or "").upper() not in text:
                missing.append(f"{name} {parameter.name}")
    assert not missing


def test_no_command_or_option_is_explained_that_is_not_there(root):
    page = sections((root / "docs/commands.md").read_text("utf-8"))
    found = dict(commands())
    explained = {heading.strip("`") for heading in page if heading.startswith("`newsletter")}
    assert explained == set(found)
    for name, command in found.items():
        known = {option for parameter in command.params for option in parameter.opts} | {"-h", "--help"}
        assert set(re.findall(r"^\| `(--?[\w-]+)", page[f"`{name}`"], re.M)) <= known, name


def test_every_check_is_listed(root, tables):
    rows = tables((root / "docs/checks.md").read_text("utf-8")).rows
    listed = [cells[0].strip("`") for _, cells in rows if re.fullmatch(r"`[a-z-]+`", cells[0])]
    assert sorted(listed) == sorted(catalogue.texts())


def test_every_exit_code_is_listed(root, tables):
    listed = tables((root / "docs/sending.md").read_text("utf-8")).under("Exit codes")
    codes = {each.exit_code for each in vars(errors).values() if isinstance(each, type)} | {0, 4, 5, 130}
    assert codes <= {int(code) for code in listed if code.isdigit()}


def test_every_link_between_the_papers_leads_somewhere(root, pages):
    broken = []
    for page in pages:
        text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text("utf-8"), flags=re.S)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            file, _, anchor = target.partition("#")
            if "://" in target:
                continue
            path = (page.parent / file).resolve() if file else page
            if not path.is_file() or (anchor and anchor not in anchors(path.read_text("utf-8"))):
                broken.append(f"{page.relative_to(root)}: {target}")
    assert not broken


def anchors(text: str) -> set[str]:
    """Names of headings as forges make them: lower case, hyphens for spaces, no other signs."""
    headings = re.findall(r"^#+ (.*)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def test_readme_names_every_page_of_the_docs(root):
    readme = (root / "README.md").read_text("utf-8") + (root / "CONTRIBUTING.md").read_text("utf-8")
    unnamed = [page.name for page in (root / "docs").glob("*.md") if f"docs/{page.name}" not in readme]
    assert not unnamed
