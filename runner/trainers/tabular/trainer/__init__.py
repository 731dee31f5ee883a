"""Learns one column of a table from the others. It runs by itself: nothing of MLED is imported here."""
