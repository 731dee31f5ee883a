"""Style sheets and scripts: built, and those of this version."""

from pathlib import Path

from django.conf import settings

from mled_site.diagnostics.registry import check
from mled_site.diagnostics.results import Notes
from mled_site.supervise.preparing import static_digest

BUILD = "Run make up again: it builds and collects them. By hand: python3 prepare.py, then manage.py collectstatic."
NEEDED = ("app.css", "main.js")


@check("assets", "Style sheets and scripts", seconds=5)
def assets(notes: Notes) -> None:
    """Whether style sheets and scripts are built and those that are served are of this version."""
    bundle = Path(settings.BASE_DIR) / "static" / "dist"
    missing = [name for name in NEEDED if not (bundle / name).is_file()]
    if missing:
        notes.fail(
            "assets.missing",
            f"The bundle is not built: {', '.join(missing)} missing in {bundle}. Pages look bare.",
            BUILD,
        )
        return
    notes.figure("Bundle", bundle)
    if "anifest" not in settings.STORAGES["staticfiles"]["BACKEND"]:
        return
    stamp = Path(settings.STATIC_ROOT) / "made-from"
    notes.figure("Served from", settings.STATIC_ROOT)
    if not stamp.exists():
        notes.fail("assets.missing", f"Static files were never collected into {settings.STATIC_ROOT}.", BUILD)
    elif stamp.read_text() != static_digest():
        notes.warn(
            "assets.stale",
            "The style sheets and scripts that are served are not those of this version: pages may misbehave.",
            BUILD,
        )
