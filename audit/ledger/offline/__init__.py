"""What people take along who verify without MLED: one file that imports nothing of it."""
