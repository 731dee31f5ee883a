"""The fields of parameters and data in the form that launches: what stands in them, what may, and what was changed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from artifacts.models import DatasetVersion, VersionRecord
from artifacts.tables import row_count_of
from artifacts.versions import is_withdrawn, page_of, record_of
from runner.pages.launch_form import Typed, as_text
from runner.schemas import Kind, Parameter
from runner.trainers import TrainerInput

EMPTY_ROWS: Final = 3
ROLES: Final[dict[str, str]] = {VersionRecord.SplitRole.MIXED: "train and test in its files"}


@dataclass(frozen=True, slots=True)
class ParamField:
    """One parameter. base: what it is unless somebody changes it; was: that, where it is of an earlier run; offered:
    what may stand there, among others."""

    name: str
    id: str
    control: str
    value: str
    base: str
    is_changed: bool
    allowed: str
    was: str
    words: str
    choices: Sequence[str]
    is_required: bool
    problem: str
    offered: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class ParamGroup:
    """Parameters below one heading."""

    title: str
    fields: list[ParamField]


def param_groups(
    schema: Sequence[Parameter],
    typed: Typed,
    before: Mapping[str, Any],
    wrong: Mapping[str, str],
    offered: Mapping[str, Sequence[str]],
) -> list[ParamGroup]:
    """The fields of a schema by their headings. before: the values of an earlier run, where the form is like one;
    offered: by parameter what may stand there, among others."""
    groups: dict[str, list[ParamField]] = {}
    for one in schema:
        field = _field(one, typed, before, wrong)
        groups.setdefault(one.group, []).append(replace(field, offered=offered.get(one.name, ())))
    return [ParamGroup(title, fields) for title, fields in groups.items()]


def _field(one: Parameter, typed: Typed, before: Mapping[str, Any], wrong: Mapping[str, str]) -> ParamField:
    default = "" if one.default is None else as_text(one.default)
    base = as_text(before[one.name]) if one.name in before else default
    value = typed.params.get(one.name, base)
    return ParamField(
        name=one.name,
        id=f"param-{one.name}",
        control=_control(one),
        value=value,
        base=base,
        is_changed=bool(base or one.name in before) and not _same(value or default, base),
        allowed=_allowed(one),
        was=base if one.name in before else "",
        words=one.words,
        choices=one.choices,
        is_required=one.required,
        problem=wrong.get(f"params.{one.name}", ""),
    )


def _control(one: Parameter) -> str:
    if one.kind is Kind.CHOICE:
        return "choice"
    if one.kind is Kind.FLAG:
        return "flag"
    return "whole" if one.kind is Kind.INTEGER else "number" if one.kind is Kind.NUMBER else "text"


def _same(one: str, other: str) -> bool:
    """Whether two texts say the same value: 0.10 is 0.1."""
    if one.strip() == other.strip():
        return True
    try:
        return float(one) == float(other)
    except ValueError:
        return False


def _allowed(one: Parameter) -> str:
    """ "1e-06 to 1, by magnitudes", "at least 1 rows"."""
    low = "" if one.least is None else _figure(one.least)
    high = "" if one.most is None else _figure(one.most)
    alone = f"at least {low}" if low else f"at most {high}" if high else ""
    said = f"{low} to {high}" if low and high else alone
    unit = f" {one.unit}" if one.unit else ""
    return f"{said}{unit}".strip()


def _figure(value: float) -> str:
    return f"{int(value):,}" if float(value).is_integer() and abs(value) < 1e15 else f"{value:g}".replace("e-0", "e-")


@dataclass(frozen=True, slots=True)
class Row:
    """A parameter that nothing declares."""

    number: int
    key: str
    value: str
    kind: str
    key_problem: str
    value_problem: str


def param_rows(typed: Typed, wrong: Mapping[str, str], *, more: bool) -> list[Row]:
    """The rows of names and values, with empty ones behind."""
    pairs = [*typed.rows, *[("", "")] * (EMPTY_ROWS if more or not typed.rows else 1)]
    return [
        Row(number, key, value, "", "", wrong.get(f"params.{key}", "") if key else "")
        for number, (key, value) in enumerate(pairs, start=1)
    ]


@dataclass(frozen=True, slots=True)
class VersionOption:
    """A dataset version as the form offers it."""

    id: str
    name: str
    label: str
    about: str
    url: str
    is_recalled: bool
    is_kept: bool


def version_options(versions: Iterable[DatasetVersion]) -> list[VersionOption]:
    """What is said of each: rows, digest, licence, and whether it was recalled."""
    return [_option(one) for one in versions]


def _option(version: DatasetVersion) -> VersionOption:
    rows, record = row_count_of(version), record_of(version)
    recalled = is_withdrawn(version)
    size = "" if rows is None else f"{rows:,} row{'' if rows == 1 else 's'}"
    licence = record.licence if record and record.licence else "licence not recorded"
    role = ""
    if record and record.split_role != VersionRecord.SplitRole.NOT_SET:
        role = f", {ROLES.get(record.split_role) or record.get_split_role_display().lower()}"
    said = [f"Digest {version.digest[:8]}…{version.digest[-4:]}", licence]
    if version.root_id is None:
        said.append("lies outside MLED")
    return VersionOption(
        id=str(version.pk),
        name=str(version),
        label=", ".join(filter(None, [str(version), size, "recalled" if recalled else ""])) + role,
        about=", ".join(said),
        url=page_of(version),
        is_recalled=recalled,
        is_kept=version.root_id is not None,
    )


@dataclass(frozen=True, slots=True)
class InputField:
    """One folder of data. name: below /inputs; for code of one's own it is typed, too."""

    name: str
    id: str
    title: str
    words: str
    is_required: bool
    chosen: str
    option: VersionOption | None
    problem: str
    base: str


def input_fields(
    inputs: Sequence[TrainerInput],
    typed: Typed,
    before: Mapping[str, Any],
    options: Mapping[str, VersionOption],
    wrong: Mapping[str, str],
) -> list[InputField]:
    """The folders that what is chosen declares."""
    return [
        InputField(
            name=one.name,
            id=f"input-{one.name}",
            title=one.title,
            words=one.words,
            is_required=one.required,
            chosen=typed.inputs.get(one.name, ""),
            option=options.get(typed.inputs.get(one.name, "")),
            problem=wrong.get(f"inputs.{one.name}", ""),
            base=str(before.get(one.name, "")),
        )
        for one in inputs
    ]


def free_input_fields(
    typed: Typed, options: Mapping[str, VersionOption], wrong: Mapping[str, str], *, at_most: int
) -> list[InputField]:
    """The folders of data for code of one's own, with an empty one behind."""
    pairs = list(typed.free_inputs)[:at_most]
    if len(pairs) < at_most:
        pairs.append(("", "") if pairs else ("train", ""))
    return [
        InputField(
            name=name,
            id=f"input-{number}",
            title=f"Data {number}",
            words="",
            is_required=False,
            chosen=version,
            option=options.get(version),
            problem=wrong.get(f"inputs.{name}", "") if name else "",
            base="",
        )
        for number, (name, version) in enumerate(pairs, start=1)
    ]
