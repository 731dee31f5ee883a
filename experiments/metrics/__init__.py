"""The metric store: points packed into segments, with a summary per series."""
