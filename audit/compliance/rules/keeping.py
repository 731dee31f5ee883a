"""C, T and X: whether nothing was left out, and whether it will be there and readable when it is asked for."""

import datetime as dt

from audit.compliance.retention import CLASSES
from audit.compliance.rules.engine import Result, failed, missing, passed, rule
from audit.compliance.rules.purpose import TELL
from audit.compliance.rules.record import RUN, Record
from audit.ledger.models import AuditEvent
from audit.ledger.queries.history import with_payloads
from experiments.models import Run
from experiments.values import ENDED, RunStatus

SIBLINGS_MAX = 2_000  # so many are looked up in the log for one run
A_YEAR = dt.timedelta(days=365)
LOG_DAYS_LEAST = 183  # AI Act Articles 19 and 26(6): six months
REHEARSED = "compliance.record_rehearsal"
VERIFIED = "compliance.record_verification"
BROUGHT = (  # into its experiment
    "experiments.create_run", "experiments.record_run", "experiments.move_run",
    "runner.launch", "runner.retry_job", "runner.recreate", "runner.begin_sweep",
)  # fmt: skip


@rule(
    "C1", "Selection is honest: sibling runs are counted, failed and deleted ones too", "ALCOA complete", "SR 11-7 IV"
)
def siblings_are_counted(record: Record) -> Result:
    siblings = Run.objects.filter(experiment=record.run.experiment_id)
    made, failed_ones = siblings.count(), siblings.exclude(status=RunStatus.FINISHED).count()
    gone = siblings.filter(lifecycle="deleted").count()
    told = AuditEvent.objects.filter(
        verb__in=BROUGHT, project_id=record.project.pk,
        subject_type=RUN, subject_id__in=[uid.hex for uid in siblings.values_list("uid", flat=True)[:SIBLINGS_MAX]],
    )  # fmt: skip
    known = told.values("subject_id").distinct().count()
    if known < min(made, SIBLINGS_MAX):
        return failed(f"The log made {known} runs of this experiment, the table has {made}.", fix="Run verify_ledger.")
    return passed(f"One of {made} runs of its experiment; {failed_ones} did not finish, {gone} are deleted.")


@rule("C2", "The run ended in a final state", "ALCOA complete")
def run_ended(record: Record) -> Result:
    status = RunStatus(record.run.status)
    if status == RunStatus.FINISHED:
        return passed("Finished.")
    if status in ENDED:
        return failed(f"It ended as {status.label.lower()}.", fix="Run it again.", proof=record.page())
    return missing(f"It is {status.label.lower()}.", fix="Wait for its end, or end it.", code="mlflow.end_run()")


@rule("T1", "A retention class is set, and long enough", "AI Act Article 18", "21 CFR 11.10(c)")
def retention_is_set(record: Record) -> Result:
    if off := _retention_off(record):
        return off
    chosen = CLASSES.get(record.project.retention_class)
    if chosen is None:
        fix = "Let the project's manager choose how long its records are kept."
        return missing("No retention class is set.", fix=fix, proof=record.settings_page)
    if chosen.record_days < record.profile.record_days:
        words = f"{chosen.title}: {chosen.record_days:,} days; the profile asks for {record.profile.record_days:,}."
        return failed(words, fix="Choose a longer class.", proof=record.settings_page)
    return passed(f"{chosen.title}.", proof=record.settings_page)


def _retention_off(record: Record) -> Result | None:
    if record.project.retention_class and (wrong := record.project_differs("retention_class")):
        return failed(f"Not as recorded: {wrong}.", fix=TELL, proof=record.settings_page)
    return None


@rule("T2", "The log is kept for half a year at least", "AI Act Articles 19, 26(6)")
def log_is_kept(record: Record) -> Result:
    if off := _retention_off(record):
        return off
    chosen = CLASSES.get(record.project.retention_class)
    least = max(LOG_DAYS_LEAST, record.profile.log_days)
    if chosen is None:
        return missing("No retention class is set.", fix="Choose one in the settings.", proof=record.settings_page)
    if chosen.log_days < least:
        words = f"{chosen.title} keeps the log {chosen.log_days:,} days; the profile asks for {least:,}."
        return failed(words, fix="Choose a longer class.", proof=record.settings_page)
    return passed(f"At least {chosen.log_days:,} days; MLED itself never removes an event.", proof=record.settings_page)


@rule("T3", "A back-up that holds it was restored in rehearsal", "EU GMP Annex 11 §7.2", "SOC 2 A1.3")
def restore_was_rehearsed(record: Record) -> Result:
    fix = "Restore a back-up elsewhere, verify it, and record it: manage.py record_rehearsal."
    rows = AuditEvent.objects.filter(verb=REHEARSED, outcome="done").order_by("-id")
    told = with_payloads(list(rows[:50]))
    last = record.last_work.seq if record.last_work is not None else None
    for past in told:
        sizes = [pair[1] for change in past.changes for name, pair in change.fields.items() if name == "log_size"]
        if sizes and last is not None and int(sizes[0]) > last:
            if wrong := record.broken(past):
                return failed(f"The log is broken where it says so: {wrong}.", fix=TELL)
            if record.at - past.event.at > A_YEAR:
                return failed(f"The last rehearsal was on {past.event.at:%Y-%m-%d}, over a year ago.", fix=fix)
            return passed(f"Rehearsed on {past.event.at:%Y-%m-%d}.")
    if told:
        return failed("No rehearsed back-up holds all work on this run.", fix=fix)
    return missing("No restore rehearsal is recorded.", fix=fix)


@rule("T4", "A day for revalidation is set and not past", "SR 11-7 V", "EU GMP Annex 11 §11", "42001 9.1")
def review_day_is_set(record: Record) -> Result:
    said = record.said("mled.review_by")
    code = 'mlflow.set_experiment_tag("mled.review_by", "2027-06-30")'
    if not said:
        return missing("No day for the next review is set.", fix="Set one.", code=code)
    try:
        day = dt.date.fromisoformat(said)
    except ValueError:
        return failed(f"'{said[:40]}' is no day.", fix="Write it as 2027-06-30.", code=code)
    if day < record.at.date():
        return failed(f"It was due on {day}.", fix="Review it, and set the next day.", code=code)
    return passed(f"Due on {day}.")


@rule("X1", "An export of it was opened offline and verified", "21 CFR 11.10(b)")
def export_was_verified(record: Record) -> Result:
    told = list(record.events_of(VERIFIED))
    tried = [one for one in told if one.event.actor_id not in record.contributors]
    if not tried:
        fix = "Let somebody without a hand in the run verify an exported bundle offline and record the outcome."
        words = " but by who made it" if told else ""
        return missing(f"No export of it was verified offline{words}.", fix=fix)
    values = [pair[1] for change in tried[-1].changes for name, pair in change.fields.items() if name == "exit_code"]
    if not values or int(values[-1]) != 0:
        ended = values[-1] if values else "an unknown code"
        return failed(f"The verifier ended with {ended} on {tried[-1].event.at:%Y-%m-%d}.", fix="Find out why.")
    return passed(f"Verified on {tried[-1].event.at:%Y-%m-%d}.")
