"""Which pictures of several runs belong together, and at which steps: told from the paths of their files."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

# mlflow.log_image(image, key=…, step=…) writes images/<key>+step+<step>+timestamp+<ms>+<id>.png and a small copy with
# +compressed.webp; earlier clients wrote % in place of +, and # in place of ~ for a slash of the key.
_KEYED: Final = re.compile(
    r"^images/(?P<key>.+?)(?P<s>[+%])step(?P=s)(?P<step>-?\d{1,18})(?P=s)timestamp(?P=s)(?P<at>\d{1,18})(?P=s)"
    r"(?P<id>[0-9a-fA-F-]{8,64})(?P<small>(?P=s)compressed)?\.[A-Za-z0-9]{1,5}$"
)
_NUMBERED: Final = re.compile(
    r"^(?P<before>.*?)(?<![A-Za-z])(?P<word>step|epoch|iter)[-_=]?0*(?P<step>\d{1,18})(?P<after>\D.*)$"
)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of one run: its name without the step, the step (None: it has none), and its file's path."""

    name: str
    step: int | None
    path: str


@dataclass(slots=True)
class Album:
    """Pictures of one name. by_run: for each run (by its place) the paths by step."""

    name: str
    by_run: dict[int, dict[int | None, str]] = field(default_factory=dict)

    @property
    def steps(self) -> list[int]:
        """Every step that any of the runs has a picture of."""
        return sorted({step for paths in self.by_run.values() for step in paths if step is not None})


def picture_of(path: str) -> tuple[Picture, int] | None:
    """What a path says of its picture, and when it was logged (ms, 0: not said); None for the small copies."""
    keyed = _KEYED.match(path)
    if keyed:
        name = keyed["key"].replace("~", "/").replace("#", "/")
        return None if keyed["small"] else (Picture(name, int(keyed["step"]), path), int(keyed["at"]))
    numbered = _NUMBERED.match(path)
    if numbered:
        name = f"{numbered['before']}{numbered['word']}*{numbered['after']}"
        return Picture(name, int(numbered["step"]), path), 0
    return Picture(path, None, path), 0


def albums_of(paths: Mapping[int, Iterable[str]]) -> list[Album]:
    """Pictures by name, those that most runs have first. paths: for each run (by its place) those of its pictures.

    Of two pictures of one name and step the one that was logged later counts.
    """
    albums: dict[str, Album] = {}
    times: dict[tuple[str, int, int | None], int] = {}
    for run, of_run in paths.items():
        for path in of_run:
            said = picture_of(path)
            if said is None:
                continue
            picture, at = said
            which = (picture.name, run, picture.step)
            if at >= times.get(which, -1):
                times[which] = at
                albums.setdefault(picture.name, Album(picture.name)).by_run.setdefault(run, {})[picture.step] = path
    return sorted(albums.values(), key=lambda album: (-len(album.by_run), -len(album.steps), album.name))


def at_step(paths: Mapping[int | None, str], step: int | None) -> tuple[int | None, str] | None:
    """The picture of a run at a step: that of this step, else of the latest one before it, else of no step."""
    steps = sorted(one for one in paths if one is not None)
    if step is None:
        found = None if None in paths else (steps[-1] if steps else None)
        return (found, paths[found]) if found in paths else None
    place = bisect_right(steps, step)
    if place:
        return steps[place - 1], paths[steps[place - 1]]
    return (None, paths[None]) if None in paths else None


def nearest(steps: Sequence[int], wanted: int | None) -> int | None:
    """The step to open with: the one asked for or the last before it; the last of all where none is asked for."""
    if not steps:
        return None
    if wanted is None:
        return steps[-1]
    return steps[max(0, bisect_right(steps, wanted) - 1)]
