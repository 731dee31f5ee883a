"""After an import: all of it read back from MLED and compared with what was read of the source."""

from collections.abc import Iterator

from artifacts.models import ArtifactFile, ArtifactRoot
from artifacts.storage import Condition, blobs
from experiments.models import Run
from kernel.digests import sha256_hex
from registry.models import LoggedModel
from transfer.actions.mlflow import TARGET_MAX
from transfer.bringing.under_way import FILE, MODEL, RUN, UnderWay
from transfer.mlflow.here import RUNS_AT_ONCE, model_here, runs_here
from transfer.models import Moved


def verify(way: UnderWay) -> str:
    """Compare what this import wrote, and tell what differs. Returns the digest over all runs of the source."""
    _verify_runs(way)
    _verify_models(way)
    _verify_files(way)
    runs = Moved.objects.filter(project=way.project, origin=way.bringing.origin, kind=RUN).order_by("source_id")
    return sha256_hex("".join(f"{a} {b}\n" for a, b in runs.values_list("source_id", "digest").iterator()).encode())


def _mine(way: UnderWay, kind: str) -> Iterator[list[Moved]]:
    rows = Moved.objects.filter(
        project=way.project, origin=way.bringing.origin, kind=kind, transfer=way.bringing.transfer
    )
    total, after, seen = rows.count(), 0, 0
    while some := list(rows.filter(pk__gt=after).order_by("pk")[:RUNS_AT_ONCE]):
        way.progress.at(f"comparing {kind}s", seen, total)
        yield some
        after, seen = some[-1].pk, seen + len(some)


def _verify_runs(way: UnderWay) -> None:
    for some in _mine(way, RUN):
        rows = {run.uid.hex: run for run in Run.objects.filter(uid__in=[one.target for one in some])}
        here = runs_here(list(rows.values()))
        for one in some:
            run = rows.get(one.target)
            if not one.digest:
                way.tally.tell(f"run {one.source_id}", "It is not whole: something of it could not be brought along.")
            elif run is None or here[run.pk].digest() != one.digest:
                way.tally.tell(f"run {one.source_id}", "What is read back here is not what was read there.")
            else:
                way.tally.counts["runs_verified"] += 1
                way.tally.counts["points_verified"] += sum(count for count, _ in here[run.pk].series.values())


def _verify_models(way: UnderWay) -> None:
    for some in _mine(way, MODEL):
        rows = {row.model_id: row for row in LoggedModel.objects.filter(model_id__in=[one.target for one in some])}
        for one in some:
            row = rows.get(one.target)
            if row is None or model_here(row) != one.digest:
                way.tally.tell(f"logged model {one.source_id}", "What is read back here is not what was read there.")
            else:
                way.tally.counts["logged_models_verified"] += 1


def _verify_files(way: UnderWay) -> None:
    """Each file by its digest, and its content read again."""
    sound: dict[str, bool] = {}
    for some in _mine(way, FILE):
        for one in some:
            owner = one.source_id.partition("/")[0]
            moved = way.moved(MODEL if owner.startswith("m-") else RUN, owner)
            kind = ArtifactRoot.Kind.MODEL if owner.startswith("m-") else ArtifactRoot.Kind.RUN
            held = ArtifactFile.objects.filter(root__kind=kind, root__owner_uid=moved.target if moved else "")
            cut = len(one.target) == TARGET_MAX
            held = held.filter(path__startswith=one.target) if cut else held.filter(path=one.target)
            digests = set(held.values_list("blob_id", flat=True))
            if one.digest not in sound:
                sound[one.digest] = blobs().check(one.digest) is Condition.SOUND
            if one.digest in digests and sound[one.digest]:
                way.tally.counts["files_verified"] += 1
            else:
                way.tally.tell(
                    f"file {one.target[:120]} of {owner}", "What is read back here is not what was read there."
                )
