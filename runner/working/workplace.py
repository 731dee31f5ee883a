"""What a job needs, made ready in a folder of its own; and what it leaves, collected into its run."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from experiments.queries.experiments import wire_id
from kernel.actor import Actor
from runner.executors import chosen
from runner.executors.contract import Ended, Order
from runner.failures import end_of
from runner.models import Job
from runner.recipes import resources_of
from runner.working import code, collecting, environments, inputs, output
from runner.working.facts import (
    EXIT_CODE,
    NOT_KEPT,
    command_facts,
    keep_facts,
    keep_tags,
    machine_facts,
    sandbox_facts,
    tried,
)
from runner.working.workplace_folders import cleared, made

HASH_SEEDS: Final = 2**32  # PYTHONHASHSEED takes those below


@dataclass(slots=True)
class Workplace:
    """One job's folder. place: of the job; home: what it may write to; hidden: what nobody may read in its output."""

    job: Job
    place: Path
    code: code.Code
    environment: environments.Environment
    inputs: Sequence[str]
    executor: str
    hidden: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    kept: dict[str, list[str]] = field(default_factory=dict)
    is_recorded: bool = False

    @property
    def home(self) -> Path:
        """What the job may write to."""
        return self.place / "home"

    @property
    def stdout(self) -> Path:
        """What it prints."""
        return self.place / "stdout"

    @property
    def stderr(self) -> Path:
        """What it prints of errors."""
        return self.place / "stderr"

    def order(self, *, door: Path | None, secrets: Mapping[str, str], address: str, token: str) -> Order:
        """What the executor is told. address: by which the job reaches MLED, such as http://127.0.0.1:5000."""
        self.hidden = [value for value in (token, *secrets.values()) if value]
        recipe = self.job.recipe
        return Order(
            name=self.job.id.hex,
            words=self.code.words,
            home=self.home,
            folder=self.code.folder,
            stdout=self.stdout,
            stderr=self.stderr,
            variables={**self.environment.own_variables, **secrets, **self._variables(address, token)},
            readable=[*self.environment.readable, self.place / "inputs"],
            places={self.place / "inputs": inputs.PLACE},
            limits=resources_of(recipe),
            has_network=recipe.has_network,
            door=door,
            root=self.environment.root,
        )

    def _variables(self, address: str, token: str) -> dict[str, str]:
        job, recipe = self.job, self.job.recipe
        threads = str(max(1, int(resources_of(recipe).cpus)))
        return {
            **self.environment.variables,
            "HOME": str(self.home / "user"),
            "TMPDIR": str(self.home / "tmp"),
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "PYTHONUNBUFFERED": "1",
            "PYTHONHASHSEED": str((recipe.seed or 0) % HASH_SEEDS),
            "OMP_NUM_THREADS": threads,
            "OPENBLAS_NUM_THREADS": threads,
            "MKL_NUM_THREADS": threads,
            "MLFLOW_TRACKING_URI": f"{address}/mlflow/{job.project.slug}",
            "MLFLOW_TRACKING_TOKEN": token,
            "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # the address of this sandbox opens nothing outside
            "MLFLOW_RUN_ID": job.run.uid.hex,
            "MLFLOW_EXPERIMENT_ID": wire_id(job.experiment),
            "MLED_URL": address,
            "MLED_RUN": job.run.uid.hex,
            "MLED_PARAMS": str(self.home / "params.json"),
            "MLED_INPUTS": json.dumps({name: f"{inputs.PLACE}/{name}" for name in self.inputs}),
            "MLED_OUTPUT": str(self.home / "out"),
            "MLED_CAPTURED": "1",
            **({} if recipe.seed is None else {"MLED_SEED": str(recipe.seed)}),
        }

    def tail(self) -> output.Tail:
        """Follows what it prints, secrets taken out; after `order`."""
        return output.Tail(self.job, self.stdout, self.stderr, hidden=self.hidden)

    def record(self, actor: Actor) -> None:
        """Write into the run what is known before it starts. Once is enough."""
        if self.is_recorded:
            return
        facts = command_facts(self.code.words)
        network = self.job.recipe.has_network
        apart = sandbox_facts(self.executor, has_network=network, image=self.environment.image)
        for more in (machine_facts(), apart, self.code.facts, self.environment.facts):
            facts.also(more)
        self.lost = keep_facts(actor, self.job.run, facts)
        self.is_recorded = True

    def collect(self, actor: Actor, ended: Ended) -> None:
        """Make what it left files and tags of its run. What cannot be kept is told in the tag mled.not_kept.

        Doing it again goes on where it stopped. Raises Unavailable where the store is away.
        """
        run = self.job.run
        tags = {} if ended.code is None else {EXIT_CODE: str(ended.code)}
        lost = tried("How it ended", lambda: keep_tags(actor, run, tags))
        self.record(actor)
        printed = tried(
            "What it printed",
            lambda: output.keep_console(actor, run, self.stdout, self.stderr, hidden=self.hidden),
        )
        if not printed:
            output.forget(self.job)
        lost = [*self.lost, *lost, *printed, *collecting.keep_outputs(actor, run, self.home / "out", kept=self.kept)]
        if lost:
            tried("What is missing", lambda: keep_tags(actor, run, {NOT_KEPT: "\n".join(lost)}))

    def error_of(self, ended: Ended) -> str:
        """The line that names what went wrong, where its command ended by itself: 'ValueError: …'; '' for none."""
        if ended.cause != Job.Cause.EXIT or not ended.code:
            return ""
        lines = output.last_lines(self.stderr, hidden=self.hidden)
        printed = end_of(lines)
        if printed is None:
            return ""
        return printed.error or (printed.lines[-1] if self.job.recipe.trainer else "")  # which says it in a sentence

    def clear(self) -> None:
        """Take the folder away."""
        self.environment.release()
        cleared(self.place)


def prepare(job: Job, *, root: Path, told: Callable[[str], None]) -> Workplace:
    """Make ready what a job needs. root: an empty folder of its own, gone with it; told: what is being done, said
    often while something takes long: what it raises ends the preparing.

    Inputs are files of the cache where the executor lets nobody change them, else copies. Raises MledError in words for
    whoever launched the job.
    """
    told = _said_again(told)
    executor = chosen().name
    recipe, home = job.recipe, made(root / "home")
    for name in ("out", "tmp", "user"):
        made(home / name)
    names = inputs.lay_out(recipe, root / "inputs", linked=executor == "sandbox", told=told)
    ready = code.lay_out(recipe, home / "code", told=told)
    _write_params(home / "params.json", recipe.params, recipe.seed)
    environment = environments.ready(recipe, ready.folder, name=job.id.hex, told=told)  # last: it is held from then on
    return Workplace(job, root, ready, environment, names, executor)


def _said_again(told: Callable[[str], None]) -> Callable[[str], None]:
    """Whoever only waits says nothing new: then what was said last."""
    last = ""

    def tell(stage: str) -> None:
        nonlocal last
        last = stage or last
        told(last)

    return tell


def _write_params(path: Path, params: Mapping[str, Any], seed: int | None) -> None:
    path.write_text(json.dumps({**({} if seed is None else {"seed": seed}), **params}, indent=1), encoding="utf-8")
