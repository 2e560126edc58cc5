"""The head of a Markdown file: bytes to text, text to head and body, head to values with their lines."""
