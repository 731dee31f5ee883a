"""How a reader likes the columns of a project's run table: wide, pinned, in which format. Kept on the server."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from accounts.models import Project
from accounts.queries.settings import setting_of
from accounts.settings import Setting, register_setting
from experiments.pages.columns import column_of
from experiments.pages.numbers import FORMATS
from kernel.actor import Actor
from kernel.errors import Invalid

NAME = "runs.columns"
EVERYWHERE = "runs.columns_everywhere"
NARROWEST, WIDEST = 48, 640
PINS_MAX = 4
KEPT_MAX = 120  # columns with a width or a format of their own; the latest are kept


@dataclass(frozen=True, slots=True)
class Taste:
    """By a column's key: its width in pixels, its format, and whether it shows heat. pins: those that stay in sight."""

    widths: Mapping[str, int] = field(default_factory=dict)
    pins: tuple[str, ...] = ()
    formats: Mapping[str, str] = field(default_factory=dict)
    heat: Mapping[str, bool] = field(default_factory=dict)

    @classmethod
    def parse(cls, value: Any) -> "Taste":
        """A value of the setting. Raises Invalid for what is none."""
        if not isinstance(value, dict) or set(value) - {"widths", "pins", "formats", "heat"}:
            raise Invalid("A taste of columns has widths, pins, formats and heat.", field="value")
        widths, formats, heat = (_table(value, name) for name in ("widths", "formats", "heat"))
        pins = value.get("pins", [])
        if not isinstance(pins, list) or not all(isinstance(key, str) for key in pins):
            raise Invalid("Pins are a list of columns.", field="value")
        return cls(
            {key: _width(width) for key, width in widths.items()},
            tuple(key for key in dict.fromkeys(pins) if column_of(key))[-PINS_MAX:],
            {key: _format(form) for key, form in formats.items() if form != "auto"},
            {key: is_on for key, is_on in heat.items() if isinstance(is_on, bool)},
        )

    @property
    def value(self) -> dict[str, Any]:
        """As the setting keeps it."""
        return {
            "widths": dict(self.widths),
            "pins": list(self.pins),
            "formats": dict(self.formats),
            "heat": dict(self.heat),
        }


def _table(value: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = value.get(name, {})
    if not isinstance(found, dict):
        raise Invalid(f"The {name} are a table by column.", field="value")
    return {key: one for key, one in list(found.items())[-KEPT_MAX:] if column_of(key) or key in ("name", "status")}


def _width(width: Any) -> int:
    if not isinstance(width, int | float) or isinstance(width, bool) or not math.isfinite(width):
        raise Invalid("A width is a number of pixels.", field="value")
    return round(min(WIDEST, max(NARROWEST, width)))


def _format(form: Any) -> str:
    if not isinstance(form, str) or form not in FORMATS:
        raise Invalid("There is no such number format.", hint=f"Choose one of {', '.join(FORMATS)}.", field="value")
    return form


def register() -> None:
    """Make the setting known."""
    register_setting(Setting(NAME, {}, lambda value: Taste.parse(value).value))
    register_setting(Setting(EVERYWHERE, {}, lambda value: Taste.parse(value).value, in_projects=False))


def name_in(project: Project | None) -> str:
    """The setting for a project's table, or for that of all runs."""
    return EVERYWHERE if project is None else NAME


def taste_of(viewer: Actor, project: Project | None) -> Taste:
    """What this viewer chose for this project, or for the table of all runs."""
    return Taste.parse(setting_of(viewer, name_in(project), project))


def changed(taste: Taste, do: str) -> Taste:
    """The taste after one act on a column: `pin:KEY`, `unpin:`, `heat:`, `cool:`, `fixed3:`, `width-140:`, `width:`.

    What cannot be done changes nothing.
    """
    verb, _, key = do.partition(":")
    name, _, pixels = verb.partition("-")
    if column_of(key) is None:
        return taste
    if verb in FORMATS:
        return replace(taste, formats=_but(taste.formats, key, None if verb == "auto" else verb))
    if verb in ("heat", "cool"):
        return replace(taste, heat=_but(taste.heat, key, verb == "heat"))
    if verb in ("pin", "unpin"):
        others = tuple(one for one in taste.pins if one != key)
        return replace(taste, pins=(*others, key)[-PINS_MAX:] if verb == "pin" else others)
    if name == "width" and (not pixels or (pixels.isascii() and pixels.isdigit() and len(pixels) < 6)):
        return replace(taste, widths=_but(taste.widths, key, _width(int(pixels)) if pixels else None))
    return taste


def _but(kept: Mapping[str, Any], key: str, value: Any) -> dict[str, Any]:
    others = {name: one for name, one in kept.items() if name != key}
    return others if value is None else {**others, key: value}
