"""What the doors ask: the same diagnosis for whoever keeps the site."""

from collections.abc import Sequence

from accounts.access import require
from kernel.actor import Actor
from kernel.errors import Invalid
from mled_site.diagnostics.registry import Check, all_checks, find_check
from mled_site.diagnostics.results import Asked, Report
from mled_site.diagnostics.running import examine

DIAGNOSE = "site.diagnose"


def checks_named(viewer: Actor, names: Sequence[str]) -> list[Check]:
    """These checks, or all where none is named. Raises Refused, and Invalid for a name that there is not."""
    require(viewer, DIAGNOSE)
    found = {name: find_check(name) for name in names}
    if unknown := [name for name, one in found.items() if one is None]:
        known = ", ".join(one.name for one in all_checks())
        raise Invalid(f"There is no check '{unknown[0][:40]}'.", hint=f"There are {known}.", field="check")
    return [one for one in found.values() if one is not None] or all_checks()


def diagnosis(viewer: Actor, names: Sequence[str] = (), asked: Asked | None = None) -> Report:
    """How the installation is at this moment. Raises Refused, Invalid."""
    return examine(checks_named(viewer, names), asked)
