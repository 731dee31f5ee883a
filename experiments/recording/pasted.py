"""Names and values out of a pasted text: JSON, YAML or CSV. Numbers stay as they were typed."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

import yaml

from accounts.texts import storable
from experiments.recording.wanted import ROWS_MAX
from experiments.values import KEY_MAX
from kernel.errors import Invalid, TooLarge

Pair = tuple[str, str]
PASTED_MAX: Final = 100_000  # characters
YAML_MAX: Final = 30_000  # characters: reading YAML takes a hundred times as long as JSON
DEPTH_MAX: Final = 20
OPEN_MAX: Final = 50  # brackets of YAML at once, counted without reading it
_NAMES = frozenset({"key", "name", "param", "parameter", "hyperparameter", "metric", "tag"})


class Literal(str):
    """A number or word of JSON, as it stood there: no quotes around it in a list."""


def read_pairs(text: str, field: str) -> list[Pair]:
    """The names and values of a text, in its order; what is nested gets dots between its names. Raises Invalid."""
    text = trimmed(text, field, "JSON, YAML or CSV")
    try:
        found = limited(_read(text, field), field)
    except RecursionError:
        raise too_deep(field) from None
    if not found:
        raise Invalid("No name with a value was found in this text.", hint='As in "lr: 0.001".', field=field)
    return found


def trimmed(text: str, field: str, forms: str) -> str:
    """The pasted text without what stands around it. Raises TooLarge, Invalid for nothing."""
    if len(text) > PASTED_MAX:
        raise TooLarge(
            f"This text has {len(text):,} characters; at most {PASTED_MAX:,} are read.",
            hint="Paste less of it.",
            field=field,
        )
    text = text.replace("\x00", "").strip().removeprefix("\ufeff")
    if not text:
        raise Invalid("There is nothing pasted.", hint=f"Paste {forms}.", field=field)
    return text


def too_deep(field: str) -> Invalid:
    """It stands in too many others."""
    return Invalid(
        f"This text is nested too deeply: more than {DEPTH_MAX} levels.", hint="Paste a flatter one.", field=field
    )


def limited(pairs: Iterator[Pair], field: str) -> list[Pair]:
    """The pairs as they come, or Invalid as soon as there is one that no record can hold."""
    found: list[Pair] = []
    for name, value in pairs:
        if len(found) == ROWS_MAX:
            raise Invalid(
                f"This text has more than {ROWS_MAX} names; a record takes no more.",
                hint="Put the rest into a file.",
                field=field,
            )
        checked_name(name, field)
        found.append((storable(name, "A name in this text", field=field), storable(value, "A value", field=field)))
    return found


def checked_name(name: str, field: str, *, behind: str = "") -> str:
    """The name, with the names that it stands in, or Invalid if a record cannot hold it: before they are joined."""
    if len(name) + len(behind) + bool(behind) > KEY_MAX:
        raise Invalid(
            f"A name in this text, with those that it stands in, is longer than {KEY_MAX} characters.",
            hint="Give it a shorter one.",
            field=field,
        )
    return f"{behind}.{name}" if behind else name


def _read(text: str, field: str) -> Iterator[Pair]:
    if text[0] in "{[":
        return _from_json(text, field)
    first = text.splitlines()[0]
    if _is_table(first):
        return _from_csv(text, field)
    return _from_yaml(text, field)


def _is_table(line: str) -> bool:
    """Whether the first line is one of a table: a separator in it, and no colon before that as YAML has it."""
    places = [line.index(mark) for mark in ",;\t" if mark in line]
    colon = line.find(": ")
    return bool(places) and (colon < 0 or min(places) < colon)


def _from_json(text: str, field: str) -> Iterator[Pair]:
    try:
        told = json_tree(text)
    except json.JSONDecodeError as error:
        if text[0] == "{":
            raise no_json(error, field) from None
        return _from_yaml(text, field)
    refuse_depth(told, field)
    return listed(told, field) if isinstance(told, list) and not isinstance(told, Members) else flat("", told, field)


def json_tree(text: str) -> Any:
    """JSON with its numbers and words as they stood there. Raises JSONDecodeError."""
    return json.loads(text, parse_float=Literal, parse_int=Literal, parse_constant=Literal, object_pairs_hook=Members)


def no_json(error: json.JSONDecodeError, field: str) -> Invalid:
    """Where it broke."""
    words = f"This is no JSON: {error.msg} in line {error.lineno}, column {error.colno}."
    return Invalid(words, hint="Correct it there.", field=field)


def refuse_depth(told: Any, field: str) -> None:
    """Invalid for a value that is nested too deeply, level by level."""
    level = [told]
    for _ in range(DEPTH_MAX + 1):
        level = [inner for one in level if isinstance(one, list | tuple) for inner in _inner(one)]
        if not level:
            return
    raise too_deep(field)


def _inner(told: Any) -> Sequence[Any]:
    return [value for _, value in told] if isinstance(told, Members) else told


class Members(list[tuple[str, Any]]):
    """The members of a JSON object, one that stands twice too."""


def listed(told: Sequence[Any], field: str) -> Iterator[Pair]:
    """A list of {"key": …, "value": …}, as MLflow writes params."""
    for number, one in enumerate(told, 1):
        members = dict(one) if isinstance(one, Members) else {}
        name = next((members[key] for key in members if key.lower() in _NAMES), None)
        if not isinstance(name, str) or "value" not in members:
            raise Invalid(
                f"Entry {number} of this list has no name and value.",
                hint='Paste {"lr": 0.001} or [{"key": "lr", "value": 0.001}].',
                field=field,
            )
        yield from flat(checked_name(name, field), members["value"], field)


def flat(name: str, value: Any, field: str) -> Iterator[Pair]:
    """Names and values of a tree of JSON."""
    if isinstance(value, Members):
        for key, inner in value:
            yield from flat(checked_name(key, field, behind=name), inner, field)
    else:
        yield name, value if isinstance(value, str) else in_list(value)


def in_list(value: Any) -> str:
    """A JSON value as one text, its numbers as they were typed."""
    if isinstance(value, Literal):
        return str(value)
    if isinstance(value, Members):
        return "{" + ", ".join(f"{json.dumps(key)}: {in_list(one)}" for key, one in value) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(in_list(one) for one in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def _from_yaml(text: str, field: str) -> Iterator[Pair]:
    node = yaml_node(text, field)
    if not isinstance(node, yaml.MappingNode):
        raise Invalid(
            "No names with values were found in this text.",
            hint='Paste lines such as "lr: 0.001", JSON, or a table with names and values.',
            field=field,
        )
    return of_node("", node, field)


def yaml_node(text: str, field: str) -> yaml.Node | None:
    """YAML as it stood there, every scalar a text. Raises Invalid, TooLarge."""
    if len(text) > YAML_MAX:
        raise TooLarge(
            f"This text has {len(text):,} characters; as YAML at most {YAML_MAX:,} are read.",
            hint="Paste it as JSON, or less of it.",
            field=field,
        )
    if _opened(text) > OPEN_MAX:
        raise too_deep(field)
    try:
        _refuse_unread(text, field)
        return yaml.compose(text, yaml.BaseLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise Invalid(
            f"This is neither JSON, YAML nor CSV: {error.problem}{where}.", hint="Correct it there.", field=field
        ) from None
    except yaml.YAMLError:
        raise Invalid("This text holds characters that cannot be read.", field=field) from None


def _opened(text: str) -> int:
    """How many brackets are open at once at most: as they stand, also those within quotes."""
    depth = most = 0
    for mark in text:
        if mark in "[{":
            depth += 1
            most = max(most, depth)
        elif mark in "]}":
            depth = max(depth - 1, 0)
    return most


def _refuse_unread(text: str, field: str) -> None:
    """Invalid for aliases, and as soon as something stands too deep: the rest of the text is not read then."""
    depth = 0
    for event in yaml.parse(text, yaml.BaseLoader):
        if isinstance(event, yaml.AliasEvent):
            raise Invalid("Aliases (*name) are not read here.", hint="Write the values out.", field=field)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEPTH_MAX:
            raise too_deep(field)


def of_node(name: str, node: yaml.Node, field: str) -> Iterator[Pair]:
    """Names and values of a node of YAML."""
    if isinstance(node, yaml.MappingNode):
        for key, inner in node.value:
            yield from of_node(checked_name(_of_yaml(key), field, behind=name), inner, field)
    else:
        yield name, str(node.value) if isinstance(node, yaml.ScalarNode) else _of_yaml(node)


def _of_yaml(node: yaml.Node) -> str:
    if isinstance(node, yaml.SequenceNode):
        return "[" + ", ".join(_of_yaml(one) for one in node.value) + "]"
    if isinstance(node, yaml.MappingNode):
        return "{" + ", ".join(f"{_of_yaml(key)}: {_of_yaml(one)}" for key, one in node.value) + "}"
    return str(node.value)


def _from_csv(text: str, field: str) -> Iterator[Pair]:
    head = text.splitlines()[0]
    mark = max("\t;,", key=head.count)
    try:
        rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text), delimiter=mark)]
    except csv.Error as error:
        raise Invalid(f"This table cannot be read: {error}.", field=field) from None
    rows = [row for row in rows if any(row)]
    if len(rows) == 2 and len(rows[0]) == len(rows[1]) and (len(rows[0]) > 2 or _is_wide(rows)):
        return iter(zip(rows[0], rows[1], strict=True))  # names in the first line, values in the second
    if rows[0][0].lower() in _NAMES:
        rows = rows[1:]
    for number, row in enumerate(rows, 1):
        if len([cell for cell in row if cell]) > 2 or len(row) < 2:
            raise Invalid(
                f"Row {number} of this table has {len(row)} cell{'' if len(row) == 1 else 's'}.",
                hint="A table has a name and a value in each row, or names in one row and values in the next.",
                field=field,
            )
    return iter([(row[0], row[1]) for row in rows])


def _is_wide(rows: Sequence[Sequence[str]]) -> bool:
    """Of two rows with two cells: whether the first holds names and the second numbers."""
    return rows[0][0].lower() not in _NAMES and not _number(rows[0][1]) and all(_number(cell) for cell in rows[1])


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def merged(rows: Sequence[Pair], pasted: Sequence[Pair]) -> list[Pair]:
    """Rows with what was pasted: a name that is there gets the new value, what is new comes behind."""
    kept = [row for row in rows if any(row)]
    names = {name for name, _ in kept}
    new = dict(pasted)
    changed = [(name, new.get(name, value)) for name, value in kept]
    return [*changed, *(pair for pair in pasted if pair[0] not in names)]
