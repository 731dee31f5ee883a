"""A recalled dataset version: whoever logged runs on it is told."""

from django.db.models import Q

from accounts.models import User
from accounts.notices import tell
from artifacts.actions.recall import NOTICE_KINDS
from artifacts.models import DatasetVersion
from artifacts.versions import page_of, recall_words
from experiments.models import RunInput
from experiments.values import Lifecycle
from kernel.actor import Actor


def tell_authors(actor: Actor, version: DatasetVersion, is_recalled: bool) -> None:
    """Part of a recall, or of taking one back: a notice to each author of runs on the version, but who did it."""
    used = RunInput.objects.filter(dataset_version=version, run__lifecycle=Lifecycle.ACTIVE)
    authors = User.objects.filter(pk__in=used.values("run__created_by")).exclude(Q(pk=actor.user_id))
    words = f"{recall_words(version, is_recalled=is_recalled)} You logged runs on it."
    tell(authors, kind=NOTICE_KINDS[is_recalled], text=words, url=page_of(version), project=version.dataset.project)
