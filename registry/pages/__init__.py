"""Pages about logged models."""
