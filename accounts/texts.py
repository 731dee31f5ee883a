"""Names and other short texts that people give."""

import unicodedata
from typing import Final

from kernel.errors import Invalid

_NO_PART_OF_A_LINE: Final = frozenset({"Cc", "Zl", "Zp"})  # control characters, line and paragraph separators


def checked_line(text: str, what: str, limit: int, *, field: str) -> str:
    """The text without outer blanks, if both databases keep it exactly. what: as in "A name". Raises Invalid."""
    line = text.strip()
    if not line or len(line) > limit:
        raise Invalid(f"{what} has 1 to {limit} characters.", field=field)
    if any(unicodedata.category(character) in _NO_PART_OF_A_LINE for character in line if character != "\x00"):
        raise Invalid(f"{what} is one line, without line breaks and control characters.", field=field)
    return storable(line, what, field=field)


def storable(text: str, what: str, *, field: str) -> str:
    """The text itself, or Invalid where it holds what is no text: NUL characters and lone surrogates."""
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise Invalid(f"{what} holds a character that cannot be stored.", field=field)
    return text
