"""What people are told of their jobs when others act on them."""

from django.urls import reverse

from accounts.models import User
from accounts.notices import tell
from experiments.models import Run
from kernel.actor import Actor

STOPPED = "job.stopped"


def tell_owner_of_stop(actor: Actor, run: Run, owner: User | None, what: str, reason: str) -> None:
    """Part of stopping: a notice to whoever launched it, unless they stopped it themselves. what: 'job', 'sweep'."""
    if owner is None or owner.pk == actor.user_id or not actor.is_person:
        return
    words = f"{actor.user_name} stopped your {what} {run.readable_id}{f' “{run.name}”' if run.name else ''}."
    why = f" They say: “{reason}”" if reason else ""
    url = reverse("experiments:run", args=[run.uid.hex])
    tell([owner], kind=STOPPED, text=words + why, url=url, project=run.project)
