"""Giving a role from the command line, by the action that is meant for it."""

from accounts.actions.members import MANAGED, add_member, appoint_member
from accounts.models import Membership, Project, User
from accounts.roles import Role
from kernel.actor import Actor


def give_role(actor: Actor, project: Project, user: User, role: Role) -> Membership:
    """Add or appoint, as the role asks."""
    if role in MANAGED:
        return add_member(actor, project, role=role, user=user)
    return appoint_member(actor, project, role=role, user=user)
