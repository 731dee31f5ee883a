"""What a signature under a promotion says."""

from registry.models import PromotionRequest


def meaning_of(request: PromotionRequest, *, approve: bool) -> str:
    """The meaning as it is printed beside the name: 'Approved for alias champion: vitals v3'."""
    done = "Approved" if approve else "Rejected"
    return f"{done} for {request.kind} {request.target[:80]}: {str(request.version)[:100]}"
