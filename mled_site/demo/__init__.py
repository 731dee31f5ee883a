"""A demonstration: people of each role, two projects, data in versions, runs that train small models for real, models.

Everything goes through the actions, so the ledger of a demonstration verifies like any other.
"""
