"""A sheet from upload to undo: who may, what is refused when, and that every row is recorded exactly once."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest

from accounts.actions.users import deactivate_user
from artifacts.actions.uploads import append_upload, begin_upload, finish_upload
from audit.ledger.sequencer import Sequencer
from audit.ledger.verify import verify_ledger
from experiments.actions.runs import lock_run, set_tags
from experiments.actions.sheets import (
    NotOurs,
    bring_sheet,
    check_sheet,
    choose_worksheet,
    discard_sheet,
    import_sheet,
    keep_sheet,
    map_sheet,
    settle_sheet,
    stop_sheet,
    undo_sheet,
)
from experiments.models import Run, RunTag, SheetImport, SheetRow
from experiments.queries.runs import params_of, series_of
from experiments.queries.sheets import get_sheet, offered_for, rows_of, same_file, sheets_of, tally_of
from experiments.sheets import lease, work
from experiments.sheets.limits import FILE_BYTES
from experiments.sheets.mapping import Mapping
from experiments.sheets.work import carry_on, work_on
from kernel.actor import Actor, operator, system
from kernel.clock import now
from kernel.errors import Conflict, Invalid, InvalidFields, NotFound, Refused, TooLarge
from tests.experiments.test_sheets_reading import book
from tests.factories import a_dataset, a_team, a_version, events_since

HEADER = "experiment,run,model,dataset,started,took,lr,auroc,ward,author"
ROWS = [
    'icu,svm-1,"SVM, RBF",icu v1,2026-03-02 14:00,1h 20m,0.1,0.81,icu-1,ada@example.org',
    "icu,svm-2,SVM,icu v1,2026-03-03 14:00,80 min,0.2,0.82,,",
    "new place,svm-3,SVM,icu v1,2026-03-04 14:00,2h,0.3,0.83,icu-2,ada@example.org",
]
COLUMNS = [
    "experiment", "name", "architecture", "dataset", "started", "duration", "param:lr", "result:auroc", "tag:ward",
    "email",
]  # fmt: skip
State = SheetImport.State


@pytest.fixture
def icu(ada, team):
    dataset = a_dataset(ada, team.project, name="icu")
    return a_version(ada, dataset, files={"icu.csv": b"a,b\n1,2\n"})


@pytest.fixture
def zoe(db) -> Actor:
    """Of another team."""
    return a_team().scientist


def uploaded(actor: Actor, project: Any, content: bytes) -> str:
    upload = begin_upload(actor, project, size_bytes=len(content))
    append_upload(actor, upload, offset=0, incoming=io.BytesIO(content))
    return str(finish_upload(actor, upload).pk)


def a_sheet(actor: Actor, project: Any, rows: list[str] = ROWS, header: str = HEADER, name: str = "old.csv"):
    """A sheet that was read."""
    content = "\n".join([header, *rows]).encode()
    sheet = bring_sheet(actor, project, upload=uploaded(actor, project, content), name=name)
    carry_on()
    return fresh(sheet)


def fresh(sheet: SheetImport) -> SheetImport:
    """The sheet as it is now."""
    found: SheetImport = SheetImport.objects.select_related("project", "created_by").get(pk=sheet.pk)
    return found


def checked(actor: Actor, sheet: SheetImport) -> SheetImport:
    check_sheet(actor, sheet)
    carry_on()
    return fresh(sheet)


def imported(actor: Actor, sheet: SheetImport, **said: Any) -> SheetImport:
    import_sheet(actor, sheet, **said)
    carry_on()
    return fresh(sheet)


def test_a_sheet_becomes_runs_through_the_one_action_and_each_event_names_it(ada, team, icu):
    sheet = a_sheet(ada, team.project)
    assert (sheet.state, sheet.row_count, sheet.form) == (State.READY, 3, "csv")
    assert sheet.mapping["columns"] == [*COLUMNS[:8], "param:ward", "email"]
    map_sheet(ada, sheet, mapping=Mapping(COLUMNS))
    before = len(Run.objects.all())
    sheet = checked(ada, sheet)
    assert (sheet.state, tally_of(ada, sheet).right, Run.objects.count()) == (State.CHECKED, 3, before)
    kept = events_since(lambda: imported(ada, sheet))
    recorded = [one for one in kept if one.verb == "experiments.record_run"]
    assert [one.reason for one in recorded] == [f"Row {number} of 'old.csv', import {sheet.pk}" for number in (2, 3, 4)]
    assert {one.event.actor_id for one in recorded} == {ada.user_id}
    assert fresh(sheet).state == State.DONE
    runs = list(Run.objects.order_by("number"))
    assert [run.name for run in runs] == ["svm-1", "svm-2", "svm-3"]
    assert params_of(ada, runs[0]) == {"architecture": "SVM, RBF", "lr": "0.1"}
    assert [one.last_value for one in series_of(ada, runs[1])] == [0.82]
    assert runs[2].experiment.name == "new place"
    assert RunTag.objects.get(run=runs[0], key="mled.email").value == "ada@example.org"
    assert [(row.run_uid, bool(row.digest)) for row in rows_of(ada, sheet)] == [(run.uid, True) for run in runs]
    Sequencer().run_once()
    findings = verify_ledger()
    assert findings.is_sound, findings.problems


def test_what_is_wrong_is_told_by_row_and_column_and_nothing_is_written(ada, team, icu):
    wrong = [
        ROWS[0],
        "icu,a,SVM,icu v9,yesterday,90,,81 %,,somebody",
        "icu,b,SVM,,2026-03-02,,0.1,0.8,,",
        "icu,c,SVM,icu v1,2026-03-02,1h,0.1,0.8,,,too,many",
    ]
    sheet = a_sheet(ada, team.project, wrong)
    map_sheet(ada, sheet, mapping=Mapping(COLUMNS, {"email": "ada@example.org"}))
    kept = events_since(lambda: checked(ada, sheet))
    assert [one.verb for one in kept] == ["experiments.check_sheet", "experiments.settle_sheet"]
    rows = {row.number: row.problems for row in rows_of(ada, fresh(sheet), "wrong")}
    assert {number: [one["field"] for one in problems] for number, problems in rows.items()} == {
        3: ["email", "dataset", "started", "duration", "params", "results[0].value"],
        4: ["dataset"],
        5: [""],
    }
    by_field = {one["field"]: one for one in rows[3]}
    assert by_field["dataset"] == {
        "column": 3, "field": "dataset", "what": "There is no v9: the latest is icu v1.", "next": "Write icu v1.",
    }  # fmt: skip
    assert [by_field[field]["column"] for field in ("started", "duration", "results[0].value", "email")] == [4, 5, 7, 9]
    assert not Run.objects.exists()
    with pytest.raises(Conflict, match="3 rows of this sheet cannot be imported as they are"):
        import_sheet(ada, fresh(sheet))
    done = imported(ada, fresh(sheet), leave_out=True)
    assert (done.state, Run.objects.count(), tally_of(ada, done).wrong) == (State.DONE, 1, 3)


def test_a_mapping_is_remembered_for_the_next_sheet_with_the_same_header(ada, team, icu):
    first = a_sheet(ada, team.project)
    mapping = Mapping(
        [*first.mapping["columns"][:8], "tag:place", "ignore"], {"status": "FAILED"}, zone="Europe/Berlin"
    )
    map_sheet(ada, first, mapping=mapping)
    assert events_since(lambda: map_sheet(ada, fresh(first), mapping=mapping)) == []
    assert Mapping.of_json(a_sheet(ada, team.project, ROWS[:1]).mapping) != mapping  # nobody checked by it yet
    check_sheet(ada, fresh(first))
    carry_on()
    slip = Mapping([*mapping.columns[:5], "startd", *mapping.columns[6:]])
    with pytest.raises(InvalidFields) as told:
        map_sheet(ada, fresh(first), mapping=slip)
    assert [(one.field, one.hint) for one in told.value.problems] == [("columns[5]", "Did you mean started?")]
    second = a_sheet(team.engineer, team.project, ROWS[:1], name="newer.csv")
    assert Mapping.of_json(second.mapping) == mapping
    third = a_sheet(ada, team.project, header=HEADER.replace("ward", "place"))
    assert third.mapping["columns"][8] == "param:place"
    with pytest.raises(Invalid, match="has 10 columns"):
        map_sheet(ada, fresh(first), mapping=Mapping(["ignore"]))
    map_sheet(ada, fresh(first), mapping=Mapping(["ignore"] * 10))
    with pytest.raises(InvalidFields) as told:
        check_sheet(ada, fresh(first))
    assert {one.field for one in told.value.problems} == {
        "defaults.experiment", "defaults.architecture", "defaults.started", "defaults.dataset", "columns",
    }  # fmt: skip


def test_what_is_wrong_for_all_rows_is_told_once_before_any_is_looked_at(ada, team, icu):
    header = "experiment,model,started,lr,lr"
    sheet = a_sheet(ada, team.project, ["x,SVM,2026-03-02,1,2"] * 3, header)
    assert "Columns D and E are called 'lr': a name goes to one place only." in sheet.notes
    data = {"dataset": "icuu v1", "email": "nobody", "status": "FINISHED"}
    map_sheet(ada, sheet, mapping=Mapping(sheet.mapping["columns"], {**data, "commit": "abc"}))
    with pytest.raises(InvalidFields) as told:
        check_sheet(ada, fresh(sheet))
    wrong = {one.field: one for one in told.value.problems}
    assert set(wrong) == {"defaults.dataset", "defaults.email"}
    assert wrong["defaults.dataset"].hint.startswith("Did you mean icu v1?")
    assert fresh(sheet).state == State.READY
    map_sheet(ada, fresh(sheet), mapping=Mapping(sheet.mapping["columns"], {"dataset": "icu v1"}))
    assert imported(ada, checked(ada, fresh(sheet))).state == State.DONE


def test_new_data_is_rehearsed_and_left_as_it_was(ada, team):
    header = "experiment,model,started,lr,new_dataset.name,new_dataset.digest,new_dataset.source"
    sheet = a_sheet(
        ada, team.project, ["icu,SVM,2026-03-02,1,x-rays,d1,s3://x", "icu,SVM,2026-03-02,1,x-rays,d1,"], header
    )
    before = events_since(lambda: None)
    sheet = checked(ada, sheet)
    assert (before, team.project.datasets.count()) == ([], 0)
    assert [(row.number, row.state) for row in rows_of(ada, sheet)] == [(2, "right"), (3, "wrong")]
    imported(ada, sheet, leave_out=True)
    assert [one.name for one in team.project.datasets.all()] == ["x-rays"]


def test_only_its_uploader_maps_checks_and_imports_and_only_members_see_it(ada, team, icu, zoe):
    sheet = a_sheet(ada, team.project)
    for act in (
        lambda actor: map_sheet(actor, sheet, mapping=Mapping(["ignore"] * 10)),
        lambda actor: check_sheet(actor, sheet),
        lambda actor: choose_worksheet(actor, sheet, worksheet=""),
        lambda actor: import_sheet(actor, sheet),
    ):
        with pytest.raises(Refused, match="in the name of"):
            act(team.engineer)
        with pytest.raises(Refused):
            act(team.auditor)
        with pytest.raises(NotFound):
            act(zoe)
    for actor in (team.auditor, team.manager):
        with pytest.raises(Refused):
            bring_sheet(actor, team.project, upload="x", name="x.csv")
    with pytest.raises(NotFound):
        bring_sheet(zoe, team.project, upload="x", name="x.csv")
    with pytest.raises(NotFound):
        bring_sheet(team.engineer, team.project, upload=uploaded(ada, team.project, b"a,b\n1,2"), name="x.csv")
    assert [one.pk for one in sheets_of(team.auditor, team.project)] == [sheet.pk]
    assert (list(sheets_of(zoe, team.project)), list(rows_of(zoe, sheet))) == ([], [])
    with pytest.raises(NotFound):
        get_sheet(zoe, team.project, sheet.pk)
    assert (offered_for(team.engineer, sheet).map, offered_for(ada, sheet).map) == (False, True)
    for actor, act in ((ada, lambda actor: keep_sheet(actor, sheet, lease=sheet.pk, read=None)),
                       (ada, lambda actor: settle_sheet(actor, sheet, lease=sheet.pk, state="done"))):  # fmt: skip
        with pytest.raises(NotOurs):
            act(actor)


def test_a_sheet_that_was_only_looked_at_is_taken_off_the_list(ada, team, icu, zoe):
    sheet = a_sheet(ada, team.project)
    for actor, refusal in ((team.engineer, Refused), (team.auditor, Refused), (zoe, NotFound)):
        with pytest.raises(refusal):
            discard_sheet(actor, sheet)
    assert offered_for(ada, sheet).discard
    assert not offered_for(team.engineer, sheet).discard
    gone = sheet.pk
    discard_sheet(ada, sheet)
    assert not SheetRow.objects.filter(sheet=gone).exists()
    with pytest.raises(NotFound):
        get_sheet(ada, team.project, gone)
    SheetRow.objects.filter(sheet=(other := a_sheet(ada, team.project)), number=2).update(state=SheetRow.State.MADE)
    assert not offered_for(ada, other).discard
    with pytest.raises(Conflict):
        discard_sheet(ada, other)


def test_each_step_waits_for_the_one_before(ada, team, icu):
    content = uploaded(ada, team.project, "\n".join([HEADER, *ROWS]).encode())
    sheet = bring_sheet(ada, team.project, upload=content, name="C:\\trials\\old.csv")
    assert sheet.name == "old.csv"
    for act in (
        lambda: map_sheet(ada, sheet, mapping=Mapping()),
        lambda: check_sheet(ada, sheet),
        lambda: import_sheet(ada, sheet),
        lambda: stop_sheet(ada, sheet),
        lambda: undo_sheet(ada, sheet),
    ):
        with pytest.raises(Conflict, match="being read"):
            act()
    carry_on()
    with pytest.raises(Conflict, match="waits for its columns"):
        import_sheet(ada, fresh(sheet))
    done = imported(ada, checked(ada, fresh(sheet)))
    with pytest.raises(Conflict, match="is imported"):
        import_sheet(ada, done)
    assert work_on(done.pk) is False
    assert same_file(ada, done) is None
    second = bring_sheet(ada, team.project, upload=content, name="again.csv")
    assert same_file(ada, second) == done


def test_a_sheet_that_cannot_be_read_says_why(ada, team):
    sheet = a_sheet(ada, team.project, [])
    assert (sheet.state, sheet.failure) == (
        State.UNREAD, "There is a header and no row below it. Fill in a row for each experiment.",
    )  # fmt: skip
    upload = begin_upload(ada, team.project, size_bytes=FILE_BYTES + 1)
    with pytest.raises(Conflict, match="not finished"):
        bring_sheet(ada, team.project, upload=str(upload.pk), name="large.csv")
    with pytest.raises(TooLarge, match="at most 20,971,520"):
        bring_sheet(ada, team.project, upload=uploaded(ada, team.project, b"x" * (FILE_BYTES + 1)), name="large.csv")


def test_another_sheet_of_a_workbook_is_read_anew(ada, team, icu):
    def fill(made: Any) -> None:
        made.active.append(["a", "b"])
        made.active.append([1, 2])
        made.create_sheet("Trials").append(HEADER.split(","))
        made["Trials"].append(["icu", "svm", "SVM", "icu v1", "2026-03-02", "1h", 0.1, 0.8, None, None])

    content = book(fill).getvalue()
    sheet = bring_sheet(ada, team.project, upload=uploaded(ada, team.project, content), name="trials.xlsx")
    carry_on()
    sheet = fresh(sheet)
    assert (sheet.worksheets, sheet.worksheet, sheet.header) == (["Sheet", "Trials"], "Sheet", ["a", "b"])
    with pytest.raises(Invalid, match="no such sheet"):
        choose_worksheet(ada, sheet, worksheet="Third")
    choose_worksheet(ada, sheet, worksheet="Trials")
    carry_on()
    assert (fresh(sheet).header, fresh(sheet).row_count) == (HEADER.split(","), 1)
    assert imported(ada, checked(ada, fresh(sheet))).state == State.DONE


def test_a_workbook_whose_first_sheet_cannot_be_read_lets_another_be_chosen(ada, team, icu):
    def fill(made: Any) -> None:
        made.active.append(["only", "a header"])
        trials = made.create_sheet("Trials")
        for line in (HEADER, ROWS[1]):
            trials.append(line.split(","))
        made.create_sheet("Nothing")

    content = book(fill).getvalue()
    upload = uploaded(ada, team.project, content)
    sheet = bring_sheet(ada, team.project, upload=upload, name="trials.xlsx", zone="Europe/Berlin")
    carry_on()
    for chosen, rows in (("", 0), ("Trials", 1), ("Nothing", 0), ("Trials", 1)):
        if chosen:
            choose_worksheet(ada, fresh(sheet), worksheet=chosen)
            carry_on()
        sheet = fresh(sheet)
        offered = offered_for(ada, sheet)
        assert (offered.choose, offered.map, sheet.row_count) == (True, bool(rows), rows)
        assert (bool(sheet.failure), rows_of(ada, sheet).count()) == (not rows, rows)
        assert (sheet.worksheets, sheet.mapping["zone"]) == (["Sheet", "Trials", "Nothing"], "Europe/Berlin")
    assert not offered_for(team.engineer, sheet).choose
    alone = bring_sheet(ada, team.project, upload=uploaded(ada, team.project, b"%PDF-1.4"), name="a.xlsx")
    carry_on()
    with pytest.raises(Conflict):
        choose_worksheet(ada, fresh(alone), worksheet="")
    with pytest.raises(Invalid, match="no time zone"):
        bring_sheet(ada, team.project, upload=uploaded(ada, team.project, b"a,b\n1,2"), name="a.csv", zone="Mars")


class Killed(BaseException):
    """A worker that dies at once."""


def dying_after(rows: int, real: Callable[..., Any]) -> Callable[..., Any]:
    """A worker that records so many rows and dies before it notes the last of them."""
    made: list[int] = []

    def record(*given: Any, **named: Any) -> Any:
        run = real(*given, **named)
        made.append(1)
        if len(made) == rows:
            raise Killed
        return run

    return record


def test_who_goes_on_after_a_killed_worker_records_each_row_exactly_once(ada, team, icu, monkeypatch):
    sheet = checked(ada, a_sheet(ada, team.project))
    import_sheet(ada, sheet)
    with monkeypatch.context() as patched:
        patched.setattr(work, "record_run_once", dying_after(2, work.record_run_once))
        with pytest.raises(Killed):
            carry_on()
    assert (Run.objects.count(), tally_of(ada, sheet).made) == (2, 1)
    assert carry_on() == 0  # the lease of the dead is not over yet
    monkeypatch.setattr(lease, "now", lambda: now() + 2 * lease.LEASE)
    assert carry_on() == 1
    monkeypatch.undo()
    assert fresh(sheet).state == State.DONE
    assert [row.state for row in rows_of(ada, sheet)] == ["made"] * 3
    assert sorted(Run.objects.values_list("uid", flat=True)) == sorted(row.run_uid for row in rows_of(ada, sheet))
    assert Run.objects.count() == 3


def test_what_breaks_three_times_is_given_up_and_goes_on_when_asked(ada, team, icu, monkeypatch):
    sheet = checked(ada, a_sheet(ada, team.project))
    import_sheet(ada, sheet)

    def broken(*given: Any, **named: Any) -> None:
        raise OSError("disk")

    with monkeypatch.context() as patched:
        patched.setattr(work, "record_run_once", broken)
        assert [carry_on() for _ in range(3)] == [0, 0, 1]
    assert (fresh(sheet).state, "Something went wrong" in fresh(sheet).failure) == (State.STOPPED, True)
    assert offered_for(ada, fresh(sheet)).resume
    assert imported(ada, fresh(sheet)).state == State.DONE
    assert Run.objects.count() == 3


def test_it_stops_when_told_to_and_goes_on_later(ada, team, icu, monkeypatch):
    sheet = checked(ada, a_sheet(ada, team.project))
    import_sheet(ada, sheet)
    real = work.record_run_once

    def stopping(*given: Any, **named: Any) -> Any:
        run = real(*given, **named)
        stop_sheet(team.engineer, sheet)
        return run

    with monkeypatch.context() as patched:
        patched.setattr(work, "_IMPORTED_AT_ONCE", 1)
        patched.setattr(work, "record_run_once", stopping)
        assert carry_on() == 0
    assert (fresh(sheet).state, Run.objects.count()) == (State.STOPPED, 1)
    assert imported(ada, fresh(sheet)).state == State.DONE
    assert Run.objects.count() == 3


def test_a_row_that_went_wrong_since_stops_the_import_unless_such_rows_are_left_out(ada, team, icu):
    sheet = checked(ada, a_sheet(ada, team.project))
    row = SheetRow.objects.get(sheet=sheet, number=3)
    row.cells = [*row.cells[:3], "gone v1", *row.cells[4:]]
    row.save()
    stopped = imported(ada, sheet)
    assert (stopped.state, Run.objects.count()) == (State.STOPPED, 1)
    assert stopped.failure.startswith("Row 3: There is no dataset 'gone v1'")
    assert (offered_for(ada, stopped).resume, offered_for(ada, stopped).undo) == (True, True)
    with pytest.raises(Conflict, match="1 row of this sheet"):
        import_sheet(ada, stopped)
    assert imported(ada, stopped, leave_out=True).state == State.DONE
    assert Run.objects.count() == 2


def test_an_import_stops_where_its_uploader_lost_the_right(ada, team, icu):
    sheet = checked(ada, a_sheet(ada, team.project))
    import_sheet(ada, sheet)
    deactivate_user(operator(), user=sheet.created_by, reason="left")
    carry_on()
    assert (fresh(sheet).state, Run.objects.count()) == (State.STOPPED, 0)
    assert fresh(sheet).failure


def test_an_undo_takes_back_what_may_be_deleted_and_says_what_not(ada, team, icu):
    sheet = imported(ada, checked(ada, a_sheet(ada, team.project)))
    first, second, third = Run.objects.order_by("number")
    set_tags(ada, first, tags={"seen": "yes"})
    lock_run(ada, second, reason="kept")
    kept = events_since(lambda: (undo_sheet(ada, sheet, reason="Wrong file"), carry_on()))
    deleted = [one for one in kept if one.verb == "experiments.delete_run"]
    assert [(one.subject, one.reason) for one in deleted] == [(f"experiments.run {third.uid.hex}", "Wrong file")]
    words = {row.number: (row.state, row.word) for row in rows_of(ada, sheet)}
    assert words[2][0] == "kept"
    assert words[2][1].startswith("Changed since (set tags, ")
    assert (words[3][0], "locked" in words[3][1]) == ("kept", True)
    assert words[4] == ("undone", "")
    assert fresh(sheet).state == State.DONE
    with pytest.raises(Refused):
        undo_sheet(team.auditor, fresh(sheet))


def test_another_member_undoes_only_what_they_may_delete(ada, team, icu):
    sheet = imported(ada, checked(ada, a_sheet(ada, team.project)))
    undo_sheet(team.engineer, sheet)
    carry_on()
    assert tally_of(ada, sheet).kept == 3  # an engineer deletes their own
    undo_sheet(ada, fresh(sheet))
    carry_on()
    assert (fresh(sheet).state, tally_of(ada, sheet).undone) == (State.UNDONE, 3)
    assert [run.is_deleted for run in Run.objects.all()] == [True] * 3
    with pytest.raises(Conflict, match="is undone"):
        import_sheet(ada, fresh(sheet))


def test_leases_are_of_one_worker(ada, team):
    sheet = bring_sheet(ada, team.project, upload=uploaded(ada, team.project, b"a,b\n1,2"), name="x.csv")
    mine = lease.take(sheet.pk)
    assert mine is not None
    assert lease.take(sheet.pk) is None
    with pytest.raises(lease.LeaseLost):
        lease.renew(sheet.pk, sheet.pk, done=1)
    assert lease.note_failure(sheet.pk, sheet.pk) == 0
    with pytest.raises(NotOurs):
        settle_sheet(system(), sheet, lease=sheet.pk, state=State.UNREAD)
