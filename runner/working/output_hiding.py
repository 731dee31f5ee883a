"""Secrets are taken out of what a job prints before anybody reads it."""

from collections.abc import Iterable
from typing import Final

HIDDEN: Final = b"***"
SHORTEST: Final = 4  # bytes: what is shorter says nothing, and stands in every text


class Hiding:
    """Takes words out of a stream that comes in pieces, also where one is split over several.

    Only what may be the beginning of such a word is held back until more comes.
    """

    def __init__(self, words: Iterable[str]) -> None:
        spelled = {part.encode() for word in words for part in (word, *word.splitlines(), word.strip())}
        self._words = sorted((word for word in spelled if len(word) >= SHORTEST), key=len, reverse=True)
        self._held, self._unsure = b"", 0

    def pass_on(self, piece: bytes) -> bytes:
        """What may be kept by now."""
        whole = self._without(self._held + piece)
        held = self._beginning(whole)
        self._held = whole[len(whole) - held :]
        return self._sure(whole[: len(whole) - held])

    def rest(self) -> bytes:
        """What was still held at the end."""
        held, self._held = self._held, b""
        return self._sure(held)

    def go_on_elsewhere(self) -> None:
        """What comes next is farther on in the stream: where that is amid a word, its rest is left out."""
        self._held, self._unsure = b"", len(self._words[0]) - 1 if self._words else 0

    def _sure(self, passed: bytes) -> bytes:
        """Without what may be the rest of a word: that is shorter than the longest one."""
        left_out = min(self._unsure, len(passed))
        self._unsure -= left_out
        return passed[left_out:]

    def _without(self, whole: bytes) -> bytes:
        for word in self._words:
            whole = whole.replace(word, HIDDEN)
        return whole

    def _beginning(self, whole: bytes) -> int:
        """How many bytes at the end may be the beginning of a word."""
        longest = 0
        for word in self._words:
            for size in range(min(len(word) - 1, len(whole)), longest, -1):
                if whole.endswith(word[:size]):
                    longest = size
                    break
        return longest
