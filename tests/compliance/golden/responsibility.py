"""R and S: who answers for it, who approved it, and how."""

from accounts.actions.users import deactivate_user
from accounts.signing import sign
from audit.compliance.actions.reviews import submit_run
from audit.compliance.models import Review
from audit.compliance.verdict import record_of as verdict_of
from audit.ledger.acting import acting
from experiments.actions.runs import set_tags, update_run
from experiments.models import Run
from experiments.values import RunStatus
from kernel.actor import operator
from tests.compliance.golden.cases import (
    FAIL,
    MISSING,
    PASS,
    Case,
    an_approved_run,
    an_ended_run,
    an_open_team,
    bare,
    by_operator,
    complete,
    in_the_log,
    sets,
)
from tests.compliance.golden.world import (
    PASSWORD,
    World,
    a_model_of,
    a_plain_run,
    measured,
    promoted,
    proof_of,
    registered,
    used,
)
from tests.factories import user_of
from tests.ledger import forger


def of_somebody_else(world: World, run: Run) -> None:
    """Past the ledger: the run belongs to whoever reproduced it."""
    another = "SELECT created_by_id FROM experiments_run WHERE id > %s AND created_by_id IS NOT NULL LIMIT 1"
    assert forger.sql(f"UPDATE experiments_run SET created_by_id = ({another}) WHERE id = %s", run.pk, run.pk)


def its_author_left(world: World) -> Run:
    run = bare(world)
    deactivate_user(operator(), user=user_of(world.team.scientist), reason="Left.")
    return run


def changed_by_its_approver(world: World) -> Run:
    run = a_plain_run(world)
    used(world.team.scientist, run, world.test, context="test")
    measured(world.team.scientist, run, 0.9)
    version = registered(world.team, a_model_of(world.team.scientist, run, "model.onnx"))
    update_run(world.team.scientist, run, status=RunStatus.FINISHED)
    promoted(world.team.engineer, world.team.scientist, version)
    set_tags(world.team.engineer, run, tags={"stage": "final"})
    return in_the_log(run)


def changed_since(world: World) -> Run:
    team, run = an_approved_run()
    set_tags(team.scientist, run, tags={"stage": "final"})
    return in_the_log(run)


def signed_without_the_role(world: World) -> Run:
    """As a defect elsewhere would let it through: the action refuses an engineer."""
    from accounts.actions.users import change_password

    team = an_open_team()
    change_password(team.engineer, password=PASSWORD)
    run = an_ended_run(team)
    submit_run(team.scientist, run)
    review, proof = Review.objects.select_related("run__project").get(run=run), proof_of(team.engineer)
    with acting(team.engineer, "compliance.decide_review", roles="ml_engineer", project_id=team.project.pk) as act:
        review.state = Review.State.COMPLIANT
        meaning = "reviewed and found compliant"
        signing = {"subject": review, "record": verdict_of(review), "meaning": meaning, "comment": "", "proof": proof}
        review.signature = sign(team.engineer, team.project, **signing)
        review.save()
        act.speaks_of(run.ledger_subject)
    return in_the_log(run)


NOBODY = "Nobody has approved it"
CASES = [
    Case("R1", PASS, "Ada, data_scientist then", complete),
    Case("R1", PASS, "not active any more", its_author_left),
    Case("R1", FAIL, "the log names somebody else", complete, of_somebody_else),
    Case("R1", MISSING, "no author", by_operator),
    Case("R2", PASS, "Signed by Mona, Otto", complete),
    Case("R2", FAIL, "Emil signed “Approved for alias champion", changed_by_its_approver),
    Case("R2", MISSING, NOBODY, bare),
    Case("R3", PASS, "held the role", complete),
    Case("R3", FAIL, "Emil was ml_engineer when signing", signed_without_the_role),
    Case("R3", MISSING, NOBODY, bare),
    Case("S1", PASS, "UTC: Approved for alias champion", complete),
    Case("S1", FAIL, "lacks its name", complete, sets("accounts_signature", "printed_name", " ", where="1 = 1")),
    Case("S1", MISSING, NOBODY, bare),
    Case("S2", PASS, "As signed by Otto at place", complete),
    Case("S2", FAIL, "Changed since Otto signed: run › seal", changed_since),
    Case("S2", MISSING, NOBODY, bare),
    Case("S3", PASS, "By e-mail, password, within five minutes", complete),
    Case(
        "S3",
        FAIL,
        "no proof of identity",
        complete,
        sets("ledger_auditevent", "verb", "accounts.seen", where="verb = 'accounts.proved_identity'"),
    ),
    Case("S3", MISSING, NOBODY, bare),
]
IMPOSSIBLE: dict[tuple[str, str], str] = {}
