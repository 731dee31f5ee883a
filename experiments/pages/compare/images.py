"""Pictures of the same name side by side, at one step for all of them."""

from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.pages.doors import signed_in
from experiments.compare.pictures import Album, albums_of, at_step, nearest
from experiments.pages.artifacts import shelf_of
from experiments.pages.compare.frame import Chip, Frame, framed
from experiments.queries.comparison import files_of_runs

ENDINGS: Final = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff")
ALBUMS_SHOWN: Final = 200
STEPS_MAX: Final = 2_000


@dataclass(frozen=True, slots=True)
class Shown:
    """The picture of one run at the step. by_step: for scripts, the addresses of all its pictures in order."""

    chip: Chip
    words: str
    url: str
    page_url: str
    by_step: list[dict[str, Any]]


@require_safe
@signed_in
def page(request: HttpRequest) -> HttpResponse:
    """`image=` is the name of the pictures, `step=` where the slider stands."""
    frame = framed(request, "images")
    context = frame.context
    if frame.runs:
        found = files_of_runs(frame.viewer, frame.runs, ENDINGS)
        albums = albums_of({at: [file.path for file in found.get(run.pk, ())] for at, run in enumerate(frame.runs)})
        name = request.GET.get("image", "")
        current = next((album for album in albums if album.name == name), albums[0] if albums else None)
        context |= {
            "all_runs": frame.runs,
            "albums": [(album.name, len(album.by_run), _url(frame, album.name)) for album in albums[:ALBUMS_SHOWN]],
            "unlisted": max(0, len(albums) - ALBUMS_SHOWN),
            "current": current,
        }
        if current is not None:
            context |= _at(frame, current, request.GET.get("step", ""))
    return render(request, "experiments/compare_images.html", context)


def _url(frame: Frame, name: str, step: int | None = None) -> str:
    more = [("image", name), *([("step", str(step))] if step is not None else [])]
    return frame.asked.url(more=more)


def _at(frame: Frame, album: Album, wanted: str) -> dict[str, Any]:
    """The pictures of an album at a step, and the steps beside it."""
    steps = album.steps[:STEPS_MAX]
    number = int(wanted) if wanted.removeprefix("-").isdecimal() and len(wanted) < 19 else None
    step = nearest(steps, number)
    place = steps.index(step) if step is not None else 0
    shown = [_shown(frame, album, at, step) for at in range(len(frame.runs))]
    return {
        "steps": steps,
        "step": step,
        "place": place,
        "earlier_url": _url(frame, album.name, steps[place - 1]) if place > 0 else "",
        "later_url": _url(frame, album.name, steps[place + 1]) if place + 1 < len(steps) else "",
        "shown": shown,
        "picture_data": {"steps": steps, "runs": {one.chip.ref: one.by_step for one in shown}},
    }


def _shown(frame: Frame, album: Album, at: int, step: int | None) -> Shown:
    chip, paths = frame.context["chips"][at], album.by_run.get(at, {})
    shelf = shelf_of(frame.viewer, chip.run)
    found = at_step(paths, step)
    ordered = sorted(paths.items(), key=lambda item: (item[0] is not None, item[0] or 0))
    return Shown(
        chip=chip,
        words=words_of(found[0] if found else None, step) if found else "",
        url=shelf.picture_url(found[1]) if found else "",
        page_url=shelf.show_url(found[1]) if found else "",
        by_step=[{"step": one, "url": shelf.picture_url(path), "page": shelf.show_url(path)} for one, path in ordered],
    )


def words_of(found: int | None, wanted: int | None) -> str:
    """At which step a picture was logged, said where it is not the one that the slider stands at."""
    if found is None or wanted is None:
        return "no step said" if wanted is not None else ""
    return f"step {found:,}" if found == wanted else f"latest before: step {found:,}"
