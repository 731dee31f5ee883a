"""H: whether the history is whole, whose it is, and when it was written."""

from datetime import timedelta
from itertools import pairwise

from audit.compliance.rules.engine import Result, failed, missing, not_applicable, passed, rule
from audit.compliance.rules.record import RUN, Record, is_work, listed, unlike
from audit.ledger.models import AuditEvent
from audit.ledger.queries.history import PastEvent, with_payloads
from audit.ledger.queries.soundness import broken_link, differs_from_log, replayed
from experiments.metrics.seal import seal_of
from experiments.models import ExperimentTag, RunInput, RunTag

LATE = timedelta(hours=24)
LATEST = timedelta(days=36_500)  # a client may send any number of 64 bits
JUMP = timedelta(minutes=5)
TELL = "Tell the administrator, and run manage.py verify_ledger."
COLUMNS = ("status", "name", "git_commit", "created_by_id", "started_ms", "ended_ms", "claimed_user", "seal")


@rule("H1", "The history is whole: events, chain, checkpoints and seal verify", "21 CFR 11.10(e)", "AI Act Article 12",
      "EU GMP Annex 11 §9")  # fmt: skip
def history_is_whole(record: Record) -> Result:
    if not record.events:
        return missing("No event speaks of this run.", fix=TELL)
    wrong = broken_link(record.events)
    if wrong == "waiting":
        return missing("Its last events wait for their place in the log.", fix="Wait some seconds.")
    if wrong:
        return failed(f"The log is broken: {wrong}.", fix=TELL, proof=record.page("history"))
    recorded, now = replayed(RUN, record.run.ledger_id, record.events), record.run.ledger_fields()
    if off := [name for name in unlike(recorded, now) if name in COLUMNS]:
        return failed(f"Changed without an event: {listed(off)}.", fix=TELL, proof=record.page("history"))
    if off := _words_unlike(record):
        return failed(f"Changed without an event: {listed(off)}.", fix=TELL, proof=record.page("history"))
    if record.run.seal and seal_of(record.run) != record.run.seal:
        words = "Points, params, tags or files are not those that were sealed."
        return failed(words, fix=TELL, proof=record.page("history"))
    last = max(one.seq for one in record.events if one.seq is not None)
    sealed = "sealed" if record.run.seal else "not sealed yet"
    return passed(f"{len(record.events)} events up to place {last}, {sealed}.", proof=record.page("history"))


def _words_unlike(record: Record) -> list[str]:
    """Tags and inputs of the run, and tags of its experiment, that are not as their events left them."""
    run, experiment = record.run, record.run.experiment
    inputs = RunInput.objects.filter(run=run).values_list("dataset_version", "context", "tags")
    given = {version.hex: {"context": context, "tags": tags} for version, context, tags in inputs}
    tags = dict(RunTag.objects.filter(run=run).values_list("key", "value"))
    around = dict(ExperimentTag.objects.filter(experiment=experiment).values_list("key", "value"))
    kind, pk = experiment.ledger_subject.kind, experiment.ledger_id
    past = with_payloads(list(AuditEvent.objects.filter(subject_type=kind, subject_id=pk).order_by("id")))
    return [
        *(f"tag {key}" for key in unlike(replayed("experiments.runtag", run.ledger_id, record.events), tags)),
        *(f"input {key[:8]}" for key in unlike(replayed("experiments.runinput", run.ledger_id, record.events), given)),
        *(f"the experiment's tag {key}" for key in unlike(replayed("experiments.experimenttag", pk, past), around)),
    ]


@rule("H2", "Every act is a person's or a named token's", "21 CFR 11.10(e)", "ALCOA attributable")
def acts_have_actors(record: Record) -> Result:
    nameless = [one for one in record.events if is_work(one.event.verb) and one.event.actor_id is None]
    nameless = [one for one in nameless if one.event.actor_kind != "system"]
    if not record.events:
        return missing("No event speaks of this run.", fix=TELL)
    if nameless:
        words = f"{len(nameless)} acts by {nameless[0].event.actor_kind}, without a person or token."
        return failed(words, fix="Log with a person's or a service account's token.", proof=record.page("history"))
    people = {one.event.actor_id for one in record.events if one.event.actor_id}
    return passed(f"{len(people)} {'person' if len(people) == 1 else 'people'} in {len(record.events)} events.")


@rule("H3", "Logged at the time of work", "ALCOA contemporaneous")
def was_logged_at_once(record: Record) -> Result:
    late = [one for one in record.events if (off := _off(one)) is not None and off > LATE]
    if late:
        words = f"{len(late)} of {len(record.events)} events entered later, the first by {_off(late[0])}."
        return failed(words, fix="Say in the notes why it was entered later.", proof=record.page("history"))
    if not any(one.event.client_ms for one in record.events):
        return missing("No client said when it did the work.", fix="Log with a client that sends its time.")
    return passed("Client and server agree within 24 hours.")


def _off(past: PastEvent) -> timedelta | None:
    if not past.event.client_ms:
        return None
    seconds = abs(past.event.at.timestamp() - past.event.client_ms / 1000)
    return timedelta(seconds=min(seconds, LATEST.total_seconds()))


@rule("H4", "The log's clock never went back", "ALCOA consistent")
def clock_went_on(record: Record) -> Result:
    placed = sorted((one for one in record.events if one.seq is not None), key=lambda one: one.seq or 0)
    if not placed:
        return missing("No event of it has a place in the log yet.", fix="Wait some seconds.")
    for before, after in pairwise(placed):
        if before.event.at - after.event.at > JUMP:
            back = before.event.at - after.event.at
            words = f"Between places {before.seq} and {after.seq} the clock went back by {back}."
            return failed(words, fix="Find out why the server's clock jumped.", proof=record.page("history"))
    return passed("Times follow the order of the log.")


@rule("H5", "Each change after submission has a reason", "EU GMP Annex 11 §9")
def changes_have_reasons(record: Record) -> Result:
    submitted = next(record.events_of("compliance.submit_run"), None)
    if submitted is None:
        return not_applicable("It was not submitted yet.")
    later = [one for one in record.events if one.event.id > submitted.event.id and is_work(one.event.verb)]
    silent = [one for one in later if one.event.actor_kind != "system" and not one.reason.strip()]
    if silent:
        verbs = sorted({one.event.verb for one in silent})
        words = f"{len(silent)} changes after submission without a reason: {listed(verbs)}."
        return failed(words, fix="Say why in an amendment.", proof=record.page("history"))
    return passed(f"{len(later)} changes after submission, each with its reason.", proof=record.page("history"))


@rule("H6", "The audit trail was reviewed before approval", "EU GMP Annex 11 §9")
def trail_was_reviewed(record: Record) -> Result:
    fix = "Let an auditor look through the project's audit log and record the review."
    signed = record.signatures[-1] if record.signatures else None  # a flag before it approved nothing
    before = [one for one in record.events if signed is None or one.event.id < signed.event_id]
    last = max((one.seq for one in before if one.seq is not None and is_work(one.event.verb)), default=None)
    if not record.trail_reviews or last is None:
        return missing("No auditor has reviewed the project's trail.", fix=fix)
    in_time = [one for one in record.trail_reviews if signed is None or one.at <= signed.signed_at]
    covering = [one for one in in_time if one.up_to >= last]
    if covering:
        one = covering[-1]
        said = {"up_to": one.up_to, "note": one.note, "by_id": one.by_id, "at": one.at}
        if wrong := differs_from_log(one.ledger_subject.kind, one.ledger_id, said):
            return failed(f"The review of the trail is not as recorded: {wrong}.", fix=TELL)
        return passed(f"By {covering[-1].by} on {covering[-1].at:%Y-%m-%d}, up to place {covering[-1].up_to}.")
    if in_time or signed is None:
        words = f"Reviewed up to place {record.trail_reviews[-1].up_to} of the log; the run's work goes to {last}."
        return missing(words, fix=fix)
    return failed("Reviewed only after the approval.", fix="Review the trail before the verdict.")
