"""What a project decides, citing runs. A decision is never rewritten: it is replaced by another, or taken back."""

from collections.abc import Sequence
from uuid import UUID

from django.db import IntegrityError
from django.db.models import Max

from accounts.access import can_see
from accounts.decorators import action
from accounts.models import Project
from experiments.gone import is_gone
from experiments.models import Decision, DecisionRun, Run
from experiments.values import Lifecycle, checked_text
from kernel.actor import Actor
from kernel.clock import now
from kernel.errors import AlreadyExists, Conflict, Invalid

DECIDE = "projects.decide"
TITLE_MAX, WHY_MAX, REASON_MAX, RUNS_MAX = 200, 20_000, 1000, 100


@action(DECIDE, on="project")
def record_decision(
    actor: Actor,
    project: Project,
    *,
    title: str,
    why: str = "",
    runs: Sequence[Run] = (),
    replaces: Decision | None = None,
    key: UUID | None = None,
) -> Decision:
    """Put down what was decided, why (Markdown), by which runs, and in place of which earlier decision.

    key: the decision's id, chosen by who sends it; sending it again changes nothing. Raises Invalid, Conflict for one
    to replace that does not stand any more, AlreadyExists for a key that stands for something else.
    """
    held = _held(project.pk)
    what, words = _line(title), checked_text(why.replace("\r\n", "\n").strip(), "why", WHY_MAX)
    wanted = Decision(project=held, title=what, why=words, replaces=replaces, created_by_id=actor.user_id)
    sent = Decision.objects.filter(pk=key).first() if key else None
    if sent is not None:
        return _same(sent, wanted, runs)
    cited = _checked_runs(actor, held, runs)
    if replaces is not None:
        _require_standing(held, replaces)
    last = Decision.objects.filter(project=held).aggregate(last=Max("number"))["last"] or 0
    wanted.number, wanted.pk = last + 1, key or wanted.pk
    try:
        wanted.save(force_insert=True)
    except IntegrityError:
        raise _taken() from None  # at this moment, by somebody in another project
    for place, run in enumerate(cited):
        DecisionRun(decision=wanted, run=run, place=place).save()
    return wanted


@action(DECIDE, on="decision")
def take_back_decision(actor: Actor, decision: Decision, *, reason: str) -> Decision:
    """Say that a decision holds no longer, and why; what it said stays. Doing it again changes nothing.

    Raises Invalid without a reason, Conflict where another decision has replaced it.
    """
    _held(decision.project_id)
    held: Decision = Decision.objects.get(pk=decision.pk)
    if held.taken_back_at is not None:
        return held
    words = checked_text(reason.strip(), "reason", REASON_MAX)
    if not words:
        raise Invalid("Say why it holds no longer.", hint="The reason is shown with the decision.", field="reason")
    _require_not_replaced(held)
    held.taken_back_at, held.taken_back_by_id, held.taken_back_why = now(), actor.user_id, words
    held.save()
    return held


def _held(project: UUID) -> Project:
    """The project, held: of a project's decisions one is put down, replaced or taken back at a time."""
    found: Project = Project.objects.select_for_update(no_key=True).get(pk=project)
    return found


def _same(sent: Decision, wanted: Decision, runs: Sequence[Run]) -> Decision:
    alike = ("project_id", "created_by_id", "title", "why", "replaces_id")
    cited = sent.citations.order_by("place").values_list("run", flat=True)  # type: ignore[attr-defined]
    is_same = all(getattr(sent, name) == getattr(wanted, name) for name in alike)
    if not is_same or list(cited) != list(dict.fromkeys(run.pk for run in runs)):
        raise _taken()
    return sent


def _taken() -> AlreadyExists:
    return AlreadyExists("This key stands for another decision.", hint="Send another, or none.", field="key")


def _line(title: str) -> str:
    words = checked_text(" ".join(title.split()), "title", TITLE_MAX)
    if not words:
        raise Invalid("A decision says what was decided.", hint="Say it in one line.", field="title")
    return words


def _checked_runs(actor: Actor, project: Project, runs: Sequence[Run]) -> list[Run]:
    """Each once, in their order."""
    cited = list({run.pk: run for run in runs}.values())
    if len(cited) > RUNS_MAX:
        raise Invalid(f"{len(cited):,} runs are cited; a decision cites at most {RUNS_MAX}.", field="runs")
    deleted = set(Run.objects.filter(pk__in=[run.pk for run in cited], lifecycle=Lifecycle.DELETED).values_list("pk"))
    for run in cited:
        if run.project_id != project.pk or not can_see(actor, run) or is_gone(run):
            raise Invalid(f"{run.readable_id} is no run of this project.", hint="Cite runs of it.", field="runs")
        if (run.pk,) in deleted:
            raise Invalid(f"{run.readable_id} is deleted.", hint="Restore it first, or leave it out.", field="runs")
    return cited


def _require_standing(project: Project, earlier: Decision) -> None:
    if earlier.project_id != project.pk:
        raise Invalid("It is a decision of another project.", field="replaces")
    held: Decision = Decision.objects.get(pk=earlier.pk)
    if held.taken_back_at is not None:
        raise Conflict(
            f"Decision {held.number} was taken back; nothing is left to replace.",
            hint="Record yours as one of its own.",
            field="replaces",
        )
    _require_not_replaced(held)


def _require_not_replaced(held: Decision) -> None:
    later = Decision.objects.filter(replaces=held).first()
    if later is not None:
        raise Conflict(
            f"Decision {held.number} was replaced by decision {later.number} meanwhile; nothing was saved.",
            hint=f"Look at decision {later.number}, and speak of that one.",
            field="replaces",
        )
