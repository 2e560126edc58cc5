"""The issue in a browser before anyone else sees it: state in, pages out, live."""
