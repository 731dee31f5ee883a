"""Reading single files of code that others wrote: no link leads out of it, no pipe makes anybody wait."""

import os
import stat
from pathlib import Path

from kernel.errors import Invalid


def small_text(folder: Path, name: str, at_most: int) -> str | None:
    """A text right in this folder; None where there is none, or it is a link. Raises Invalid for what is no text."""
    try:
        descriptor = os.open(folder / name, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        content = file.read(at_most + 1)
    if len(content) > at_most:
        raise Invalid(f"'{name}' is larger than {at_most // 1024**2} MB.", field="environment")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise Invalid(f"'{name}' is not written in UTF-8.", field="environment") from None


def refuse_outside(folder: Path, place: Path) -> Path:
    """The place, if it lies below the folder once links are followed. Raises Invalid."""
    try:
        real = place.resolve()
    except (OSError, RuntimeError):  # links in a circle, or a name that is too long
        raise Invalid(f"'{place.name[:80]}' leads nowhere.", field="folder") from None
    if not real.is_relative_to(folder.resolve()):
        raise Invalid(f"'{place.name[:80]}' leads out of the code.", field="folder")
    return place
