"""What somebody wants recorded of a run that is over, and everything that is wrong with it, field by field."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, TypeVar

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from accounts.texts import storable
from artifacts.paths import checked_path
from experiments.recording.typed import checked_length, result_of
from experiments.recording.when import duration_ms, moment_ms
from experiments.values import EXPERIMENT_NAME_MAX, VALUE_MAX, RunStatus, checked_key
from kernel.clock import now_ms
from kernel.digests import canonical_json, sha256_hex
from kernel.errors import Invalid, MledError

ARCHITECTURE: Final = "architecture"  # the param that keeps it
NAME_MAX: Final = 500
ROWS_MAX: Final = 200  # of params, and of results
TAGS_MAX: Final = 50
FILES_MAX: Final = 200
NOTE_MAX: Final = 20_000
EMAIL: Final = "mled.email"  # the tag that keeps it
EMAIL_MAX: Final = 254
DATASET_MAX: Final = 600  # a name and its number
NEW_DATASET_MAX: Final = {"name": 500, "digest": 64, "source": 2000}
RAN: Final = {RunStatus.FINISHED: "Finished", RunStatus.FAILED: "Failed", RunStatus.KILLED: "Stopped"}
_TOGETHER = 60_000  # milliseconds by which an end and a duration may miss each other: times are typed by the minute

Pair = tuple[str, str]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class NewDataset:
    """Data that is not in the catalogue yet: what it is called, what names its content, where it lies."""

    name: str = ""
    digest: str = ""
    source: str = ""

    def __bool__(self) -> bool:
        return bool(self.name or self.digest or self.source)


@dataclass(frozen=True, slots=True)
class Wanted:
    """All of it as it was typed. dataset: 'icu-vitals v7'; started, ended: a moment (see recording.when);
    email: whose work it says it is, a label and no proof; files: paths with the ids of their finished uploads."""

    experiment: str = ""
    name: str = ""
    architecture: str = ""
    dataset: str = ""
    new_dataset: NewDataset = field(default_factory=NewDataset)
    started: str = ""
    ended: str = ""
    duration: str = ""
    status: str = RunStatus.FINISHED.value
    params: Sequence[Pair] = ()
    results: Sequence[Pair] = ()
    tags: Sequence[Pair] = ()
    note: str = ""
    commit: str = ""
    command: str = ""
    container: str = ""
    email: str = ""
    files: Sequence[Pair] = ()

    @property
    def digest(self) -> str:
        """Of all that was typed: the same words again have the same one, also those of a time before `email`."""
        typed = asdict(self)
        if not self.email:
            del typed["email"]
        return sha256_hex(canonical_json(_plain(typed)))


def _plain(value: Any) -> Any:
    """Without what canonical JSON refuses: lone surrogates are told as such."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


@dataclass(frozen=True, slots=True)
class Checked:
    """What was typed as values. results: by key."""

    started_ms: int
    ended_ms: int | None
    status: RunStatus
    params: dict[str, str]
    results: dict[str, float]
    tags: dict[str, str]


class Problems:
    """What is wrong, gathered: one word for each field."""

    def __init__(self) -> None:
        self.found: list[MledError] = []

    def add(self, problem: MledError) -> None:
        """Keep the first problem of each field."""
        if problem.field not in {one.field for one in self.found}:
            self.found.append(problem)

    def of(self, read: Callable[..., T], *given: Any) -> T | None:
        """What `read` gives, or None where it finds a problem."""
        try:
            return read(*given)
        except MledError as problem:
            self.add(problem)
            return None


def check(wanted: Wanted, problems: Problems) -> Checked | None:
    """The values, or None where something is wrong that can be told without looking anything up."""
    before = len(problems.found)
    problems.of(_needed, wanted.experiment, "experiment", "Which experiment does it belong to?", "Choose or name one.")
    problems.of(_kept, wanted.experiment, "experiment", "This name", EXPERIMENT_NAME_MAX)
    problems.of(_kept, wanted.name, "name", "This name", NAME_MAX)
    problems.of(_needed, wanted.architecture, ARCHITECTURE, "What kind of model was it?", "Such as: SVM, RBF kernel.")
    problems.of(_kept, wanted.architecture, ARCHITECTURE, "This text")
    problems.of(_address, wanted.email.strip())
    problems.of(_one_dataset, wanted)
    started_ms, ended_ms = _when(wanted, problems)
    status = problems.of(_status, wanted.status)
    params = _params(wanted, problems)
    results = _results(wanted, problems)
    tags = _tags(wanted, problems)
    _files(wanted, problems)
    for name, limit in (("note", NOTE_MAX), ("commit", 64), ("command", 1000), ("container", 1000)):
        problems.of(_kept, getattr(wanted, name), name, "This text", limit)
    if len(problems.found) > before or started_ms is None or status is None:
        return None
    return Checked(started_ms, ended_ms, status, params, results, tags)


def _needed(text: str, field: str, what: str, hint: str) -> None:
    if not text.strip():
        raise Invalid(what, hint=hint, field=field)


def _address(text: str) -> None:
    checked_length(text, "email", EMAIL_MAX)
    try:
        if text:
            validate_email(text)
    except ValidationError:
        raise Invalid(
            f"'{text[:80]}' is not an e-mail address.",
            hint="Write it as ada@example.org, or leave it out.",
            field="email",
        ) from None


def _one_dataset(wanted: Wanted) -> None:
    new = wanted.new_dataset
    checked_length(wanted.dataset, "dataset", DATASET_MAX)
    for part, limit in NEW_DATASET_MAX.items():
        checked_length(getattr(new, part), f"new_dataset.{part}", limit)
    if wanted.dataset.strip() and new:
        raise Invalid(
            "A version of the catalogue and a new dataset are both named.",
            hint="Empty one of the two.",
            field="dataset",
        )
    if not wanted.dataset.strip() and not new:
        raise Invalid(
            "Which data was it trained on?",
            hint="Name a version of the catalogue, or describe other data by its name, digest and source.",
            field="dataset",
        )
    if new:
        _needed(new.name, "new_dataset.name", "What is the data called?", "A name for the catalogue.")
        _needed(
            new.digest,
            "new_dataset.digest",
            "What names its content?",
            "A SHA-256 of it, or another digest or version.",
        )
        _needed(new.source, "new_dataset.source", "Where does the data lie?", "An address such as s3://bucket/folder.")


def _when(wanted: Wanted, problems: Problems) -> tuple[int | None, int | None]:
    """Start and end in milliseconds; the end from a duration too, None where neither was given."""
    problems.of(_needed, wanted.started, "started", "When did it start?", "The day and about the hour will do.")
    started = problems.of(moment_ms, wanted.started, "started") if wanted.started.strip() else None
    ended = problems.of(moment_ms, wanted.ended, "ended") if wanted.ended.strip() else None
    took = problems.of(duration_ms, wanted.duration, "duration") if wanted.duration.strip() else None
    if started is None:
        return None, None
    if ended is not None and ended < started:
        problems.add(Invalid("It ended before it started.", hint="Check both times.", field="ended"))
    if took is not None:
        by_duration = started + took
        if ended is not None and abs(by_duration - ended) > _TOGETHER:
            problems.add(Invalid("End and duration tell different times.", hint="Empty one of them.", field="duration"))
        elif ended is None:
            ended = problems.of(_not_to_come, by_duration)
    return started, ended


def _not_to_come(ended_ms: int) -> int:
    if ended_ms > now_ms() + 300_000:
        raise Invalid(
            "With this duration it would not be over yet.", hint="Check start and duration.", field="duration"
        )
    return ended_ms


def _status(text: str) -> RunStatus:
    status = next((one for one, label in RAN.items() if text in (one.value, label)), None)
    if status is None:
        known = ", ".join(one.value for one in RAN)
        raise Invalid(f"'{text[:40]}' is no way to end.", hint=f"Choose one of {known}.", field="status")
    return status


def _params(wanted: Wanted, problems: Problems) -> dict[str, str]:
    if not wanted.params:
        problems.add(Invalid("No hyperparameter is given.", hint="Give at least one.", field="params"))
    _few(wanted.params, "params", "hyperparameters", ROWS_MAX, problems)
    taken = {ARCHITECTURE: "the architecture above"}
    params = {ARCHITECTURE: wanted.architecture.strip()}
    for index, (key, value) in enumerate(wanted.params[:ROWS_MAX]):
        key = key.strip()
        where = f"params[{index}]"
        if _named_once(key, f"{where}.key", taken, f"{value[:40]}", problems):
            params[key] = problems.of(_valued, value, f"{where}.value") or ""
    return params


def _valued(value: str, field: str) -> str:
    if not value.strip():
        raise Invalid("This parameter has no value.", hint="Write one, or take the row out.", field=field)
    return _kept(value.strip(), field)


def _kept(value: str, field: str, what: str = "This value", limit: int = VALUE_MAX) -> str:
    """The text, if it can be kept; told in words of the form."""
    if len(value) > limit:
        raise Invalid(
            f"{what} has {len(value):,} characters; at most {limit:,} are kept.",
            hint="Put it into a file.",
            field=field,
        )
    return storable(value, what, field=field)


def _results(wanted: Wanted, problems: Problems) -> dict[str, float]:
    _few(wanted.results, "results", "results", ROWS_MAX, problems)
    taken: dict[str, str] = {}
    results: dict[str, float] = {}
    for index, (key, value) in enumerate(wanted.results[:ROWS_MAX]):
        key = key.strip()
        number = problems.of(result_of, value, f"results[{index}].value")
        if _named_once(key, f"results[{index}].key", taken, value[:40], problems) and number is not None:
            results[key] = number
    return results


def _tags(wanted: Wanted, problems: Problems) -> dict[str, str]:
    _few(wanted.tags, "tags", "tags", TAGS_MAX, problems)
    taken: dict[str, str] = {}
    tags: dict[str, str] = {}
    for index, (key, value) in enumerate(wanted.tags[:TAGS_MAX]):
        key = key.strip()
        where = f"tags[{index}]"
        if key.startswith(("mlflow.", "mled.")):
            problems.add(
                Invalid(f"Tags named {key.partition('.')[0]}.… are kept by MLED.", hint="Choose another name.",
                        field=f"{where}.key")
            )  # fmt: skip
        elif _named_once(key, f"{where}.key", taken, value[:40], problems):
            tags[key] = problems.of(_kept, value.strip(), f"{where}.value") or ""
    return tags


def _few(rows: Sequence[Pair], field: str, what: str, limit: int, problems: Problems) -> None:
    if len(rows) > limit:
        problems.add(
            Invalid(
                f"A record takes at most {limit} {what}; these are {len(rows):,}.",
                hint="Put the rest into a file.",
                field=field,
            )
        )


def _named_once(key: str, field: str, taken: dict[str, str], said: str, problems: Problems) -> bool:
    """Whether the key is a good one that did not stand above. taken: what stood above, in words; grows."""
    if not key:
        problems.add(Invalid("This row has no name.", hint="Name it, or take it out.", field=field))
        return False
    if problems.of(checked_key, key, field) is None:
        return False
    if key in taken:
        problems.add(
            Invalid(f"'{key}' is already given as {taken[key]}.", hint="Keep one, or rename this.", field=field)
        )
        return False
    taken[key] = f"{said} above"
    return True


def _files(wanted: Wanted, problems: Problems) -> None:
    _few(wanted.files, "files", "files", FILES_MAX, problems)
    seen: set[str] = set()
    for path, _ in wanted.files[:FILES_MAX]:
        problems.of(checked_path, path, "files")
        if path in seen:
            problems.add(Invalid(f"The file '{path[:80]}' stands twice.", hint="Leave one out.", field="files"))
        seen.add(path)
