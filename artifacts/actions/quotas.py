"""How much the files of a project may take: set by whoever looks after the disks."""

from accounts.decorators import action
from accounts.models import Project
from artifacts.models import ProjectQuota, QuotaUse
from artifacts.quotas import count_anew, quota_of
from kernel.actor import Actor
from kernel.errors import Invalid

SET = "projects.set_quota"
LIMIT_MAX = 10**18


@action(SET, on="project")
def set_quota(actor: Actor, project: Project, *, limit_bytes: int | None, reason: str = "") -> ProjectQuota | None:
    """Let the files of a project take so many bytes; None: as many as there is room for.

    It may be less than they take already: then nothing is lost, and nothing more comes in. Raises Invalid.
    """
    if limit_bytes is not None and not 1 <= limit_bytes <= LIMIT_MAX:
        raise Invalid("A quota is 1 byte to 1,000 PB.", hint="To have none, remove it.", field="limit_bytes")
    held = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    quota = quota_of(held)
    if limit_bytes is None:
        if quota is not None:
            quota.delete()
            QuotaUse.objects.filter(project=held).delete()
        return None
    count_anew(held)
    quota = quota or ProjectQuota(project=held)
    quota.limit_bytes = limit_bytes
    quota.save()
    return quota
