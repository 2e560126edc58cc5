"""Writes the public folder so that readers see the old site or the new one."""
