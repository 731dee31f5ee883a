"""Names for dataset versions that may move. Rolling back is moving an alias to an earlier version."""

import re

from accounts.decorators import action
from artifacts.actions.datasets import held
from artifacts.models import Dataset, DatasetAlias, DatasetVersion
from artifacts.versions import require_usable
from kernel.actor import Actor
from kernel.clock import now
from kernel.errors import Invalid, NotFound

_ALIAS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_LIKE_A_NUMBER = re.compile(r"v?\d+", re.IGNORECASE)


@action("datasets.set_alias", on="dataset")
def set_dataset_alias(actor: Actor, dataset: Dataset, *, name: str, version: DatasetVersion) -> None:
    """Let an alias name this version; it leaves the one that it named. Where it points there already, nothing changes.

    Raises Invalid for a name that could be a version's number, NotFound for a version of another dataset, Conflict for
    one that was recalled.
    """
    name = checked_alias(name)
    dataset = held(dataset)
    if version.dataset_id != dataset.pk:
        raise NotFound(f"'{dataset.name[:200]}' has no such version.", field="version")
    found: DatasetAlias | None = DatasetAlias.objects.filter(dataset=dataset, name=name).first()
    if found is not None and found.version_id == version.pk:
        return
    require_usable(version)
    alias = found or DatasetAlias(dataset=dataset, name=name)
    alias.version, alias.set_at, alias.set_by_id = version, now(), actor.user_id
    alias.save()


@action("datasets.set_alias", on="dataset")
def remove_dataset_alias(actor: Actor, dataset: Dataset, *, name: str) -> None:
    """Take an alias away. Raises NotFound."""
    dataset = held(dataset)
    alias = DatasetAlias.objects.filter(dataset=dataset, name=name).first()
    if alias is None:
        raise NotFound(f"'{dataset.name[:200]}' has no alias '{name[:100]}'.", field="name")
    alias.delete()


def checked_alias(name: str) -> str:
    """The name, or Invalid: letters, digits, '.', '_' and '-', and not like a version's number."""
    name = name.strip()
    if not _ALIAS.fullmatch(name):
        raise Invalid(
            "An alias has 1 to 100 letters, digits, '.', '_' or '-', and begins with a letter or digit.", field="name"
        )
    if _LIKE_A_NUMBER.fullmatch(name):
        raise Invalid(f"'{name}' could be the number of a version.", hint="Use a word.", field="name")
    return name
