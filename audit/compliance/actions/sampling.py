"""Drawing samples for review, and reviewing a project's audit trail."""

import random
from collections.abc import Sequence

from accounts.decorators import action
from accounts.models import Project
from audit.compliance.models import Draw, Review, TrailReview
from audit.compliance.texts import kept_text
from audit.compliance.trail import last_place
from experiments.models import Run
from experiments.values import ENDED, ReviewState
from kernel.actor import Actor
from kernel.digests import sha256_hex
from kernel.errors import Conflict, Invalid

SAMPLE_MAX = 1000
SEED_MAX = 64


@action("compliance.assign", on="project")
def draw_sample(
    actor: Actor, project: Project, *, method: str, runs: Sequence[Run], size: int, seed: str = "", question: str = ""
) -> Draw:
    """Put a sample of these runs into the queue; how it was drawn is on record, so that anybody can draw it again.

    method: 'random' takes `size` of them by `seed`; the others take all. Runs that are in review already are part of
    the population and of the draw, and stay as they are. Raises Invalid, Conflict for an empty population.
    """
    if method not in Draw.Method.values:
        raise Invalid(
            f"'{method[:20]}' is no way to draw.", hint=f"Use {', '.join(Draw.Method.values)}.", field="method"
        )
    by_uid = {run.uid.hex: run for run in runs if run.project_id == project.pk and run.status in ENDED}
    if not by_uid:
        raise Conflict("No ended run matches, so there is nothing to draw from.", hint="Change the filter.")
    population = sorted(by_uid)
    drawn = drawn_from(population, size=size, seed=seed) if method == Draw.Method.RANDOM else population
    if not 1 <= len(drawn) <= SAMPLE_MAX:
        raise Invalid(f"A sample has 1 to {SAMPLE_MAX:,} runs; this one has {len(drawn):,}.", field="size")
    draw = Draw(
        project=project,
        method=method,
        seed=seed if method == Draw.Method.RANDOM else "",
        question=kept_text(question, field="question"),
        population=len(population),
        population_digest=sha256_hex("\n".join(population).encode()),
        drawn=drawn,
        by_id=actor.user_id,
    )
    draw.save()
    for uid in drawn:
        _queue(by_uid[uid], draw)
    return draw


def drawn_from(population: Sequence[str], *, size: int, seed: str) -> list[str]:
    """`size` of the sorted ids by a seed: the same again for the same ids and seed. Raises Invalid."""
    if not seed.strip() or len(seed) > SEED_MAX or "\x00" in seed:
        raise Invalid(f"A seed has 1 to {SEED_MAX} characters.", field="seed")
    if not 1 <= size <= len(population):
        raise Invalid(f"Draw 1 to {len(population):,} of {len(population):,} runs.", field="size")
    return random.Random(f"mled-draw-1 {seed}").sample(list(population), size)  # noqa: S311 - chosen to be repeatable


def _queue(run: Run, draw: Draw) -> None:
    held = Run.objects.select_for_update(no_key=True).get(pk=run.pk)
    if Review.objects.filter(run=held, state__in=Review.OPEN).exists():
        return
    last = Review.objects.filter(run=held).order_by("-number").values_list("number", flat=True).first()
    Review(run=held, number=(last or 0) + 1, draw=draw, submitted_by=None).save()
    if held.review_state != ReviewState.COMPLIANT:  # an earlier verdict stands while it is looked at again
        held.review_state = ReviewState.SUBMITTED
        held.save()


@action("compliance.review_trail", on="project")
def review_trail(actor: Actor, project: Project, *, up_to: int, note: str) -> TrailReview:
    """Record that the project's audit trail was looked through up to a place in the log. Raises Invalid, Conflict."""
    last = last_place(project)
    if last is None:
        raise Conflict("The log has nothing of this project yet.")
    if not 0 <= up_to <= last:
        raise Invalid(f"The project's trail goes to place {last} of the log.", field="up_to")
    before = TrailReview.objects.filter(project=project).order_by("-at").first()
    if before is not None and up_to < before.up_to:
        raise Invalid(f"It was reviewed up to place {before.up_to} already.", field="up_to")
    text = kept_text(note, field="note", ask="Say what was looked at and found.")
    review = TrailReview(project=project, up_to=up_to, note=text, by_id=actor.user_id)
    review.save()
    return review
