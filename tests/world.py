"""People, projects and runs for tests, made as everybody makes them: through actions."""

import io

from accounts.actions.members import add_member, appoint, appoint_member
from accounts.actions.projects import create_project
from accounts.actions.users import create_user
from accounts.models import Project, User
from accounts.roles import Role
from artifacts.blobs import receive
from artifacts.storage import StoredBlob
from experiments.actions.runs import create_run
from experiments.models import Experiment, Run
from kernel.actor import Actor, ActorKind, Door, operator

PASSWORD = "a long enough passphrase 7"


def project(slug: str) -> Project:
    return create_project(operator(), slug=slug)


def person(name: str, role: Role | None = None, in_project: Project | None = None) -> User:
    """Somebody with one role: in a project, or on the whole site."""
    user = create_user(operator(), email=f"{name}@example.org", name=name.capitalize(), password=PASSWORD)
    if role is not None and in_project is None:
        appoint(operator(), user=user, role=role)
    elif role in (Role.PROJECT_MANAGER, Role.AUDITOR):
        appoint_member(operator(), in_project, role=role, user=user)
    elif role is not None:
        add_member(operator(), in_project, role=role, user=user)
    return user


def at(user: User, door: Door = Door.REST) -> Actor:
    """The person, acting through a door."""
    return Actor(ActorKind.USER, door, user_id=user.id, user_name=user.name, is_active=user.is_active)


def default_experiment(of: Project) -> Experiment:
    return Experiment.objects.get(project=of, is_default=True)


def run(actor: Actor, experiment: Experiment, **options) -> Run:
    return create_run(actor, experiment, **options)


def stored(content: bytes) -> StoredBlob:
    """Bytes as they lie in the store before anybody names them."""
    return receive(io.BytesIO(content), expected=len(content))
