"""`manage.py up`: one process that starts MLED's parts, keeps them alive and takes them with it when it goes.

The supervisor loads the application once and forks each part, so that all of them share its memory. It never opens the
database itself: whatever needs it runs in a child.
"""
