"""The form that says where columns go, and the first rows as they will be stored."""

from collections.abc import Mapping as Mapped
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.http import QueryDict

from experiments.models import SheetImport, SheetRow
from experiments.recording.wanted import RAN, Problems, Wanted, check
from experiments.sheets import writing
from experiments.sheets.cells import Cell, is_empty, text_of
from experiments.sheets.decoding.words import letters
from experiments.sheets.mapping import Mapping, column_name, record_of
from experiments.sheets.targets import DEFAULTED, FIELDS, IGNORE, KEYED, Target
from kernel.errors import MledError

SAMPLES: Final = 3
SAMPLED_ROWS: Final = 100
SAMPLE_CHARACTERS: Final = 60
PREVIEWED: Final = 5
_PAIRS: Final = 12
_VALUES: Final = 8
CHOICES: Final = (
    ("A field of the record", tuple(FIELDS.items())),
    ("By its name, written beside it", tuple(KEYED.items())),
)


@dataclass(frozen=True, slots=True)
class Column:
    """A column in the form. samples: its first values; kind, key: where it goes."""

    number: int
    letter: str
    name: str
    samples: Sequence[str]
    kind: str
    key: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Previewed:
    """A row as it will be stored, with all that can be told without looking anything up."""

    number: int
    wanted: Wanted
    started_ms: int | None
    ended_ms: int | None
    status: str
    data: str
    params: Sequence[tuple[str, str]]
    results: Sequence[tuple[str, str]]
    tags: Sequence[tuple[str, str]]
    problems: Sequence[str]


@dataclass(frozen=True, slots=True)
class ReadAs:
    """How a sheet that is mapped for good was read."""

    columns: Sequence[tuple[str, str, str]]
    defaults: Sequence[tuple[str, str]]
    dates: str
    zone: str
    decimal_comma: bool


def read_as(sheet: SheetImport) -> ReadAs:
    """Column by column: its letter, its name, where it went."""
    mapping = Mapping.of_json(sheet.mapping) if sheet.mapping else Mapping()
    columns = [
        (letters(at), name, target.label if target.kind != IGNORE else "left out")
        for at, (name, target) in enumerate(zip(sheet.header, mapping.targets, strict=False))
    ]
    defaults = [(FIELDS[name], text) for name, text in mapping.defaults.items() if text and name in FIELDS]
    return ReadAs(columns, defaults, writing.DATES[mapping.dates], mapping.zone, mapping.decimal_comma)


def typed_mapping(post: QueryDict, columns: int) -> dict[str, Any]:
    """What the form says, in the words of a mapping; nothing is checked."""
    return {
        "columns": [str(_target(post, at)) for at in range(columns)],
        "defaults": {name: text for name in DEFAULTED if (text := post.get(f"default-{name}", "").strip())},
        "decimal_comma": post.get("decimal_comma") == "1",
        "dates": post.get("dates", writing.ISO),
        "zone": post.get("zone", "").strip() or "UTC",
    }


def _target(post: QueryDict, at: int) -> Target:
    kind = post.get(f"to-{at}", IGNORE)
    return Target(kind, post.get(f"key-{at}", "").strip() if kind in KEYED else "")


def columns_of(
    header: Sequence[str], specs: Sequence[str], rows: Sequence[SheetRow], problems: Sequence[MledError]
) -> list[Column]:
    """The columns of the form. rows: the first of the sheet."""
    words = {one.field: str(one) for one in problems}
    return [
        Column(
            at,
            letters(at),
            name,
            _samples(at, rows),
            target.kind,
            target.key or name,
            words.get(f"columns[{at}]", ""),
        )
        for at, (name, target) in enumerate(zip(header, map(Target.of, specs), strict=False))
    ]


def _samples(at: int, rows: Sequence[SheetRow]) -> list[str]:
    cells: list[Cell] = [row.cells[at] for row in rows if at < len(row.cells) and not is_empty(row.cells[at])]
    return [_cut(text_of(cell)) for cell in cells[:SAMPLES]]


def values_in(cells: Sequence[Cell]) -> list[str]:
    """The first values of a row."""
    return [_cut(text_of(cell)) for cell in cells if not is_empty(cell)][:_VALUES]


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SAMPLE_CHARACTERS else line[: SAMPLE_CHARACTERS - 1] + "…"


def defaults_of(mapping: Mapped[str, Any], problems: Sequence[MledError]) -> dict[str, dict[str, str]]:
    """The lines that stand in for columns: their texts and what is wrong with them, by field; dots are underscores."""
    words = {one.field.removeprefix("defaults."): str(one) for one in problems}
    texts = mapping.get("defaults", {})
    return {
        "optional": {name.replace(".", "_"): name not in words for name in DEFAULTED},
        "text": {name.replace(".", "_"): texts.get(name, "") for name in DEFAULTED},
        "wrong": {name.replace(".", "_"): words.get(name, "") for name in (*DEFAULTED, "zone", "dates")},
    }


STATUSES: Final = [(status.value, label) for status, label in RAN.items()]


def previewed(mapping: Mapping, header: Sequence[str], rows: Sequence[SheetRow]) -> list[Previewed]:
    """Rows as records."""
    return [_previewed(mapping, header, row) for row in rows]


def _previewed(mapping: Mapping, header: Sequence[str], row: SheetRow) -> Previewed:
    record, problems = record_of(mapping, row.cells), Problems()
    wanted = record.wanted
    checked = check(wanted, problems)
    told = [*record.problems, *(record.told(one) for one in problems.found)]
    new = wanted.new_dataset
    return Previewed(
        row.number,
        wanted,
        checked.started_ms if checked else None,
        checked.ended_ms if checked else None,
        checked.status.label if checked else wanted.status,
        wanted.dataset or (f"{new.name} (new)" if new.name else ""),
        wanted.params[:_PAIRS],
        wanted.results[:_PAIRS],
        wanted.tags[:_PAIRS],
        [problem_line(header, one.as_json()) for one in told],
    )


def problem_line(header: Sequence[str], problem: Mapped[str, Any]) -> str:
    """A problem of a cell in one line: 'D, started: … '."""
    where = column_name(header, problem["column"]) or FIELDS.get(problem["field"], problem["field"])
    return " ".join(part for part in (f"{where}:" if where else "", problem["what"], problem["next"]) if part)
