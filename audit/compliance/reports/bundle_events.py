"""Which events of the log a reader of a report has to have in hand.

Everything about the runs themselves: their experiments, reviews, findings, waivers and assessments, the datasets that
went in, the models that came out with their versions and promotions. And what the report rests on: who was who in the
project, its settings and rules, looks through its trail, holds and purges, as far as whoever asked may read the log of
the project and see who may do what. Nothing of other projects.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Q

from accounts.access import can
from accounts.models import Membership, Project, ProjectUserObjectPermission
from artifacts.models import Dataset, DatasetVersion
from audit.compliance.actions.assessments import RECORDED_AS as ASSESSMENT
from audit.compliance.models import Assessment, Finding, NotApplicable, Report, ReportPart, Review, Waiver
from audit.compliance.queries.log_question import asked_of
from audit.compliance.reports.asked import READ_LOG, SEE_ACCESS, bundle_holds, question_of, requester_of
from audit.ledger.queries.extract import places_about, places_of
from audit.ledger.queries.search import matching
from audit.ledger.values import plain
from experiments.models import Experiment, ExperimentUserObjectPermission, MetricDirection, Run, RunInput
from kernel.actor import system
from registry.models import LoggedModel, ModelVersion, PromotionRequest, RegisteredModel

CHUNK = 500
VERSION = "version:"
GRANT = ExperimentUserObjectPermission._meta.label_lower
# What a report of any kind rests on, whichever of them it speaks of, by the right that it takes.
OWN = {
    READ_LOG: (
        *(model._meta.label_lower for model in (Project, Membership, ProjectUserObjectPermission, MetricDirection)),
        *(f"compliance.{name}" for name in ("profilecopy", "draw", "trailreview", "legalhold", "purge")),
    ),
    SEE_ACCESS: ("compliance.accessreview",),
}
WITHOUT = {
    READ_LOG: {
        "events": "of the project itself: members, guests, settings, rules, draws, reviews of its trail, legal holds, "
        "purges; and who was let in to experiments",
        "why": "Whoever asked for it may not read the log of the project.",
    },
    SEE_ACCESS: {"events": "of access reviews", "why": "Whoever asked for it may not see who may do what."},
}
Subject = tuple[str, Any]


def places_for(report: Report) -> set[int]:
    """The places of the events that belong to a report, of the first `log_size` of the log."""
    size, project = report.log_size or 0, report.project_id
    if _is_extract(report):
        asked = asked_of(system(), report.project, {k: v for k, v in question_of(report).items() if isinstance(v, str)})
        return set(places_of(project, matching(asked.question), size=size))
    held = _held(report)
    own = [kind for right, kinds in OWN.items() if right in held for kind in kinds]
    found = set(places_of(project, Q(subject_type__in=own), size=size))
    found.update(places_about(project, report._meta.label_lower, [report.ledger_id], size=size))
    about: dict[str, set[str]] = {}
    for kind, one in _subjects(report):
        if kind == GRANT and READ_LOG not in held:
            continue
        about.setdefault(kind, set()).add(str(plain(one)))
    for kind, ids in about.items():
        found.update(places_about(project, kind, sorted(ids), size=size))
    return found


def left_out(report: Report) -> list[dict[str, str]]:
    """Which events that a report rests on are not in its bundle, and why."""
    if _is_extract(report):
        return []
    held = _held(report)
    return [said for right, said in WITHOUT.items() if right not in held]


def _is_extract(report: Report) -> bool:
    """Whether it is what a filter of the log finds, and nothing else."""
    return report.kind == Report.Kind.TRAIL and report.scope == Report.Scope.PROJECT


def _held(report: Report) -> frozenset[str]:
    """The rights that its events may take: those that whoever asked for it had then, and has still."""
    viewer = requester_of(report)
    return frozenset(right for right in bundle_holds(report) if can(viewer, right, report.project))


def _subjects(report: Report) -> Iterator[Subject]:
    """Kind and id of everything that a report speaks of; the same more than once."""
    if report.kind == Report.Kind.ACCESS:
        return
    for ids in ReportPart.objects.filter(report=report).order_by("number").values_list("runs", flat=True):
        for start in range(0, len(ids), CHUNK):
            some = ids[start : start + CHUNK]
            if report.kind == Report.Kind.MODEL_CARD or report.scope == Report.Scope.VERSION:
                yield from _of_versions(some)
            if report.kind != Report.Kind.MODEL_CARD:
                yield from _of_runs(_keys(some))


def _keys(ids: Sequence[str]) -> list[int]:
    """Primary keys of runs by their outer ids."""
    outer = [UUID(hex=one) for one in ids if not one.startswith(VERSION)]
    return list(Run.objects.filter(uid__in=outer).values_list("pk", flat=True))


def _of_runs(keys: Sequence[int]) -> Iterator[Subject]:
    runs = Run.objects.filter(pk__in=keys)
    yield from _named(Run._meta.label_lower, runs.values_list("uid", flat=True))
    yield from _of_experiments(runs.values_list("experiment", flat=True).distinct())
    for model in (Review, Finding, Waiver, NotApplicable):
        yield from _named(model._meta.label_lower, model.objects.filter(run__in=keys).values_list("pk", flat=True))
    yield from _named(ASSESSMENT, Assessment.objects.filter(run__in=keys).values_list("pk", flat=True))
    used = RunInput.objects.filter(run__in=keys).values_list("dataset_version", "dataset_version__dataset")
    for version, dataset in used.distinct():
        yield DatasetVersion._meta.label_lower, version
        yield Dataset._meta.label_lower, dataset
    made = LoggedModel.objects.filter(source_run__in=keys)
    yield from _named(LoggedModel._meta.label_lower, made.values_list("model_id", flat=True))
    came = ModelVersion.objects.filter(Q(run__in=keys) | Q(logged_model__source_run__in=keys))
    yield from _registered(list(came.values_list("pk", flat=True)))


def _of_versions(ids: Iterable[str]) -> Iterator[Subject]:
    keys = [int(one.removeprefix(VERSION)) for one in ids if one.removeprefix(VERSION).isdigit() and len(one) != 32]
    versions = list(ModelVersion.objects.filter(pk__in=keys).select_related("logged_model"))
    yield from _registered([one.pk for one in versions])
    runs = [one.run_id or (one.logged_model.source_run_id if one.logged_model else None) for one in versions]
    yield from _of_runs([one for one in runs if one is not None])


def _registered(versions: Sequence[int]) -> Iterator[Subject]:
    yield from _named(ModelVersion._meta.label_lower, versions)
    models = ModelVersion.objects.filter(pk__in=versions).values_list("model", flat=True)
    yield from _named(RegisteredModel._meta.label_lower, models.distinct())
    asked = PromotionRequest.objects.filter(version__in=versions)
    yield from _named(PromotionRequest._meta.label_lower, asked.values_list("pk", flat=True))


def _of_experiments(ids: Iterable[int]) -> Iterator[Subject]:
    some = list(ids)
    yield from _named(Experiment._meta.label_lower, some)
    grants = ExperimentUserObjectPermission.objects.filter(content_object__in=some)
    yield from _named(GRANT, grants.values_list("pk", flat=True))


def _named(kind: str, ids: Iterable[Any]) -> Iterator[Subject]:
    return ((kind, one) for one in ids)
