"""E: whether the result was measured on data kept apart, against criteria set before, and compared."""

import math
import re
from collections.abc import Sequence

import numpy as np

from audit.compliance.rules.engine import Result, failed, missing, passed, rule
from audit.compliance.rules.executed import kept_apart
from audit.compliance.rules.record import RUN, Record, is_test, listed
from audit.ledger.models import AuditEvent
from audit.ledger.queries.history import PastEvent, with_payloads
from experiments.metrics.store import history_page
from experiments.models import MetricSeries, Run, RunInput
from experiments.refs import readable_id_in, uid_in
from registry.models import CardText

SLICED = re.compile(r"[/. ]\w[\w -]*[:=][^/]+")  # test/auroc/sex:female; '=' comes with imported runs alone
CRITERIA = "mled.criteria"
POINTS_READ = 1_000_000


def tested_on(record: Record) -> list[tuple[Run, RunInput]]:
    """The test data of the run and of the runs that evaluate it, with the run that used them."""
    found = [(record.run, given) for given in record.inputs if is_test(given)]
    rows = RunInput.objects.filter(run__in=record.family).select_related(
        "run__project", "dataset_version__dataset", "dataset_version__record"
    )
    return found + [(given.run, given) for given in rows if is_test(given)]


@rule("E1", "Evaluated with named metrics on data kept apart", "AI Act Annex IV 2(g)", "NIST RMF MEASURE 2.1")
def is_evaluated(record: Record) -> Result:
    tests = tested_on(record)
    apart = kept_apart(record) if not tests else None
    if apart:
        tests = [(record.run, apart.given)]
    if not tests:
        code = 'mlflow.log_input(holdout, context="test")'
        return missing(
            "No test data are named.", fix="Evaluate on data kept apart.", code=code, proof=record.page("data")
        )
    runs = {run.pk: run for run, _ in tests}
    measured = set(
        MetricSeries.objects.filter(run__in=runs).exclude(key__startswith="system/").values_list("run", flat=True)
    )
    if not measured:
        return failed(
            "Test data are named, but nothing was measured on them.", fix="Log the metrics of the evaluation."
        )
    run, given = next((run, given) for run, given in tests if run.pk in measured)
    where = "" if run.pk == record.run.pk else f" in {run.readable_id}"
    version = given.dataset_version
    part = f"{listed([file.path for file in apart.tested])} of " if apart else ""
    return passed(f"On {part}{version.dataset.name} v{version.number}{where}.", proof=record.page("data"))


@rule(
    "E2", "Acceptance criteria were written before the evaluation", "AI Act Annex IV 2(g), 4", "EU GMP Annex 22 (draft)"
)
def criteria_came_first(record: Record) -> Result:
    code = f'mlflow.set_experiment_tag("{CRITERIA}", "val/auroc >= 0.85, no ward below 0.80")'
    fix = "Write them on the experiment or the run before it is evaluated."
    if not record.said(CRITERIA):
        return missing("No acceptance criteria are recorded.", fix=fix, code=code)
    written = _last_place(_events_with_tag(record))
    evaluated = _first_place(_events_with_test_data(record)) or _first_place(
        list(record.events_of("experiments.seal_run"))
    )
    if written is None:
        return failed("The log does not say when the criteria were written.", fix=fix)
    if evaluated is not None and evaluated < written:
        words = f"Written at place {written} of the log, after the evaluation at {evaluated}."
        return failed(words, fix="Write the criteria first, then evaluate again.", proof=record.page("history"))
    return passed(f"“{record.said(CRITERIA)[:120]}”, place {written} of the log.", proof=record.page("history"))


def _events_with_tag(record: Record) -> list[PastEvent]:
    """Those that wrote the criteria as they stand: words that came later replace what was agreed before."""
    experiment = AuditEvent.objects.filter(
        subject_type="experiments.experiment", subject_id=str(record.run.experiment_id)
    ).order_by("id")
    every = [*record.events, *with_payloads(list(experiment[:5000]))]
    words = record.tags[CRITERIA]
    return [one for one in every if any(change.fields.get(CRITERIA, ("", None))[1] == words for change in one.changes)]


def _events_with_test_data(record: Record) -> list[PastEvent]:
    runs = {run.ledger_id for run, _ in tested_on(record)}
    rows = AuditEvent.objects.filter(subject_type=RUN, subject_id__in=runs).order_by("id")
    told = with_payloads(list(rows[:5000]))
    return [one for one in told if any(change.type == "experiments.runinput" for change in one.changes)]


def _last_place(events: Sequence[PastEvent]) -> int | None:
    return max((one.seq for one in events if one.seq is not None), default=None)


def _first_place(events: Sequence[PastEvent]) -> int | None:
    return min((one.seq for one in events if one.seq is not None), default=None)


@rule("E3", "Measured by subgroup, or it is said why not", "AI Act Annex IV 3", "NIST RMF MEASURE 2.11")
def subgroups_are_measured(record: Record) -> Result:
    around = MetricSeries.objects.filter(run__in=record.family).values_list("key", flat=True)
    sliced = sorted({key for key in (*(one.key for one in record.series), *around) if SLICED.search(key)})
    if sliced:
        return passed(f"{listed(sliced)}.", proof=record.page("params"))
    if why := record.said("mled.subgroups"):
        return passed(f"Not measured, because: “{why[:120]}”", proof=record.page("params"))
    code = 'mlflow.log_metric("test/auroc/sex:female", value)   # or mlflow.set_tag("mled.subgroups", "why not")'
    return missing("No metric by subgroup, and no reason.", fix="Measure subgroups, or say why not.", code=code)


@rule("E4", "Deciding metrics are finite, in order, with units", "ALCOA accurate")
def metrics_are_sound(record: Record) -> Result:
    if not record.deciding:
        code = 'mlflow.log_metric("val/auroc", value, step=step)'
        return missing("No metric is recorded.", fix="Log what was measured.", code=code)
    for one in record.deciding:
        if wrong := _unsound(one):
            return failed(f"{one.key} {wrong}.", fix="Find out why, and log a new run.", proof=record.page("curves"))
    if not record.said("mled.units"):
        names = listed([one.key for one in record.deciding])
        units = "; ".join(f"{one.key}: <unit>" for one in record.deciding[:10])
        code = f'mlflow.set_experiment_tag("mled.units", "{units}")'
        return missing(f"Finite and in order, but the units of {names} are not stated.", fix="State them.", code=code)
    return passed(f"{listed([one.key for one in record.deciding])}: finite, in order.", proof=record.page("curves"))


def _unsound(series: MetricSeries) -> str:
    ends = (series.last_value, series.min_value, series.max_value)
    if series.last_is_nan or any(value is not None and math.isinf(value) for value in ends):
        return "ends or peaks at NaN or infinity"
    points, _ = history_page(series, POINTS_READ, None)
    if np.isnan(points.values).any():
        return "has NaN among its points"
    with_step = points.steps[points.steps != 0]  # a closing figure is often logged without one
    return "has steps that go back" if (np.diff(with_step) < 0).any() else ""


@rule("E5", "Known limits and failure cases are stated", "AI Act Annex IV 3", "SR 11-7 IV")
def limits_are_stated(record: Record) -> Result:
    if text := record.said("mled.limits"):
        return passed(f"“{text[:120]}”", proof=record.page("params"))
    card = CardText.objects.filter(version__in=[one.pk for one in record.versions], section="limits").exclude(text="")
    if written := card.first():
        return passed(f"On the model card: “{written.text[:120]}”")
    code = 'mlflow.set_tag("mled.limits", "Not for patients under 16; worse on night admissions.")'
    return missing("No limits are stated.", fix="Say where it must not be used, and where it fails.", code=code)


@rule("E6", "Compared with a baseline or challenger", "SR 11-7 V")
def is_compared(record: Record) -> Result:
    said = record.said("mled.baseline")
    if not said:
        code = 'mlflow.set_tag("mled.baseline", "<id of the run compared with>")'
        return missing("No baseline is named.", fix="Name the run that it was compared with.", code=code)
    other = _run_called(said, record)
    if other is None or other.pk == record.run.pk:
        return failed(f"There is no other run '{said[:60]}' in the project.", fix="Name one that there is.")
    theirs = set(MetricSeries.objects.filter(run=other).values_list("key", flat=True))
    shared = [one.key for one in record.deciding if one.key in theirs]
    if not shared:
        return failed(f"{other.readable_id} has none of the deciding metrics.", fix="Measure both alike.")
    return passed(f"With {other.readable_id} by {listed(shared)}.")


def _run_called(said: str, record: Record) -> Run | None:
    """The run of the same project that a text names by id or readable id."""
    runs = Run.objects.filter(project=record.project).select_related("project")
    if uid := uid_in(said):
        return runs.filter(uid=uid).first()
    readable = readable_id_in(said)
    if readable is None or readable[0] != record.project.key:
        return None
    return runs.filter(number=readable[1]).first()
