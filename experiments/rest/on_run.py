"""What views below a run have in common."""

from typing import Any

from rest_framework import serializers

from accounts.rest.door import RestView
from experiments.models import Run
from experiments.queries.runs import get_run


class OnRun(RestView):
    """A view below a run. The run is looked up before the body is read: who may not see it learns nothing else."""

    def run(self) -> Run:
        """The run in the address, by its 32 digits or its readable id, if the viewer may see it."""
        return get_run(self.actor, self.kwargs["run"])


class Why(serializers.Serializer[Any]):
    reason = serializers.CharField(
        allow_blank=True, default="", max_length=2000, help_text="Needed where one's role acts on what others made."
    )
