"""Asking whether links lead anywhere: politely, within limits, and never where posts should not lead a program."""
