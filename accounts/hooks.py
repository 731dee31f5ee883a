"""What upper rooms add to acts of this one, inside the same transaction."""

from collections.abc import Callable, Collection, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Model

from kernel.actor import Actor

# Called with the actor and the new project: the experiments room makes its Default experiment.
project_created: list[Callable[[Actor, Any], None]] = []

# Before a project becomes a public board: an upper room raises where something of its own stands against it.
board_opening: list[Callable[[Any], None]] = []

# What rows of rooms above are called in the log, by their kind, with what to read along.
called_in_log: dict[type[Model], tuple[Callable[[Any], str], Sequence[str]]] = {}

# Called with whoever erases or forgets, and projects, None for all: how many reports stay as they were issued.
reports_kept: list[Callable[[Actor, Collection[UUID] | None], int]] = []

# In the act that erases what events of these projects say: copies of it, made before, end.
payloads_erased: list[Callable[[Collection[UUID]], None]] = []

# In the transaction that forgets a person, with who does it, where the person was (None: everywhere), and the basis.
person_forgotten: list[Callable[[Actor, Collection[UUID] | None, str], None]] = []
