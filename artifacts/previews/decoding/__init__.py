"""The process that decodes one file. It imports nothing of MLED but its own modules, and no Django."""
