"""Where a column goes: 'experiment', 'param:lr', 'result:val/auroc', 'tag:ward', 'ignore'."""

from dataclasses import dataclass
from typing import Final

from experiments.values import checked_key
from kernel.errors import Invalid

IGNORE: Final = "ignore"
FIELDS: Final = {
    "experiment": "Experiment",
    "name": "Name of the run",
    "architecture": "Architecture",
    "dataset": "Dataset version",
    "new_dataset.name": "New data: its name",
    "new_dataset.digest": "New data: its digest",
    "new_dataset.source": "New data: where it lies",
    "started": "Started",
    "ended": "Ended",
    "duration": "Duration, as 1h 20m",
    "duration_ms": "Duration in milliseconds",
    "duration_s": "Duration in seconds",
    "duration_min": "Duration in minutes",
    "duration_h": "Duration in hours",
    "status": "How it ended",
    "email": "E-mail label",
    "note": "Notes",
    "commit": "Commit",
    "command": "Command",
    "container": "Container image",
}
DURATIONS: Final = {"duration": "", "duration_ms": "ms", "duration_s": "s", "duration_min": "min", "duration_h": "h"}
KEYED: Final = {"param": "Hyperparameter", "result": "Result", "tag": "Tag"}
DEFAULTED: Final = (
    "experiment", "architecture", "dataset", "new_dataset.name", "new_dataset.digest", "new_dataset.source", "started",
    "status", "email", "commit", "command", "container",
)  # fmt: skip
TARGETS: Final = f"Choose {', '.join(FIELDS)}, param:…, result:…, tag:… or ignore."
KIND_MAX: Final = 20


@dataclass(frozen=True, slots=True)
class Target:
    """kind: a field, a kind of keyed value, or 'ignore'; key: its name, for keyed values."""

    kind: str
    key: str = ""

    @classmethod
    def of(cls, spec: str) -> "Target":
        """What a text says; nothing is checked."""
        kind, _, key = spec.partition(":")
        return cls(kind.strip(), key.strip()) if kind.strip() in KEYED else cls(spec.strip())

    def __str__(self) -> str:
        return f"{self.kind}:{self.key}" if self.kind in KEYED else self.kind

    @property
    def field(self) -> str:
        """The field of the record: that of all durations is one."""
        return "duration" if self.kind in DURATIONS else self.kind

    @property
    def label(self) -> str:
        """As the page says it."""
        if self.kind in KEYED:
            return f"{KEYED[self.kind]} {self.key}"
        return FIELDS.get(self.kind, "Nothing")

    def check(self, place: str) -> None:
        """Raises Invalid for what no column can go to."""
        if self.kind in KEYED:
            checked_key(self.key, place)
        elif self.kind not in FIELDS and self.kind != IGNORE:
            raise Invalid(
                f"'{self.kind[:60]}' is no field of a record.",
                hint=TARGETS,
                field=place,
            )
