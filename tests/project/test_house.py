"""The project keeps its own rules: commands that users copy, the lock, a word about every room."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

FRESH = "python3 -m venv .venv && . .venv/bin/activate && "
MAIN_JOB = FRESH + "pip install . && newsletter subscribers import readers.csv && newsletter send --yes"
TESTS = FRESH + "pip install '.[test]' && pytest"


def test_the_readme_holds_the_two_commands_that_must_always_work(root):
    blocks = re.findall(r"^```\n(.*?)\n```$", (root / "README.md").read_text("utf-8"), re.S | re.M)
    assert [block for block in blocks if block.startswith(FRESH)] == [MAIN_JOB, TESTS]


def test_the_gate_finds_each_of_them_by_its_end(root):
    lines = (root / "README.md").read_text("utf-8").splitlines()
    for end in re.findall(r"\$\(readme_command '(.*?)'\)", (root / ".ci/run").read_text("utf-8")):
        assert sum(line.startswith("python3 -m venv ") and line.endswith(end) for line in lines) == 1


def test_the_gate_is_a_script_that_bash_can_read(root):
    subprocess.run(["bash", "-n", root / ".ci/run"], check=True)


def test_the_lock_is_renewed_the_way_contributors_are_told(root):
    told = re.search(r"^uv pip compile (.*?) pyproject", (root / "CONTRIBUTING.md").read_text("utf-8"), re.M)
    assert told
    used = re.search(r"uv pip compile -q (.*?) +pyproject", join(root / ".ci/run"))
    assert used
    assert used[1].split() == told[1].split()


def join(path):
    """A script's text, with continued lines made one."""
    return path.read_text("utf-8").replace("\\\n", " ")


@pytest.fixture(scope="module")
def lock(root):
    """Package -> its version and the number of its hashes."""
    found = {}
    for name, version, rest in re.findall(
        r"^([A-Za-z0-9._-]+)==(\S+)(.*(?:\n +.*)*)", (root / "requirements.lock").read_text("utf-8"), re.M
    ):
        found[name] = (version, rest.count("--hash=sha256:"))
    return found


def wanted(root, without=()):
    """Everything that pyproject.toml asks for, extras included."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    extras = [each for name, each in project["optional-dependencies"].items() if name not in without]
    return [
        Requirement(text)
        for text in [*project["dependencies"], *(text for extra in extras for text in extra)]
    ]


def test_everything_in_the_lock_has_a_hash(lock):
    assert len(lock) > 20
    assert not [name for name, (_, hashes) in lock.items() if not hashes]


def test_the_lock_names_no_registry(root):
    assert not re.findall(
        r"\w+://|--\w*-?index|--find-links", (root / "requirements.lock").read_text("utf-8")
    )


def test_the_lock_holds_what_pyproject_asks_for(root, lock):
    wrong = []
    for requirement in wanted(root, without=["bench"]):  # a peer's own limits must not hold ours back
        version, _ = lock.get(canonicalize_name(requirement.name), ("", 0))
        if not version or not requirement.specifier.contains(version, prereleases=True):
            wrong.append(f"{requirement}, locked: {version or 'nothing'}")
    assert not wrong


def test_every_dependency_is_argued_for(root):
    text = canonicalize_name((root / "docs/dependencies.md").read_text("utf-8"))
    names = {canonicalize_name(requirement.name) for requirement in wanted(root)}
    assert not [name for name in sorted(names) if name not in text and not name.startswith("types-")]


def test_every_module_says_what_it_is(root):
    silent = []
    for path in sorted((root / "pipeline").rglob("*.py")):
        said = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
        if not said.split("\n\n")[0].strip().endswith((".", ":", ")")):
            silent.append(path.relative_to(root).as_posix())
    assert not silent


def test_every_room_has_a_door(root):
    rooms = {path.parent for path in (root / "pipeline").rglob("*.py")}
    assert not [room for room in rooms if not (room / "__init__.py").is_file()]


def test_papers_hold_no_path_of_a_machine(pages):
    found = [page.name for page in pages if re.search(r"/(home|Users|root|work)/\w", page.read_text("utf-8"))]
    assert not found
