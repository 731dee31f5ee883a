"""Doing a run again under the same conditions, and comparing what comes out."""
