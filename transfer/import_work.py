"""Importing an archive: checked whole, then brought in kind after kind, then compared with what it says."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from accounts.access import require
from artifacts.storage import StoredBlob, blobs
from kernel.actor import system
from kernel.errors import Invalid, MledError, TooMany, Unavailable
from transfer.actions.archives import Bringing, bring_in_record, finish_record
from transfer.actions.transfers import finish_transfer
from transfer.archive.checking import Found, check_points, check_records, key_of
from transfer.archive.claims import names_of
from transfer.archive.comparing import differences
from transfer.archive.foreseeing import already_here
from transfer.archive.ids import Ids
from transfer.archive.layout import KINDS
from transfer.archive.reading import Archive, open_archive
from transfer.archive.records import fact_digest
from transfer.filling import Filling
from transfer.models import Transfer
from transfer.work import Progress, requester_of

DRY_RUN = "dry_run"
BEFORE_POINTS = ("experiments", "datasets", "dataset_versions", "runs", "logged_models")
AFTER_POINTS = ("registered_models", "model_versions", "directions", "views", "comments")
AT_THE_END = ("datasets", "model_versions", "registered_models", "runs", "experiments", "dataset_versions")


def bring_in(transfer: Transfer, progress: Progress) -> None:
    """All of it, or what an earlier attempt left to do. Raises Invalid for what is no sound archive, Refused."""
    require(requester_of(transfer), "transfer.bring_in", transfer.project)
    with opened(transfer) as archive:
        archive.check(progress.at)
        found = check_records(archive, progress.at)
        check_points(archive, found, progress.at)
        importing = Importing(transfer, archive, found, progress)
        if transfer.options.get(DRY_RUN):
            importing.foresee()
        else:
            importing.run()
        finish_transfer(
            system(),
            transfer,
            counts=importing.counted(),
            problems=importing.problems,
            digest=archive.manifest.digest,
        )


@contextmanager
def opened(transfer: Transfer) -> Iterator[Archive]:
    """The archive that came in. Raises Invalid."""
    if transfer.blob is None:
        raise Invalid("There is no archive to import.", field="file")
    with open_archive(StoredBlob(transfer.blob.digest, transfer.blob.size_bytes)) as archive:
        yield archive


class Importing:
    """One attempt at one import."""

    def __init__(self, transfer: Transfer, archive: Archive, found: Found, progress: Progress) -> None:
        self.transfer, self.archive, self.found, self.progress = transfer, archive, found, progress
        self.actor = requester_of(transfer)
        self.ids = Ids(transfer)
        slug = str(archive.manifest.project.get("slug", ""))[:80]
        self.bringing = Bringing(self.ids, transfer.project, slug, names_of(archive.people()))
        self.tally = {kind: {"held": found.counts[kind], "new": 0, "there": 0, "refused": 0} for kind in KINDS}
        self.problems: list[dict[str, str]] = []
        self.refused: set[tuple[str, str]] = set()

    def counted(self) -> dict[str, Any]:
        """What the transfer keeps: by kind how many are in the archive, new, there already and refused."""
        points = self.archive.manifest.counts.get("points", 0)
        return {**self.tally, "points": points, "files": self.archive.manifest.files.count}

    def foresee(self) -> None:
        """Say what an import would do, and write nothing."""
        here = already_here(self.actor, self.transfer.project, self.archive, self.found, self.ids)
        for (kind, key), words in self.found.refused.items():
            self._refuse(kind, key, words)
        for kind, tally in self.tally.items():
            tally["there"] = here[kind]
            tally["new"] = tally["held"] - tally["there"] - tally["refused"]

    def run(self) -> None:
        """Bring everything in."""
        filling = Filling(self.transfer, self.archive, self.found, self.bringing, self.progress)
        for kind in BEFORE_POINTS:
            self._bring(kind)
        for kind, key, words in filling.run():
            self._refuse(kind, key, words)
        for kind in AFTER_POINTS:
            self._bring(kind)
        for kind in AT_THE_END:
            self._end(kind)
        self._compare()

    def _bring(self, kind: str) -> None:
        total = self.found.counts[kind]
        for done, (key, record) in enumerate(self._records(kind)):
            self.progress.at(kind.replace("_", " "), done, total)
            if self.ids.of(kind, key) is not None:
                self._count_known(kind, key, record)
                continue
            if (kind, key) in self.found.refused:
                self._refuse(kind, key, self.found.refused[kind, key])
                continue
            self._guarded(kind, key, partial(self._bring_one, kind, key, record))

    def _bring_one(self, kind: str, key: str, record: Any) -> None:
        if kind == "dataset_versions":
            self._store(record)
        target, made = bring_in_record(
            self.actor, self.transfer, kind=kind, key=key, record=record, bringing=self.bringing
        )
        self.ids.remember(kind, key, target, digest=fact_digest(record) if made else "")
        self.tally[kind]["new" if made else "there"] += 1

    def _count_known(self, kind: str, key: str, record: Any) -> None:
        """A thing of an earlier attempt, or of an earlier import: then say where its source has changed since."""
        made_now = self.ids.is_mine(kind, key)
        self.tally[kind]["new" if made_now and self.ids.was_made(kind, key) else "there"] += 1
        if not made_now and self.ids.digest_of(kind, key) not in ("", fact_digest(record)):
            words = "It was brought in before and has changed where it came from; here it stays as it is."
            self.problems.append({"where": where(kind, key), "message": words})

    def _records(self, kind: str) -> Iterator[tuple[str, Any]]:
        if kind == "runs":
            for uid in self.found.order_of_runs():
                yield uid, self.archive.record_at("runs", self.found.places[uid])
            return
        for _, record in self.archive.records(kind):
            yield key_of(kind, record), record

    def _store(self, record: Any) -> None:
        """Take the content of a dataset version into the store. Raises Invalid where the archive holds none."""
        for _, digest, _ in record.files or ():
            if digest not in self.bringing.stored:
                self.bringing.stored[digest] = stored_from(self.archive, digest)

    def _end(self, kind: str) -> None:
        total = self.found.counts[kind]
        for done, (_, record) in enumerate(self.archive.records(kind)):
            key = key_of(kind, record)
            self.progress.at("finishing", done, total)
            made = self.ids.is_mine(kind, key) and self.ids.was_made(kind, key)
            aliases_only = kind in ("datasets", "registered_models")
            if self.ids.of(f"{kind}:end", key) is None and (made or (aliases_only and self.ids.of(kind, key))):
                self._guarded(kind, key, partial(self._end_one, kind, key, record))

    def _end_one(self, kind: str, key: str, record: Any) -> None:
        told = finish_record(self.actor, self.transfer, kind=kind, key=key, record=record, bringing=self.bringing)
        for words in told:
            self._refuse(kind, key, words)
        self.ids.remember(f"{kind}:end", key, "")

    def _guarded(self, kind: str, key: str, act: Callable[[], None]) -> None:
        """Do it; what is refused for good becomes a problem, and the rest goes on."""
        try:
            act()
        except (Unavailable, TooMany):
            raise
        except MledError as refusal:
            self._refuse(kind, key, str(refusal))

    def _refuse(self, kind: str, key: str, words: str) -> None:
        self.problems.append({"where": where(kind, key), "message": words})
        if (kind, key) not in self.refused and not self.ids.is_mine(kind, key):
            self.refused.add((kind, key))
            self.tally[kind]["refused"] += 1

    def _compare(self) -> None:
        """Read everything that was made here again, and compare it with the archive."""
        for kind, key, words in differences(
            self.actor, self.transfer.project, self.archive, self.found, self.ids, self.progress.at
        ):
            if (kind, key) not in self.refused:
                self.problems.append({"where": where(kind, key), "message": words})


def where(kind: str, key: str) -> str:
    """A thing of the archive in a few words."""
    return f"{KINDS[kind]}: {key[:200]}".replace("\n", " ")


def stored_from(archive: Archive, digest: str) -> StoredBlob:
    """Content of the archive, taken into the store. Raises Invalid where the archive was made without."""
    if not archive.holds(digest):
        raise Invalid("The archive was made without the content of files.", hint="Export it again, with files.")
    with archive.content(digest) as member:
        return blobs().receive(member, limit=archive.size_of(digest), digest=digest)


__all__ = ["bring_in", "opened", "stored_from"]
