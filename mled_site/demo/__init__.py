"""A demonstration: people of each role, two projects, and runs made by training small models for real.

Everything goes through the actions, so the ledger of a demonstration verifies like any other.
"""
