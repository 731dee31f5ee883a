"""Which roles a field of the API takes, by their names."""

from collections.abc import Iterable

from accounts.actions.members import APPOINTED, MANAGED
from accounts.roles import SITE_ROLES, Role


def _choices(roles: Iterable[Role]) -> list[tuple[str, str]]:
    given = set(roles)
    return [(role.value, role.label) for role in Role if role in given]


ANY_ROLE = _choices(Role)
ROLE_IN_PROJECT = _choices(MANAGED | APPOINTED)
ROLE_BY_MANAGER = _choices(MANAGED)
ROLE_OF_SITE = _choices(SITE_ROLES)
