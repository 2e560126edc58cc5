"""Recipient to message bytes, delivery states and the run loop."""
