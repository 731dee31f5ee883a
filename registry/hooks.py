"""What upper rooms add to acts of this one."""

from collections.abc import Callable, Set
from uuid import UUID

# In an act that deletes versions or models, which are held, with their project and the runs (by primary key) behind
# them: an upper room raises where they must stay.
model_deletion: list[Callable[[UUID, Set[int]], None]] = []
