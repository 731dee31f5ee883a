"""Datasets: names for bodies of data within a project."""

from django.db import IntegrityError, transaction

from accounts.decorators import action
from accounts.models import Project
from accounts.texts import checked_line, storable
from artifacts.models import Dataset
from audit.ledger.acting import current_act
from kernel.actor import Actor
from kernel.errors import AlreadyExists, Invalid

NAME_MAX = 500
TEXT_MAX = 20_000


@action("datasets.register", on="project")
def create_dataset(actor: Actor, project: Project, *, name: str, description: str = "") -> Dataset:
    """Make a dataset without versions yet. Raises Invalid, AlreadyExists."""
    name = checked_line(name, "A dataset's name", NAME_MAX, field="name")
    if "/" in name and name.strip("/") != name:
        raise Invalid("A dataset's name neither begins nor ends with a slash.", field="name")
    if Dataset.objects.filter(project=project, name=name).exists():
        raise AlreadyExists(
            f"The project has a dataset '{name[:200]}' already.", hint="Add a version to it.", field="name"
        )
    dataset = Dataset(
        project=project, name=name, description=checked_words(description, "description"), created_by_id=actor.user_id
    )
    dataset.save()
    return dataset


@action("datasets.register", on="dataset")
def edit_dataset(actor: Actor, dataset: Dataset, *, description: str) -> Dataset:
    """Say anew what a dataset is. The same text again changes nothing."""
    dataset = held(dataset)
    dataset.description = checked_words(description, "description")
    dataset.save()
    return dataset


def held(dataset: Dataset) -> Dataset:
    """The dataset as it is now, held until the commit: its versions, aliases and recalls change one at a time.

    The event is about the dataset, whichever of its versions it was asked on.
    """
    fresh: Dataset = (
        Dataset.objects.select_for_update(no_key=True, of=("self",)).select_related("project").get(pk=dataset.pk)
    )
    current_act().speaks_of(fresh.ledger_subject)
    return fresh


def dataset_named(actor: Actor, project: Project, name: str) -> Dataset:
    """Part of an action: the dataset of that name, held until the commit; made if the project has none."""
    return _held_by_name(project, name) or _made(actor, project, name)


def checked_words(text: str, field: str, limit: int = TEXT_MAX) -> str:
    """A text that people write, within its limit, or Invalid."""
    if len(text) > limit:
        raise Invalid(f"'{field}' has {len(text):,} characters; at most {limit:,} are kept.", field=field)
    return storable(text.strip(), f"'{field}'", field=field)


def _held_by_name(project: Project, name: str) -> Dataset | None:
    found: Dataset | None = Dataset.objects.select_for_update(no_key=True).filter(project=project, name=name).first()
    return found


def _made(actor: Actor, project: Project, name: str) -> Dataset:
    """A new dataset, or the one that another run made at the same moment."""
    dataset = Dataset(project=project, name=name, created_by_id=actor.user_id)
    try:
        with transaction.atomic():
            dataset.save()
    except IntegrityError:
        theirs = _held_by_name(project, name)
        if theirs is None:
            raise
        return theirs
    return dataset
