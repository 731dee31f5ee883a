"""Environments are kept once for each content: by themselves, or as part of the act that needs them."""

from django.db import transaction

from accounts.decorators import action
from accounts.models import Project
from artifacts.few_bytes import keep_few
from kernel.actor import Actor
from runner.models import Environment
from runner.packages import Packages


@action("runner.launch", on="project")
def keep_environment(
    actor: Actor,
    project: Project,
    *,
    kind: Environment.Kind,
    python: str,
    lock: bytes,
    project_file: bytes = b"",
    secret: str = "",
) -> Environment:
    """The environment of this content, made where it is new. The content is checked already (`runner.packages`)."""
    return keep_packages(actor, project, Packages(kind, python, lock, project_file, secret))


def keep_packages(actor: Actor, project: Project, packages: Packages) -> Environment:
    """Part of an action: the same."""
    known: Environment | None = Environment.objects.filter(project=project, digest=packages.digest).first()
    if known is not None:
        return known
    environment = Environment(
        project=project,
        digest=packages.digest,
        kind=packages.kind,
        python=packages.python,
        lock_id=keep_few(packages.lock).digest,
        project_file_id=keep_few(packages.project_file).digest if packages.project_file else None,
        secret=packages.secret,
        created_by_id=actor.user_id,
    )
    with transaction.atomic():
        environment.save()
    return environment
