"""What a reader asks of the run table: all of it is in the URL, so that a copied address shows the same."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.http import QueryDict

from experiments.actions.saved_views import LOOK
from experiments.models import Experiment
from experiments.pages.columns import Column, column_of, sortable
from experiments.queries.search import View
from experiments.refs import number_in, readable_id_in

LIFECYCLES = {
    "active": ("Active", View.ACTIVE_ONLY),
    "deleted": ("Deleted", View.DELETED_ONLY),
    "all": ("All", View.ALL),
}
LIFECYCLE_WORDS = {"active": "active runs", "deleted": "deleted runs", "all": "runs"}
VIEWS = {"table": "Table", "charts": "Charts", "matters": "What matters"}
COUNTS = (5, 10, 20, 50, 100)  # as many runs as charts draw by themselves
COUNT = 10
EYES_MAX = 200  # runs whose eye was turned, open or shut
PANELS_MAX = 50
IN_ADDRESSES = "/():,*"  # written as they are: an address of two hundred columns has to stay short
OPEN_MAX = 50  # runs whose nested runs are shown
LOOKS_MAX = 60  # of one name: metrics picked, settings of sections and charts
ONLY = {"filled": "Only filled", "differing": "Only differing"}
GROUPS_MAX = 3
GROUP_WORDS = {"status": "Status", "user": "User", "experiment": "Experiment", "dataset": "Dataset"}


@dataclass(frozen=True, slots=True)
class Asked:
    """The question of one URL. good: the last query that was understood; it stands in where `query` is not.

    saved: the kept view that it began with. group: what runs are grouped by; only: which of the columns are shown
    ("filled", "differing"); spark: the metric that is drawn as a small curve. view: as a table, charts or what matters;
    lifecycle: active runs, deleted ones or all. count: the first so many runs are drawn in charts, without those that
    hide names and with those that show names, by readable id. look: how charts are drawn, as pairs of an address;
    panels: the texts of further panels. tree: nested runs below their parents, None where the address does not say;
    open: those whose nested runs are shown, by readable id.
    """

    path: str
    query: str
    good: str
    experiment_ids: tuple[int, ...]
    sort: str
    column_keys: tuple[str, ...]
    lifecycle: str
    after: str
    experiments: tuple[Experiment, ...] = ()
    saved: int | None = None
    group: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    spark: str = ""
    view: str = "table"
    hide: tuple[str, ...] = ()
    show: tuple[str, ...] = ()
    count: int = COUNT
    panels: tuple[str, ...] = ()
    look: tuple[tuple[str, str], ...] = ()
    tree: bool | None = None
    open: tuple[str, ...] = ()

    @classmethod
    def parse(cls, path: str, params: QueryDict) -> "Asked":
        """The question in a query string; what is unknown in it is left out."""
        view, count = params.get("view", ""), params.get("count", "")
        lifecycle = params.get("lifecycle", "") or view  # addresses of old said view=deleted
        sort = params.get("sort", "")
        return cls(
            path=path,
            query=params.get("q", "").strip(),
            good=params.get("good", "").strip(),
            experiment_ids=numbers_in(params.getlist("experiment")),
            sort=sort if sortable(sort.removeprefix("-")) else "",
            column_keys=tuple(key for key in params.getlist("columns") if column_of(key)),
            lifecycle=lifecycle if lifecycle in LIFECYCLES else "active",
            after=params.get("after", ""),
            saved=number_in(params.get("saved", "")),
            group=groups_in(params),
            only=tuple(word for word in ONLY if word in params.getlist("only")),
            spark=_plain(params.get("spark", ""), 250),
            view=view if view in VIEWS else "table",
            hide=_runs_named(params.getlist("hide")),
            show=_runs_named(params.getlist("show")),
            count=int(count) if count in map(str, COUNTS) else COUNT,
            panels=tuple(_plain(text, 2000) for text in params.getlist("panel")[:PANELS_MAX] if text),
            look=tuple((name, _plain(text, 600)) for name in LOOK for text in params.getlist(name)[:LOOKS_MAX] if text),
            tree={"1": True, "0": False}.get(params.get("tree", "")),
            open=_runs_named(params.getlist("open"))[-OPEN_MAX:],
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

    def sortable_with(self, directions: Mapping[str, bool]) -> "Asked":
        """The same, unsorted where it is by the best of a metric of which nobody said which way is better."""
        column = sortable(self.sort.removeprefix("-")) if self.sort else None
        unsaid = column is not None and column.figure == "best" and column.name not in directions
        return replace(self, sort="") if unsaid else self

    @property
    def lives(self) -> View:
        """Which runs, as the search takes it."""
        return LIFECYCLES[self.lifecycle][1]

    @property
    def lifecycle_words(self) -> str:
        return LIFECYCLE_WORDS[self.lifecycle]

    @property
    def only_experiment(self) -> Experiment | None:
        """The experiment whose table this is, where it is just one."""
        return self.experiments[0] if len(self.experiments) == 1 and len(self.experiment_ids) == 1 else None

    def kept(self, *without: str) -> list[tuple[str, str]]:
        """What is asked of the runs but these, as pairs of an address. A new question begins on the first page."""
        pairs: list[tuple[str, str]] = [("q", self.query)] if self.query else []
        pairs += [("good", self.good)] if self.good and self.good != self.query else []
        pairs += [("experiment", str(pk)) for pk in self.experiment_ids]
        pairs += [("sort", self.sort)] if self.sort else []
        pairs += [("lifecycle", self.lifecycle)] if self.lifecycle != "active" else []
        pairs += [("columns", key) for key in self.column_keys]
        pairs += [("saved", str(self.saved))] if self.saved else []
        return [pair for pair in pairs if pair[0] not in without]

    def all_kept(self, *without: str) -> list[tuple[str, str]]:
        """What is asked, and how it is laid out: grouped, with which columns, as which charts."""
        pairs = [*(("group", key) for key in self.group), *(("only", word) for word in self.only)]
        pairs += [("spark", self.spark)] if self.spark else []
        pairs += [("tree", "1" if self.tree else "0")] if self.tree is not None else []
        pairs += [("open", ref) for ref in self.open]
        pairs += [("view", self.view)] if self.view != "table" else []
        pairs += [("count", str(self.count))] if self.count != COUNT else []
        pairs += [*(("hide", ref) for ref in self.hide), *(("show", ref) for ref in self.show)]
        pairs += [*self.look, *(("panel", text) for text in self.panels)]
        return [*self.kept(*without), *(pair for pair in pairs if pair[0] not in without)]

    def url(self, pairs: Iterable[tuple[str, str]]) -> str:
        """The address that asks this."""
        text = urlencode(list(pairs), safe=IN_ADDRESSES)
        return f"{self.path}?{text}" if text else self.path

    @property
    def kept_for_query(self) -> list[tuple[str, str]]:
        """The hidden fields of the query form: also the query that was understood last."""
        understood = self.good if self.good else self.query
        return [*self.all_kept("q", "good"), *([("good", understood)] if understood else [])]

    @property
    def kept_for_experiments(self) -> list[tuple[str, str]]:
        return self.all_kept("experiment")

    @property
    def kept_for_columns(self) -> list[tuple[str, str]]:
        return self.all_kept("columns")

    @property
    def all_pairs(self) -> list[tuple[str, str]]:
        return self.all_kept()

    @property
    def query_string(self) -> str:
        """The question without its path, to come back to."""
        return urlencode(self.all_kept(), safe=IN_ADDRESSES)

    @property
    def everything_url(self) -> str:
        """All runs of the project, same columns."""
        return self.url(self.all_kept("experiment", "q", "good", "lifecycle"))

    @property
    def without_query_url(self) -> str:
        return self.url(self.all_kept("q", "good"))

    @property
    def default_columns_url(self) -> str:
        return self.url(self.all_kept("columns"))

    @property
    def first_page_url(self) -> str:
        """The first page of this question, where this is a later one."""
        return self.url(self.all_kept()) if self.after else ""

    def next_page_url(self, token: str | None) -> str:
        return self.url([*self.all_kept(), ("after", token)]) if token else ""

    def sort_url(self, column: Column, *, first_down: bool) -> str:
        """Where a click on the column's head leads: its natural way first, then the other, then none."""
        first, second = (f"-{column.key}", column.key) if first_down else (column.key, f"-{column.key}")
        following = {first: second, second: ""}.get(self.sort, first)
        pairs = self.all_kept("sort")
        return self.url([*pairs, ("sort", following)] if following else pairs)

    @property
    def only_links(self) -> list[tuple[str, bool, str]]:
        """(label, whether it is on, the address that turns it over) of each way to leave columns out."""
        pairs = self.all_kept("only")
        turned = {word: [("only", one) for one in ONLY if (one in self.only) != (one == word)] for word in ONLY}
        return [(label, word in self.only, self.url([*pairs, *turned[word]])) for word, label in ONLY.items()]

    @property
    def lifecycles(self) -> list[tuple[str, str, str]]:
        """(key, label, address) of the active runs, the deleted ones, and all."""
        pairs = self.all_kept("lifecycle")
        return [
            (key, label, self.url([*pairs, ("lifecycle", key)] if key != "active" else pairs))
            for key, (label, _) in LIFECYCLES.items()
        ]

    @property
    def views(self) -> list[tuple[str, str, str]]:
        """(key, label, address) of the same runs as a table, as charts, and as what matters."""
        pairs = self.all_kept("view")
        return [
            (key, label, self.url([*pairs, ("view", key)] if key != "table" else pairs)) for key, label in VIEWS.items()
        ]

    @property
    def counts(self) -> list[tuple[int, str]]:
        """(number, address) for each number of runs that charts can draw by themselves."""
        return [(number, replace(self, count=number).all_url) for number in COUNTS]

    @property
    def all_url(self) -> str:
        """The address of this question."""
        return self.url(self.all_kept())

    @property
    def eyes_url(self) -> str:
        """The same with no eye turned by hand."""
        return self.url(self.all_kept("hide", "show"))

    def draws(self, ref: str, place: int) -> bool:
        """Whether charts draw the run that stands at this place of the list, counted from 0."""
        return ref not in self.hide and (place < self.count or ref in self.show)

    def eye_act(self, ref: str, place: int) -> str:
        """What turns the run's eye over, as in an address: eye=hide:VIS-3."""
        if self.draws(ref, place):
            return f"hide:{ref}" if place < self.count else f"unshow:{ref}"
        return f"unhide:{ref}" if place < self.count else f"show:{ref}"

    def with_eye(self, act: str) -> "Asked":
        """The same with one eye turned; what is no act changes nothing."""
        verb, _, ref = act.partition(":")
        if verb not in ("hide", "unhide", "show", "unshow") or not readable_id_in(ref):
            return self
        hide = tuple(one for one in self.hide if one != ref) + ((ref,) if verb == "hide" else ())
        show = tuple(one for one in self.show if one != ref) + ((ref,) if verb == "show" else ())
        return replace(self, hide=hide[-EYES_MAX:], show=show[-EYES_MAX:])

    def eye_url(self, ref: str, place: int) -> str:
        """The address with the run's eye turned over."""
        return self.with_eye(self.eye_act(ref, place)).all_url


def groupable(key: str) -> bool:
    """Whether runs can be grouped by it: params.lr, tags.team, or one of GROUP_WORDS."""
    kind, _, name = key.partition(".")
    return (
        key in GROUP_WORDS
        or key == "project"
        or (kind in ("params", "tags") and name != "" and "\x00" not in name and "`" not in name)
    )


def groups_in(params: QueryDict) -> tuple[str, ...]:
    """The fields that an address groups runs by, each once."""
    return tuple(dict.fromkeys(key for key in params.getlist("group") if groupable(key)))[:GROUPS_MAX]


def numbers_in(texts: Iterable[str]) -> tuple[int, ...]:
    """The whole numbers among them, such as those of experiments."""
    return tuple(number for text in texts if (number := number_in(text)) is not None)


def _plain(text: str, longest: int) -> str:
    return text[:longest].replace("\x00", "")


def _runs_named(texts: Iterable[str]) -> tuple[str, ...]:
    """Readable ids, each once, in one spelling; one text may hold several, with commas between."""
    said = [part.strip().upper() for text in texts for part in text[:4000].split(",")]
    return tuple(dict.fromkeys(ref for ref in said if readable_id_in(ref)))[:EYES_MAX]
