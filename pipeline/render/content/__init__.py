"""A post's Markdown to its bodies: safe HTML for web and mail, and plain text."""
