"""The usual way in Python to make a copy: a template compiled once, an EmailMessage per reader."""

from __future__ import annotations

from email.message import EmailMessage
from email.utils import localtime
from typing import Any

from jinja2 import Environment


class Letter:
    """Both bodies as compiled templates, and the headers that a bulk mail must have."""

    def __init__(self, material: dict[str, Any]) -> None:
        self._text = Environment(autoescape=False).from_string(material["text"])  # plain text
        self._html = Environment(autoescape=True).from_string(material["html"])
        self._subject, self._sender = material["subject"], material["sender"]
        self._date = localtime()

    def message(self, reader: dict[str, str]) -> EmailMessage:
        """Return one reader's copy."""
        message = EmailMessage()
        message["From"] = f"The Headache Letter <{self._sender}>"
        message["To"] = f"{reader['name']} <{reader['email']}>"
        message["Subject"] = self._subject
        message["Date"] = self._date
        message["Message-ID"] = f"<{reader['message_id']}>"
        message["Reply-To"] = "editor@example.org"
        message["List-Id"] = "The Headache Letter <letter.example.org>"
        message["List-Unsubscribe"] = f"<{reader['unsubscribe']}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        message.set_content(self._text.render(reader))
        message.add_alternative(self._html.render(reader), subtype="html")
        return message
