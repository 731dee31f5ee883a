"""One experiment as a record: read from JSON or YAML, put together from flags, and refusals told by the flag."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from mled.problems import Problem, Told, Usage

Record = dict[str, Any]
GROUPS: Final = {"params": "--param", "results": "--result", "tags": "--tag"}
FLAGS: Final = {
    "email": "--email",
    "experiment": "--experiment",
    "name": "--name",
    "architecture": "--type",
    "dataset": "--dataset",
    "new_dataset.name": "--data-name",
    "new_dataset.digest": "--data-digest",
    "new_dataset.source": "--data-source",
    "started": "--started",
    "ended": "--ended",
    "duration": "--duration",
    "status": "--status",
    "note": "--notes",
    "commit": "--commit",
    "command": "--command",
    "container": "--container",
    "files": "--file",
    "params": "--param",
    "results": "--result",
    "tags": "--tag",
    "Idempotency-Key": "--again",
}
"""Field of a record -> the flag that says it."""

_ROW = re.compile(r"(params|results|tags)(?:\[(\d+)\]|\.(.+))(?:\.(?:key|value))?$")


def read_record(source: str) -> Record:
    """The record in a file, or on stdin ('-'): JSON, or YAML where the file's name says so. Raises Usage."""
    if source == "-":
        return parse(sys.stdin.read(), "stdin")
    try:
        text = Path(source).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        words = error.strerror if isinstance(error, OSError) else "it is no text"
        raise Usage(f"{source} cannot be read: {words}.", hint="Check its path.", field="RECORD") from None
    return parse(text, source)


def parse(text: str, name: str) -> Record:
    """The record that a text is. Raises Usage with the place of a mistake."""
    is_yaml = name.endswith((".yaml", ".yml"))
    value = _yaml(text, name) if is_yaml else _json(text, name)
    if not isinstance(value, dict):
        raise Usage(f"{name} holds no record.", hint='A record is an object: {"experiment": …}', field="RECORD")
    return value


def _json(text: str, name: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_no_name_twice)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise Usage(f"{name} is no JSON: {error.msg} in {where}.", hint="Correct it there.", field="RECORD") from None
    except RecursionError:
        raise Usage(f"{name} is nested too deeply.", hint="A record has two levels.", field="RECORD") from None


def _yaml(text: str, name: str) -> Any:
    try:
        import yaml
    except ImportError:
        raise Usage(f"{name} is YAML, which needs one more package.", hint="pip install 'mled[yaml]'") from None
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        words = " ".join(str(error).split())[:200]
        raise Usage(f"{name} is no YAML: {words}.", hint="Correct it there.", field="RECORD") from None


def _no_name_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise Usage(f"'{key[:80]}' stands twice in the record.", hint="Keep one.", field=key[:80])
        found[key] = value
    return found


def pairs_of(said: Sequence[str], flag: str) -> dict[str, str]:
    """key=value, several times. Raises Usage with all that is wrong."""
    found: dict[str, str] = {}
    wrong = Told()
    for one in said:
        key, equals, value = one.partition("=")
        with wrong:
            if not equals or not key.strip():
                raise Usage(f"'{one[:80]}' names no value.", hint=f"Write {flag} key=value.", field=flag)
            if key in found:
                raise Usage(f"'{key[:80]}' is given twice.", hint="Keep one.", field=flag)
            found[key] = value
    wrong.settle()
    return found


def merged(record: Record, given: Mapping[str, Any]) -> Record:
    """The record with what flags say over it. given: fields of a record; 'new_dataset.name' and the like as such."""
    whole = dict(record)
    for field, value in given.items():
        if not value:
            continue
        outer, _, inner = field.partition(".")
        if inner:
            whole[outer] = {**_inner(whole, outer), inner: value}
        elif field in GROUPS:
            whole[field] = {**_inner(whole, field), **value}
        else:
            whole[field] = value
    return whole


def _inner(record: Record, name: str) -> dict[str, Any]:
    held = record.get(name) or {}
    if not isinstance(held, dict):
        raise Usage(f"'{name}' of the record is no object.", hint='Such as {"lr": 0.1}.', field=name)
    return held


def told_by_flag(problem: Problem, record: Record, given: Mapping[str, Any]) -> Problem:
    """The same refusal, each field named as it was said: by its flag, or by its place in the record."""
    several = problem.problems or ([_alone(problem)] if problem.field else [])
    named = [_by_flag(one, record, given) for one in several]
    return type(problem)(
        problem.message,
        hint=named[0].get("hint", "") if named else problem.hint,
        field=named[0]["field"] if named else "",
        code=problem.code,
        status=problem.status,
        request_id=problem.request_id,
        problems=named,
        body=problem.body,
    )


def _by_flag(one: Mapping[str, str], record: Record, given: Mapping[str, Any]) -> dict[str, str]:
    field, hint = name_of(one.get("field", ""), record, given), one.get("hint", "")
    if field == FLAGS["dataset"] and "digest" in hint:
        hint = (
            f"{hint} Other data: {', '.join(flag for name, flag in FLAGS.items() if name.startswith('new_dataset'))}."
        )
    return {**one, "field": field, "hint": hint}


def _alone(problem: Problem) -> dict[str, str]:
    return {"field": problem.field, "title": problem.message, "hint": problem.hint}


def name_of(field: str, record: Record, given: Mapping[str, Any]) -> str:
    """How somebody who typed it knows a field of a record."""
    row = _ROW.match(field)
    if row is None:
        return FLAGS.get(field, field) if given.get(field) or not record.get(field) else field
    group, index, key = row.groups()
    held = record.get(group) or {}
    if index is not None and isinstance(held, dict) and int(index) < len(held):
        key = list(held)[int(index)]
    if key is not None and key in (given.get(group) or {}):
        return f"{GROUPS[group]} {key}={held[key]}"[:120]
    return f"{group}.{key}" if key is not None else field
