"""RenderedIssue to findings: rules.py holds the checks, run.py asks them all."""
