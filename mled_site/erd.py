"""The tables of each room as a picture and as text, read from the models."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from django.apps import apps
from django.db import models

from audit.ledger.tracking import Evidence, Quiet, Tracked
from registry.lineage.layout import Measures, curve, lay_out

ROOMS = {
    "accounts": ("Accounts", "people, groups, projects, roles, tokens, signatures, notices"),
    "ledger": ("Ledger", "what happened: events, the Merkle log, checkpoints"),
    "artifacts": ("Artifacts", "bytes named by their digest, trees of files, datasets and their versions"),
    "experiments": ("Experiments", "experiments, runs, params, tags, metrics, inputs"),
    "registry": ("Registry", "logged models, registered models, versions, aliases, promotions, webhooks"),
    "runner": ("Execution", "recipes, jobs, sweeps, workers, and what came out when a run was done again"),
    "boards": ("Boards", "public boards, their entries and claim tokens"),
    "transfer": ("Import and export", "exports and imports, and what became of each thing"),
    "compliance": ("Compliance", "rules asked of runs, what people say of them, reviews and findings"),
}
KEEPING = {
    Tracked: "a row of history and an event",
    Evidence: "an event",
    Quiet: "none of its own",
}
WIDTH, HEAD, ROW = 300.0, 26.0, 16.0
_STYLE = (
    "text{font:11px system-ui,sans-serif;fill:#1b1f27}.h{font-weight:600;font-size:12px}.t{fill:#5f6878}"
    ".b{fill:#fff;stroke:#868e9e}.p{fill:#eef1fe}.l{fill:none;stroke:#868e9e;stroke-width:1.25}.a{fill:#868e9e}"
)


@dataclass(frozen=True, slots=True)
class Column:
    """One column. target: the model that it points to, as people say it; inner: where that is in the same room."""

    name: str
    type: str
    target: str
    inner: str


@dataclass(frozen=True, slots=True)
class Table:
    """One model: its table, what it is for, how its changes are kept."""

    name: str
    table: str
    means: str
    kept: str
    columns: list[Column]

    @property
    def height(self) -> float:
        """Of its box."""
        return HEAD + ROW * len(self.columns) + 6


def tables_of(room: str) -> list[Table]:
    """The tables of a room by name, without those that only keep history."""
    return [_table(model) for model in sorted(apps.get_app_config(room).get_models(), key=_name) if _is_own(model)]


def _name(model: type[models.Model]) -> str:
    return model.__name__


def _is_own(model: type[models.Model]) -> bool:
    return not hasattr(model, "history_object") and not model._meta.proxy


def _table(model: type[models.Model]) -> Table:
    first, _, _ = (model.__doc__ or "").strip().split("\n")[0].partition(". ")
    means = "" if first.startswith(f"{model.__name__}(") else f"{first.rstrip('.')}."
    kept = next((words for base, words in KEEPING.items() if issubclass(model, base)), "")
    return Table(model.__name__, model._meta.db_table, means, kept, [_column(field) for field in _fields(model)])


def _fields(model: type[models.Model]) -> Iterator[Any]:
    yield from (field for field in model._meta.get_fields() if field.concrete and not field.many_to_many)


def _column(field: Any) -> Column:
    target = inner = ""
    if field.is_relation and field.related_model is not None:
        other = field.related_model
        same = other._meta.app_label == field.model._meta.app_label
        target = other.__name__ if same else f"{other._meta.app_label}.{other.__name__}"
        inner = other.__name__ if same else ""
    said = "" if target else field.get_internal_type().removesuffix("Field").lower()
    marks = [said, "key" if field.primary_key else "unique" if field.unique else "", "or none" if field.null else ""]
    return Column(field.name, " ".join(filter(None, marks)), target, inner)


# --- The picture


def picture(tables: list[Table]) -> str:
    """The tables of a room as an SVG: what points to another stands right of it."""
    measures = Measures(width=WIDTH, rank_gap=64, node_gap=18, bend_gap=10, margin=12)
    names = [table.name for table in tables]
    pairs = [(column.inner, table.name) for table in tables for column in table.columns if column.inner]
    drawing = lay_out(names, pairs, measures, {table.name: table.height for table in tables})
    size = f'width="{drawing.width:.0f}" height="{drawing.height:.0f}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {drawing.width:.0f} {drawing.height:.0f}">',
        f'<style>{_STYLE}</style><rect width="100%" height="100%" fill="#fff"/>',
    ]
    for points in drawing.lines.values():
        x, y = points[0]
        parts.append(f'<path class="l" d="{curve(points)}"/><path class="a" d="M{x:.1f} {y:.1f}l6 -3.5v7z"/>')
    parts += [_box(table, *drawing.spots[table.name]) for table in tables]
    return "\n".join([*parts, "</svg>\n"])


def _box(table: Table, x: float, y: float) -> str:
    lines = [
        f'<rect class="b" x="{x:.1f}" y="{y:.1f}" width="{WIDTH:.0f}" height="{table.height:.0f}" rx="5"/>',
        f'<path class="p" d="{_head(x + 0.6, y + HEAD)}"/>',
        f'<text class="h" x="{x + 10:.1f}" y="{y + 17:.1f}">{escape(table.name)}</text>',
    ]
    for number, column in enumerate(table.columns):
        middle = y + HEAD + ROW * number + 14
        said = f"→ {column.target} {column.type}".rstrip() if column.target else column.type
        lines.append(
            f'<text x="{x + 10:.1f}" y="{middle:.1f}">{escape(column.name)}</text>'
            f'<text class="t" x="{x + WIDTH - 10:.1f}" y="{middle:.1f}" text-anchor="end">{escape(said)}</text>'
        )
    return "".join(lines)


def _head(x: float, y: float) -> str:
    """The upper end of a box, its corners round, from its lower left corner."""
    return (
        f"M{x:.1f} {y:.1f}v{5 - HEAD:.1f}a4.4 4.4 0 0 1 4.4 -4.4h{WIDTH - 10:.1f}a4.4 4.4 0 0 1 4.4 4.4v{HEAD - 5:.1f}z"
    )


# --- The page


def page() -> str:
    """docs/erd.md: each room's picture, and what each of its tables is for."""
    parts = [
        "# The tables",
        "",
        "Each room and its tables, read from the models by `manage.py erd`; a test keeps this page current.",
        "An arrow points from a table to the one that it refers to. References to other rooms are named in the column.",
        "Tables of history (`historical…`) have the columns of the table that they follow.",
    ]
    for room, (title, words) in ROOMS.items():
        parts += ["", f"## {title}", "", f"{words[0].upper()}{words[1:]}.", ""]
        parts += [
            f"![The tables of {room}](erd/{room}.svg)",
            "",
            "| model | table | what it is | a change leaves |",
            "| --- | --- | --- | --- |",
        ]
        parts += [f"| {table.name} | `{table.table}` | {table.means} | {table.kept} |" for table in tables_of(room)]
    return "\n".join([*parts, ""])


def written() -> dict[str, str]:
    """What belongs below docs/, by path."""
    return {"erd.md": page(), **{f"erd/{room}.svg": picture(tables_of(room)) for room in ROOMS}}
