"""RenderedIssue to findings."""
