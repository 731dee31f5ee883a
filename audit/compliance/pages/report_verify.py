"""What it takes to verify a report elsewhere: public keys, heads of the log, and how to go about it."""

from pathlib import Path

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.http import require_safe

from accounts.pages.doors import actor_of, signed_in
from audit.compliance.queries.outside import anchored_heads, public_keys
from kernel.errors import NotFound

TEXT = "text/plain; charset=utf-8"
KEYS, HEADS, GUIDE = "ledger.pub", "checkpoints.log", "verify.md"


@require_safe
@signed_in
def keys(request: HttpRequest) -> HttpResponse:
    """The public keys of the log as text, under the name that the verifier's examples use."""
    answer = HttpResponse(public_keys(actor_of(request)), content_type=TEXT)
    answer["Content-Disposition"] = f'attachment; filename="{KEYS}"'
    return answer


@require_safe
@signed_in
def heads(request: HttpRequest) -> HttpResponseBase:
    """The heads that were anchored, to keep elsewhere: a later bundle has to continue them."""
    path = anchored_heads(actor_of(request))
    return FileResponse(path.open("rb"), as_attachment=True, filename=HEADS, content_type=TEXT)


@require_safe
@signed_in
def guide(request: HttpRequest) -> HttpResponseBase:
    """How a bundle is verified, what is checked, and what each answer means."""
    path = Path(settings.BASE_DIR) / "docs" / GUIDE
    if not path.is_file():
        raise NotFound("This server has no such text to give out.", hint="It is docs/verify.md of MLED's source.")
    return FileResponse(path.open("rb"), filename=GUIDE, content_type=TEXT)
