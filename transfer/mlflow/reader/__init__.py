"""A store that somebody sent is read in a process apart: what a hostile file does to it, it does to it alone."""
