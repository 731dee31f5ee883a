"""A run to take away: code, packages, data or their digests, and one file that does it again with Python and uv."""
