"""Entering a run that is over by hand: all of it in one act, or nothing."""

import re
import uuid
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from typing import Final

from django.db import transaction

from accounts.access import can_see, require
from accounts.decorators import action
from accounts.models import Project
from artifacts.actions.datasets import create_dataset, dataset_named
from artifacts.actions.versions import add_external_version
from artifacts.models import Dataset, DatasetVersion
from artifacts.queries.uploads import finished_blobs
from artifacts.storage import StoredBlob
from artifacts.versions import require_usable, version_matching
from audit.ledger.acting import current_act
from experiments.actions.batches import write_params
from experiments.actions.experiments import create_experiment
from experiments.actions.files import put_file
from experiments.actions.inputs import CONTEXT_TAG, note_input
from experiments.actions.notes import NOTE
from experiments.actions.runs import create_run, update_run
from experiments.metrics.batch import MetricPoint, by_series
from experiments.metrics.segments import append
from experiments.models import Experiment, RecordedOnce, Run
from experiments.queries.recorded import recorded_before
from experiments.recording.naming import name_and_number
from experiments.recording.wanted import DATASET_MAX, EMAIL, FILES_MAX, Checked, Problems, Wanted, check
from experiments.search.errors import nearest
from experiments.values import BY_HAND, EXPERIMENT_NAME_MAX, SOURCE_TYPE, Lifecycle
from kernel.actor import Actor
from kernel.errors import AlreadyExists, Conflict, Invalid, InvalidFields, MledError, NotFound

TRAINING: Final = "training"
CONTAINER: Final = "mlflow.docker.image.name"
KEY_MAX: Final = 200
_NAMES_LOOKED_AT: Final = 1000  # of datasets, for the one that was probably meant


@dataclass(frozen=True, slots=True)
class Read:
    """What can be told of a record without looking anything up: done before the act, which holds the database."""

    values: Checked | None
    problems: Sequence[MledError]
    digest: str

    @classmethod
    def of(cls, wanted: Wanted) -> "Read":
        """All of it, with what is wrong."""
        problems = Problems()
        values = check(wanted, problems)
        return cls(values, tuple(problems.found), wanted.digest)


@action("experiments.log_run", on="project")
def record_run(
    actor: Actor, project: Project, *, wanted: Wanted, key: str = "", read: Read | None = None, reason: str = ""
) -> Run:
    """Enter a run that is over. key: of the form or call; the same one again gives the run of the first time.
    read: what was told of it before; reason: where it comes from, if not from a form.

    Raises InvalidFields with every field that is wrong, Conflict where the key was used for something else; then
    nothing is written. The event's client time is when the run was over, its server time is now.
    """
    if len(key) > KEY_MAX:
        raise Invalid(f"A key has at most {KEY_MAX} characters.", field="Idempotency-Key")
    read = read or Read.of(wanted)
    before = recorded_before(actor, project, key)
    if before is not None:
        return _of_before(before, read.digest)
    values, experiment, version, blobs = _looked_up(actor, project, wanted, read)
    current_act().client_ms = values.started_ms if values.ended_ms is None else values.ended_ms
    claimed = _claimed(actor, project, key, read.digest)
    run = create_run(
        actor,
        experiment or _made(actor, project, wanted),
        name=wanted.name.strip(),
        started_ms=values.started_ms,
        tags=_tags_of(wanted, values),
    )
    used = version or _registered(actor, project, wanted)
    note_input(run, used, context=TRAINING, tags={CONTEXT_TAG: TRAINING})
    write_params(run, list(values.params.items()))
    _write_results(run, values)
    for (path, _), stored in zip(wanted.files, blobs, strict=True):
        _put(actor, run, path, stored)
    if claimed is not None:
        claimed.run_uid = run.uid
        claimed.save(update_fields=["run_uid"])
    ended = update_run(actor, run, status=values.status, ended_ms=values.ended_ms)
    current_act().speaks_of(ended.ledger_subject)
    return ended


def record_run_once(actor: Actor, project: Project, *, wanted: Wanted, key: str, reason: str = "") -> Run:
    """The same for doors that may be knocked at twice at the same moment: both get the run of whoever was first."""
    read = Read.of(wanted)
    try:
        return record_run(actor, project, wanted=wanted, key=key, read=read, reason=reason)
    except Conflict:
        if recorded_before(actor, project, key) is None:
            raise
        return record_run(actor, project, wanted=wanted, key=key, read=read, reason=reason)


class Rehearsal:
    """What is wrong with records that are not made yet, by the same rule. Each name is looked up once."""

    def __init__(self, actor: Actor, project: Project) -> None:
        require(actor, "experiments.log_run", project)
        self.actor, self.project = actor, project
        self._known: dict[tuple[str, ...], MledError | None] = {}

    def problems(self, wanted: Wanted) -> list[MledError]:
        """All that is wrong, as the form would tell it. Nothing is written."""
        read, name = Read.of(wanted), wanted.experiment.strip()
        problems = Problems()
        problems.found.extend(read.problems)
        looked_up = [
            self._once(("experiment", name), _experiment, name),
            self._once(("dataset", wanted.dataset.strip()), _version, wanted),
        ]
        if not problems.found and wanted.new_dataset:
            looked_up.append(self._once(("new", *astuple(wanted.new_dataset)), _registered, wanted))
        for problem in looked_up:
            if problem is not None:
                problems.add(problem)
        return in_order(problems.found)

    def _once(self, name: tuple[str, ...], look_up: Callable[..., object], *given: object) -> MledError | None:
        if name not in self._known:
            self._known[name] = self._tried(look_up, *given)
        return self._known[name]

    def _tried(self, look_up: Callable[..., object], *given: object) -> MledError | None:
        """What is wrong with it. What it writes is taken back."""
        try:
            with transaction.atomic():
                look_up(self.actor, self.project, *given)
                transaction.set_rollback(True)
        except InvalidFields as told:
            return told.problems[0]
        except MledError as told:
            return told
        return None


def _of_before(before: RecordedOnce, digest: str) -> Run:
    if before.digest != digest:
        raise Conflict(
            "This key was used for another record.",
            hint="Send what is new with a key of its own.",
            field="Idempotency-Key",
        )
    found: Run | None = Run.objects.filter(uid=before.run_uid).select_related("project", "experiment").first()
    if found is None:
        raise Conflict("The run of this key is gone for good.", hint="Send it anew with another key.", field="key")
    return found


def _looked_up(
    actor: Actor, project: Project, wanted: Wanted, read: Read
) -> tuple[Checked, Experiment | None, DatasetVersion | None, list[StoredBlob]]:
    """What was typed as values and rows. None: a new experiment, a new dataset. Raises InvalidFields."""
    problems = Problems()
    problems.found.extend(read.problems)
    values = read.values
    experiment = problems.of(_experiment, actor, project, wanted.experiment.strip())
    version = problems.of(_version, actor, project, wanted)
    blobs = problems.of(_blobs, actor, project, wanted.files)
    if problems.found or values is None:
        raise InvalidFields(in_order(problems.found))
    return values, experiment, version, blobs or []


_ORDER = (
    "experiment", "name", "architecture", "email", "dataset", "new_dataset", "started", "ended", "duration", "status",
    "params", "results", "commit", "command", "container", "note", "tags", "files",
)  # fmt: skip


def in_order(problems: Sequence[MledError]) -> list[MledError]:
    """Problems as the form shows their fields."""
    places = {name: place for place, name in enumerate(_ORDER)}
    return sorted(problems, key=lambda one: places.get(re.split(r"[.\[]", one.field)[0], len(places)))


def _experiment(actor: Actor, project: Project, name: str) -> Experiment | None:
    """The experiment of that name; None for one to be made. Raises Invalid, Refused."""
    if not name or len(name) > EXPERIMENT_NAME_MAX:  # told already
        return None
    found: Experiment | None = Experiment.objects.filter(project=project, name=name).first()
    if found is None:
        require(actor, "experiments.create", project)
        return None
    if not can_see(actor, found) or found.lifecycle != Lifecycle.ACTIVE:
        raise Invalid(
            f"The experiment '{name[:80]}' is deleted.", hint="Restore it first, or name another.", field="experiment"
        )
    return found


def _version(actor: Actor, project: Project, wanted: Wanted) -> DatasetVersion | None:
    """The version that was named, held so that no recall comes in between; None for new data. Raises Invalid."""
    text = wanted.dataset.strip()
    if not text or len(text) > DATASET_MAX:  # told already
        return None
    dataset, number = _dataset(project, text)
    if dataset is None or not can_see(actor, dataset):
        raise Invalid(
            f"There is no dataset '{text[:80]}' in this project.",
            hint=_meant(actor, project, text),
            field="dataset",
        )
    dataset = dataset_named(actor, project, dataset.name)
    newest: DatasetVersion | None = dataset.versions.select_related("dataset").order_by("-number").first()
    if newest is None:
        raise Invalid(f"'{dataset.name[:80]}' has no version yet.", hint="Add one on its page.", field="dataset")
    latest = f"the latest is {newest}"
    if number is None:
        raise Invalid(f"Which version? Of this dataset, {latest}.", hint=f"Write {newest}.", field="dataset")
    found: DatasetVersion | None = dataset.versions.filter(number=number).select_related("dataset__project").first()
    if found is None:
        raise Invalid(f"There is no v{number}: {latest}.", hint=f"Write {newest}.", field="dataset")
    return _usable(found)


def _meant(actor: Actor, project: Project, text: str) -> str:
    """What to do about a name that is none: the one that is most like it, or other data."""
    name, number = name_and_number(text)
    known = Dataset.objects.visible_to(actor).filter(project=project).values_list("name", flat=True)[:_NAMES_LOOKED_AT]
    near = nearest(name, known)
    meant = f"Did you mean {near if number is None else f'{near} v{number}'}? Else name" if near else "Name"
    return f"{meant} a version of the catalogue, or describe other data by its name, digest and source."


def _dataset(project: Project, text: str) -> tuple[Dataset | None, int | None]:
    """The dataset that a text names, and the number behind its name. A whole name goes first: it may end as one."""
    by_name = Dataset.objects.filter(project=project).select_related("project")
    name, number = name_and_number(text)
    if number is not None:
        found = by_name.filter(name=name).first()
        if found is not None:
            return found, number
    return by_name.filter(name=text).first(), None


def _usable(version: DatasetVersion) -> DatasetVersion:
    try:
        require_usable(version)
    except MledError as recalled:
        raise Invalid(
            recalled.message, hint="Use another version, or describe what was really used.", field="dataset"
        ) from None
    return version


def _blobs(actor: Actor, project: Project, files: Sequence[tuple[str, str]]) -> list[StoredBlob]:
    """The content of the files. Raises Invalid for an upload that is gone or not finished."""
    if len(files) > FILES_MAX:  # told already
        return []
    try:
        return finished_blobs(actor, project, [upload for _, upload in files])
    except (NotFound, Conflict):
        raise Invalid("A file that was sent is not there.", hint="Choose the files again.", field="files") from None


def _tags_of(wanted: Wanted, values: Checked) -> dict[str, str]:
    """The tags that were typed, and those that say what fields of the form do."""
    said = {
        NOTE: wanted.note,
        "mlflow.source.git.commit": wanted.commit,
        "mlflow.source.name": wanted.command,
        CONTAINER: wanted.container,
        EMAIL: wanted.email.lower(),  # as runs are looked for by it
    }
    return {**values.tags, **{key: text.strip() for key, text in said.items() if text.strip()}, SOURCE_TYPE: BY_HAND}


def _registered(actor: Actor, project: Project, wanted: Wanted) -> DatasetVersion:
    """The version that new data is: of a dataset of that name, made if there is none. Raises InvalidFields."""
    new = wanted.new_dataset
    try:
        known = Dataset.objects.filter(project=project, name=new.name.strip()).exists()
        dataset = (
            dataset_named(actor, project, new.name.strip()) if known else create_dataset(actor, project, name=new.name)
        )
        same = version_matching(dataset, new.digest.strip())
        if same is not None:
            require_usable(same)
            return same
        return add_external_version(actor, dataset, digest=new.digest, source=new.source)
    except (Invalid, Conflict, AlreadyExists) as problem:
        place = f"new_dataset.{problem.field}" if problem.field in ("name", "digest", "source") else "new_dataset.name"
        raise InvalidFields([Invalid(problem.message, hint=problem.hint, field=place)]) from None


def _write_results(run: Run, values: Checked) -> None:
    """One point for each result, measured when the run was over."""
    at_ms = values.started_ms if values.ended_ms is None else values.ended_ms
    points = [MetricPoint(key, value, at_ms) for key, value in values.results.items()]
    append(run.pk, run.experiment_id, list(by_series(points)))


def _put(actor: Actor, run: Run, path: str, stored: StoredBlob) -> None:
    try:
        put_file(actor, run, path=path, stored=stored)
    except (Invalid, Conflict) as problem:
        raise InvalidFields([Invalid(problem.message, hint=problem.hint, field="files")]) from None


def _claimed(actor: Actor, project: Project, key: str, digest: str) -> RecordedOnce | None:
    """The key taken first of all: who comes with the same one waits for this act, and then finds its run."""
    if not key or actor.user_id is None:
        return None
    return RecordedOnce.objects.create(
        user_id=actor.user_id, project=project, key=key, digest=digest, run_uid=uuid.uuid4()
    )


def _made(actor: Actor, project: Project, wanted: Wanted) -> Experiment:
    """The new experiment. Raises InvalidFields beside its field, as where somebody else made it just now."""
    try:
        return create_experiment(actor, project, name=wanted.experiment.strip())
    except (Invalid, AlreadyExists) as problem:
        raise InvalidFields([Invalid(problem.message, hint=problem.hint, field="experiment")]) from None
