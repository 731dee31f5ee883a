"""The one that puts committed events in order.

Writers leave their events in Pending and wait for nobody. The sequencer takes them in turn, gives each a gapless number
and a leaf of the Merkle log, and signs the new head, all in one transaction: a crash leaves either all of a batch or
nothing of it, and the next start repeats it with the same result. Any number may be started; a lock lets one at a time
take a batch, and each looks up where the log stands before it goes on.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet

from audit.ledger import anchors, checkpoints, hooks, keys, places
from audit.ledger.anchoring import not_anchored
from audit.ledger.canonical import leaf_hash_of
from audit.ledger.keys import SigningKey
from audit.ledger.locks import alone
from audit.ledger.merkle import CompactRange, Grown
from audit.ledger.models import Checkpoint, EventOrigin, Leaf, Pending, Subtree
from audit.ledger.tree import leaf_rows, stored_size, stored_tree, subtrees_of
from kernel.clock import now

log = logging.getLogger(__name__)

BATCH = 512
IDLE_SECONDS = 600

# Any number does as long as nothing else in this database locks it.
_ADVISORY_LOCK = 0x4D4C4544

_QUEUE = ("id", "event_id", "ip")
_Waiting = tuple[int, UUID, str | None, bytes]


class LogBroken(RuntimeError):
    """The stored log no longer agrees with its last signed head, so nothing is signed on top of it."""


class Sequencer:
    """Gives waiting events their places. Keeps the tree between batches; the database says whether it is stale."""

    def __init__(self, key: SigningKey | None = None, *, on_signed: Callable[[], None] = hooks.tell_signed) -> None:
        if key is None:
            settle_key()
        self._use(key or keys.signing_key())
        self._on_signed = on_signed
        self._tree: CompactRange | None = None

    def run_once(self) -> int:
        """Take one batch, sign its head and anchor it; how many events got their place.

        Signs again the head of a log that has been idle for ten minutes. Raises LogBroken.
        """
        placed = 0
        if Pending.objects.exists():
            try:
                with _turn():
                    placed = self._place(_next_waiting())
            except BaseException:
                self._tree = None
                raise
        elif self._is_idle():
            with _turn():
                self._sign(self._log())
        settle_key()
        self._anchor()
        if placed:
            self._on_signed()
        return placed

    def change_key(self, key: SigningKey, write_event: Callable[[checkpoints.Head], UUID], *, is_lost: bool) -> None:
        """Place one event alone and sign it with this key from now on, and with the one before unless that is lost.

        write_event: gets the head that the one before signed, and writes the event.
        """
        with _turn():
            tree = _tree_by_its_head() if is_lost else self._log()
            before = checkpoints.Head(key.origin, tree.size, tree.root())
            event_id = write_event(before)
            self._tree = tree
            self._place(_waiting_in(Pending.objects.filter(event_id=event_id)), sign_with=key, alone=is_lost)
        self._use(key)

    def run_until_empty(self) -> int:
        """Take batches until no event waits; how many got their place."""
        total = 0
        while placed := self.run_once():
            total += placed
        return total

    def _use(self, key: SigningKey) -> None:
        self.key, self.public = key, key.public

    def _place(self, waiting: Sequence[_Waiting], *, sign_with: SigningKey | None = None, alone: bool = False) -> int:
        if not waiting:
            return 0
        tree, grown, rows = self._log().copy(), Grown(), []
        for _, event_id, _, leaf in waiting:
            rows.append(Leaf(seq=tree.size, event_id=event_id, leaf_hash=leaf.hex()))
            tree.append(leaf, grown)
        Leaf.objects.bulk_create(rows)
        Subtree.objects.bulk_create(subtrees_of(grown))
        EventOrigin.objects.bulk_create(EventOrigin(event_id=event, ip=ip) for _, event, ip, _ in waiting if ip)
        Pending.objects.filter(id__in=[number for number, *_ in waiting]).delete()
        self._sign(tree, sign_with, alone=alone)
        self._tree = tree
        return len(rows)

    def _log(self) -> CompactRange:
        """The log as it stands in the database, read anew only if another has gone on with it."""
        size = stored_size()
        if self._tree is None or self._tree.size != size:
            tree = stored_tree(size)
            self._require_signed(tree)
            self._tree = tree
        return self._tree

    def _require_signed(self, tree: CompactRange) -> None:
        last = Checkpoint.objects.order_by("-size", "-id").first()
        if last is None and tree.size == 0:
            return
        if last is None:
            raise LogBroken(f"The log has {tree.size} leaves and no checkpoint. Run verify_ledger.")
        if last.key_id != self.public.id:
            self._follow_key(last)
        try:
            head = checkpoints.verify(last.note, {self.public.id: self.public})
        except checkpoints.BadCheckpoint as error:
            raise LogBroken(f"Checkpoint {last.pk} was not signed with this key: {error}") from error
        _require_head(tree, head, last)

    def _follow_key(self, last: Checkpoint) -> None:
        """The log was signed with another key since: go on with that, and never again with the one before."""
        key = keys.key_with_id(last.key_id)
        if key is None:
            place = "MLED_SIGNING_KEY" if settings.MLED_SIGNING_KEY else keys.private_file()
            raise LogBroken(
                f"Checkpoint {last.pk} was not signed with this key ({self.public.id}) but with {last.key_id}, which "
                f"is not here. Put it into {place} and start again; if it is lost, see manage.py rotate_key --lost."
            )
        log.warning("The log is signed with key %s from now on.", key.public.id)
        self._use(key)

    def _sign(self, tree: CompactRange, key: SigningKey | None = None, *, alone: bool = False) -> None:
        """key: another than before, which signs beside that, or alone where that is lost."""
        root, signer = tree.root(), key or self.key
        Checkpoint.objects.create(
            size=tree.size,
            root=root.hex(),
            key_id=signer.public.id,
            note=checkpoints.sign(signer, tree.size, root, after=None if key is None or alone else self.key),
            anchor=places.anchored_in(),
        )

    def _is_idle(self) -> bool:
        last = Checkpoint.objects.order_by("-id").values_list("at", flat=True).first()
        return last is not None and (now() - last).total_seconds() >= IDLE_SECONDS

    def _anchor(self) -> None:
        """Anchor what has committed since, also what a crash kept an earlier process from anchoring."""
        if not places.uses_file():
            return
        missing = not_anchored(anchors.PLACE, anchors.last_anchored())
        lines = [anchors.Anchored(row.pk, row.at.isoformat(), row.note) for row in missing]
        if lines:
            anchors.anchor(lines)


def run_once() -> int:
    """Take one batch of waiting events; how many got their place."""
    return Sequencer().run_once()


def _require_head(tree: CompactRange, head: checkpoints.Head, row: Checkpoint) -> None:
    if (head.size, head.root) != (tree.size, tree.root()):
        raise LogBroken(f"The log is not the one that checkpoint {row.pk} signed. Run verify_ledger.")


def _tree_by_its_head() -> CompactRange:
    """The log, where the key of its head is gone: the note says what it was over, even if nobody can sign it again."""
    tree, last = stored_tree(stored_size()), Checkpoint.objects.order_by("-size", "-id").first()
    if last is not None:
        _require_head(tree, checkpoints.parse(last.note).head, last)
    return tree


def settle_key() -> None:
    """Finish a change of keys that was cut short after the log was signed with the new one. Not inside a turn."""
    if settings.MLED_SIGNING_KEY or not keys.next_file().exists():
        return
    with keys.changing_keys():
        following = keys.next_key()
        last = Checkpoint.objects.order_by("-size", "-id").values_list("key_id", flat=True).first()
        if following is not None and following.public.id == last:
            keys.adopt_next()


def _next_waiting() -> list[_Waiting]:
    """The next events in the order of their acts, with their leaf hashes.

    Leaves out what names no event, or one that has its leaf: such rows come from outside MLED, must not stop the log,
    and verify_ledger reports them. Each query is by primary key, whatever the planner has heard of sizes: as one query
    with EXISTS a backlog of 300,000 took PostgreSQL 210 ms a batch, so 36.
    """
    after = 0
    while queue := list(Pending.objects.filter(id__gt=after).order_by("id").values_list(*_QUEUE)[:BATCH]):
        if fit := _fit(queue):
            return fit
        after = queue[-1][0]
    return []


def _waiting_in(rows: QuerySet[Pending]) -> list[_Waiting]:
    return _fit(list(rows.values_list(*_QUEUE)))


def _fit(queue: Sequence[tuple[int, UUID, str | None]]) -> list[_Waiting]:
    ids = [event_id for _, event_id, _ in queue]
    hashes = {event_id: leaf_hash_of(row) for event_id, row in leaf_rows(ids).items()}
    placed = set(Leaf.objects.filter(event_id__in=ids).values_list("event_id", flat=True))
    return [
        (number, event_id, ip, hashes[event_id])
        for number, event_id, ip in queue
        if event_id in hashes and event_id not in placed
    ]


@contextmanager
def _turn() -> Iterator[None]:
    """A transaction in which nobody else places events. On SQLite the file is locked before it begins, and after."""
    if connection.vendor == "postgresql":
        with transaction.atomic(), alone(_ADVISORY_LOCK, "sequencer"):
            yield
    else:
        with alone(_ADVISORY_LOCK, "sequencer"), transaction.atomic():
            yield
