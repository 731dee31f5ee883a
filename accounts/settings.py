"""Which personal settings there are. A room registers its own when it starts; what nobody registered is refused."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kernel.digests import canonical_json
from kernel.errors import Invalid

SIZE_MAX = 16_000


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. default: what holds for who never chose; checked: gives the value to keep, or raises Invalid."""

    name: str
    default: Any
    checked: Callable[[Any], Any]
    in_projects: bool = True  # one value for each project, else one for all of them


SETTINGS: dict[str, Setting] = {}


def register_setting(setting: Setting) -> None:
    """Make a setting known. Called once, when an app is ready."""
    SETTINGS[setting.name] = setting


def get_setting(name: str) -> Setting:
    """A setting by its name. Raises Invalid for one that nobody registered."""
    found = SETTINGS.get(name)
    if found is None:
        raise Invalid(f"There is no setting '{name[:60]}'.", field="name")
    return found


def checked_value(setting: Setting, value: Any) -> Any:
    """What is kept of a value. Raises Invalid for one that the setting does not take, or that is too large."""
    kept = setting.checked(value)
    if len(canonical_json(kept)) > SIZE_MAX:
        raise Invalid(f"The setting '{setting.name}' is too large to keep.", field="value")
    return kept
