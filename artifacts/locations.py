"""Where artifacts may be said to lie: in MLED, or outside it as a name that is kept and never opened."""

import re

from kernel.errors import Invalid

_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*):")
LOCATION_MAX = 2000


def checked_location(location: str, *, allow_outside: bool, field: str = "artifact_location") -> str:
    """The location as given, '' for MLED's own. Raises Invalid for local paths, `file:`, `runs:` and ones too long."""
    if not location:
        return ""
    scheme = _SCHEME.match(location)
    name = scheme.group(1).lower() if scheme else ""
    if len(location) > LOCATION_MAX or "\x00" in location:
        raise Invalid(f"A location has at most {LOCATION_MAX} plain characters.", field=field)
    if name in ("", "file", "runs", "models") or len(name) == 1:
        raise Invalid(
            "A local path, 'file:' or 'runs:' is no place for artifacts of a team.",
            hint="Leave the location out: MLED keeps the files.",
            field=field,
        )
    if name == "mlflow-artifacts" and ("?" in location or "#" in location or ".." in location):
        raise Invalid("An mlflow-artifacts location holds no '?', '#' or '..'.", field=field)
    if name != "mlflow-artifacts" and not allow_outside:
        raise Invalid("This project keeps artifacts inside MLED only.", hint="Leave the location out.", field=field)
    return location


def is_outside(location: str) -> bool:
    """Whether a location lies outside MLED: returned as it is, never opened."""
    return bool(location) and not location.startswith("mlflow-artifacts:")
