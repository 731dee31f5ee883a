"""What was signed, made anew from what is stored now, so that a signature can be compared with it."""

from collections.abc import Callable, Mapping
from typing import Any

from accounts.models import Signature
from accounts.signing import SignatureState, state_of
from audit.compliance import verdict
from audit.compliance.models import Review
from registry.models import PromotionRequest
from registry.promoting.record import record_of

Maker = Callable[[str], Mapping[str, Any] | None]
"""From the id of what was signed to its record now; None where it is gone."""

_makers: dict[str, Maker] = {}


def register_signed(subject_type: str, maker: Maker) -> None:
    """Say how the record of one kind of thing is made anew."""
    _makers[subject_type] = maker


def state_now(signature: Signature) -> SignatureState:
    """Whether a signature still matches what it was put under, and whether the log covers it."""
    maker = _makers.get(signature.subject_type)
    return state_of(signature, maker(signature.subject_id) if maker else None)


def _promotion(request_id: str) -> Mapping[str, Any] | None:
    request = PromotionRequest.objects.filter(pk=request_id).first()
    return record_of(request) if request else None


def _verdict(review_id: str) -> Mapping[str, Any] | None:
    review = Review.objects.filter(pk=review_id).select_related("assessment").first()
    return verdict.record_of(review) if review else None


def register() -> None:
    """Make known what can be signed so far. Called once, when the app is ready."""
    register_signed("registry.promotionrequest", _promotion)
    register_signed("compliance.review", _verdict)
