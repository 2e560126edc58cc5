"""Entries, and the feeds that hold them: RSS, Atom and JSON Feed."""
