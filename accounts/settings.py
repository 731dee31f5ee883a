"""Which personal settings there are. A room registers its own when it starts; what nobody registered is refused."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from accounts.texts import storable
from kernel.digests import canonical_json
from kernel.errors import Invalid

SIZE_MAX = 16_000
DEEPEST = 8
_INTEGER_MAX = 2**53 - 1  # beyond it JSON readers disagree


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
    _require_plain(value)
    kept = setting.checked(value)
    if len(canonical_json(kept)) > SIZE_MAX:
        raise Invalid(f"The setting '{setting.name}' is too large to keep.", field="value")
    return kept


def _require_plain(value: Any, depth: int = 0) -> None:
    """Raise Invalid for what databases and canonical JSON do not keep as it is."""
    if depth > DEEPEST:
        raise Invalid("The value of a setting is not nested so deep.", field="value")
    if isinstance(value, str):
        storable(value, "The value", field="value")
    elif isinstance(value, int | float) and not -_INTEGER_MAX <= value <= _INTEGER_MAX:  # NaN is not, either
        raise Invalid("A number of a setting is finite and has at most 53 bits.", field="value")
    elif isinstance(value, dict | list):
        for one in [*value, *value.values()] if isinstance(value, dict) else value:
            _require_plain(one, depth + 1)
