"""What the files of a project may take: counted by name, so the same content twice counts twice.

A project without a quota pays one look for it. With one, whoever adds a file holds the row of its use until the
commit, so two never both take the last room. The count is kept by adding; it is taken anew from the files where it is
older than a minute, and where something would not fit, at most every ten seconds.
"""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import F, Sum

from accounts.models import Project
from artifacts.models import ArtifactFile, ProjectQuota, QuotaUse
from artifacts.sizes import size_words
from audit.ledger.acting import current_act
from kernel.actor import Actor, ActorKind
from kernel.clock import now
from kernel.errors import TooLarge

COUNTED_FOR: Final = dt.timedelta(minutes=1)
COUNTED_AGAIN: Final = dt.timedelta(seconds=10)
NEARLY_FULL: Final = 0.9
WORTH_ASKING: Final = 128 * 1024  # bytes of a file


class QuotaReached(TooLarge):
    """The files of the project would take more than its quota."""

    code = "QUOTA_REACHED"


def take(actor: Actor, project_id: UUID, more_bytes: int, *, of: str) -> None:
    """Part of an act that adds files: count them, or raise QuotaReached. of: what they are, in words.

    What MLED itself writes is counted and never refused.
    """
    current_act()
    limit = _limit(project_id)
    if limit is None:
        return
    use = _held(project_id)
    if now() - use.counted_at > COUNTED_FOR:
        _count(use)
    if actor.kind is not ActorKind.SYSTEM and more_bytes > 0 and not _fits(use, more_bytes, limit):
        raise _full(use, limit, of)
    use.used_bytes += more_bytes
    use.save()


def expect(actor: Actor, project_id: UUID, size_bytes: int, *, root_id: UUID | None = None, path: str = "") -> None:
    """Refuse what `take` would refuse, before its bytes are taken in. root_id, path: of the file it would replace.

    The few bytes of a small file are taken in as quickly as they are asked about, and refused then.
    """
    if path and size_bytes < WORTH_ASKING:
        return
    limit = _limit(project_id)
    if limit is None or size_bytes <= 0 or actor.kind is ActorKind.SYSTEM:
        return
    replaced = _size_at(root_id, path) if root_id else 0
    if size_bytes <= replaced:
        return
    with transaction.atomic():  # of its own, so that a count stays where the file is refused
        use = _held(project_id)
        fits = _fits(use, size_bytes - replaced, limit)
        use.save()
    if not fits:
        raise _full(use, limit, f"this file has {size_words(size_bytes)}")


@contextmanager
def count_outlives_refusal(project_id: UUID) -> Iterator[None]:
    """Around an action that puts a file: the count by which `take` refused it went with the act, so it is taken once
    more and kept, or a client that tries again and again has all files of the project counted each time."""
    try:
        yield
    except QuotaReached:
        with transaction.atomic():
            use = QuotaUse.objects.select_for_update(no_key=True).filter(project_id=project_id).first()
            if use is not None and now() - use.counted_at > COUNTED_AGAIN:
                _count(use)
                use.save()
        raise


def give_back(project_id: UUID, size_bytes: int) -> None:
    """Part of an act that takes files away: there is room again at once."""
    current_act()
    QuotaUse.objects.filter(project_id=project_id).update(used_bytes=F("used_bytes") - size_bytes)


def count_anew(project: Project) -> QuotaUse:
    """Part of an act: the use of the project, held and taken from its files."""
    current_act()
    QuotaUse.objects.get_or_create(project=project)
    use = _held(project.pk)
    _count(use)
    use.save()
    return use


def quota_of(project: Project) -> ProjectQuota | None:
    """The quota of a project that its reader sees, where it has one."""
    found: ProjectQuota | None = ProjectQuota.objects.filter(project_id=project.pk).first()
    return found


def _limit(project_id: UUID) -> int | None:
    found: int | None = ProjectQuota.objects.filter(project_id=project_id).values_list("limit_bytes", flat=True).first()
    return found


def _held(project_id: UUID) -> QuotaUse:
    use: QuotaUse = QuotaUse.objects.select_for_update(no_key=True).get(project_id=project_id)
    return use


def _fits(use: QuotaUse, more_bytes: int, limit: int) -> bool:
    """Whether so much more fits; where it does not, by a count that is fresh."""
    if use.used_bytes + more_bytes > limit and now() - use.counted_at > COUNTED_AGAIN:
        _count(use)
    return use.used_bytes + more_bytes <= limit


def _count(use: QuotaUse) -> None:
    use.used_bytes = size_of_files(use.project_id)
    use.counted_at = now()


def size_of_files(project_id: UUID) -> int:
    """What all files of a project have together, by name."""
    files = ArtifactFile.objects.filter(root__project_id=project_id)
    return int(files.aggregate(total=Sum("size_bytes"))["total"] or 0)


def _size_at(root_id: UUID, path: str) -> int:
    files = ArtifactFile.objects.filter(root_id=root_id, path=path)
    return int(files.values_list("size_bytes", flat=True).first() or 0)


def _full(use: QuotaUse, limit: int, of: str) -> QuotaReached:
    name = Project.objects.values_list("name", flat=True).get(pk=use.project_id)
    used = size_words(use.used_bytes)
    return QuotaReached(
        f"The project '{name[:120]}' holds {used} of the {size_words(limit)} that it may; {of}.",
        hint="Take away files, have deleted runs purged, or ask an administrator for a larger quota.",
        field="file",
    )
