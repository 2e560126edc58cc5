"""One reader's copy of an issue, cut from its frozen bytes for readers who do not exist."""

from __future__ import annotations

from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import lru_cache

from pipeline.deliver import headers
from pipeline.deliver.message import Template, shorten
from pipeline.deliver.trial import SAMPLE
from pipeline.model import FrozenIssue

#: Names that mails have to bear. Nobody is called so.
READERS = {
    "short": "Jo Field",
    "long": "Maximiliane Ännchen Gräfin von Hohenwörth-Östergård zu Müßiggängen-Überlingen an der Großen Wörnitz",
    "none": "",
}
#: Leads nowhere (RFC 6761, 6.5).
ADDRESS = "reader@example.org"


@dataclass(frozen=True, slots=True)
class Copy:
    """A whole message, and what a client takes out of it."""

    data: bytes
    #: Decoded, in the message's order.
    headers: tuple[tuple[str, str], ...]
    html: str
    text: str

    def header(self, name: str) -> str:
        """Return a header's decoded value; "" if there is none."""
        return next((value for key, value in self.headers if key == name), "")

    @property
    def wire(self) -> str:
        """The message as it is handed over, octet by octet; all of it is ASCII."""
        return self.data.decode("ascii", "replace").replace("\r\n", "\n")


@lru_cache(maxsize=8)
def copy(frozen: FrozenIssue, reader: str) -> Copy:
    """Cut the copy of one of READERS, and read it again as a stranger's program would."""
    template = Template(frozen.template, frozen.language)
    data = template.splice(
        name=shorten(READERS[reader]),
        address=headers.address(ADDRESS),
        message_id=template.message_id(SAMPLE),
        unsubscribe=SAMPLE,
        preferences=SAMPLE,
        confirmed=frozen.date.date(),
    )
    message = message_from_bytes(data, policy=policy.default)
    return Copy(
        data,
        tuple((name, str(value)) for name, value in message.items()),
        _part(message, "html"),
        _part(message, "plain"),
    )


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    return str(part.get_content()).replace("\r\n", "\n") if part is not None else ""
