"""The rules, by group. Importing this package registers them all."""

from audit.compliance.rules import (
    artifacts,
    data,
    evaluation,
    history,
    keeping,
    own,
    purpose,
    reproducibility,
    responsibility,
)

__all__ = [
    "artifacts",
    "data",
    "evaluation",
    "history",
    "keeping",
    "own",
    "purpose",
    "reproducibility",
    "responsibility",
]
