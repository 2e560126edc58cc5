"""The mailboxes that reports may come to, each behind edges.Mailbox."""

from pipeline.hear.mailbox.config import ServerConfig
from pipeline.hear.mailbox.imap import Imap
from pipeline.hear.mailbox.maildir import Maildir
from pipeline.hear.mailbox.mbox import Mbox
from pipeline.hear.mailbox.pipe import Pipe
from pipeline.hear.mailbox.pop3 import Pop3

__all__ = ["Imap", "Maildir", "Mbox", "Pipe", "Pop3", "ServerConfig"]
