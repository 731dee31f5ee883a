"""Before it starts: what is there and what is not, what will differ, how long it may take. Nothing is written."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from kernel.errors import Invalid
from runner.images import read_image
from runner.models import Environment
from runner.packages import image_of
from runner.pages.jobs_words import in_words, lacking_cards
from runner.pages.launch_fields import InputField
from runner.pages.launch_form import FOLDER, REPOSITORY, Typed
from runner.queries.launching import Expected, QueueOffer
from runner.sweeping import Plan
from runner.trainers import Trainer

PASS, MISS, BAD = "pass", "miss", "bad"
SHOWN: Final = 6
MANY: Final = 100  # runs of a sweep, from which on their number is a warning


@dataclass(frozen=True, slots=True)
class Check:
    """One line. state: pass, miss (it can start, but) or bad (it cannot)."""

    state: str
    title: str
    words: str

    @property
    def icon(self) -> str:
        """Of the state."""
        return {PASS: "ok", MISS: "warn", BAD: "bad"}[self.state]


def data_check(inputs: Sequence[InputField]) -> Check:
    """Whether all data are there, kept by their digests and in use."""
    chosen = [one for one in inputs if one.chosen]
    missing = [one.title.lower() for one in inputs if one.is_required and not one.chosen]
    if missing:
        return Check(BAD, "Data is to be chosen", f"{', '.join(missing)}: no version yet")
    if not chosen:
        return Check(PASS, "No data from the catalogue", "nothing is mounted")
    unknown = [one.title.lower() for one in chosen if one.option is None]
    if unknown:
        return Check(BAD, "Data is not there", f"{', '.join(unknown)}: no such version in this project")
    options = [one.option for one in chosen if one.option is not None]
    recalled = [one.name for one in options if one.is_recalled]
    if recalled:
        return Check(BAD, "Data was recalled", f"{', '.join(recalled)} may not be used any more")
    outside = [one.name for one in options if not one.is_kept]
    if outside:
        return Check(BAD, "Data lies elsewhere", f"MLED has no files of {', '.join(outside)} to give to a job")
    if len(options) == 1:
        return Check(PASS, "Data is there", f"{options[0].name}, found by its digest, read-only")
    return Check(PASS, "Data is there", f"{len(options)} versions, found by their digests, read-only")


def environment_check(typed: Typed, trainer: Trainer | None, known: Iterable[Environment]) -> Check:
    """Whether it is said which packages it runs with."""
    if trainer is not None:
        pinned = sum(
            1 for line in trainer.requirements.splitlines() if "==" in line and not line.startswith(("#", " "))
        )
        return Check(PASS, "Environment is known", f"Python {trainer.python}, {pinned} packages by their lock")
    chosen = typed.text("environment")
    if chosen in ("requirements", "lock"):
        if not typed.text(chosen):
            return Check(MISS, "Environment is to be given", "paste the file, or choose one that was used before")
        pinned = sum(1 for line in typed.texts[chosen].splitlines() if "==" in line or line.startswith("name ="))
        return Check(PASS, "Environment is given", f"{pinned} package{'' if pinned == 1 else 's'} named")
    if chosen == "image":
        return _image_check(typed.text("image"))
    found = next((one for one in known if str(one.pk) == chosen), None)
    if image := image_of(found):
        return _image_check(image)
    if found is not None:
        return Check(PASS, "Environment is known", f"{found.get_kind_display()}, Python {found.python}")
    if typed.kind in (REPOSITORY, FOLDER):
        words = "without one it has plain Python alone, or what lies beside the code (uv.lock, requirements.txt)"
        return Check(MISS, "No environment is named", words)
    return Check(PASS, "Environment is known", "as the template says")


def _image_check(named: str) -> Check:
    """What an image is found by. Whether it can be had is known once a worker asks for it."""
    try:
        name = read_image(named)
    except Invalid:
        return Check(MISS, "Environment is to be given", "name an image: registry.example.org/team/train:1.2")
    if name.digest:
        return Check(PASS, "Environment is known", "an image by its digest; its worker fetches it")
    words = "its worker fetches what the tag means then; the run keeps the digest, and is done again by that"
    return Check(PASS, "Environment is given", words)


def worker_check(queue: str, offers: Sequence[QueueOffer], cards: int = 0) -> Check:
    """Whether anybody would do it now. cards: graphics cards that it needs."""
    found = next((one for one in offers if one.name == queue), None)
    if found is None:
        return Check(MISS, "No worker now", f"nobody serves the queue {queue}; it waits until somebody does")
    if cards > found.cards:
        words = lacking_cards(queue, cards, found.cards)
        return Check(MISS, "No worker for it now", f"{words} It waits until one has.")
    if not found.free:
        return Check(MISS, "Workers are busy", f"all {found.slots} slots of queue {queue} are taken; it waits its turn")
    return Check(
        PASS, "Worker is free", f"{found.free} of {found.slots} slot{'' if found.slots == 1 else 's'} in queue {queue}"
    )


def likeness_checks(run_name: str, cannot: Sequence[str], differs: Sequence[str]) -> list[Check]:
    """What of the run that it is like cannot be met, and what will not be the same."""
    lines = [*cannot, *differs]
    found = [_parted(words, run_name) for words in lines[:SHOWN]]
    if not lines:
        found = [Check(PASS, f"Conditions of {run_name} can be met", "code, data and packages are the same")]
    if len(lines) > SHOWN:
        found.append(Check(MISS, f"And {len(lines) - SHOWN} more", "see the page of its recreation"))
    return found


def _parted(words: str, run_name: str) -> Check:
    """'Packages: it was run with …' as a title and words."""
    head, sign, rest = words.partition(": ")
    if sign and len(head) < 30:
        return Check(MISS, f"{head} will differ", rest)
    return Check(MISS, f"Not as in {run_name}", words)


def fields_check(problems: Sequence[tuple[str, str]]) -> Check | None:
    """What is still missing or wrong in the form, but for its data, of which `data_check` tells: names of fields and
    what is wrong."""
    left = [(label, words) for label, words in problems if not label.startswith("Data")]
    if not left:
        return None
    more = f" And {len(left) - 1} more." if len(left) > 1 else ""
    return Check(BAD, f"{len(left)} field{'' if len(left) == 1 else 's'} to fill", f"{left[0][0]}: {left[0][1]}{more}")


def sweep_check(plan: Plan | None) -> Check | None:
    """How many runs a sweep will be, before any begins; None for a single run."""
    if plan is None:
        return None
    count = plan.count()
    words = f"{min(plan.at_once, count)} at the same time"
    return Check(PASS if count < MANY else MISS, f"A sweep of {count:,} run{'' if count == 1 else 's'}", words)


def expected_words(expected: Expected | None, plan: Plan | None) -> str:
    """ "about 2 h 40 m, from 5 like runs". plan: of a sweep, None for a single run."""
    if expected is None:
        return "not known: nothing like it was run here yet"
    shorter = " with less to do" if expected.is_most else ""
    told = f"from {expected.jobs} like run{'' if expected.jobs == 1 else 's'}{shorter}"
    most = "up to " if expected.is_most else ""
    if plan is None:
        return f"{most}{in_words(expected.seconds)}, {told}"
    rounds = math.ceil(plan.count() / max(1, plan.at_once))
    return f"{most}{in_words(expected.seconds)} each, {most}{in_words(expected.seconds * rounds)} in all; {told}"
