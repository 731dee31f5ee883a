"""The checks, a file for each part. Importing this registers them."""

from mled_site.diagnostics.checks import (
    assets,
    broker,
    clock,
    configuration,
    database,
    disk,
    keys,
    migrations,
    sandbox,
    sequencer,
    storage,
    versions,
    workers,
)

__all__ = [
    "assets",
    "broker",
    "clock",
    "configuration",
    "database",
    "disk",
    "keys",
    "migrations",
    "sandbox",
    "sequencer",
    "storage",
    "versions",
    "workers",
]
