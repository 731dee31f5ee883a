"""Transfers: who begins and stops them, what a dead worker leaves, and when they are given up."""

from __future__ import annotations

import pytest

from accounts.models import Notice
from kernel.actor import operator, system
from kernel.errors import Conflict, Invalid, NotFound, Refused, TooMany, Unavailable
from tests.factories import a_member, a_person, a_team, events
from transfer import leasing, work
from transfer.actions.transfers import NotOurs, begin, cancel_transfer, fail_transfer, finish_transfer
from transfer.models import Moved, Transfer
from transfer.pages.words import counted, holds
from transfer.queries.transfers import get_transfer, standing_of, transfers_of
from transfer.running import carry, carry_through
from transfer.work import NotYet

pytestmark = pytest.mark.django_db


@pytest.fixture
def doing(monkeypatch):
    """Have exports done by a function of the test's own."""

    def by(function):
        monkeypatch.setitem(work._work, Transfer.Kind.EXPORT, function)

    return by


def asked(actor, project, **more):
    return begin(actor, project, kind="export", **more)


def the(transfer: Transfer) -> Transfer:
    return Transfer.objects.get(pk=transfer.pk)


def test_work_is_done_once_told_and_on_record(doing):
    team = a_team()
    seen = []

    def export(transfer, progress):
        progress.at("runs", 1, 2)
        seen.append(standing_of(team.scientist, the(transfer)).words)
        finish_transfer(system(), transfer, counts={"runs": 2}, digest="ab" * 32)

    doing(export)
    transfer = asked(team.scientist, team.project)
    assert carry(transfer.pk)
    assert not carry(transfer.pk)
    done = the(transfer)
    assert (done.state, done.counts, done.attempts, done.lease) == ("done", {"runs": 2}, 1, None)
    assert seen == ["Runs: 1 of 2."]
    verbs = [kept.verb for kept in events(project_id=team.project.pk, subject_id=transfer.ledger_id)]
    assert verbs == ["transfer.begin_export", "transfer.start_transfer", "transfer.finish_transfer"]
    assert Notice.objects.filter(user_id=team.scientist.user_id, kind="transfer.done").count() == 1


def test_who_is_outside_neither_begins_sees_nor_stops(doing):
    team, stranger = a_team(), a_person()
    transfer = asked(team.scientist, team.project)
    for forbidden in (
        lambda: asked(stranger, team.project),
        lambda: get_transfer(stranger, transfer.pk),
        lambda: cancel_transfer(stranger, transfer),
        lambda: standing_of(stranger, transfer),
    ):
        with pytest.raises(NotFound):
            forbidden()
    assert list(transfers_of(stranger, team.project)) == []
    with pytest.raises(Refused, match="Data scientist"):
        begin(team.auditor, team.project, kind="mlflow")
    with pytest.raises(Invalid, match="no kind"):
        begin(team.scientist, team.project, kind="carrier pigeon")


def test_counts_are_lines_whatever_kind_they_are_of():
    assert holds({"runs": 1, "points": 2, "files": 0}) == "1 run, 2 points"
    assert holds({"runs": {"new": 2, "there": 1}}) == "2 new runs, 1 there already"
    lines = counted({"views": 0, "odd_things": 3, "runs": {"held": 2, "new": 2}, "experiments": 1})
    assert [(line.label, line.total, line.cells) for line in lines] == [
        ("Experiments", 1, ()),
        ("Runs", None, (2, 2, 0, 0)),
        ("Odd things", 3, ()),
    ]


def test_it_is_stopped_by_whoever_asked_or_leads_and_by_nobody_twice(doing):
    team = a_team()
    colleague = a_member(team.project)
    transfer = asked(team.scientist, team.project)
    with pytest.raises(Refused, match="Somebody else"):
        cancel_transfer(colleague, transfer)
    cancel_transfer(team.manager, transfer)
    with pytest.raises(Conflict, match="over"):
        cancel_transfer(team.scientist, transfer)
    assert not carry(transfer.pk)


def test_whoever_works_on_a_stopped_transfer_puts_it_down_and_finishes_nothing(doing):
    team = a_team()

    def export(transfer, progress):
        cancel_transfer(team.scientist, transfer)
        with pytest.raises(NotOurs):
            finish_transfer(system(), transfer, counts={})
        progress.at("runs", 1, 2)
        raise AssertionError("It went on.")

    doing(export)
    transfer = asked(team.scientist, team.project)
    assert not carry(transfer.pk)
    assert the(transfer).state == "cancelled"


def test_one_that_kills_its_worker_three_times_is_given_up_in_words(doing):
    team = a_team()
    doing(lambda transfer, progress: pytest.fail("It was tried a fourth time."))
    transfer = asked(team.scientist, team.project)
    for _ in range(3):
        lease, _ = leasing.take(transfer.pk)
        leasing.renew(transfer.pk, lease, stage="files", done=3)
        assert leasing.take(transfer.pk) is None, "Nobody takes what somebody has."
        leasing.give_back(transfer.pk, lease)  # as when the lease of a dead worker runs out
    assert carry(transfer.pk)
    assert the(transfer).state == "failed"
    assert the(transfer).failure.startswith("Its worker died 3 times while it was at files. Begin it again")


def test_one_that_gets_further_each_time_is_never_given_up(doing):
    team = a_team()
    tries = []

    def export(transfer, progress):
        tries.append(len(tries))
        if len(tries) == 6:
            finish_transfer(system(), transfer, counts={})
            return
        key = {"kind": "run", "source_id": f"{len(tries)}", "target": "x"}
        Moved.objects.create(project=team.project, origin="o", transfer=transfer, **key)
        raise Unavailable("The database is locked.")

    doing(export)
    transfer = asked(team.scientist, team.project)
    for _ in range(6):
        assert the(transfer).is_open
        carry(transfer.pk)
    assert (the(transfer).state, len(tries)) == ("done", 6)


def test_what_goes_wrong_is_tried_three_times_and_a_refusal_once(doing, caplog):
    team = a_team()
    tries = []

    def broken(error):
        def export(transfer, progress):
            tries.append(error)
            raise error

        return export

    for error, times, words in (
        (RuntimeError("a secret of the server"), 3, "Something went wrong. Begin it again"),
        (Unavailable("The store is away.", hint="Later."), 3, "The store is away. Later."),
        (Invalid("This is no archive."), 1, "This is no archive."),
    ):
        doing(broken(error))
        tries.clear()
        transfer = asked(team.scientist, team.project)
        for _ in range(times):
            assert the(transfer).is_open
            carry(transfer.pk)
        assert (the(transfer).state, len(tries)) == ("failed", times)
        assert the(transfer).failure.startswith(words)


def test_waiting_for_the_log_is_no_attempt_and_a_command_needs_no_worker(doing):
    team = a_team()
    looks, told = [], []

    def export(transfer, progress):
        looks.append(1)
        progress.at("log", len(looks))
        if len(looks) < 5:
            raise NotYet
        finish_transfer(system(), transfer, counts={})

    doing(export)
    transfer = asked(operator(), team.project)
    assert carry_through(transfer.pk, listener=lambda *far: told.append(far), every=0.0).state == "done"
    assert len(looks) == 5
    assert ("log", 5, None) in told
    assert the(transfer).attempts == 1


def test_a_lease_that_is_not_theirs_fails_nobody_and_too_many_are_refused(doing):
    team = a_team()
    transfer = asked(team.scientist, team.project)
    with pytest.raises(NotOurs):
        fail_transfer(system(), transfer, failure="Not ours.")
    for _ in range(9):
        asked(team.scientist, team.project)
    with pytest.raises(TooMany):
        asked(team.scientist, team.project)
