"""The paths of files below a run or model: plain, relative, the same on every machine."""

import re
from urllib.parse import unquote

from kernel.errors import Invalid

PATH_MAX = 1000
_SEGMENT_MAX_BYTES = 255  # what file systems take, so that a download can be unpacked
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_SCHEME = re.compile(r"^file:", re.IGNORECASE)


def checked_path(path: str, field: str = "path") -> str:
    """The path of a file, or Invalid: relative, no '.', '..' or empty part, also not behind percent signs."""
    if not path:
        raise Invalid("A file needs a path.", field=field)
    if len(path) > PATH_MAX:
        raise Invalid(f"A path has at most {PATH_MAX} characters; this one has {len(path):,}.", field=field)
    if _CONTROL.search(path):
        raise Invalid("A path cannot hold control characters.", field=field)
    for reading in _readings(path):
        if _leads_out(reading):
            raise Invalid(
                f"The path '{path[:80]}' leads out of its folder.",
                hint="Use a path below the run, such as plots/loss.png: no '..', no leading slash, no 'file:'.",
                field=field,
            )
    parts = path.split("/")
    if "" in parts or "." in parts:
        raise Invalid(f"The path '{path[:80]}' has an empty part or a '.'.", hint="Leave it out.", field=field)
    if any(len(part.encode()) > _SEGMENT_MAX_BYTES for part in parts):
        raise Invalid(f"One name in the path is longer than {_SEGMENT_MAX_BYTES} bytes.", field=field)
    return path


def checked_folder(path: str, field: str = "path") -> str:
    """The path of a folder, '' for the top; a slash at its end is left out. Raises Invalid as `checked_path` does."""
    plain = path.removesuffix("/") if path != "/" else path
    return checked_path(plain, field) if plain else ""


def parents(path: str) -> list[str]:
    """The folders above a path: 'a', 'a/b' for 'a/b/c'."""
    parts = path.split("/")
    return ["/".join(parts[:length]) for length in range(1, len(parts))]


def _readings(path: str) -> list[str]:
    """The path as sent, and as a careless reader would decode it once, twice or three times more."""
    readings = [path]
    for _ in range(3):
        readings.append(unquote(readings[-1], errors="replace"))
    return readings


def _leads_out(path: str) -> bool:
    return path.startswith("/") or bool(_SCHEME.match(path)) or ".." in path.split("/")
