"""Deletion and locks of runs."""

from collections.abc import Callable
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from experiments.actions.runs import delete_run, lock_run, restore_run, unlock_run
from experiments.models import Run
from experiments.queries.runs import get_run
from experiments.rest.on_run import OnRun, Why
from experiments.rest.runs import RunJson


class _State(OnRun):
    serializer_class = RunJson
    act: ClassVar[Callable[..., Run]]

    def changed(self) -> Response:
        """The run after the act, which leaves one that is so already as it is."""
        run: Any = self.run()
        type(self).act(self.actor, run, **self.parsed(Why))
        return Response(self.get_serializer(get_run(self.actor, run.uid.hex)).data)


class DeleteRun(_State):
    """Softly: everything stays and can be restored."""

    needs = {"POST": "experiments.delete_run"}
    act = staticmethod(delete_run)

    @extend_schema(request=Why, responses={200: RunJson})
    def post(self, request: Request, run: str) -> Response:
        """Delete the run. A locked one stays (409)."""
        return self.changed()


class RestoreRun(_State):
    """The way back from deletion."""

    needs = {"POST": "experiments.delete_run"}
    act = staticmethod(restore_run)

    @extend_schema(request=Why, responses={200: RunJson})
    def post(self, request: Request, run: str) -> Response:
        """Restore the run with everything in it."""
        return self.changed()


class LockRun(_State):
    """A locked run refuses every write, at every door."""

    needs = {"POST": "experiments.lock_run"}
    act = staticmethod(lock_run)

    @extend_schema(request=Why, responses={200: RunJson})
    def post(self, request: Request, run: str) -> Response:
        """Lock the run."""
        return self.changed()


class UnlockRun(_State):
    """The end of a lock."""

    needs = {"POST": "experiments.lock_run"}
    act = staticmethod(unlock_run)

    @extend_schema(request=Why, responses={200: RunJson})
    def post(self, request: Request, run: str) -> Response:
        """Unlock the run."""
        return self.changed()
