"""Runs that were entered by hand: what is written, what is refused field by field, and what a second send does."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from artifacts.actions.recall import withdraw_version
from artifacts.actions.uploads import append_upload, begin_upload, finish_upload
from artifacts.models import Dataset, DatasetVersion
from audit.ledger.sequencer import Sequencer
from audit.ledger.verify import verify_ledger
from experiments.actions import recorded
from experiments.actions.experiments import delete_experiment
from experiments.actions.recorded import record_run, record_run_once
from experiments.actions.runs import delete_tag, set_tags
from experiments.models import Experiment, MetricSeries, Run
from experiments.queries.recorded import as_template, experiments_offered, versions_offered
from experiments.queries.runs import inputs_of, params_of, series_of, tags_of
from experiments.queries.search import search_runs
from experiments.recording.wanted import Checked, NewDataset, Problems, Wanted, check
from experiments.values import BY_HAND, RunStatus
from kernel.actor import Actor, operator
from kernel.errors import Conflict, InvalidFields, NotFound, Refused
from tests.factories import a_dataset, a_team, a_version, again, an_experiment, events_since
from tests.together import errors, together, values

SVM = Wanted(
    experiment="icu/by-hand",
    name="svm-rbf-w24",
    architecture="SVM, RBF kernel",
    dataset="icu-vitals v1",
    started="2026-03-02T14:00+01:00",
    duration="1h 20m",
    params=(("kernel", "rbf"), ("C", "10"), ("seed", "3")),
    results=(("val/auroc", "0.8127"), ("val/ece", "4e-2")),
    tags=(("ward", "icu-2"),),
    note="Done on the **old** cluster.",
    commit="9f3c1ab",
    command="python train.py",
    email="Ada@example.org",
)
START = int(dt.datetime(2026, 3, 2, 13, tzinfo=dt.UTC).timestamp() * 1000)


@pytest.fixture
def vitals(ada, team) -> Dataset:
    dataset = a_dataset(ada, team.project, name="icu-vitals")
    a_version(ada, dataset, files={"icu.csv": b"a,b\n1,2\n"})
    return dataset


def problems_of(actor: Actor, team, **changed: object) -> dict[str, str]:
    """What is wrong by field; and nothing was written."""
    before = Run.objects.count(), Experiment.objects.count(), DatasetVersion.objects.count()

    def refused() -> None:
        with pytest.raises(InvalidFields) as told:
            record_run(actor, team.project, wanted=dataclasses.replace(SVM, **changed), key="k")
        found.update({one.field: str(one) for one in told.value.problems})

    found: dict[str, str] = {}
    assert events_since(refused) == []
    assert before == (Run.objects.count(), Experiment.objects.count(), DatasetVersion.objects.count())
    return found


def uploaded(actor: Actor, project, content: bytes) -> str:
    upload = begin_upload(actor, project, size_bytes=len(content))
    append_upload(actor, upload, offset=0, incoming=io.BytesIO(content))
    return str(finish_upload(actor, upload).pk)


def test_all_of_it_is_there_at_once_and_one_event_tells_it(ada, team, vitals):
    files = (("plots/roc.txt", uploaded(ada, team.project, b"roc")),)
    (kept,) = events_since(
        lambda: record_run(ada, team.project, wanted=dataclasses.replace(SVM, files=files), key="first")
    )
    run = Run.objects.get()
    assert (run.name, run.status, run.experiment.name) == ("svm-rbf-w24", RunStatus.FINISHED, "icu/by-hand")
    assert (run.started_ms, run.ended_ms) == (START, START + 80 * 60_000)
    assert (run.source_type, run.git_commit, run.source_name) == (BY_HAND, "9f3c1ab", "python train.py")
    assert params_of(ada, run) == {"architecture": "SVM, RBF kernel", "kernel": "rbf", "C": "10", "seed": "3"}
    assert {one.key: (one.last_value, one.last_ms) for one in series_of(ada, run)} == {
        "val/auroc": (0.8127, run.ended_ms),
        "val/ece": (0.04, run.ended_ms),
    }
    tags = tags_of(ada, run)
    assert (tags["ward"], tags["mlflow.note.content"]) == ("icu-2", "Done on the **old** cluster.")
    assert tags["mled.email"] == "ada@example.org"
    assert [str(one.dataset_version) for one in inputs_of(ada, run)] == ["icu-vitals v1"]
    assert list(run.artifact_root.files.values_list("path", flat=True)) == ["plots/roc.txt"]
    assert (kept.verb, kept.subject) == ("experiments.record_run", f"experiments.run {run.uid.hex}")
    assert kept.event.client_ms == run.ended_ms
    assert kept.event.actor_roles == "data_scientist"
    found = search_runs(
        ada, project=team.project, experiments=None, text='metrics."val/auroc" > 0.8 AND params.C = "10"'
    )
    assert [row.id for row in found.rows] == [run.pk]
    Sequencer().run_once()
    findings = verify_ledger()
    assert findings.is_sound, findings.problems


def test_the_same_form_sent_twice_makes_one_run(ada, team, vitals):
    first = record_run(ada, team.project, wanted=SVM, key="once")
    assert events_since(lambda: record_run(ada, team.project, wanted=SVM, key="once")) == []
    assert record_run(ada, team.project, wanted=SVM, key="once").pk == first.pk
    assert record_run(ada, team.project, wanted=SVM, key="another").pk != first.pk
    with pytest.raises(Conflict, match="used for another record"):
        record_run(ada, team.project, wanted=dataclasses.replace(SVM, name="other"), key="once")
    assert record_run(team.engineer, team.project, wanted=SVM, key="once").pk != first.pk
    assert Run.objects.count() == 3


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"experiment": " "}, "experiment", "Which experiment"),
    ({"experiment": "x" * 501}, "experiment", "at most 500"),
    ({"name": "n" * 501}, "name", "501 characters"),
    ({"architecture": ""}, "architecture", "What kind of model"),
    ({"dataset": ""}, "dataset", "Which data"),
    ({"dataset": "icu-vitals v9"}, "dataset", "There is no v9: the latest is icu-vitals v1."),
    ({"dataset": "icu-vitals"}, "dataset", "Which version?"),
    ({"dataset": "nothing v1"}, "dataset", "There is no dataset 'nothing v1'"),
    ({"new_dataset": NewDataset("x")}, "dataset", "both named"),
    ({"dataset": "", "new_dataset": NewDataset("x", "", "s3://b/c")}, "new_dataset.digest", "names its content"),
    ({"dataset": "a" + "@" * 20_000 + "x"}, "dataset", "20,002 characters; at most 600"),
    ({"experiment": "e" * 100_000}, "experiment", "100,000 characters; at most 500"),
    ({"dataset": "", "new_dataset": NewDataset("n" * 501, "d", "s")}, "new_dataset.name", "at most 500"),
    ({"dataset": "", "new_dataset": NewDataset("n", "d" * 65, "s")}, "new_dataset.digest", "at most 64"),
    ({"dataset": "", "new_dataset": NewDataset("n", "d", "s" * 2001)}, "new_dataset.source", "at most 2,000"),
    ({"started": ""}, "started", "When did it start?"),
    ({"started": "yesterday"}, "started", "no date and time"),
    ({"started": "2999-01-01 10:00"}, "started", "in the future; it is "),
    ({"started": "1969-12-31"}, "started", "before 1970"),
    ({"duration": "90"}, "duration", "no unit"),
    ({"duration": "long"}, "duration", "no length of time"),
    ({"duration": "1" * 20_000 + "x"}, "duration", "20,001 characters; at most 200"),
    ({"started": "2" * 201}, "started", "201 characters; at most 200"),
    ({"results": (("acc", "1" * 201),)}, "results[0].value", "201 characters; at most 200"),
    ({"files": tuple((f"{n}.txt", "no") for n in range(201))}, "files", "at most 200"),
    ({"ended": "2026-03-01 10:00", "duration": ""}, "ended", "before it started"),
    ({"ended": "2026-03-02T20:00Z"}, "duration", "tell different times"),
    ({"duration": "36000 days"}, "duration", "would not be over yet"),
    ({"status": "RUNNING"}, "status", "no way to end"),
    ({"params": ()}, "params", "No hyperparameter"),
    ({"params": (("C", "10"), ("C", "100"))}, "params[1].key", "'C' is already given as 10 above. Keep one"),
    ({"params": (("architecture", "x"),)}, "params[0].key", "the architecture above"),
    ({"params": (("a", ""),)}, "params[0].value", "no value"),
    ({"params": (("", "1"),)}, "params[0].key", "no name"),
    ({"params": (("a?", "1"),)}, "params[0].key", "a character that keys cannot have"),
    ({"params": (("a", "v" * 1_000_000),)}, "params[0].value", "1,000,000 characters; at most 65,536"),
    ({"params": (("a", "x\x00y"),)}, "params[0].value", "cannot be stored"),
    ({"params": tuple((f"p{n}", "1") for n in range(201))}, "params", "at most 200"),
    ({"results": (("val/ece", "0,04"),)}, "results[0].value", "Not a number. Write 0.04 with a point."),
    ({"results": (("acc", "81.3 %"),)}, "results[0].value", "Write 0.813, or 81.3"),
    ({"results": (("acc", "NaN"),)}, "results[0].value", "NaN is no result"),
    ({"results": (("acc", "1e999"),)}, "results[0].value", "larger than can be kept"),
    ({"results": (("acc", "good"),)}, "results[0].value", "'good' is not a number"),
    ({"results": (("a", "1"), ("a", "2"))}, "results[1].key", "already given as 1"),
    ({"tags": (("mlflow.user", "eve"),)}, "tags[0].key", "kept by MLED"),
    ({"email": "ada"}, "email", "'ada' is not an e-mail address."),
    ({"email": "a" * 255}, "email", "at most 254"),
    ({"note": "n" * 20_001}, "note", "at most 20,000"),
    ({"commit": "c" * 65}, "commit", "at most 64"),
    ({"files": (("../x", "1"),)}, "files", "leads out of its folder"),
    ({"files": (("x.txt", "00000000-0000-0000-0000-000000000000"),)}, "files", "is not there"),
]


def test_what_is_wrong_is_told_beside_its_field_and_nothing_is_written(ada, team, vitals):
    for changed, field, words in WRONG:
        found = problems_of(ada, team, **changed)
        assert list(found) == [field], (changed, found)
        assert words in found[field]


def test_everything_that_is_wrong_is_told_at_once_in_the_order_of_the_form(ada, team, vitals):
    found = problems_of(
        ada, team, results=(("a", "x"),), started="2999-01-01", dataset="icu-vitals v9", params=(("C", "1"), ("C", "2"))
    )
    assert list(found) == ["dataset", "started", "params[1].key", "results[0].value"]


def test_what_is_too_long_is_never_looked_up(ada, team, vitals):
    with CaptureQueriesContext(connection) as asked:
        problems_of(ada, team, experiment="e" * 10_000, dataset="d" * 10_000)
    assert not [one for one in asked if "eeee" in one["sql"] or "dddd" in one["sql"]]


def test_a_record_is_checked_before_its_transaction_begins(committed_db, monkeypatch):
    team = a_team()
    inside: list[bool] = []

    def noted(wanted: Wanted, problems: Problems) -> Checked | None:
        inside.append(connection.in_atomic_block)
        return check(wanted, problems)

    monkeypatch.setattr(recorded, "check", noted)
    with pytest.raises(InvalidFields):
        record_run_once(team.scientist, team.project, wanted=SVM, key="k")
    assert inside == [False]


def test_a_recalled_version_is_refused_with_its_reason(ada, team, vitals):
    withdraw_version(ada, vitals.versions.get(), reason="labels are wrong")
    assert "labels are wrong" in problems_of(ada, team)["dataset"]
    assert versions_offered(ada, team.project) == []


def test_data_that_is_new_comes_into_the_catalogue_with_the_run(ada, team):
    new = NewDataset("ward-notes", "sha256:ab12", "s3://bucket/notes")
    wanted = dataclasses.replace(SVM, dataset="", new_dataset=new)
    (kept,) = events_since(lambda: record_run(ada, team.project, wanted=wanted))
    version = DatasetVersion.objects.get()
    assert (str(version), version.source) == ("ward-notes v1", "s3://bucket/notes")
    assert kept.event.subject_type == "experiments.run"
    again = record_run(ada, team.project, wanted=wanted)
    assert [one.dataset_version for one in inputs_of(ada, again)] == [version]
    second = record_run(
        ada, team.project, wanted=dataclasses.replace(wanted, new_dataset=dataclasses.replace(new, digest="cd34"))
    )
    assert [str(one.dataset_version) for one in inputs_of(ada, second)] == ["ward-notes v2"]


def test_an_experiment_that_is_deleted_takes_nothing(ada, team, vitals):
    gone = an_experiment(ada, team.project, name="icu/by-hand")
    delete_experiment(ada, gone)
    assert "is deleted" in problems_of(ada, team)["experiment"]


def test_who_may_not_log_records_nothing(team, outsider, vitals):
    for reader in (team.auditor, team.manager):
        with pytest.raises(Refused):
            record_run(reader, team.project, wanted=SVM)
    with pytest.raises(NotFound):
        record_run(outsider, team.project, wanted=SVM)
    assert not Run.objects.exists()


def test_a_name_is_invented_where_none_is_given_and_results_may_be_missing(ada, team, vitals):
    run = record_run(
        ada, team.project, wanted=dataclasses.replace(SVM, name="", results=(), duration="", status="FAILED")
    )
    assert run.name
    assert (run.status, run.ended_ms) == (RunStatus.FAILED, None)
    assert not MetricSeries.objects.exists()


def test_that_it_was_entered_by_hand_stays_on_record(ada, team, vitals):
    run = record_run(ada, team.project, wanted=SVM)
    for change in (
        lambda: set_tags(ada, run, tags={"mlflow.source.type": "LOCAL"}),
        lambda: delete_tag(ada, run, key="mlflow.source.type"),
    ):
        with pytest.raises(Conflict, match="recorded by hand"):
            change()
    set_tags(ada, run, tags={"mlflow.source.type": BY_HAND, "more": "1"})
    assert Run.objects.get().source_type == BY_HAND


def test_a_template_holds_what_another_try_shares(ada, team, vitals):
    run = record_run(ada, team.project, wanted=SVM)
    like = as_template(ada, run)
    kept = dataclasses.replace(SVM, params=sorted(SVM.params), tags=list(SVM.tags))
    assert like == dataclasses.replace(kept, started="", duration="", results=(), note="", email="ada@example.org")


def test_offers_stop_at_what_one_sees(ada, team, outsider, vitals):
    record_run(ada, team.project, wanted=SVM)
    assert experiments_offered(ada, team.project)[0].name == "icu/by-hand"
    assert experiments_offered(outsider, team.project) == []
    assert [str(one) for one in versions_offered(ada, team.project, "vital v1")] == ["icu-vitals v1"]
    assert versions_offered(ada, team.project, "vitals v2") == []
    assert versions_offered(outsider, team.project) == []


def test_the_operator_records_for_a_project_too(team, vitals):
    assert record_run(operator(), team.project, wanted=SVM, key="x").created_by is None


def test_two_sends_of_one_form_at_the_same_moment_make_one_run(committed_db):
    team = a_team()
    a_version(team.scientist, a_dataset(team.scientist, team.project, name="icu-vitals"), files={"a.csv": b"a\n1\n"})

    def send() -> str:
        return record_run_once(again(team.scientist), team.project, wanted=SVM, key="twice").uid.hex

    answers = together(*[send] * 6)
    assert errors(answers) == []
    assert len(set(values(answers))) == 1
    assert Run.objects.count() == 1
    assert Experiment.objects.filter(name="icu/by-hand").count() == 1
