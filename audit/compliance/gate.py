"""The gate that evidence is for promotions: what the rules and the auditors say of the runs behind a version.

In a governed project a version is not approved while a rule that blocks is unmet, but for those that only the approval
can meet; while a run behind it is flagged, or changed since its verdict; or without a verdict, where the project's
profile asks for one. In an open project the same is a warning.
"""

from audit.compliance.actions.reviews import blocking as standing_in_the_way
from audit.compliance.judging import judge, results_in
from audit.compliance.models import RunStanding
from audit.compliance.profile import Profile, profile_of
from audit.compliance.rules.engine import RULES, Judged, Severity
from audit.compliance.rules.record import Record
from audit.ledger.acting import open_act
from experiments.models import Run
from experiments.values import ReviewState
from registry.gates import Case, Gate, Outcome, Verdict, register_gate

# A profile in which one of these blocks wants somebody without a hand in the run to have approved it, signed.
ASK_FOR_A_VERDICT = ("R2", "S1")
NAMED = 3
_WORDS = {
    ReviewState.FLAGGED: "is flagged",
    ReviewState.CHANGED: "changed since its review",
    ReviewState.SUBMITTED: "waits for its review",
    ReviewState.IN_REVIEW: "is in review",
    ReviewState.NOT_REVIEWED: "is not reviewed",
}


def register() -> None:
    """Put it on the checklist. Called once, when the app is ready."""
    register_gate(Gate("evidence", "Rules met, review stands", is_evidence_sound))


def is_evidence_sound(case: Case) -> Verdict:
    """The runs behind the version, the first that stands in the way."""
    if case.is_prompt:
        return Verdict(Outcome.PASS, "Does not apply: this version is a prompt.")
    if not case.runs:
        return Verdict(Outcome.WARN, "There is no source run whose record could be asked.")
    project = case.version.model.project
    profile = profile_of(project.profile)
    found = next((one for run in case.runs if (one := _in_the_way(run, profile))), None)
    if found is None:
        reviewed = [run.readable_id for run in case.runs if run.review_state == ReviewState.COMPLIANT]
        words = f"Found compliant: {', '.join(reviewed)}." if reviewed else "No rule that blocks is unmet."
        return Verdict(Outcome.PASS, f"{profile.title}: {words}", _rules_of(case.runs[0]))
    return Verdict(Outcome.FAIL if project.is_governed else Outcome.WARN, *found)


def asks_for_verdict(profile: Profile) -> bool:
    """Whether what follows this profile is promoted only with a verdict."""
    return any(profile.rules.get(key) is Severity.BLOCKS for key in ASK_FOR_A_VERDICT)


def _in_the_way(run: Run, profile: Profile) -> tuple[str, str] | None:
    """What stands in the way, in a sentence, and where to look; None for nothing."""
    state = ReviewState(run.review_state)
    if state in (ReviewState.FLAGGED, ReviewState.CHANGED):
        return f"{run.readable_id} {_WORDS[state]}.", _review_of(run)
    unmet = standing_in_the_way(_results(run))
    if unmet:
        titles = ", ".join(f"{one.rule} {RULES[one.rule].title.lower()}" for one in unmet[:NAMED] if one.rule in RULES)
        more = f" and {len(unmet) - NAMED} more" if len(unmet) > NAMED else ""
        block = "rule blocks" if len(unmet) == 1 else "rules block"
        return f"{run.readable_id}: {len(unmet)} {block}: {titles}{more}.", _rules_of(run)
    if state != ReviewState.COMPLIANT and asks_for_verdict(profile):
        words = f"{run.readable_id} {_WORDS[state]}; {profile.title} asks for a verdict first."
        return words, _review_of(run)
    return None


def _results(run: Run) -> list[Judged]:
    """What the rules say: as last asked where nothing changed since; within an act they are asked anew."""
    standing = RunStanding.objects.filter(run=run).select_related("assessment").first()
    if open_act() is None and standing is not None and standing.assessment is not None and standing.stale_at is None:
        return results_in(standing.assessment.results)
    return judge(Record(run))


def _rules_of(run: Run) -> str:
    return f"/r/{run.readable_id}/rules/"


def _review_of(run: Run) -> str:
    return f"/r/{run.readable_id}/review/"
