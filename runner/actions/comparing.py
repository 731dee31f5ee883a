"""What came out when a run was done again, kept once both have ended."""

from accounts.decorators import action
from experiments.compare.reproduction import Verdict, verdict_of
from experiments.metrics.holding import hold_run
from experiments.metrics.seal import seal_of
from experiments.models import Run
from experiments.queries.reproductions import laid_beside, original_of
from experiments.values import ENDED
from kernel.actor import Actor
from kernel.errors import Refused
from runner.models import Job, RecreationCheck
from runner.recreating.rows import written
from runner.recreating.unlike import record_of, unlike


@action("runner.launch", on="run")
def keep_check(actor: Actor, run: Run) -> Run:
    """Lay a run that does another one again beside it and keep what comes out, once both and their jobs have ended;
    once for each.

    Called by the system. It changes neither run: later changes of either leave what was kept as it is.
    """
    if actor.is_person:
        raise Refused("This is compared by MLED itself.")
    hold_run(run.pk, alone=True)
    run.refresh_from_db()
    found = original_of(actor, run)
    if found is None or RecreationCheck.objects.filter(again=run).exists():
        return run
    first, with_changes = found
    if run.status not in ENDED or first.status not in ENDED:
        return run
    if Job.objects.filter(run__in=(run, first), state__in=Job.OPEN).exists():  # its client ended it, more is to come
        return run
    ((_, rows),) = laid_beside(actor, first, [run])
    verdict = verdict_of(rows)
    if first.status != run.status:
        verdict = Verdict.DIFFERENT
    RecreationCheck(
        again=run,
        first=first,
        verdict=verdict or "",
        rows=written(rows),
        changed=unlike(record_of(actor, first), record_of(actor, run)),
        with_changes=with_changes,
        first_status=first.status,
        again_status=run.status,
        first_seal=seal_of(first),
        again_seal=seal_of(run),
    ).save()
    return run
