import datetime as dt

import pytest
from django.db import connection

from audit.ledger import anchors, checkpoints, keys, merkle, sequencer, tree
from audit.ledger.models import AuditEvent, Checkpoint, EventOrigin, Leaf, Pending, Subtree
from audit.ledger.queries import proofs
from audit.ledger.sequencer import LogBroken, Sequencer
from kernel import clock
from kernel.actor import Actor, ActorKind, Door

pytestmark = pytest.mark.django_db


def seqs() -> list[int]:
    return list(Leaf.objects.order_by("seq").values_list("seq", flat=True))


def signed_heads() -> list[checkpoints.Head]:
    return [checkpoints.verify(row.note, keys.trusted_keys()) for row in Checkpoint.objects.order_by("pk")]


def root_of_leaves(size: int) -> bytes:
    rows = Leaf.objects.filter(seq__lt=size).order_by("seq").values_list("leaf_hash", flat=True)
    return merkle.root_of([bytes.fromhex(row) for row in rows])


def without_triggers(statement: str, parameters: list[object]) -> None:
    """Change the log as the owner of the database can."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(statement, parameters)
            cursor.execute("SET LOCAL session_replication_role = origin")
        else:
            cursor.execute("DROP TRIGGER ledger_leaf_refuse_update")
            cursor.execute(statement, parameters)


def test_events_get_numbers_from_zero_in_the_order_of_their_acts(act):
    ids = [act(thing=str(number)) for number in range(5)]
    assert sequencer.run_once() == 5
    assert list(Leaf.objects.order_by("seq").values_list("seq", "event_id")) == list(enumerate(ids))
    assert not Pending.objects.exists()


def test_the_order_is_that_of_the_database_and_not_of_the_event_ids(act):
    first, second = act(), act()
    places = dict(Pending.objects.values_list("event_id", "pk"))
    Pending.objects.filter(event_id=first).update(id=places[second] + 1)
    sequencer.run_once()
    assert list(Leaf.objects.order_by("seq").values_list("event_id", flat=True)) == [second, first]


def test_a_batch_is_signed_as_it_is_placed(act):
    for number in range(3):
        act(thing=str(number))
        sequencer.run_once()
    assert [head.size for head in signed_heads()] == [1, 2, 3]
    assert [head.root for head in signed_heads()] == [root_of_leaves(size) for size in (1, 2, 3)]
    assert {head.origin for head in signed_heads()} == {"log.example.org"}


def test_more_events_than_a_batch_go_on_without_a_gap(act, monkeypatch):
    monkeypatch.setattr(sequencer, "BATCH", 7)
    for number in range(20):
        act(thing=str(number))
    assert Sequencer().run_until_empty() == 20
    assert seqs() == list(range(20))
    assert [head.size for head in signed_heads()] == [7, 14, 20]


def test_with_nothing_to_do_nothing_is_written(act):
    act()
    one = Sequencer()
    assert one.run_once() == 1
    assert one.run_once() == 0
    assert Checkpoint.objects.count() == 1


def test_an_empty_log_is_not_signed():
    assert sequencer.run_once() == 0
    assert not Checkpoint.objects.exists()


def test_after_a_restart_the_log_goes_on_where_it_stood(act, django_assert_max_num_queries):
    for number in range(700):
        act(thing=str(number))
    Sequencer().run_until_empty()
    act()
    restarted = Sequencer()
    with django_assert_max_num_queries(40):
        restarted.run_once()
    assert signed_heads()[-1].root == root_of_leaves(701)
    assert seqs() == list(range(701))


def test_two_sequencers_take_turns_without_a_double(act):
    one, other = Sequencer(), Sequencer()
    for number in range(10):
        act(thing=str(number))
        (one if number % 3 else other).run_once()
    assert seqs() == list(range(10))
    assert [head.root for head in signed_heads()] == [root_of_leaves(size) for size in range(1, 11)]


def test_full_subtrees_are_kept_so_that_proofs_read_little(act):
    for number in range(600):
        act(thing=str(number))
    Sequencer().run_until_empty()
    assert list(Subtree.objects.order_by("place").values_list("level", "place")) == [(1, 0), (1, 1)]
    assert tree.stored_tree(600).root() == root_of_leaves(600)
    assert tree.range_hash(0, 413) == root_of_leaves(413)


def test_an_event_can_be_proved_under_the_newest_head(act):
    ids = [act(thing=str(number)) for number in range(300)]
    Sequencer().run_until_empty()
    for index in (0, 255, 256, 299):
        proof = proofs.inclusion_of(ids[index])
        root = signed_heads()[-1].root
        assert merkle.includes(root, proof.checkpoint.size, index, proof.leaf_hash, proof.path)
    assert proofs.inclusion_of(act()) is None  # it waits for its place


def test_a_later_head_can_be_proved_to_go_on_from_an_earlier_one(act, monkeypatch):
    monkeypatch.setattr(sequencer, "BATCH", 130)
    for number in range(400):
        act(thing=str(number))
    Sequencer().run_until_empty()
    old, new = signed_heads()[0], signed_heads()[-1]
    assert merkle.is_continued(old.root, old.size, new.root, new.size, proofs.consistency_between(old.size, new.size))


def test_where_an_act_came_from_is_kept_beside_the_log(act):
    known = act(actor=Actor(ActorKind.USER, Door.WEB, ip="2001:db8::7"))
    act()
    sequencer.run_once()
    assert list(EventOrigin.objects.values_list("event_id", "ip")) == [(known, "2001:db8::7")]


def test_an_idle_log_is_signed_again_after_ten_minutes(act, monkeypatch):
    act()
    one = Sequencer()
    one.run_once()
    later = clock._now() + 601
    monkeypatch.setattr(clock, "_now", lambda: later)
    assert one.run_once() == 0
    assert one.run_once() == 0
    heads = signed_heads()
    assert len(heads) == 2
    assert heads[0] == heads[1]
    times = list(Checkpoint.objects.order_by("pk").values_list("at", flat=True))
    assert times[1] - times[0] >= dt.timedelta(minutes=10)


def test_every_checkpoint_is_anchored_outside_the_database(act):
    for number in range(3):
        act(thing=str(number))
        sequencer.run_once()
    lines = list(anchors.anchored(upto=anchors.anchored_bytes()))
    assert [line.note for line in lines] == list(Checkpoint.objects.order_by("pk").values_list("note", flat=True))


def test_what_a_crash_kept_from_the_anchor_is_anchored_later(act, monkeypatch):
    act()
    with monkeypatch.context() as broken:
        broken.setattr(anchors, "anchor", lambda lines: (_ for _ in ()).throw(OSError("disk full")))
        with pytest.raises(OSError, match="disk full"):
            sequencer.run_once()
    with anchors.anchor_file().open("ab") if anchors.anchor_file().exists() else _new_anchor_file() as file:
        file.write(b'{"checkpoint":1,"at":"20')  # a line that was cut short
    sequencer.run_once()
    lines = list(anchors.anchored(upto=anchors.anchored_bytes()))
    assert [line.note for line in lines] == list(Checkpoint.objects.values_list("note", flat=True))


def _new_anchor_file():
    anchors.anchor_file().parent.mkdir(parents=True)
    return anchors.anchor_file().open("ab")


def test_nothing_is_signed_on_top_of_a_log_that_was_changed(act):
    act()
    act()
    sequencer.run_once()
    without_triggers("UPDATE ledger_leaf SET leaf_hash = %s WHERE seq = 1", ["ab" * 32])
    waiting = act()
    with pytest.raises(LogBroken, match="verify_ledger"):
        sequencer.run_once()
    assert seqs() == [0, 1]
    assert list(Pending.objects.values_list("event_id", flat=True)) == [waiting]


def test_nothing_is_signed_with_another_key_than_before(act):
    act()
    sequencer.run_once()
    keys.private_file().unlink()
    keys.public_file().unlink()
    act()
    with pytest.raises(LogBroken, match="not signed with this key"):
        sequencer.run_once()


def test_a_place_in_the_queue_that_names_no_event_does_not_stop_the_log(act):
    first = act()
    sequencer.run_once()
    Pending.objects.create(event_id="00000000-0000-0000-0000-000000000001")
    Pending.objects.create(event_id=first)
    second = act()
    assert sequencer.run_once() == 1
    assert Leaf.objects.get(seq=1).event_id == second
    assert AuditEvent.objects.count() == 2
