"""People, projects, members and runs for tests, made through the actions that every door calls.

    team = a_team()                                  # a project with one person of each role
    run = a_run(team.scientist)                      # in the project's Default experiment
    log_batch(team.scientist, run, batch=a_batch(loss=[0.9, 0.5], params={"lr": "0.1"}))
    stranger = a_person()                            # signed in, no role anywhere

What comes back for a person is an `Actor`: what doors pass to actions and queries. It remembers its roles as a request
does; after a change of roles act as `again(actor)`, the same person in a new request. Names are made up and never
clash, so that tests may share a database.
"""

from __future__ import annotations

import dataclasses
import io
import itertools
import json
import os
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from accounts.access import can, find_project_by_id
from accounts.actions.members import MANAGED, add_member, appoint, appoint_member, create_group
from accounts.actions.members import add_to_group as put_into_group
from accounts.actions.projects import create_project
from accounts.actions.tokens import create_token, new_secret
from accounts.actions.users import create_user
from accounts.authentication import actor_for_token
from accounts.models import ApiToken, Group, Membership, Project, User
from accounts.roles import Role, Scope
from artifacts.actions.aliases import set_dataset_alias
from artifacts.actions.datasets import create_dataset
from artifacts.actions.quotas import set_quota
from artifacts.actions.uploads import begin_upload
from artifacts.actions.versions import add_version
from artifacts.blobs import receive
from artifacts.models import ArtifactFile, Dataset, DatasetVersion, Upload
from audit.ledger.acting import acting
from audit.ledger.models import AuditEvent, AuditPayload
from experiments.actions.archives import RECORDED_AS, recorded
from experiments.actions.batches import log_batch
from experiments.actions.comments import add_comment
from experiments.actions.decisions import record_decision
from experiments.actions.experiments import create_experiment, set_metric_direction
from experiments.actions.files import put_file
from experiments.actions.inputs import DatasetInput
from experiments.actions.runs import create_run, update_run
from experiments.actions.saved_views import save_view
from experiments.actions.stars import star_run
from experiments.metrics.batch import Batch, MetricPoint
from experiments.models import Comment, Experiment, MetricArchive, Run, SavedView
from experiments.values import RunStatus
from kernel.actor import Actor, ActorKind, Door, anonymous, operator, system
from registry.actions.links import log_outputs, log_run_inputs
from registry.actions.logged_models import create_logged_model
from registry.models import LoggedModel, ModelVersion
from tests.factories_boards import a_board_that_ended
from tests.factories_compliance import a_reviewed_run
from tests.factories_promotions import a_rejected_promotion
from tests.factories_registry import a_version_of_everything
from tests.factories_runner import a_job_of_everything
from tests.factories_sheets import a_mapped_sheet, a_remembered_mapping
from tests.factories_transfer import a_stopped_transfer
from tests.stock import taken

PASSWORD = "correct horse battery"
STARTED_MS = 1_700_000_000_000

_count = itertools.count(1)
_process = f"{os.getpid():x}{uuid.uuid4().hex[:4]}"


def unique(prefix: str) -> str:
    """A name that no other test has, in this process or another: lower-case letters, digits and hyphens."""
    return f"{prefix}-{_process}{next(_count)}"


# --- People


def a_user(name: str = "", *, email: str = "", password: str | None = None, is_service: bool = False) -> User:
    """A user without any role; with the password PASSWORD only if asked (`password=PASSWORD`)."""
    address = email or f"{unique((name or 'person').lower().replace(' ', '.'))}@example.org"
    return create_user(operator(), email=address, name=name, password=password, is_service=is_service)


def acting_as(user: User, door: Door = Door.WEB, **more: Any) -> Actor:
    """The user in a new request through this door."""
    fresh = User.objects.get(pk=user.pk)
    return Actor(ActorKind.USER, door, user_id=fresh.pk, user_name=fresh.name, is_active=fresh.is_active, **more)


def again(actor: Actor) -> Actor:
    """The same person in a new request: what it remembered is forgotten, what changed is seen."""
    active = actor.user_id is None or User.objects.get(pk=actor.user_id).is_active
    return dataclasses.replace(actor, is_active=active, memo={})


def user_of(actor: Actor) -> User:
    """The row of a person."""
    return User.objects.get(pk=actor.user_id)


def a_person(name: str = "", *, site_role: Role | None = None, **more: Any) -> Actor:
    """A signed-in person, with a role on the whole site if given: administrator, auditor or project manager."""
    user = a_user(name, **more)
    if site_role is not None:
        appoint(operator(), user=user, role=site_role)
    return acting_as(user)


def an_administrator(name: str = "Root") -> Actor:
    """A person who administers the site."""
    return a_person(name, site_role=Role.ADMINISTRATOR)


def nobody() -> Actor:
    """A request without a credential."""
    return anonymous(Door.WEB)


def a_group(*people: Actor, name: str = "") -> Group:
    """A group with these people in it."""
    group = create_group(operator(), name=name or unique("group"))
    for person in people:
        put_into_group(operator(), group=group, user=user_of(person))
    return group


# --- Projects


def a_project(slug: str = "", **more: Any) -> Project:
    """A project with its Default experiment and nobody in it."""
    return create_project(operator(), slug=slug or unique("project"), **more)


def join(project: Project, who: User | Actor | Group, role: Role) -> Membership:
    """Give a user, a person or a group a role in the project."""
    holder = {"group": who} if isinstance(who, Group) else {"user": user_of(who) if isinstance(who, Actor) else who}
    if role in MANAGED:
        return add_member(operator(), project, role=role, **holder)
    return appoint_member(operator(), project, role=role, **holder)


def a_member(project: Project, role: Role = Role.DATA_SCIENTIST, name: str = "") -> Actor:
    """A new person with this role in the project."""
    user = a_user(name or role.label)
    join(project, user, role)
    return acting_as(user)


@dataclasses.dataclass(frozen=True)
class Team:
    """A project, one person of each project role, and the person who administers the site."""

    project: Project
    scientist: Actor
    engineer: Actor
    manager: Actor
    auditor: Actor
    administrator: Actor

    def __getitem__(self, role: Role) -> Actor:
        short = {Role.DATA_SCIENTIST: "scientist", Role.ML_ENGINEER: "engineer", Role.PROJECT_MANAGER: "manager"}
        return getattr(self, short.get(role, role.value))


def a_team(slug: str = "", **more: Any) -> Team:
    """A project of its own with somebody in each role. Where a team stands ready, a test's first is that one."""
    if not slug and not more and (ready := taken()):
        return ready
    project = a_project(slug, **more)
    return Team(
        project,
        scientist=a_member(project, Role.DATA_SCIENTIST, "Ada"),
        engineer=a_member(project, Role.ML_ENGINEER, "Emil"),
        manager=a_member(project, Role.PROJECT_MANAGER, "Mona"),
        auditor=a_member(project, Role.AUDITOR, "Otto"),
        administrator=an_administrator(),
    )


# --- Tokens


def a_token(
    owner: Actor | User,
    *,
    scopes: Sequence[Scope] = (Scope.READ, Scope.LOG),
    projects: Sequence[Project] | None = None,
    default_project: Project | None = None,
    days: int | None = 90,
    name: str = "laptop",
) -> tuple[ApiToken, str]:
    """A token and its secret, issued by the operator for this owner."""
    secret = new_secret()
    user = user_of(owner) if isinstance(owner, Actor) else owner
    token = create_token(
        operator(), owner=user, name=name, secret=secret, scopes=scopes, days=days, projects=projects,
        default_project=default_project,
    )  # fmt: skip
    return token, secret


def with_token(owner: Actor | User, door: Door = Door.REST, **more: Any) -> Actor:
    """The person in a request that carries a new token; keywords as for `a_token`."""
    return actor_for_token(a_token(owner, **more)[1], door)


# --- Experiments and runs


def default_experiment(project: Project) -> Experiment:
    """The one that scripts use which set none."""
    return Experiment.objects.get(project=project, is_default=True)


def an_experiment(actor: Actor, project: Project | None = None, *, name: str = "", **more: Any) -> Experiment:
    """An experiment of its own, in the actor's only project unless another is given."""
    return create_experiment(actor, project or _only_project(actor), name=name or unique("experiment"), **more)


def a_run(
    actor: Actor,
    experiment: Experiment | None = None,
    *,
    project: Project | None = None,
    name: str = "",
    tags: Mapping[str, str] | None = None,
    started_ms: int | None = STARTED_MS,
    status: RunStatus | None = None,
) -> Run:
    """A run, in the Default experiment of the actor's only project unless another is given; RUNNING unless ended."""
    place = experiment or default_experiment(project or _only_project(actor))
    run = create_run(actor, place, name=name, tags=tags, started_ms=started_ms)
    return run if status is None else update_run(actor, run, status=status, ended_ms=STARTED_MS + 60_000)


def _only_project(actor: Actor) -> Project:
    project_id = Membership.objects.filter(user_id=actor.user_id, project__isnull=False).values("project_id").get()
    return find_project_by_id(actor, project_id["project_id"])


# --- What runs log


def points(key: str, values: Sequence[float], *, step: int = 0, at_ms: int = STARTED_MS) -> list[MetricPoint]:
    """A curve: one value a step and a second."""
    return [MetricPoint(key, float(value), at_ms + 1000 * index, step + index) for index, value in enumerate(values)]


def a_batch(
    *, params: Mapping[str, str] | None = None, tags: Mapping[str, str] | None = None, **curves: Sequence[float]
) -> Batch:
    """A batch of params, tags and curves: `a_batch(loss=[0.9, 0.5], params={"lr": "0.1"})`."""
    metrics = [point for key, values in curves.items() for point in points(key, values)]
    return Batch(metrics=metrics, params=list((params or {}).items()), tags=list((tags or {}).items()))


def curve(steps: int, key: str = "loss") -> Batch:
    """A batch with one falling curve of so many steps."""
    return Batch(metrics=points(key, [1 / (1 + step) for step in range(steps)]))


def a_file(actor: Actor, run: Run, path: str = "notes.txt", content: bytes = b"hello") -> ArtifactFile:
    """A file of a run."""
    return put_file(actor, run, path=path, stored=receive(io.BytesIO(content), expected=len(content)))


# --- Datasets


def a_dataset(actor: Actor, project: Project | None = None, *, name: str = "", **more: Any) -> Dataset:
    """A dataset without versions, in the actor's only project unless another is given."""
    return create_dataset(actor, project or _only_project(actor), name=name or unique("dataset"), **more)


def a_version(
    actor: Actor, dataset: Dataset | None = None, *, files: Mapping[str, bytes] | None = None, **more: Any
) -> DatasetVersion:
    """The next version of a dataset (a new one unless given), of these files: path -> content."""
    contents = files or {"train.csv": f"ward,age\n{unique('ward')},71\n".encode()}
    stored = [(path, receive(io.BytesIO(body), expected=len(body))) for path, body in contents.items()]
    return add_version(actor, dataset or a_dataset(actor), files=stored, **more)


@dataclasses.dataclass(frozen=True)
class Everything:
    """One of each thing that a project may hold."""

    project: Project
    experiment: Experiment
    run: Run
    file: ArtifactFile
    model: LoggedModel
    upload: Upload
    version: ModelVersion
    dataset: Dataset
    view: SavedView
    comment: Comment


def everything(actor: Actor, project: Project, word: str = "secret") -> Everything:
    """A row in every table that belongs to a project; `word` stands in each name, key and value that a person gives.

    But for a quota (`a_quota`): with one, no file takes the straight way.
    """
    experiment = an_experiment(actor, project, name=unique(f"{word}-experiment"), tags={f"{word}-tag": word})
    run = a_run(actor, experiment, name=f"{word} run")
    log_batch(
        actor,
        run,
        batch=a_batch(params={f"{word}-param": word}, tags={f"{word}-tag": word}, **{f"{word}-loss": [2, 1]}),
    )
    model = create_logged_model(
        actor, experiment, name=f"{word}-model", source_run=run, params={word: word}, tags={word: word}
    )
    log_batch(actor, run, batch=Batch(metrics=[MetricPoint(f"{word}-auc", 0.5, STARTED_MS, model_id=model.model_id)]))
    dataset = DatasetInput(f"{word}-data", "d1", "local", word, tags={"mlflow.data.context": word})
    log_run_inputs(actor, run, datasets=[dataset], models=[model])
    log_outputs(actor, run, outputs=[(model, 1)])
    set_metric_direction(actor, project, key=f"{word}-loss", higher_is_better=False)
    view = save_view(actor, project, name=unique(f"{word}-view"), query=f"q={word}", is_shared=True)
    star_run(actor if actor.user_id else a_person(site_role=Role.AUDITOR), run)
    comment = add_comment(actor, run, text=word)
    may_decide = can(actor, "projects.decide", project)
    record_decision(actor if may_decide else operator(), project, title=word, why=word, runs=[run])
    file = a_file(actor, run, f"{word}/{word}.txt", word.encode())
    an_archive_row(run, file)
    upload = begin_upload(actor, project, size_bytes=len(word), purpose=word)
    version = a_version_of_everything(actor, project, model, word)
    a_rejected_promotion(actor, version, word)
    data = a_dataset(actor, project, name=unique(f"{word}-dataset"), description=word)
    first = a_version(actor, data, files={f"{word}.csv": f"{word}\n1\n".encode()}, record={"licence": word})
    set_dataset_alias(actor, data, name=word, version=first)
    a_board_that_ended(project, word)
    a_reviewed_run(actor, project, run, word)
    a_stopped_transfer(project, word)
    a_remembered_mapping(a_mapped_sheet(actor, project, word))
    a_job_of_everything(actor, project, first, word)
    return Everything(project, experiment, run, file, model, upload, version, data, view, comment)


def a_quota(project: Project) -> None:
    """A quota that nothing reaches."""
    set_quota(operator(), project, limit_bytes=10**15)


def an_archive_row(run: Run, file: ArtifactFile) -> MetricArchive:
    """The row of an archive of the run's points, whose content is some file."""
    with acting(system(), "experiments.archive_everything", project_id=run.project_id) as act:
        act.speaks_of(run.ledger_subject)
        archive = MetricArchive(run=run, blob_id=file.blob_id, size_bytes=file.size_bytes, points=2, series=1)
        archive.save()
        fields = {name: (None, value) for name, value in recorded(archive).items()}
        act.record(RECORDED_AS, run.ledger_id, "set", fields)
    return archive


# --- What the ledger kept


@dataclasses.dataclass(frozen=True)
class Kept:
    """An event with what its payload says."""

    event: AuditEvent
    changes: list[dict[str, Any]]
    reason: str

    @property
    def verb(self) -> str:
        return self.event.verb

    @property
    def outcome(self) -> str:
        return self.event.outcome

    @property
    def subject(self) -> str:
        return f"{self.event.subject_type} {self.event.subject_id}"

    def changed(self, kind: str) -> dict[str, Any]:
        """Old and new of each field of the one row of this kind that the event speaks of."""
        about = [change for change in self.changes if change["type"] == kind]
        assert len({change["id"] for change in about}) == 1, f"The event speaks of {len(about)} rows of {kind}."
        return {name: pair for change in about for name, pair in change["fields"].items()}


def events(**which: Any) -> list[Kept]:
    """The events so far, oldest first. which: columns of AuditEvent, such as verb="accounts.create_user"."""
    found = list(AuditEvent.objects.filter(**which).order_by("id"))
    payloads = AuditPayload.objects.in_bulk([event.pk for event in found])
    bodies = [json.loads(payloads[event.pk].body) for event in found]
    return [Kept(event, body["changes"], body.get("reason", "")) for event, body in zip(found, bodies, strict=True)]


def events_since(act: Callable[[], Any]) -> list[Kept]:
    """The events that an act leaves: `events_since(lambda: lock_run(...))`."""
    before = set(AuditEvent.objects.values_list("pk", flat=True))
    act()
    new = [pk for pk in AuditEvent.objects.values_list("pk", flat=True) if pk not in before]
    return events(pk__in=new)
