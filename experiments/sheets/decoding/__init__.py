"""The process that reads one sheet. It imports nothing of MLED but its own modules and plain words, and no Django."""
