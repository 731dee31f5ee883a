"""Lists of packages as a mapping of names to versions, as far as they pin any."""

import re

_PIN = re.compile(r"^\s*(?:-\s+)?([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*={1,3}\s*([A-Za-z0-9.!+_*-]+)")
_SEPARATORS = re.compile(r"[-_.]+")
LINES_MAX = 5_000


def pinned(text: str) -> dict[str, str]:
    """The packages that a requirements or conda file pins, by their normalised name (PEP 503), in their order."""
    found: dict[str, str] = {}
    for line in text.splitlines()[:LINES_MAX]:
        match = _PIN.match(line.partition("#")[0])
        if match:
            found.setdefault(_SEPARATORS.sub("-", match[1]).lower(), match[2])
    return found
