"""Every file of public/: pages, lists, pictures, each with a digest of what it is made from."""
