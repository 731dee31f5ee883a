"""What other rooms add to acts of this one."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from kernel.actor import Actor

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from experiments.metrics.batch import MetricPoint
    from experiments.models import Experiment, Run

# In the transaction of log_batch, with the points that name a logged model: the registry keeps them for the model.
model_metrics: list[Callable[[Actor, "Run", Sequence["MetricPoint"]], None]] = []

# In the transaction that deletes runs, which are held: an upper room raises where something of its own stands on them.
run_deletion: list[Callable[[Actor, "QuerySet[Run]"], None]] = []

# Where a locked run refuses a write: what besides its lock keeps something of it, in words; '' for nothing.
run_stays_besides: list[Callable[["Run"], str]] = []

# In the transaction that moves a run to another experiment, before the run is held: what an upper room keeps of it goes
# along.
run_moves: list[Callable[["Run", "Experiment"], None]] = []

# After the commit that ended a run, with its uid: sealing is queued.
run_ended: list[Callable[[UUID], None]] = []

# By the name of a search column that holds several texts: what these runs (by primary key) have in it and the viewer
# may see, with how many have it. Completion of the query line offers them.
column_values: dict[str, Callable[[Actor, Sequence[int]], Counter[str]]] = {}
