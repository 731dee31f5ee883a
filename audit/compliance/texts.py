"""What people write for auditors: reasons, findings, answers, notes."""

from accounts.texts import storable
from kernel.errors import Invalid

TEXT_MAX = 4000


def kept_text(text: str, *, field: str, ask: str = "") -> str:
    """The text without outer blanks. ask: what is said where it is empty; '' where it may be. Raises Invalid."""
    kept = storable(text.strip(), "The text", field=field)
    if ask and not kept:
        raise Invalid(ask, field=field)
    if len(kept) > TEXT_MAX:
        raise Invalid(f"It has at most {TEXT_MAX:,} characters.", field=field)
    return kept
