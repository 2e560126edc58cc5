"""What an issue leaves beside the ledger, for people: its bodies and its receipt as files."""

from __future__ import annotations

import json
import shutil
from hashlib import sha256
from typing import TYPE_CHECKING

from pipeline.compose import draft as drafts
from pipeline.errors import Refused
from pipeline.model import DeliveryState

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.deliver.receipt import Receipt
    from pipeline.model import Copy, FrozenIssue, IssueRecord
    from pipeline.project import Project

#: In an issue's folder: a folder for each variant.
VARIANTS = "variants"
#: Its data, then the page that is made of them.
RECEIPT = ("receipt.json", "receipt.html")
#: Bytes of a folder's name; file systems take 255.
LONGEST_NAME = 200


def folder_of(project: Project, number: int) -> Path:
    """Return where an issue's files lie."""
    return project.private / "issues" / f"{number:04d}"


def write_bodies(project: Project, issue: FrozenIssue) -> str:
    """Lay an issue's bodies out as files, its variants beside them, for a person to look at; return their folder."""
    folder = folder_of(project, issue.number)
    variants = {variant_folder(each.name): each for each in issue.variants}
    _write_pair(folder, issue.html, issue.text)
    for name, variant in variants.items():
        _write_pair(folder / VARIANTS / name, variant.html, variant.text)
    # Those of an earlier build that nobody would get any more.
    for old in (folder / VARIANTS).glob("*"):
        if old.name not in variants:
            shutil.rmtree(old)
    return folder.relative_to(project.root).as_posix()


def variant_folder(name: str) -> str:
    """Return the folder of a variant: "cluster-headaches+sleep"; cut, and still its own, where that is too long."""
    folder = name.replace(" ", "+")
    if len(folder.encode()) <= LONGEST_NAME:
        return folder
    mark = sha256(name.encode()).hexdigest()[:12]
    return f"{folder.encode()[:LONGEST_NAME].decode(errors='ignore')}-{mark}"


def _write_pair(folder: Path, html: bytes, text: bytes) -> None:
    from pipeline.atomic import write_atomic

    folder.mkdir(parents=True, exist_ok=True)
    for name, data in (("email.html", html), ("email.txt", text)):
        if not (folder / name).exists() or (folder / name).read_bytes() != data:
            write_atomic(folder / name, data)


def record_of(project: Project, number: int) -> IssueRecord:
    """Return where an issue stands. Raises Refused if the ledger knows none of that number."""
    record = project.store.issue(number)
    if record is None:
        raise Refused(
            f"there is no issue {number} in the ledger. `newsletter status` says which was the last."
        )
    return record


def receipt(project: Project, number: int | None) -> Receipt:
    """Return what the ledger knows of an issue, the last one by default."""
    from pipeline.deliver.receipt import make_receipt

    if number is None:
        last = project.store.last_issue()
        if last is None:
            raise Refused("no issue has been sent yet. Next: newsletter status")
        number = last.number
    return make_receipt(project.store, record_of(project, number))


def write_receipt(project: Project, number: int) -> None:
    """Lay the receipt beside the bodies, as JSON and as a page; it names nobody."""
    from pipeline.atomic import write_atomic
    from pipeline.deliver.receipt import summary

    made = receipt(project, number)
    document = summary(made)
    page = project.theme.render("receipt.html", receipt=document, newsletter=project.settings.newsletter.name)
    folder = folder_of(project, number)
    data = json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    for name, text in zip(RECEIPT, (data, page), strict=True):
        write_atomic(folder / name, text.encode())


def complete(project: Project, number: int) -> bool:
    """Tell whether an issue that is out says so in its file, and has its receipt."""
    file = drafts.read_all(project.root).get(number)
    return (file is None or file.sent is not None) and (folder_of(project, number) / RECEIPT[-1]).exists()


def tells_of(project: Project, copy: Copy, email: str) -> bool:
    """Tell whether an issue's receipt shows what one reader is known by: words about them, or a domain of theirs."""
    try:
        document = json.loads((folder_of(project, copy.issue) / RECEIPT[0]).read_bytes())
    except FileNotFoundError:
        return False
    same_domain = document["by_domain"].get(email.rpartition("@")[2], {})
    return (copy.state is not DeliveryState.ACCEPTED and copy.reply != "") or sum(same_domain.values()) == 1


def drop_receipt(project: Project, number: int) -> None:
    """Take an issue's receipt away, until it is written anew."""
    for name in RECEIPT:
        (folder_of(project, number) / name).unlink(missing_ok=True)


def sweep(project: Project, number: int) -> None:
    """Clear away what killed runs left half written."""
    from pipeline.atomic import sweep as sweep_folder

    private, papers = project.private, folder_of(project, number)
    for folder in (
        private,
        private / "cache",
        papers,
        *sorted((papers / VARIANTS).glob("*")),
        project.root / drafts.FOLDER,
    ):
        sweep_folder(folder)
