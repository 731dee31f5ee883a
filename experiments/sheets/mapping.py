"""Which column of a sheet goes where, what stands in for columns that it lacks, and a row as the record it becomes."""

import difflib
import zoneinfo
from collections.abc import Mapping as Mapped
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from experiments.recording.wanted import NewDataset, Pair, Wanted
from experiments.sheets import writing
from experiments.sheets.cells import UNREAD, Cell, Kind, is_empty, kind_of, text_of
from experiments.sheets.decoding.words import letters
from experiments.sheets.limits import COLUMNS
from experiments.sheets.targets import DEFAULTED, DURATIONS, FIELDS, IGNORE, KEYED, TARGETS, Target
from experiments.values import RunStatus
from kernel.errors import Invalid, MledError

SPEC_MAX: Final = 300
DEFAULT_MAX: Final = 2000
_LIST: Final = {"param": "params", "result": "results", "tag": "tags"}
_NEEDED: Final = {
    "experiment": "Which experiment do the runs belong to?",
    "architecture": "What kind of model were they?",
    "started": "When did they start?",
}
_INSTEAD: Final = "Choose a column for it, or say it once for all rows."


@dataclass(frozen=True, slots=True)
class Mapping:
    """columns: where each column goes, in the words of `Target`; defaults: for cells that are empty or not there;
    dates: how days are written; zone: of moments without one."""

    columns: Sequence[str] = ()
    defaults: Mapped[str, str] = field(default_factory=dict)
    decimal_comma: bool = False
    dates: str = writing.ISO
    zone: str = "UTC"

    @property
    def targets(self) -> list[Target]:
        """Of each column."""
        return [Target.of(spec) for spec in self.columns]

    def as_json(self) -> dict[str, Any]:
        """As it is kept and sent."""
        return {
            "columns": list(self.columns), "defaults": dict(self.defaults), "decimal_comma": self.decimal_comma,
            "dates": self.dates, "zone": self.zone,
        }  # fmt: skip

    @classmethod
    def of_json(cls, told: Mapped[str, Any]) -> "Mapping":
        """A mapping that was kept or sent. Raises Invalid for what is none."""
        unknown = sorted(set(told) - {"columns", "defaults", "decimal_comma", "dates", "zone"})
        if unknown:
            raise Invalid(f"A mapping has no '{str(unknown[0])[:40]}'.", field=str(unknown[0])[:40])
        columns, defaults = told.get("columns", []), told.get("defaults", {})
        if not isinstance(columns, list) or len(columns) > COLUMNS or not all(_is_line(one) for one in columns):
            raise Invalid(f"'columns' is a list of texts of at most {SPEC_MAX} characters.", field="columns")
        _check_defaults(defaults)
        mapping = cls(columns, dict(defaults), told.get("decimal_comma", False) is True, told.get("dates", writing.ISO),
                      told.get("zone") or "UTC")  # fmt: skip
        if mapping.dates not in writing.DATES:
            raise Invalid("Days are written in one of three ways.", hint=f"{', '.join(writing.DATES)}.", field="dates")
        checked_zone(mapping.zone)
        return mapping


def _is_line(spec: Any) -> bool:
    return isinstance(spec, str) and len(spec) <= SPEC_MAX and spec.isprintable()


def _check_defaults(defaults: Any) -> None:
    if not isinstance(defaults, dict):
        raise Invalid("'defaults' are texts by field.", field="defaults")
    for name, text in defaults.items():
        if name not in DEFAULTED:
            hint = f"There is one for {', '.join(DEFAULTED)}."
            raise Invalid(f"'{str(name)[:40]}' has no default.", hint=hint, field="defaults")
        if not isinstance(text, str) or len(text) > DEFAULT_MAX or not (text.isprintable() or not text):
            raise Invalid(f"A default is a line of at most {DEFAULT_MAX:,} characters.", field=f"defaults.{name}")


def checked_zone(zone: Any) -> str:
    """The name of a time zone such as Europe/Berlin. Raises Invalid."""
    try:
        return zoneinfo.ZoneInfo(zone).key
    except (ValueError, TypeError, OSError, zoneinfo.ZoneInfoNotFoundError):
        raise Invalid(
            f"'{str(zone)[:60]}' is no time zone.", hint="Such as UTC or Europe/Berlin.", field="zone"
        ) from None


def unknown_targets(mapping: Mapping) -> list[MledError]:
    """One for each column that goes where nothing is: 'startd'."""
    known = {*FIELDS, *KEYED, IGNORE}
    return [
        Invalid(
            f"'{target.kind[:60]}' is no field of a record.",
            hint=f"Did you mean {near}?" if (near := _nearest(target.kind)) else TARGETS,
            field=f"columns[{at}]",
        )
        for at, target in enumerate(mapping.targets)
        if target.kind not in known
    ]


def _nearest(name: str) -> str:
    return next(iter(difflib.get_close_matches(name[:100], FIELDS, n=1)), "")


def problems_of(mapping: Mapping, header: Sequence[str]) -> list[MledError]:
    """What has to be put right before rows can be read by it: one for each column or field."""
    problems: list[MledError] = []
    if len(mapping.columns) != len(header):
        words = f"This sheet has {len(header)} columns, and {len(mapping.columns)} are mapped."
        return [Invalid(words, hint="Say for each column where it goes, or ignore.", field="columns")]
    taken: dict[str, int] = {}
    for at, target in enumerate(mapping.targets):
        place = f"columns[{at}]"
        try:
            target.check(place)
        except MledError as problem:
            problems.append(problem)
            continue
        name = str(target) if target.kind in KEYED else target.field
        if name != IGNORE and name in taken:
            words = f"{target.label} is column {letters(taken[name])} already."
            problems.append(Invalid(words, hint="Keep one of the two.", field=place))
        taken.setdefault(name, at)
    return [*problems, *_missing(mapping, taken)]


def _missing(mapping: Mapping, taken: Mapped[str, int]) -> list[MledError]:
    given = {*taken, *(name for name, text in mapping.defaults.items() if text.strip())}
    problems: list[MledError] = [
        Invalid(words, hint=_INSTEAD, field=f"defaults.{name}") for name, words in _NEEDED.items() if name not in given
    ]
    if not given & {"dataset", "new_dataset.name"}:
        problems.append(Invalid("Which data were they trained on?", hint=_INSTEAD, field="defaults.dataset"))
    if not any(name.startswith("param:") for name in taken):
        words = "No column is a hyperparameter."
        problems.append(Invalid(words, hint="A record has at least one.", field="columns"))
    return problems


@dataclass(frozen=True, slots=True)
class CellProblem:
    """What is wrong in a row. column: its place, None where no column holds it; then: what to do next."""

    column: int | None
    field: str
    what: str
    then: str = ""

    def as_json(self) -> dict[str, Any]:
        """As it is kept."""
        return {"column": self.column, "field": self.field, "what": self.what, "next": self.then}


@dataclass(frozen=True, slots=True)
class AsRecord:
    """A row as the record that it becomes. places: the column of each of its fields, by the field's name in a
    problem; problems: of cells that tell nothing."""

    wanted: Wanted
    places: Mapped[str, int]
    problems: Sequence[CellProblem]

    def told(self, problem: MledError) -> CellProblem:
        """A problem of the record as one of its row."""
        column = self._column(problem.field)
        then = f"{problem.hint}{self._other_way(problem.field)}" if column is not None else problem.hint
        return CellProblem(column, problem.field, problem.message, then)

    def _other_way(self, name: str) -> str:
        """How days would have to be read so that this is one; '' where that is no help."""
        text = {"started": self.wanted.started, "ended": self.wanted.ended}.get(name, "")
        ways = writing.ways_of(text) if 0 < len(text) < DEFAULT_MAX else []
        if not ways:
            return ""
        return f" Or choose {' or '.join(writing.DATES[way] for way in ways)} at “Days are written as”, for all rows."

    def _column(self, name: str) -> int | None:
        for tail in ("", ".value", ".key"):
            if name.removesuffix(tail) in self.places:
                return self.places[name.removesuffix(tail)]
        return None


def record_of(mapping: Mapping, cells: Sequence[Cell]) -> AsRecord:
    """What a row says. A keyed cell that is empty is not there; other empty cells have the default."""
    texts = {name: text.strip() for name, text in mapping.defaults.items() if text.strip()}
    rows: dict[str, list[Pair]] = {name: [] for name in _LIST.values()}
    places: dict[str, int] = {}
    problems = _beyond(mapping, cells)
    for at, (target, cell) in enumerate(zip(mapping.targets, cells, strict=False)):
        if target.kind == IGNORE:
            continue
        if target.kind not in KEYED:
            places[target.field] = at
        if is_empty(cell):
            continue
        if kind_of(cell) in UNREAD:
            problems.append(_unread(at, target, cell))
        elif target.kind in KEYED:
            pairs = rows[_LIST[target.kind]]
            places[f"{_LIST[target.kind]}[{len(pairs)}]"] = at
            pairs.append((target.key, _keyed(mapping, target, cell)))
        else:
            texts[target.field] = _text(mapping, target, cell)
    _data_of_row(mapping, cells, texts)
    new = NewDataset(*(texts.pop(f"new_dataset.{part}", "") for part in ("name", "digest", "source")))
    texts.setdefault("status", RunStatus.FINISHED.value)
    return AsRecord(Wanted(**texts, **rows, new_dataset=new), places, problems)  # type: ignore[arg-type]


def _data_of_row(mapping: Mapping, cells: Sequence[Cell], texts: dict[str, str]) -> None:
    """A row that names its own data does not take the other kind from the defaults."""
    own = {target.field for target, cell in zip(mapping.targets, cells, strict=False) if not is_empty(cell)}
    new = {name for name in texts if name.startswith("new_dataset.")}
    if "dataset" in own and not own & new:
        for name in new:
            del texts[name]
    elif own & new and "dataset" not in own:
        texts.pop("dataset", None)


def _beyond(mapping: Mapping, cells: Sequence[Cell]) -> list[CellProblem]:
    at = next((at for at in range(len(mapping.columns), len(cells)) if not is_empty(cells[at])), None)
    if at is None:
        return []
    words = f"This row has {len(cells)} cells, the header has {len(mapping.columns)}."
    return [CellProblem(at, "", words, "Look for a separator within a value, or name the column.")]


def _unread(at: int, target: Target, cell: Cell) -> CellProblem:
    text = text_of(cell)
    words, then = {
        Kind.ERROR: (f"The cell holds the error {text[:20]}.", "Correct its formula, or empty it."),
        Kind.FORMULA: (
            f"The formula {text[:60]} was saved without its value.",
            "Open the file in a spreadsheet program and save it again, or paste values.",
        ),
    }.get(kind_of(cell) or Kind.LONG, (f"The cell has {text} characters.", "Put it into a file of the run."))
    return CellProblem(at, target.field, words, then)


def _keyed(mapping: Mapping, target: Target, cell: Cell) -> str:
    return text_of(cell) if target.kind == "tag" else writing.number_text(cell, decimal_comma=mapping.decimal_comma)


def _text(mapping: Mapping, target: Target, cell: Cell) -> str:
    if target.field in ("started", "ended"):
        return writing.moment_text(cell, dates=mapping.dates, zone=mapping.zone)
    if target.field == "duration":
        return writing.duration_text(cell, DURATIONS[target.kind], decimal_comma=mapping.decimal_comma)
    if target.field == "status":
        return writing.status_text(cell)
    return text_of(cell) if target.field == "note" else text_of(cell).strip()


def column_name(header: Sequence[str], at: int | None) -> str:
    """As a problem names a column: 'D, val/auroc'; '' for none."""
    if at is None:
        return ""
    name = header[at] if at < len(header) else ""
    return f"{letters(at)}, {name}" if name else letters(at)


CHOICES: Final = {**FIELDS, **KEYED, IGNORE: "Nothing: leave it out"}
