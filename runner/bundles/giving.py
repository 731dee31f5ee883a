"""A bundle on its way out of a door."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from django.http import StreamingHttpResponse

from accounts.access import require
from experiments.models import Run
from kernel.actor import Actor
from runner.actions.bundles import note_bundle_of
from runner.bundles.contents import Bundle, bundle_of
from runner.bundles.zipping import zipped


def bundle_response(viewer: Actor, run: Run, *, data_mb: int) -> StreamingHttpResponse:
    """The zip, streamed; that it was taken is on record. Raises Conflict where the run does not say what was run."""
    require(viewer, "experiments.download", run)
    scratch = TemporaryDirectory(prefix="mled-bundle-")
    try:
        bundle = bundle_of(viewer, run, scratch=Path(scratch.name), data_mb=data_mb)
        data = sum(path.startswith("data/") for path in bundle.stored)
        note_bundle_of(viewer, run, files=len(bundle.small) + len(bundle.stored) + bundle.code_files, data=data)
    except BaseException:
        scratch.cleanup()
        raise
    answer = StreamingHttpResponse(_read(bundle, scratch), content_type="application/zip")
    answer["Content-Disposition"] = f'attachment; filename="{bundle.name}.zip"'
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


def _read(bundle: Bundle, scratch: "TemporaryDirectory[str]") -> Iterator[bytes]:
    with scratch:
        yield from zipped(bundle)
