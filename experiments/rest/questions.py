"""What searches, exports and groups of runs are asked: where to look, a query line, an order."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from rest_framework import serializers

from accounts.access import find_project
from accounts.models import Project
from experiments.queries.experiments import experiments_named
from experiments.queries.search import View
from experiments.search.columns import Dialect
from experiments.search.limits import MAX_TEXT
from experiments.search.ordering import parse_orders, split_orders
from experiments.search.vocabularies import RUNS
from kernel.actor import Actor

VIEWS: Final = {
    "": View.ACTIVE_ONLY,
    "active": View.ACTIVE_ONLY,
    "deleted": View.DELETED_ONLY,
    "all": View.ALL,
}
EXAMPLE = {
    "project": "pump-alarms",
    "q": 'metrics.accuracy > 0.9 AND params.model = "vit"',
    "order": ["metrics.accuracy DESC"],
    "columns": ["created", "best(metrics.accuracy)", "params.lr"],
}


class WhereAsked(serializers.Serializer[Any]):
    """Which runs."""

    q = serializers.CharField(
        allow_blank=True,
        default="",
        max_length=MAX_TEXT,
        help_text='A query line: `metrics.loss < 0.1 AND params.lr = "1"`.',
    )
    project = serializers.SlugField(allow_blank=True, default="", help_text="Without one, all that one sees.")
    experiment = serializers.ListField(
        child=serializers.CharField(max_length=20), default=list, help_text="Ids of experiments, several: any of them."
    )
    lifecycle = serializers.ChoiceField(choices=list(VIEWS), default="", help_text="active, deleted or all.")


class OrderAsked(WhereAsked):
    order = serializers.ListField(
        child=serializers.CharField(allow_blank=True, max_length=1000),
        default=list,
        help_text="Keys such as `metrics.loss DESC`, several times or with commas; without any, newest first.",
    )
    columns = serializers.ListField(
        child=serializers.CharField(max_length=300, trim_whitespace=False),
        max_length=2_000,
        default=list,
        help_text="Such as `metrics.loss`, `best(metrics.loss)`, `params.lr`, `tags.team`, `created`, `user`.",
    )


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked, with the project and experiments that the viewer may see."""

    project: Project | None
    experiments: Sequence[int] | None
    text: str
    view: View
    order: Sequence[str] = ()

    @classmethod
    def of(cls, viewer: Actor, asked: dict[str, Any], project: Project | None = None) -> "Question":
        """The question of checked fields. Raises NotFound for the project, QueryError for the order."""
        place = project or (find_project(viewer, asked["project"]) if asked.get("project") else None)
        order = [key for text in asked.get("order", ()) for key in split_orders(text)]
        parse_orders(order, Dialect.FULL, RUNS)
        named = experiments_named(viewer, place, asked["experiment"])
        return cls(place, named, asked["q"], VIEWS[asked["lifecycle"]], order)

    @property
    def scope(self) -> dict[str, Any]:
        """As searches take it, without the project and the order."""
        return {"experiments": self.experiments, "text": self.text, "view": self.view}
