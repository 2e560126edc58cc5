"""The postman: answers who asked by the form, and brings single mails to the relay, each at most once.

A letter is written down as armed before its last step, as a copy of an issue
is; what a dead process had armed never goes again. Any number of postmen may
work beside each other. They say ids of letters, never whose they are.
"""

from pipeline.postman.postman import Postman

__all__ = ["Postman"]
