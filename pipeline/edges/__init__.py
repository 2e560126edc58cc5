"""The doors to the outside, as protocols: what a stage may ask of a store, a mailer, a folder.

Adapters live in store/, mailers/ and collect/folder.py; project.py alone
knows them by name.
"""

from __future__ import annotations

from pipeline.edges.mail import Arm, Hook, Mailbox, Mailer
from pipeline.edges.posts import Source
from pipeline.edges.store import Store
from pipeline.edges.tokens import DatedTokens, Identities, Tokens

__all__ = ["Arm", "DatedTokens", "Hook", "Identities", "Mailbox", "Mailer", "Source", "Store", "Tokens"]
