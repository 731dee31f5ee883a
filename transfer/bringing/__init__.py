"""Carrying what MLflow keeps into a project: experiments, runs, models, names; then read back and compared."""
