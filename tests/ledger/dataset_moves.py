"""Datasets, stored content and kept views as part of the random walk through every action."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from artifacts.actions import aliases, content, datasets, recall, records, uploads, versions
from artifacts.models import Blob, Dataset, DatasetVersion, UnnamedBlob
from artifacts.storage import Condition, Held, StoredBlob
from experiments.actions import saved_views
from experiments.models import SavedView
from kernel.actor import operator, system
from kernel.clock import now
from tests.factories import again, unique
from tests.world import stored

NAMES = ("current", "paper", "1", "")
LONG_AGO = dt.timedelta(days=60)


def _version(walk: Any) -> Any:
    return walk.any(DatasetVersion)


def _files(walk: Any) -> list[tuple[str, StoredBlob]]:
    return [(path, stored(f"{path}{walk.chance.randrange(40)}".encode())) for path in ("a.bin", "d/b.bin")]


def _check(walk: Any) -> None:
    blob = walk.any(Blob)
    found = walk.chance.choice(list(Condition))
    content.note_check(system(), blob=StoredBlob(blob.digest, blob.size_bytes), found=found)


def _collect(walk: Any) -> None:
    stray = stored(unique("stray").encode())
    content.mark_unnamed_blobs(system(), strays=[Held(stray.digest, stray.size_bytes, now() - LONG_AGO)])
    UnnamedBlob.objects.update(since=now() - LONG_AGO)
    content.collect_blobs(system())


def _change_view(walk: Any) -> None:
    view = walk.any(SavedView)
    owner = again(walk.team.scientist)
    saved_views.change_view(owner, view, version=view.version, name=unique("view"), query="q=a", is_shared=True)


def _delete_view(walk: Any) -> None:
    owner = again(walk.team.scientist)
    saved_views.delete_view(owner, saved_views.save_view(owner, walk.team.project, name=unique("view"), query=""))


DATASETS: list[Callable[[Any], Any]] = [
    lambda w: datasets.create_dataset(w.who(), w.team.project, name=unique("set"), description=w.text()),
    lambda w: datasets.edit_dataset(w.who(), w.any(Dataset), description=w.text()),
    lambda w: versions.add_version(w.who(), w.any(Dataset), files=_files(w), note=w.text()),
    lambda w: versions.add_external_version(
        w.who(), w.any(Dataset), digest=unique("d")[:64], source="s3://bucket/x", source_type=w.text()[:100]
    ),
    lambda w: records.write_record(w.who(), _version(w), fields={"licence": w.text()[:100], "note": w.text()}),
    lambda w: aliases.set_dataset_alias(
        w.who(), (version := _version(w)).dataset, name=w.chance.choice(NAMES), version=version
    ),
    lambda w: aliases.remove_dataset_alias(w.who(), w.any(Dataset), name=w.chance.choice(NAMES)),
    lambda w: recall.withdraw_version(w.who(), _version(w), reason=w.text()),
    lambda w: recall.reinstate_version(w.who(), _version(w), reason=w.text()),
    lambda w: uploads.begin_upload(w.who(), w.team.project, size_bytes=w.chance.randrange(9)),
    lambda w: uploads.begin_numbered_upload(operator(), w.team.project, part_count=2, purpose=w.text()),
    _check,
    _collect,
    lambda w: saved_views.save_view(w.person(), w.team.project, name=unique("view"), query="q=b", is_shared=True),
    _change_view,
    _delete_view,
    lambda w: saved_views.set_default_view(
        w.who(), w.team.project, view=w.chance.choice((None, w.any(SavedView, is_shared=True)))
    ),
]
