"""The store on a SQL database, put together from its parts."""

from __future__ import annotations

from pipeline.store.audience import Subscribers
from pipeline.store.commit import GroupCommit
from pipeline.store.figures import Figures
from pipeline.store.issues import Issues
from pipeline.store.ledger import Ledger
from pipeline.store.letters import Letters
from pipeline.store.people import People
from pipeline.store.runs import Runs


class SqlStore(Subscribers, People, Letters, Issues, Runs, Ledger, GroupCommit, Figures):
    """The `Store` of edges/: audience, issues, and the ledger, behind one database."""

    def close_database(self) -> None:
        """Let go of the database and of the locks of its runs."""
        self._database.close()
