"""The log: do events get their places, are heads signed and anchored, when was all of it last verified."""

from django.conf import settings

from audit.ledger import status
from audit.ledger.alarm import troubles
from audit.ledger.places import BadAnchors, places_far_away, uses_file
from audit.ledger.queries.health import ledger_lag, newest_head
from kernel.clock import now
from mled_site.diagnostics.registry import check
from mled_site.diagnostics.results import Notes
from mled_site.diagnostics.words import span

VERIFIED_EVERY_DAYS = 30
NEXT = {
    "stopped": "Put right what it names; the sequencer goes on by itself within seconds. No event is lost.",
    "late": "Start it: manage.py up does, or manage.py sequencer. The log of MLED says why it ended. No event is lost.",
}
ANCHOR_NEXT = "Check that the place answers and takes writes (MLED_ANCHORS); what is missing is written by itself then."


@check("sequencer", "Audit log", seconds=10, needs_database=True)
def sequencer(notes: Notes) -> None:
    """How far the log is behind, when its head was signed and where it is anchored, what the last verification said."""
    lag = ledger_lag()
    notes.figure("Waiting for a place", f"{lag.waiting:,} events, the first for {lag.seconds:.0f} s")
    head = newest_head()
    if head is None:
        notes.figure("Newest signed head", "none yet")
    else:
        notes.figure("Newest signed head", f"{head.size:,} events, {span((now() - head.at).total_seconds())} ago")
    for trouble in troubles():
        kind = trouble.name.partition("-")[0]
        code = f"sequencer.{kind}" if kind in NEXT else "sequencer.not_anchored"
        notes.fail(code, trouble.words, NEXT.get(kind, ANCHOR_NEXT))
    _anchors(notes)
    _verified(notes)


def _anchors(notes: Notes) -> None:
    notes.figure("Anchored in the file", "yes" if uses_file() else "no")
    try:
        far = places_far_away()
    except BadAnchors as error:
        notes.fail(
            "sequencer.anchors", str(error), "Correct MLED_ANCHORS; docs/operate.md, Anchors, says what it names."
        )
        return
    failing = {one.where: one for one in status.failing_places()}
    for place in far:
        reached = status.reached(place.name)
        notes.figure(f"Anchored in {place.name}", "unknown" if reached is None else f"up to checkpoint {reached:,}")
        if place.name in failing and not any(place.name in one.what for one in notes.problems):
            notes.warn(
                "sequencer.anchor_late",
                f"{place.name} did not take the newest heads: {failing[place.name].words}",
                ANCHOR_NEXT,
            )
    if not far and not uses_file():
        notes.warn(
            "sequencer.unanchored",
            f"Signed heads are anchored nowhere (MLED_ANCHORS is {','.join(settings.MLED_ANCHORS) or 'empty'}): "
            "an old copy of the database could be put in place unseen.",
            "Set MLED_ANCHORS=file, or a bucket with object lock.",
        )


def _verified(notes: Notes) -> None:
    last = status.verified()
    if last is None:
        notes.figure("Last verified", "never here")
        return
    age = (now() - last.at).total_seconds()
    verdict = "sound" if last.is_sound else f"NOT SOUND, {last.problems:,} problems"
    notes.figure("Last verified", f"{span(age)} ago, {last.events:,} events: {verdict}")
    if not last.is_sound:
        notes.fail(
            "sequencer.not_sound",
            f"verify_ledger found {last.problems:,} {'problem' if last.problems == 1 else 'problems'} {span(age)} ago: "
            "something was changed past MLED.",
            "Run manage.py verify_ledger, which names each; keep the database as it is until somebody has looked.",
        )
    elif age > VERIFIED_EVERY_DAYS * 86_400:
        notes.warn(
            "sequencer.verify_again",
            f"The log was last verified {span(age)} ago.",
            "Run manage.py verify_ledger, and let cron do it every week.",
        )
