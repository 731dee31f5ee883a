"""What is found out about a run on the way to doing it again."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from artifacts.models import DatasetVersion
from artifacts.versions import when_withdrawn


@dataclass(slots=True)
class Told:
    """wanted: what to launch, as `runner.checking` reads it; cannot, differs: in words."""

    wanted: dict[str, Any] = field(default_factory=dict)
    cannot: list[str] = field(default_factory=list)
    differs: list[str] = field(default_factory=list)


def data_not_there(versions: Iterable[DatasetVersion]) -> list[str]:
    """Which of these a job cannot be given, and what to do: recalled, or only named and not stored here."""
    found = []
    for version in versions:
        withdrawal = when_withdrawn(version)
        if withdrawal is not None:
            found.append(
                f"Data: {version} {withdrawal.words.rstrip('.')}. Run it with changes, on a version that stands."
            )
        elif version.root_id is None:
            found.append(
                f"Data: the files of {version} are not stored here, only their digest"
                f"{f' and where they lay ({version.source[:200]})' if version.source else ''}."
                " Upload them as a version and run it with changes, or do it where they lie: mled recreate."
            )
    return found
