"""What upper rooms add to acts of this one, inside the same transaction."""

from collections.abc import Callable
from typing import Any

from kernel.actor import Actor

# Called with the actor and the new project: the experiments room makes its Default experiment.
project_created: list[Callable[[Actor, Any], None]] = []
