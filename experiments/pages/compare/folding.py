"""Which sections of the comparison somebody keeps shut: a personal setting."""

from typing import Any, Final

from accounts.settings import Setting, register_setting
from kernel.errors import Invalid

FOLDED: Final = "compare.folded"
SECTIONS: Final = ("metrics", "params", "tags", "data", "code", "run", "system", "packages")


def register() -> None:
    """Make the setting known."""
    register_setting(Setting(FOLDED, [], _checked, in_projects=False))


def _checked(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(name in SECTIONS for name in value):
        raise Invalid(f"Sections of a comparison are {', '.join(SECTIONS)}.", field="value")
    return sorted(set(value))
