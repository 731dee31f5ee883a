"""Whether what was brought in is what the archive says: read again from here, record by record."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import msgspec

from accounts.models import Project
from experiments.models import Run
from kernel.actor import Actor
from registry.models import LoggedModel
from transfer.archive.checking import Found, key_of
from transfer.archive.gathering import whole_models, whole_runs
from transfer.archive.ids import Ids
from transfer.archive.reading import Archive
from transfer.archive.rows import AT_ONCE, Rows

Tell = Callable[[str, int, int | None], None]
Difference = tuple[str, str, str]


def differences(
    viewer: Actor, project: Project, archive: Archive, found: Found, ids: Ids, tell: Tell
) -> Iterator[Difference]:
    """Kind, key and words for each thing that this import made and that is not what the archive says."""
    rows = Rows(viewer, project)
    for kind in ("runs", "logged_models"):
        some: list[Any] = []
        for count, (_, record) in enumerate(archive.records(kind), 1):
            some.append(record)
            if len(some) >= AT_ONCE or count == found.counts[kind]:
                tell("comparing", count, found.counts[kind])
                yield from _compare_large(rows, kind, some, ids)
                some = []
    simple = {
        "experiments": rows.of_experiments,
        "datasets": rows.of_datasets,
        "dataset_versions": rows.of_dataset_versions,
        "registered_models": rows.of_registered_models,
        "model_versions": rows.of_model_versions,
        "directions": rows.of_directions,
    }
    for kind, read in simple.items():
        here = {key_of(kind, record): record for record in read()}
        for _, record in archive.records(kind):
            key = key_of(kind, record)
            if _was_made(ids, kind, key):
                yield from _different(kind, key, record, here.get(key), ids)
        tell("comparing", 0, None)


def _compare_large(rows: Rows, kind: str, records: list[Any], ids: Ids) -> Iterator[Difference]:
    wanted = {ids.of(kind, one.id): one for one in records if _was_made(ids, kind, one.id)}
    here, there = list(filter(None, wanted)), dict[str, Any]()
    if kind == "runs":
        keys = list(Run.objects.filter(uid__in=[UUID(hex=one) for one in here]).values_list("pk", flat=True))
        there = {one.id: one for one in whole_runs(rows, keys)}
    else:
        keys = list(LoggedModel.objects.filter(model_id__in=here).values_list("pk", flat=True))
        there = {one.id: one for one in whole_models(rows, keys)}
    for target, record in wanted.items():
        yield from _different(kind, record.id, record, there.get(str(target)), ids)


def _was_made(ids: Ids, kind: str, key: str) -> bool:
    return ids.is_mine(kind, key) and ids.was_made(kind, key)


def _different(kind: str, key: str, source: Any, here: Any, ids: Ids) -> Iterator[Difference]:
    if here is None:
        yield kind, key, "It is not here after the import."
        return
    wanted, found = ids.translated(_plain(source)), _plain(here)
    if kind == "logged_models" and wanted["run"] != source.run:  # its points name the runs that are here
        wanted["metrics"], found["metrics"] = source.metrics and source.metrics[0], here.metrics and here.metrics[0]
    names = sorted(name for name in wanted if wanted[name] != found[name])
    if names:
        yield kind, key, f"Here it differs from the archive in: {', '.join(names)}."


def _plain(record: Any) -> dict[str, Any]:
    """Facts as JSON has them: tuples are lists."""
    told: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(record.facts()))
    if "models_in" in told:
        told["models_in"], told["outputs"] = sorted(told["models_in"]), sorted(told["outputs"])
    return told
