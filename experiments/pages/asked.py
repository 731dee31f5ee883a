"""What a reader asks of the run table: all of it is in the URL, so that a copied address shows the same."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import QueryDict

from experiments.models import Experiment
from experiments.pages.columns import Column, column_of, sortable
from experiments.queries.search import View

VIEWS = {"active": ("Active", View.ACTIVE_ONLY), "deleted": ("Deleted", View.DELETED_ONLY), "all": ("All", View.ALL)}
VIEW_WORDS = {"active": "active runs", "deleted": "deleted runs", "all": "runs"}
KNOWN = ("q", "good", "experiment", "sort", "columns", "view", "saved", "after")


@dataclass(frozen=True, slots=True)
class Asked:
    """The question of one URL. good: the last query that was understood; it stands in where `query` is not.

    saved: the kept view that it began with.
    """

    path: str
    query: str
    good: str
    experiment_ids: tuple[int, ...]
    sort: str
    column_keys: tuple[str, ...]
    view: str
    after: str
    experiments: tuple[Experiment, ...] = ()
    saved: int | None = None

    @classmethod
    def parse(cls, path: str, params: QueryDict) -> "Asked":
        """The question in a query string; what is unknown in it is left out."""
        view = params.get("view", "active")
        sort = params.get("sort", "")
        return cls(
            path=path,
            query=params.get("q", "").strip(),
            good=params.get("good", "").strip(),
            experiment_ids=tuple(
                number for text in params.getlist("experiment") if (number := _whole_number(text)) is not None
            ),
            sort=sort if sortable(sort.removeprefix("-")) else "",
            column_keys=tuple(key for key in params.getlist("columns") if column_of(key)),
            view=view if view in VIEWS else "active",
            after=params.get("after", ""),
            saved=_whole_number(params.get("saved", "")),
        )

    @property
    def columns(self) -> list[Column]:
        """The columns that the URL names."""
        return [column for key in self.column_keys if (column := column_of(key))]

    @property
    def order(self) -> list[str]:
        """The order as the search takes it."""
        column = sortable(self.sort.removeprefix("-")) if self.sort else None
        if column is None:
            return []
        return [f"{column.order} {'DESC' if self.sort.startswith('-') else 'ASC'}"]

    @property
    def view_words(self) -> str:
        return VIEW_WORDS[self.view]

    @property
    def only_experiment(self) -> Experiment | None:
        """The experiment whose table this is, where it is just one."""
        return self.experiments[0] if len(self.experiments) == 1 and len(self.experiment_ids) == 1 else None

    def kept(self, *without: str) -> list[tuple[str, str]]:
        """Everything asked but these, as pairs for a form or an address. A new question begins on the first page."""
        pairs: list[tuple[str, str]] = [("q", self.query)] if self.query else []
        pairs += [("good", self.good)] if self.good and self.good != self.query else []
        pairs += [("experiment", str(pk)) for pk in self.experiment_ids]
        pairs += [("sort", self.sort)] if self.sort else []
        pairs += [("view", self.view)] if self.view != "active" else []
        pairs += [("columns", key) for key in self.column_keys]
        pairs += [("saved", str(self.saved))] if self.saved else []
        return [pair for pair in pairs if pair[0] not in without]

    def url(self, pairs: Iterable[tuple[str, str]]) -> str:
        """The address that asks this."""
        text = urlencode(list(pairs))
        return f"{self.path}?{text}" if text else self.path

    @property
    def kept_for_query(self) -> list[tuple[str, str]]:
        """The hidden fields of the query form: also the query that was understood last."""
        understood = self.good if self.good else self.query
        return [*self.kept("q", "good"), *([("good", understood)] if understood else [])]

    @property
    def kept_for_experiments(self) -> list[tuple[str, str]]:
        return self.kept("experiment")

    @property
    def kept_for_columns(self) -> list[tuple[str, str]]:
        return self.kept("columns")

    @property
    def everything_url(self) -> str:
        """All runs of the project, same columns."""
        return self.url(self.kept("experiment", "q", "good", "view"))

    @property
    def without_query_url(self) -> str:
        return self.url(self.kept("q", "good"))

    @property
    def default_columns_url(self) -> str:
        return self.url(self.kept("columns"))

    @property
    def first_page_url(self) -> str:
        """The first page of this question, where this is a later one."""
        return self.url(self.kept()) if self.after else ""

    def next_page_url(self, token: str | None) -> str:
        return self.url([*self.kept(), ("after", token)]) if token else ""

    def sort_url(self, column: Column, *, first_down: bool) -> str:
        """Where a click on the column's head leads: its natural way first, then the other, then none."""
        first, second = (f"-{column.key}", column.key) if first_down else (column.key, f"-{column.key}")
        following = {first: second, second: ""}.get(self.sort, first)
        pairs = self.kept("sort")
        return self.url([*pairs, ("sort", following)] if following else pairs)

    @property
    def views(self) -> list[tuple[str, str, str]]:
        """(key, label, address) of each view."""
        pairs = self.kept("view")
        return [
            (key, label, self.url([*pairs, ("view", key)] if key != "active" else pairs))
            for key, (label, _) in VIEWS.items()
        ]


def _whole_number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
