"""Is everything all right here? One small function for each part of an installation, and what to do where it is not.

Each check has a time limit and fails by itself: where the database is away, the others still say what they see.
`manage.py doctor`, the page at /diagnostics/ and GET /api/v1/diagnostics/ show the same results.
"""
