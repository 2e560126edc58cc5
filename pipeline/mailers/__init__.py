"""Adapters that hand messages to a relay."""
