"""A recalled dataset version: whoever registered models that stand on it is told."""

from django.db.models import Q

from accounts.models import User
from accounts.notices import tell
from artifacts.actions.recall import NOTICE_KINDS
from artifacts.models import DatasetVersion
from artifacts.versions import page_of, recall_words
from kernel.actor import Actor
from registry.built_on import standing_on
from registry.models import ModelVersion


def tell_makers(actor: Actor, version: DatasetVersion, is_recalled: bool) -> None:
    """Part of a recall, or of taking one back: a notice to each maker of models on the version, but who did it."""
    models = ModelVersion.objects.filter(standing_on(version), is_deleted=False)
    makers = User.objects.filter(pk__in=models.values("created_by")).exclude(Q(pk=actor.user_id))
    words = f"{recall_words(version, is_recalled=is_recalled)} Models that you registered stand on it."
    tell(makers, kind=NOTICE_KINDS[is_recalled], text=words, url=page_of(version), project=version.dataset.project)
