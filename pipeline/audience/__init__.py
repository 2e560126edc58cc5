"""Subscribers as decisions: addresses, tokens, CSV in and out."""
