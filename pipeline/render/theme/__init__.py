"""Templates, stylesheets and words, a newsletter's own over the built-in ones."""
