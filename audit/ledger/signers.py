"""Which key signed when: each key is signed in by the one before, and signs nothing once it was followed."""

from collections.abc import Mapping

from audit.ledger import checkpoints
from audit.ledger.keys import PublicKey
from audit.ledger.models import Checkpoint

ROTATED, REPLACED = "ledger.rotate_key", "ledger.replace_lost_key"
KIND = "ledger.key"


class Signers:
    """Follows the keys of checkpoints in their order. lost: keys that an event puts in the place of lost ones."""

    def __init__(self, trusted: Mapping[str, PublicKey]) -> None:
        self.trusted = trusted
        self.lost: set[str] = set()
        self.remarks: list[str] = []
        self._current = ""
        self._followed: dict[str, int] = {}
        self._used: set[str] = set()

    def trouble_with(self, row: Checkpoint) -> str:
        """What is wrong with who signed this checkpoint, or ''. Its signatures are checked already."""
        signers = checkpoints.parse(row.note).signatures
        if row.key_id not in self.trusted or row.key_id not in signers:
            return "its columns do not say what its signed note says."
        self._used |= set(signers)
        if row.key_id == self._current:
            return ""
        if row.key_id in self._followed:
            at = self._followed[row.key_id]
            return f"it was signed with key {row.key_id}, which another key followed at {at} events."
        before, self._current = self._current, row.key_id
        if before:
            self._followed[before] = row.size
        if not before or before in signers:
            return ""
        if row.key_id not in self.lost:
            return f"key {row.key_id} signed it alone, and key {before} never signed it in."
        self.remarks.append(
            f"Heads below {row.size} events were signed with key {before}, which was lost; "
            f"key {row.key_id} followed it without its signature."
        )
        return ""

    def unused(self) -> list[str]:
        """Keys that are trusted, but signed no head of this log."""
        return [key for key in self.trusted if key not in self._used]
