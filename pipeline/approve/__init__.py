"""What an approval seals: the parts of a build, what was approved, and what differs."""
