"""What is changed before a run is done again, field by field."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final
from uuid import UUID

from accounts.models import Project
from kernel.actor import Actor
from kernel.digests import sha256_hex
from kernel.errors import Invalid, InvalidFields, MledError
from runner import command_words
from runner.checking import MERGED
from runner.checking_code import SOURCES
from runner.checking_data import named_version
from runner.images import read_image
from runner.models import Environment
from runner.packages import DEFAULT_PYTHON, image_of, kept_as
from runner.recipes import Resources

_UNSET: Final = "not set"
_COMMANDS: Final = ("words", "command")
_OBJECT: Final = (Mapping, "an object of names and values")
_LIST: Final = (list, "a list")
_FORMS: Final[Mapping[str, tuple[type, str]]] = {
    **dict.fromkeys(("repository", *MERGED), _OBJECT),
    **dict.fromkeys(("words", "secrets"), _LIST),
}


@dataclass(frozen=True, slots=True)
class Change:
    """One field that is another than it was, in words. field: as in 'params.lr'."""

    field: str
    then: str
    now: str


def merged(then: Mapping[str, Any], changed: Mapping[str, Any]) -> dict[str, Any]:
    """What was wanted then, with some of it changed: single parameters, inputs and resources, everything else whole.

    None takes something away. Raises InvalidFields for what is not of its form.
    """
    problems = [
        Invalid(f"'{name}' is {words}.", field=name)
        for name, (form, words) in _FORMS.items()
        if changed.get(name) is not None and not isinstance(changed[name], form)
    ]
    if problems:
        raise InvalidFields(problems)
    wanted = dict(then)
    if any(name in changed for name in SOURCES):
        wanted = {name: value for name, value in wanted.items() if name not in (*SOURCES, "folder", "patch")}
    if any(name in changed for name in _COMMANDS):
        wanted = {name: value for name, value in wanted.items() if name not in _COMMANDS}
    for name, value in changed.items():
        if name in MERGED and isinstance(value, Mapping) and isinstance(wanted.get(name), Mapping):
            both = {**wanted[name], **value}
            wanted[name] = {key: one for key, one in both.items() if one is not None}
        else:
            wanted[name] = value
    return {name: value for name, value in wanted.items() if value is not None or name not in changed}


def between(viewer: Actor, project: Project, then: Mapping[str, Any], now: Mapping[str, Any]) -> list[Change]:
    """What differs between two wishes, as `runner.checking` reads them, in the order in which people read them."""
    before, after = dict(flat(viewer, project, then)), dict(flat(viewer, project, now))
    fields = [*after, *(name for name in before if name not in after)]
    return [
        Change(name, before.get(name, _UNSET), after.get(name, _UNSET))
        for name in sorted(fields, key=lambda one: _ORDER.index(one.partition(".")[0]))
        if before.get(name, _UNSET) != after.get(name, _UNSET)
    ]


_ORDER = (
    "template",
    "code",
    "command",
    "folder",
    "params",
    "seed",
    "inputs",
    "environment",
    "resources",
    "network",
    "secrets",
)


def flat(viewer: Actor, project: Project, wanted: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each field of it in words, as (field, words): code, command, params.lr, inputs.train…"""
    if wanted.get("template"):
        yield "template", str(wanted["template"])
    yield "code", _code(wanted) + (f", changed by the upload {wanted['patch']}" if wanted.get("patch") else "")
    words = wanted.get("words") or command_words.split(str(wanted.get("command") or ""))
    if words:
        yield "command", command_words.line_of([str(word) for word in words])
    if wanted.get("folder"):
        yield "folder", str(wanted["folder"])
    for name, value in (wanted.get("params") or {}).items():
        yield f"params.{name}", str(value)
    if wanted.get("seed") not in (None, ""):
        yield "seed", str(wanted["seed"])
    for name, given in (wanted.get("inputs") or {}).items():
        yield f"inputs.{name}", _version(viewer, project, given)
    if wanted.get("environment"):
        yield "environment", _environment(project, wanted["environment"])
    for name, value in {**asdict(Resources()), **(wanted.get("resources") or {})}.items():
        yield f"resources.{name}", _number(value)
    yield "network", "allowed" if wanted.get("network") else "off"
    if wanted.get("secrets"):
        yield "secrets", ", ".join(sorted(str(name) for name in wanted["secrets"]))


def _number(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _code(wanted: Mapping[str, Any]) -> str:
    if wanted.get("trainer"):
        return f"built-in trainer {wanted['trainer']}"
    repository = wanted.get("repository") or {}
    if repository:
        changed = " with what was not committed" if wanted.get("code_of") else ""
        named = repository.get("url") or "a repository that is not named"
        opened = f", opened by the secret {repository['secret']}" if repository.get("secret") else ""
        return f"{str(repository.get('commit') or '')[:12] or 'no commit'} of {named}{opened}{changed}"
    if wanted.get("code_of"):
        return "as it was uploaded then"
    return f"upload {wanted['code']}" if wanted.get("code") else _UNSET


def _version(viewer: Actor, project: Project, given: Any) -> str:
    """'icu-vitals v7', however it is named."""
    named = str(given.get("version", "") if isinstance(given, Mapping) else given)
    try:
        return str(named_version(viewer, project, named))
    except MledError:
        return named


def _environment(project: Project, given: Any) -> str:
    if isinstance(given, Mapping) and given.get("image"):
        return _image(str(given["image"]), str(given.get("secret") or ""))
    if isinstance(given, Mapping):
        kind = "uv.lock" if given.get("lock") else "Requirements file"
        texts = (given.get("lock") or given.get("requirements"), given.get("lock") and given.get("project_file"))
        lock, project_file = (sha256_hex(kept_as(str(text))) if text else "" for text in texts)
        return _packages(kind, lock, project_file, str(given.get("python") or DEFAULT_PYTHON))
    uid = _uuid(str(given))
    found = Environment.objects.filter(pk=uid, project=project).first() if uid else None
    if found is None:
        return str(given)
    if image := image_of(found):
        return _image(image, found.secret)
    return _packages(found.get_kind_display(), found.lock_id, found.project_file_id or "", found.python)


def _image(named: str, secret: str) -> str:
    opened = f", opened by the secret {secret}" if secret else ""
    try:
        return f"Image {read_image(named)}{opened}"
    except MledError:
        return f"Image {named}{opened}"


def _packages(kind: str, lock: str, project_file: str, python: str) -> str:
    beside = f" with the project sha256:{project_file[:12]}" if project_file else ""
    return f"{kind} sha256:{lock[:12]}{beside}, Python {python}"


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
