"""Posts in: reads the folder, and decides which posts are new and why the others are left out."""
