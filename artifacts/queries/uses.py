"""What was built on a dataset version: runs, models, and whatever the rooms above know of."""

from accounts.access import require
from artifacts import hooks
from artifacts.hooks import Uses
from artifacts.models import DatasetVersion
from kernel.actor import Actor

SHOWN = 50


def uses_of(viewer: Actor, version: DatasetVersion, *, limit: int = SHOWN) -> list[Uses]:
    """One entry for each kind of use, also where there is none yet. Raises NotFound.

    limit: how many of each kind are in `newest`; `total` counts all that the viewer may see.
    """
    require(viewer, "experiments.see", version)
    return [uses(viewer, version, limit) for uses in hooks.version_uses]
