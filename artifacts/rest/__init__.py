"""Datasets and uploads over REST."""
