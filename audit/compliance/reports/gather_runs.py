"""Sections about runs, two hundred at a time: what they hold, what was said of them, and where their events stand."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from audit.compliance.models import Tombstone
from audit.compliance.reports import said
from audit.compliance.reports.asof import People, rows_at
from audit.compliance.reports.chain import Chain
from audit.compliance.reports.facts import Fact, RunSection
from audit.compliance.reports.gather_events import Told, told_of
from audit.compliance.reports.gather_records import Holdings, holdings_of
from audit.compliance.reports.gather_reviews import Said, said_of
from audit.compliance.rules.record import RUN
from experiments.conditions import conditions_of
from experiments.models import Run, RunTag
from experiments.values import Lifecycle, ReviewState, RunStatus
from runner.models import RecreationCheck

REPRODUCES = "mled.reproduces"
_SHOWN_ELSEWHERE = frozenset({"Code", "Data", "Parameters"})
_CODE_TAGS = (
    ("Branch", "mlflow.source.git.branch"),
    ("Repository", "mlflow.source.git.repoURL"),
    ("Work tree changed", "mlflow.source.git.dirty"),
)


def run_sections(uids: Sequence[str], size: int, chain: Chain, *, for_reproducing: bool) -> Iterator[RunSection]:
    """The sections of runs in this order, as they stood under the head. Runs that are gone are left out.

    for_reproducing: conditions say too where something was not recorded.
    """
    rows = Run.objects.filter(uid__in=[UUID(hex=uid) for uid in uids]).select_related("project", "experiment")
    runs = {run.uid.hex: run for run in rows}
    order = [runs[uid] for uid in uids if uid in runs]
    past = {row.uid.hex: row for row in rows_at(Run, size, uid__in=[run.uid for run in order])}
    people = People()
    people.learn(run.created_by_id for run in order)
    told = told_of(RUN, [run.uid.hex for run in order], chain, people)
    holdings = holdings_of(order, size, people)
    said_by_run = said_of([run.pk for run in order], {run.pk: told[run.uid.hex] for run in order}, size, people)
    again = _reproductions(order, size, people)
    parents = _names_of([run.parent_id for run in order])
    graves = _graves(order)
    for run in order:
        holds, words = holdings[run.pk], said_by_run[run.pk]
        yield _section(
            run,
            past.get(run.uid.hex, run),
            holds,
            words,
            told[run.uid.hex],
            around=_Around(again[run.pk], parents.get(run.parent_id or 0, ""), graves.get(run.pk, "")),
            people=people,
            for_reproducing=for_reproducing,
        )


class _Around:
    """What stands around a run: who did it again, the run it is part of, and what is left where it was purged."""

    def __init__(self, again: list[Fact], parent: str, grave: str) -> None:
        self.again, self.parent, self.grave = again, parent, grave


def _section(
    run: Run,
    then: Any,
    holds: Holdings,
    words: Said,
    told: Told,
    *,
    around: _Around,
    people: People,
    for_reproducing: bool,
) -> RunSection:
    conditions = conditions_of(
        then,
        params=holds.params,
        tags=holds.tags,
        series=holds.series,
        inputs=holds.inputs,
        paths=[file.path for file in holds.files],
    )
    wanted = [one for one in conditions.items if one.name not in _SHOWN_ELSEWHERE]
    missing = [one.name for one in conditions.missing]
    return RunSection(
        id=run.uid.hex,
        uid=run.readable_id,
        name=then.name,
        url=f"/r/{run.uid.hex}/",
        about=_about(run, then, around, people),
        state=ReviewState(then.review_state).label,
        datasets=holds.datasets,
        params=[Fact(key, value) for key, value in holds.params.items()],
        metrics=holds.metrics,
        curves=holds.curves,
        files=holds.files,
        environment=[Fact(one.name, one.found) for one in (conditions.items if for_reproducing else wanted)],
        code=_code(then, holds.tags),
        tags=[Fact(key, value) for key, value in holds.tags.items()],
        rules=list(words.rules),
        assessed=words.assessed,
        verdicts=list(words.verdicts),
        findings=list(words.findings),
        reproductions=around.again,
        events=told.printed,
        chain=told.chain,
        gaps=[*_gaps(then, holds, words, missing, around), *([told.left_out] if told.left_out else [])],
        changed=told.changed,
    )


def _about(run: Run, then: Any, around: _Around, people: People) -> list[Fact]:
    facts = [
        Fact("Run id", run.uid.hex),
        Fact("Experiment", run.experiment.name),
        Fact("Status", RunStatus(then.status).label),
        Fact("Made by", people.name(run.created_by_id)),
        Fact("Made at", said.moment(run.created_at)),
        Fact("Claimed user", then.claimed_user),
        Fact("Started", said.moment_ms(then.started_ms)),
        Fact("Ended", said.moment_ms(then.ended_ms)),
        Fact("Duration", said.duration(then.started_ms, then.ended_ms)),
        Fact("Locked", said.moment(then.locked_at)),
        Fact("Sealed", said.moment(then.sealed_at)),
        Fact("Seal, SHA-256", then.seal),
    ]
    if around.parent:
        facts.append(Fact("Part of", around.parent))
    if then.lifecycle == Lifecycle.DELETED:
        facts.append(Fact("Deleted", said.moment(then.deleted_at)))
    if around.grave:
        facts.append(Fact("Purged", around.grave))
    return facts


def _code(then: Any, tags: Mapping[str, str]) -> list[Fact]:
    return [
        Fact("Commit", then.git_commit),
        *(Fact(label, tags.get(key, "")) for label, key in _CODE_TAGS),
        Fact("Started from", then.source_name),
    ]


def _gaps(then: Any, holds: Holdings, words: Said, missing: Sequence[str], around: _Around) -> list[str]:
    """What a reader would look for and does not find."""
    told = {
        "The run has not ended.": then.status in (RunStatus.RUNNING, RunStatus.SCHEDULED),
        "The rules were not asked by then.": not words.assessed,
        "No dataset version is recorded.": not holds.inputs,
        "No parameter is recorded.": not holds.params,
        "No metric is recorded.": not holds.metrics,
        "No file is recorded.": not holds.files,
        "It is not sealed, so points of metrics have no digest in the log.": not then.seal,
        "Nobody reviewed it by then.": not words.verdicts,
        "Nobody did it again.": not around.again,
    }
    rest = [name for name in missing if name not in ("Data", "Parameters")]
    named = [f"Not recorded: {', '.join(rest)}."] if rest else []
    return [text for text, holds_true in told.items() if holds_true] + named


def _reproductions(runs: Sequence[Run], size: int, people: People) -> dict[int, list[Fact]]:
    """By run: the runs that did it again, among those that were there under the head."""
    by_uid = {run.uid.hex: run for run in runs}
    projects = {run.project_id for run in runs}
    rows = RunTag.objects.filter(key=REPRODUCES, value__in=list(by_uid), run__project__in=projects)
    tags = list(rows.select_related("run__project").order_by("run__number"))
    there = {row.id: row for row in rows_at(Run, size, uid__in=[tag.run.uid for tag in tags])}
    checks = {row.again_id: row for row in rows_at(RecreationCheck, size, again__in=[tag.run_id for tag in tags])}
    found: dict[int, list[Fact]] = defaultdict(list)
    for tag in tags:
        run, then = by_uid[tag.value], there.get(tag.run_id)
        if tag.run_id != run.pk and then is not None and then.lifecycle == Lifecycle.ACTIVE:
            by = people.name(tag.run.created_by_id) or "nobody named"
            words = f"{RunStatus(then.status).label}, by {by}{_came_out(checks.get(tag.run_id))}"
            found[run.pk].append(Fact(tag.run.readable_id, words))
    return found


def _came_out(check: RecreationCheck | None) -> str:
    """What was kept once both had ended."""
    if check is None:
        return ""
    unlike = f"; not the same: {' '.join(check.changed)}" if check.changed else ""
    return f". Compared {said.moment(check.made_at)}: {check.verdict or 'nothing to compare'}{unlike}"


def _names_of(ids: Iterable[int | None]) -> dict[int, str]:
    rows = Run.objects.filter(pk__in={one for one in ids if one}).select_related("project")
    return {run.pk: f"{run.readable_id} {run.name}" for run in rows}


def _graves(runs: Sequence[Run]) -> dict[int, str]:
    rows = Tombstone.objects.filter(run__in=[run.pk for run in runs])
    return {row.run_id: f"{said.moment(row.at)}; SHA-256 of what it held: {row.digest}" for row in rows}
