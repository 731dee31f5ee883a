"""A project with one run that meets all 42 rules, made through the doors; and small runs that lack most of it.

It is made once for a test module and each test is undone, so that what a case changes is seen by that case alone.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import transaction
from django.test import override_settings

from accounts.actions.governance import govern_project
from accounts.actions.projects import edit_project
from accounts.actions.users import change_password
from accounts.models import Project
from accounts.signing import Proof, prove
from artifacts import storage
from artifacts.blobs import receive
from artifacts.models import DatasetVersion
from artifacts.storage.filesystem import FileStorage
from audit.compliance.actions.profiles import choose_retention
from audit.compliance.actions.reviews import decide_review, submit_run
from audit.compliance.actions.sampling import review_trail
from audit.compliance.models import Review
from audit.compliance.rules.keeping import REHEARSED, VERIFIED
from audit.compliance.rules.record import Record
from audit.ledger.acting import acting
from audit.ledger.models import AuditEvent, Leaf
from audit.ledger.sequencer import Sequencer
from audit.ledger.tree import stored_size
from audit.ledger.values import Subject
from experiments.actions.batches import log_batch
from experiments.actions.inputs import DatasetInput, log_inputs
from experiments.actions.runs import update_run
from experiments.actions.seals import seal_run
from experiments.metrics.batch import Batch
from experiments.models import Run
from experiments.values import RunStatus
from kernel.actor import Actor, operator, system
from kernel.clock import now_ms
from registry.actions.files import put_model_file
from registry.actions.logged_models import create_logged_model
from registry.actions.promotions import ask_promotion, decide_promotion
from registry.actions.registered_models import create_registered_model
from registry.actions.versions import create_version
from registry.models import LoggedModel, ModelVersion
from tests.factories import (
    PASSWORD,
    Team,
    a_batch,
    a_dataset,
    a_file,
    a_run,
    a_team,
    a_version,
    an_experiment,
    points,
    unique,
    user_of,
)

COMMIT = "3f" * 20
PURPOSE = "Warns nurses of sepsis on adult wards. Not for children, and not to decide about treatment alone."
ABOUT_DATA = {
    "licence": "CC-BY-4.0",
    "purpose": "Early warning",
    "collected": "2024, two hospitals",
    "preparation": "Gaps filled with the last value",
    "bias_note": "Few patients under 30",
    "personal_data": "pseudonymous",
    "lawful_basis": "GDPR 9(2)(j)",
}
ABOUT_CODE = {
    "mlflow.source.git.commit": COMMIT,
    "mlflow.source.git.repoURL": "https://git.example.org/icu/sepsis",
    "mlflow.source.git.dirty": "false",
}
ABOUT_RUN = ABOUT_CODE | {
    "mled.os": "Linux 6.8",
    "mled.hardware": "one A100",
    "mled.limits": "Not for patients under 16.",
    "mled.tolerance": "0.01",
}
ABOUT_WORK = {
    "mled.criteria": "test/auroc >= 0.85",
    "mled.units": "test/auroc: 0 to 1",
    "mled.review_by": "2099-01-31",
}


@dataclass(frozen=True)
class World:
    """Who and what there is. run: the one that meets every rule."""

    team: Team
    run: Run
    train: DatasetVersion
    test: DatasetVersion

    @property
    def project(self) -> Project:
        return self.team.project


@contextmanager
def standing_world(unblocked: Any) -> Iterator[World]:
    """The world in a database of its own until the end. unblocked: pytest-django's leave to use the database."""
    with (
        unblocked,
        tempfile.TemporaryDirectory() as place,
        override_settings(MLED_DATA=Path(place), MLED_SIGNING_KEY="", MLED_LEDGER_ORIGIN="log.example.org"),
        transaction.atomic(),
    ):
        yield a_world()
        transaction.set_rollback(True)


@contextmanager
def undone() -> Iterator[None]:
    """What happens inside did not happen."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def a_world() -> World:
    """Everything, in the order in which it happens."""
    team = a_team(purpose=PURPOSE)
    for person in (team.scientist, team.engineer, team.manager, team.auditor):
        change_password(person, password=PASSWORD)
    choose_risk(team.manager, team.project)
    choose_retention(team.manager, team.project, retention_class="ten-years")
    govern_project(operator(), stored(team.project), is_governed=True, protected_names=["champion"])
    data = [a_data_version(team, role) for role in ("train", "test")]
    run = a_complete_run(team, *data)
    version = registered(team, a_model_of(team.scientist, run, "model.safetensors"))
    update_run(team.scientist, run, status=RunStatus.FINISHED, ended_ms=now_ms())
    seal_run(system(), run)
    reproduced(team.engineer, run)
    in_order()
    kept(team, run)
    approved(team, fresh(run))
    promoted(team.manager, team.scientist, version)
    return World(Team(**{**team.__dict__, "project": stored(team.project)}), fresh(run), *data)


# --- The parts


def a_data_version(team: Team, role: str, **about: str) -> DatasetVersion:
    """An uploaded dataset version with its record filled in."""
    files = {f"{role}.csv": f"ward,age\n{unique(role)},71\n".encode()}
    name = a_dataset(team.scientist, team.project, name=unique(f"vitals-{role}"))
    return a_version(team.scientist, name, files=files, record={**ABOUT_DATA, "split_role": role, **about})


def a_complete_run(team: Team, train: DatasetVersion, test: DatasetVersion) -> Run:
    """A running run with everything that its author can log."""
    experiment = an_experiment(team.scientist, team.project, tags=ABOUT_WORK)
    baseline = a_run(team.scientist, experiment, started_ms=now_ms())
    measured(team.scientist, baseline, 0.8)
    tags = {**ABOUT_RUN, "mled.baseline": baseline.uid.hex}
    run = a_run(team.scientist, experiment, tags=tags, started_ms=now_ms())
    used(team.scientist, run, train, context="train")
    used(team.scientist, run, test, context="test")
    curves: dict[str, Any] = {"test/auroc": [0.7, 0.9], "test/auroc/sex:female": [0.88]}
    log_batch(team.scientist, run, batch=a_batch(params={"lr": "0.1", "seed": "17"}, **curves))
    a_file(team.scientist, run, "uv.lock", b'[[package]]\nname = "numpy"\nhash = "sha256:' + b"ab" * 32 + b'"\n')
    return fresh(run)


def a_plain_run(world: World, *, tags: Mapping[str, str] | None = None, **more: Any) -> Run:
    """A run of the scientist without anything but these tags."""
    return fresh(a_run(world.team.scientist, project=world.project, tags=tags, **{"started_ms": now_ms(), **more}))


def used(actor: Actor, run: Run, version: DatasetVersion, *, context: str = "") -> None:
    """The run read this dataset version, says a client with the digest that MLflow leaves room for."""
    tags = {"mlflow.data.context": context}
    given = DatasetInput(version.dataset.name, version.digest[:36], "local", "vitals.csv", tags=tags)
    log_inputs(actor, run, inputs=[given])


def measured(actor: Actor, run: Run, value: float, key: str = "test/auroc") -> None:
    """One figure."""
    log_batch(actor, run, batch=Batch(metrics=points(key, [value])))


def a_model_of(actor: Actor, run: Run, *paths: str) -> LoggedModel:
    """A logged model of the run, with these files."""
    logged = create_logged_model(actor, run.experiment, name="net", source_run=run)
    for path in paths:
        content = f"weights of {path} {logged.model_id}".encode()
        put_model_file(actor, logged, path=path, stored=receive(io.BytesIO(content), expected=len(content)))
    logged.refresh_from_db()
    return logged


def registered(team: Team, logged: LoggedModel) -> ModelVersion:
    """A version of a new registered model, made of a logged one."""
    model = create_registered_model(team.scientist, stored(team.project), name=unique("sepsis"))
    return create_version(team.scientist, model, source=f"models:/{logged.model_id}", logged_model=logged)


def reproduced(actor: Actor, run: Run, value: float = 0.9) -> Run:
    """Another run that did it again, and came to this figure."""
    again = a_run(actor, project=run.project, tags={"mled.reproduces": run.uid.hex}, started_ms=now_ms())
    measured(actor, again, value)
    measured(actor, again, 0.88, "test/auroc/sex:female")
    return again


# --- What others add


def choose_risk(actor: Actor, project: Project, risk_class: str = "high") -> None:
    """The project's risk class, as its settings change it."""
    with acting(actor, "accounts.choose_risk_class", project_id=project.pk) as act:
        held = stored(project)
        held.risk_class = risk_class
        held.save()
        act.speaks_of(held.ledger_subject)


def kept(team: Team, run: Run) -> None:
    """A back-up of it was restored, an export verified."""
    rehearsed(team.administrator)
    verified(team.auditor, run)
    in_order()


def rehearsed(actor: Actor, *, log_size: int | None = None) -> None:
    """A back-up that held so many events was restored elsewhere."""
    with acting(actor, REHEARSED) as act:
        size = stored_size() if log_size is None else log_size
        act.record("compliance.rehearsal", unique("rehearsal"), "create", {"log_size": (None, size)})
        act.speaks_of(Subject("compliance.rehearsal", "1"))


def verified(actor: Actor, run: Run, *, exit_code: int = 0) -> None:
    """An export of the run was verified offline."""
    with acting(actor, VERIFIED, project_id=run.project_id) as act:
        act.record("compliance.verification", unique("try"), "create", {"exit_code": (None, exit_code)})
        act.speaks_of(run.ledger_subject)


def trail_read(team: Team) -> None:
    """The auditor looked through the project's trail as far as it goes."""
    newest = AuditEvent.objects.filter(project_id=team.project.pk).order_by("-id").values("id")[:50]
    last = Leaf.objects.filter(event_id__in=list(newest.values_list("id", flat=True))).order_by("-seq").first()
    assert last is not None
    review_trail(team.auditor, team.project, up_to=last.seq, note="All acts by the team, none odd.")


def approved(team: Team, run: Run, *, with_trail: bool = True) -> Review:
    """Submitted by the scientist, found compliant by the auditor, and covered by the log."""
    if with_trail:
        trail_read(team)
    submit_run(team.scientist, run, comment="Ready.")
    review = Review.objects.select_related("run__project").get(run=run, state=Review.State.SUBMITTED)
    found = decide_review(team.auditor, review, compliant=True, reason="Seen.", proof=proof_of(team.auditor))
    in_order()
    return found


def promoted(approver: Actor, asker: Actor, version: ModelVersion) -> None:
    """Asked for by one, approved by another, and covered by the log."""
    request = ask_promotion(asker, version, kind="alias", target="champion", comment="Better.")
    decide_promotion(approver, request, approve=True, comment="Checked.", proof=proof_of(approver))
    in_order()


def proof_of(actor: Actor) -> Proof:
    """The person has just proved who they are."""
    return prove(actor, PASSWORD, email=user_of(actor).email)


def in_order() -> None:
    """The log takes what waits, and signs."""
    Sequencer().run_until_empty()


def fresh(run: Run) -> Run:
    """The run as it is stored now."""
    return Run.objects.select_related("project", "experiment", "created_by").get(pk=run.pk)


def stored(project: Project) -> Project:
    """The project as it is stored now."""
    return Project.objects.get(pk=project.pk)


def record_of(run: Run, **more: Any) -> Record:
    """What rules read of the run as it is stored now."""
    return Record(fresh(run), **more)


def with_purpose(world: World, purpose: str) -> Run:
    """A run in a project that says this of its purpose."""
    edit_project(world.team.manager, world.project, purpose=purpose)
    return a_plain_run(world)


@contextmanager
def stored_otherwise(digest: str, damage: Callable[[bytes], bytes]) -> Iterator[None]:
    """The bytes of a blob on the disk are others, inside."""
    store = storage.store()
    assert isinstance(store, FileStorage)
    place = store.place(digest)
    kept_bytes = place.read_bytes()
    place.chmod(0o600)
    place.write_bytes(damage(kept_bytes))
    try:
        yield
    finally:
        place.write_bytes(kept_bytes)
