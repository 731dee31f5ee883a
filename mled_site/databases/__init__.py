"""Database backends of our own: Django's, with what it lacks for many writers."""
