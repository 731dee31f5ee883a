"""Whether the records of an archive fit together and can be taken: asked of all of them before anything is written."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import groupby, zip_longest
from operator import attrgetter
from typing import Any

import msgspec

from artifacts.paths import checked_path
from experiments.values import RunStatus, checked_key, checked_text
from kernel.errors import Invalid, MledError
from transfer.archive.layout import KINDS, METRICS, MODEL_METRICS
from transfer.archive.points import Piece, joined, read_model_points, read_points, series_digest
from transfer.archive.reading import Archive, Tell
from transfer.archive.records import fact_digest

PROBLEMS_MAX = 200
PARENT = "mlflow.parentRunId"


@dataclass
class Found:
    """What an archive holds. places: of the lines of runs; parents: of runs whose parent is in it as well.

    digests: of the facts of every record, by kind and key; series: of what each run says of its series.
    refused: what cannot be taken, by kind and key, and why.
    """

    counts: dict[str, int] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)
    parents: dict[str, str] = field(default_factory=dict)
    digests: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    refused: dict[tuple[str, str], str] = field(default_factory=dict)
    without_content: int = 0
    points: int = 0
    series: dict[str, bytes] = field(default_factory=dict)

    def order_of_runs(self) -> list[str]:
        """Runs with parents before their children, else by id."""
        ordered: dict[str, None] = {}
        for uid in self.places:
            above: list[str] = []
            while uid in self.places and uid not in ordered and uid not in above:
                above.append(uid)
                uid = self.parents.get(uid, "")
            ordered |= dict.fromkeys(reversed(above))
        return list(ordered)


def key_of(kind: str, record: Any) -> str:
    """What names a record within its kind."""
    match kind:
        case "runs" | "logged_models" | "comments":
            return str(record.id)
        case "dataset_versions":
            return f"{record.dataset}\n{record.digest}"
        case "model_versions":
            return f"{record.model}\n{record.number}"
        case "views":
            return f"{record.name}\n{record.query}"
        case "directions":
            return str(record.key)
    return str(record.name)


def check_records(archive: Archive, tell: Tell) -> Found:
    """Read all records. Raises Invalid where they contradict one another; what our rules refuse is in `refused`."""
    found = Found()
    for kind in KINDS:
        for count, (place, record) in enumerate(archive.records(kind), 1):
            key = key_of(kind, record)
            if key in found.digests[kind]:
                raise Invalid(f"'{KINDS[kind]}' has '{key[:80]}' twice.", field=KINDS[kind])
            found.digests[kind][key] = fact_digest(record)
            if kind == "runs":
                found.places[record.id] = place
                found.points += sum(count for _, _, count, _ in record.series)
                found.series[record.id] = _told_digest(record.series)
            _check(archive, found, kind, key, record)
            tell(f"checking {kind.replace('_', ' ')}", count, archive.manifest.counts.get(kind))
        there = len(found.digests[kind])
        found.counts[kind] = there
        if there != archive.manifest.counts.get(kind):
            said = archive.manifest.counts.get(kind)
            raise Invalid(f"'{KINDS[kind]}' has {there} lines, and manifest.json says {said}.", field=KINDS[kind])
    found.parents = {uid: above for uid, above in found.parents.items() if above in found.places}
    return found


def check_points(archive: Archive, found: Found, tell: Tell) -> None:
    """Compare every series with what its run says of it. Raises Invalid, naming the run and the series."""
    done, total = 0, archive.manifest.counts.get("points", 0)
    with archive.table(METRICS) as table:
        for uid, pieces in groupby(read_points(table), key=attrgetter("run")):
            if uid not in found.places:
                raise Invalid(f"'{METRICS}' has points of a run '{uid[:40]}' that is not in runs.jsonl.", field=METRICS)
            here = _series_of(pieces)
            if _told_digest(here) != found.series[uid]:
                raise _other_points(uid, here, archive.record_at("runs", found.places[uid]).series)
            done += sum(count for _, _, count, _ in here)
            tell("checking points", done, total)
    if done != found.points:
        raise Invalid(f"'{METRICS}' has {done} points, and runs.jsonl speaks of {found.points}.", field=METRICS)
    with archive.table(MODEL_METRICS) as table:
        count = sum(1 for _ in read_model_points(table))
    if count != archive.manifest.counts.get("model_points", 0):
        raise Invalid(f"'{MODEL_METRICS}' has {count} points, and manifest.json says otherwise.", field=MODEL_METRICS)


def _told_digest(series: Iterable[Sequence[object]]) -> bytes:
    return sha256(msgspec.json.encode([list(one) for one in series])).digest()


def _other_points(uid: str, here: Sequence[Sequence[Any]], said: Sequence[Sequence[Any]]) -> Invalid:
    """Names the first series that is another."""
    pairs = zip_longest(map(tuple, here), map(tuple, said))
    key = next(((other or one or ("",))[0] for one, other in pairs if one != other), "")
    words = f"The points of '{key[:80]}' of run {uid} are not those that runs.jsonl says."
    return Invalid(words, hint="Fetch the archive again from where it was exported.", field=METRICS)


def _series_of(pieces: Iterable[Piece]) -> list[tuple[str, str, int, str]]:
    """Key, context, number of points and digest of each series, in the order of the file."""
    told = []
    for (key, context), parts in groupby(pieces, key=attrgetter("key", "context")):
        points = joined(part.points for part in parts)
        told.append((key, context, len(points), series_digest(points)))
    return told


def _check(archive: Archive, found: Found, kind: str, key: str, record: Any) -> None:
    _check_names(found, kind, record)
    if kind == "runs" and record.tags.get(PARENT, record.id) != record.id:
        found.parents[record.id] = record.tags[PARENT]
    for _, digest, size_bytes in getattr(record, "files", None) or ():
        if not archive.manifest.files.held:
            found.without_content += 1
        elif not archive.holds(digest):
            raise Invalid(f"A file of '{key[:80]}' is missing: files/sha256/{digest[:2]}/{digest}.", field=KINDS[kind])
        elif archive.size_of(digest) != size_bytes:
            raise Invalid(f"A file of '{key[:80]}' has another size than its content.", field=KINDS[kind])
    if kind == "dataset_versions" and record.files and not archive.manifest.files.held:
        found.refused[kind, key] = "The archive was made without the content of files. Export it again, with files."
    try:
        _check_values(record)
    except MledError as refusal:
        found.refused[kind, key] = str(refusal)


def _check_names(found: Found, kind: str, record: Any) -> None:
    """Raise Invalid where a record speaks of something that is not in the archive before it."""
    named = {
        "dataset_versions": (("datasets", "dataset"),),
        "runs": (("experiments", "experiment"),),
        "logged_models": (("experiments", "experiment"), ("runs", "run")),
        "model_versions": (("registered_models", "model"), ("runs", "run"), ("logged_models", "logged_model")),
        "comments": (("runs", "run"),),
    }
    for other, attribute in named.get(kind, ()):
        name = getattr(record, attribute)
        # A model may come from a run that whoever exported could not see.
        if name is not None and name not in found.digests[other] and attribute not in ("run", "logged_model"):
            raise Invalid(
                f"'{KINDS[kind]}' speaks of '{name[:80]}', which is not in {KINDS[other]}.", field=KINDS[kind]
            )


def _check_values(record: Any) -> None:
    for where in ("params", "tags"):
        for key, text in (getattr(record, where, None) or {}).items():
            checked_key(key, where)
            checked_text(text, f"{where}.{key}")
    for path, _, _ in getattr(record, "files", None) or ():
        checked_path(path)
    if (status := getattr(record, "status", None)) is not None and hasattr(record, "series"):
        if status not in RunStatus.values:
            raise Invalid(f"'{status[:40]}' is no status of a run.", field="status")
        for key, *_ in record.series:
            checked_key(key, "series")
