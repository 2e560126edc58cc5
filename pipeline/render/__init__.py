"""Issue to RenderedIssue, web pages and feeds."""
