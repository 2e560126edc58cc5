"""What the preview and the readers' server have in common: a port, a server on it, forms, headers."""
