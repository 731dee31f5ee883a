"""Runs that are part of a run."""

from django.db.models import QuerySet
from rest_framework.generics import ListAPIView

from experiments.models import Run
from experiments.queries.listing import runs_in
from experiments.rest.filters import ChildFilter
from experiments.rest.on_run import OnRun
from experiments.rest.runs import RunJson


class RunChildren(ListAPIView[Run], OnRun):
    """The runs right below a run, newest first."""

    needs = {"GET": "experiments.see"}
    queryset = Run.objects.none()
    serializer_class = RunJson
    filterset_class = ChildFilter

    def get_queryset(self) -> QuerySet[Run]:
        return runs_in(self.actor, self.run())
