"""The columns that a table of runs may have as a file."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from experiments.exporting.fields import Field, Kind
from kernel.errors import Invalid

# What every export begins with, so that a row can be found again.
IDENTITY = (
    Field("run_id"),
    Field("id"),
    Field("name"),
    Field("status"),
)
SYSTEM_FIELDS = {
    "created": Field("started", Kind.TIME),
    "ended": Field("ended", Kind.TIME),
    "duration": Field("duration_ms", Kind.INTEGER),
    "user": Field("user"),
    "claimed": Field("claimed_user"),
    "dataset": Field("datasets"),
    "source": Field("git_commit"),
    "script": Field("source"),
    "experiment": Field("experiment"),
    "project": Field("project"),
    "verdict": Field("verdict"),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which columns: keys of SYSTEM_FIELDS, names of params and tags, and metrics as (name, figure)."""

    system: Sequence[str]
    metrics: Sequence[tuple[str, str]]
    params: Sequence[str]
    tags: Sequence[str]

    @property
    def fields(self) -> list[Field]:
        """The head of the table; metrics are 'metrics.loss' as in a query."""
        return [
            *IDENTITY,
            *(SYSTEM_FIELDS[key] for key in self.system),
            *(Field(_metric_name(*metric), Kind.NUMBER) for metric in self.metrics),
            *(Field(f"params.{name}") for name in self.params),
            *(Field(f"tags.{name}") for name in self.tags),
        ]


_FIGURE = re.compile(r"(last|min|max|best)\(metrics\.(.+)\)", re.DOTALL)
_BY_FIELD = {field.name: key for key, field in SYSTEM_FIELDS.items()}


def columns_named(names: Sequence[str]) -> Wanted:
    """Columns by name: metrics.loss, best(metrics.loss), params.lr, tags.team, or one of SYSTEM_FIELDS. Raises Invalid.

    They come in the order of Wanted.fields; those of IDENTITY are always there.
    """
    system, metrics, params, tags = list[str](), list[tuple[str, str]](), list[str](), list[str]()
    known = {field.name for field in IDENTITY}
    for name in dict.fromkeys(names):
        kind, _, key = name.partition(".")
        figure = _FIGURE.fullmatch(name)
        if figure:
            metrics.append((figure[2], figure[1]))
        elif key and kind in ("metrics", "params", "tags"):
            {"metrics": lambda key: metrics.append((key, "last")), "params": params.append, "tags": tags.append}[kind](
                key
            )
        elif name in SYSTEM_FIELDS or name in _BY_FIELD:
            system.append(_BY_FIELD.get(name, name))
        elif name not in known:
            offered = ", ".join(sorted({*SYSTEM_FIELDS, *known}))
            raise Invalid(
                f"There is no column '{name[:80]}'.",
                hint=f"Choose among metrics.…, best(metrics.…), params.…, tags.…, {offered}.",
                field="columns",
            )
    return Wanted(list(dict.fromkeys(system)), list(dict.fromkeys(metrics)), params, tags)


def _metric_name(name: str, figure: str) -> str:
    return f"metrics.{name}" if figure == "last" else f"{figure}(metrics.{name})"
