"""What people do with datasets, uploads, stored content, notices and views, in a random walk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from accounts.actions import notices
from artifacts.actions import aliases, content, datasets, quotas, recall, records, uploads, versions
from artifacts.models import Dataset, DatasetAlias, DatasetVersion
from artifacts.storage import Condition
from experiments.actions import exports, saved_views
from experiments.models import Run, SavedView
from kernel.actor import system
from tests.factories import unique
from tests.world import stored

ALIASES = ("current", "paper", "")
FIELDS = ("licence", "purpose", "personal_data", "split_role", "poetry")
QUERIES = ("q=status = 'FINISHED'", "columns=metrics.loss&sort=-created", "evil=1", "")


def _version(walk: Any) -> Any:
    return walk.any(DatasetVersion)


def _kept(walk: Any) -> Any:
    """Content that a version names, so that its row is there."""
    return walk.chance.choice(getattr(walk, "contents", []))


def _contents(walk: Any) -> Any:
    """New content of a version; some of it is remembered for checks."""
    blob = stored(f"{unique('row')}\n{walk.text()}".encode())
    walk.contents = [*getattr(walk, "contents", []), blob][-5:]
    return blob


def _add_version(walk: Any) -> None:
    path = walk.chance.choice(("a.csv", "d/b.csv", "../x", "ü.txt"))
    versions.add_version(walk.who(), walk.any(Dataset), files=[(path, _contents(walk))], note=walk.text())


def _change_view(walk: Any) -> None:
    view = walk.any(SavedView)
    saved_views.change_view(
        walk.who(), view, version=view.version, query=walk.chance.choice(QUERIES), is_shared=walk.chance.random() < 0.5
    )


def _save_view(walk: Any) -> None:
    saved_views.save_view(
        walk.who(),
        walk.team.project,
        name=unique("view"),
        query=walk.chance.choice(QUERIES),
        is_shared=walk.chance.random() < 0.5,
    )


def _default_view(walk: Any) -> None:
    view = walk.any(SavedView) if walk.chance.random() < 0.7 else None
    saved_views.set_default_view(walk.who(), walk.team.project, view=view)


DATASETS: list[Callable[[Any], Any]] = [
    lambda w: datasets.create_dataset(w.who(), w.team.project, name=unique("data"), description=w.text()),
    lambda w: datasets.edit_dataset(w.who(), w.any(Dataset), description=w.text()),
    _add_version,
    _add_version,
    lambda w: versions.add_external_version(
        w.who(), w.any(Dataset), digest=unique("d"), source="s3://bucket/data", note=w.text()
    ),
    lambda w: records.write_record(w.who(), _version(w), fields={w.chance.choice(FIELDS): w.text()}),
    lambda w: aliases.set_dataset_alias(
        w.who(), (version := _version(w)).dataset, name=w.chance.choice(ALIASES), version=version
    ),
    lambda w: aliases.remove_dataset_alias(w.who(), (held := w.any(DatasetAlias)).dataset, name=held.name),
    lambda w: recall.withdraw_version(w.who(), _version(w), reason=w.text()),
    lambda w: recall.reinstate_version(w.who(), _version(w), reason=w.text()),
    lambda w: quotas.set_quota(
        w.who(), w.team.project, limit_bytes=w.chance.choice((10**9, 10**12, None)), reason=w.text()
    ),
    lambda w: uploads.begin_upload(w.person(), w.team.project, size_bytes=5, purpose=w.text()),
    lambda w: uploads.begin_numbered_upload(w.person(), w.team.project, part_count=2, purpose=w.text()),
    lambda w: content.note_check(system(), blob=_kept(w), found=w.chance.choice(list(Condition))),
    lambda w: content.mark_unnamed_blobs(system()),
    lambda w: notices.mark_notices_read(w.person()),
    lambda w: exports.note_export_of(w.who(), w.any(Run), what=w.text() or "a chart as CSV"),
    lambda w: exports.note_export(w.who(), w.team.project, what=w.text() or "3 runs as CSV"),
    _save_view,
    _change_view,
    lambda w: saved_views.delete_view(w.who(), w.any(SavedView)),
    _default_view,
]
# They leave no event: an upload and a mark say nothing until something has a name, a notice tells of an event of its
# own; collecting waits for days of grace and is tested where time can pass.
QUIET = {
    "accounts.mark_notices_read",
    "artifacts.begin_numbered_upload",
    "artifacts.begin_upload",
    "artifacts.collect_blobs",
    "artifacts.mark_unnamed_blobs",
}
