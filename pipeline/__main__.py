"""Lets `python -m pipeline` do what `newsletter` does."""

from pipeline.cli import main

if __name__ == "__main__":
    main()
