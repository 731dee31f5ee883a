"""Whom an alarm of the log reaches."""

from accounts.identity import administrators
from accounts.notices import tell


def tell_administrators(words: str) -> None:
    """Part of the act that raises the alarm."""
    tell(administrators(), kind="ledger.alarm", text=words)
