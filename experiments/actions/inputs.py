"""What went into a run."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from accounts.decorators import action
from artifacts.actions.versions import used_version
from artifacts.models import DatasetVersion
from artifacts.versions import require_usable
from audit.ledger.acting import current_act
from experiments.actions.writable import writable_run
from experiments.models import Run, RunInput
from experiments.values import checked_text
from kernel.actor import Actor

CONTEXT_TAG = "mlflow.data.context"
INPUT_KIND = "experiments.runinput"
_LIMITS = {"name": 500, "digest": 36, "source": 65_535, "schema": 1_048_575, "profile": 16_777_215}  # MLflow protocol
_TAG_KEY_MAX, _TAG_VALUE_MAX = 255, 500


@dataclass(frozen=True, slots=True)
class DatasetInput:
    """A dataset as a client names it: told apart by name and digest."""

    name: str
    digest: str
    source_type: str = ""
    source: str = ""
    schema: str = ""
    profile: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)

    def check(self, where: str) -> None:
        """Raise Invalid for a field beyond its limit."""
        for name, limit in _LIMITS.items():
            checked_text(getattr(self, name), f"{where}.{name}", limit)
        checked_text(self.source_type, f"{where}.source_type", 200)
        for key, value in self.tags.items():
            checked_text(key, f"{where}.tags.key", _TAG_KEY_MAX)
            checked_text(value, f"{where}.tags.value", _TAG_VALUE_MAX)


@action("experiments.log_run", on="run")
def log_inputs(actor: Actor, run: Run, *, inputs: Sequence[DatasetInput]) -> None:
    """Note the datasets that a run used. The same one twice leaves one input.

    Raises Conflict for a version that was recalled, unless the run has it already.
    """
    for index, given in enumerate(inputs):
        given.check(f"datasets[{index}]")
    run = writable_run(run)
    for given in inputs:
        version = used_version(
            actor,
            run.project,
            name=given.name,
            digest=given.digest,
            source_type=given.source_type,
            source=given.source,
            schema=given.schema,
            profile=given.profile,
        )
        if not RunInput.objects.filter(run=run, dataset_version=version).exists():
            require_usable(version)
            note_input(run, version, context=given.tags.get(CONTEXT_TAG, ""), tags=dict(given.tags))


def note_input(run: Run, version: DatasetVersion, *, context: str, tags: Mapping[str, str]) -> RunInput:
    """Part of an action on a run that is held: a version that went into it, which it has not yet."""
    made = RunInput(id=uuid.uuid4(), run=run, dataset_version=version, context=context, tags=dict(tags))
    made.save(force_insert=True)
    told = {"context": context, "tags": dict(tags)}
    current_act().record(INPUT_KIND, run.ledger_id, "set", {version.id.hex: (None, told)})
    return made
