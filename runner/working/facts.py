"""What is on record of a job besides what it logs itself: code, command, packages, machine, how it was shut off."""

import io
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from artifacts.blobs import receive
from artifacts.storage import StoredBlob
from experiments.actions.batches import log_batch
from experiments.actions.files import put_file
from experiments.conditions import SANDBOX
from experiments.metrics.batch import Batch
from experiments.models import Run
from kernel.actor import Actor
from kernel.errors import MledError, Unavailable
from runner.working.facts_machine import shut_off_by, system_image, this_machine

EXIT_CODE: Final = "mled.exit_code"
NOT_KEPT: Final = "mled.not_kept"
TAG_MAX: Final = 8000  # characters that every MLflow client reads whole


@dataclass(slots=True)
class Facts:
    """Tags, and files that are there already (blobs) or are made (contents), by their paths in the run."""

    tags: dict[str, str] = field(default_factory=dict)
    blobs: dict[str, StoredBlob] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)

    def also(self, other: "Facts") -> None:
        """Take in what another part found."""
        self.tags |= other.tags
        self.blobs |= other.blobs
        self.contents |= other.contents


def command_facts(words: Sequence[str]) -> Facts:
    """The command as it is typed."""
    return Facts(tags={"mlflow.source.name": shlex.join(words), "mlflow.source.type": "JOB"})


def sandbox_facts(executor: str, *, has_network: bool, image: str = "") -> Facts:
    """How it was shut off from the machine; nothing where it was not. image: whose files it saw in place of its own."""
    if executor != "sandbox":
        return Facts()
    network = "network open" if has_network else "no network"
    return Facts(tags={SANDBOX: f"{shut_off_by()}, {image or system_image()} read-only, {network}"})


def machine_facts() -> Facts:
    """The machine that this worker runs on."""
    return Facts(tags=this_machine().tags())


def keep_facts(actor: Actor, run: Run, facts: Facts) -> list[str]:
    """Write them into the run; what could not be kept, in words."""
    lost = tried("The record of code and machine", lambda: keep_tags(actor, run, facts.tags))
    for path, stored in facts.blobs.items():
        lost += tried(path, partial(put_file, actor, run, path=path, stored=stored))
    for path, content in facts.contents.items():
        lost += tried(path, partial(keep_bytes, actor, run, path, content))
    return lost


def keep_tags(actor: Actor, run: Run, tags: Mapping[str, str]) -> None:
    """Tags of the run, each as long as every reader takes it."""
    told = [(key, value if len(value) <= TAG_MAX else f"{value[: TAG_MAX - 1]}…") for key, value in tags.items()]
    log_batch(actor, run, batch=Batch(tags=told))


def keep_bytes(actor: Actor, run: Run, path: str, content: bytes) -> None:
    """A file of the run that is made here."""
    put_file(actor, run, path=path, stored=receive(io.BytesIO(content)))


def tried(what: str, keep: Callable[[], object]) -> list[str]:
    """Do it; where it cannot be done, why, in words: a job that is over loses nothing else by that.

    Raises Unavailable where it can be done later.
    """
    try:
        keep()
    except Unavailable:
        raise
    except MledError as error:
        return [f"{what}: {error}"]
    return []
