"""Who is told of a promotion: those who may decide, then who asked, then both. Part of the act itself."""

from accounts.models import User
from accounts.notices import tell
from registry.models import PromotionRequest
from registry.promoting.carriers import page_of_promotion
from registry.promoting.makers import makers_of, who_may_decide


def asked(request: PromotionRequest) -> None:
    """Those who may decide learn that something waits for them."""
    able = who_may_decide(request.version, request.created_by_id, makers_of(request.version))
    _tell(able, request, "asked", f"{request.created_by or 'The operator'} asks to promote {_what(request)}.")


def decided(request: PromotionRequest) -> None:
    """Who asked learns of the decision."""
    words = f"{request.decided_by} {request.get_state_display().lower()} the promotion of {_what(request)}."
    if request.decision_comment:
        words += f" {request.decision_comment}"
    _tell([request.created_by], request, request.state, words)


def carried_out(request: PromotionRequest) -> None:
    """Who asked and who decided learn that it took effect, or why it did not."""
    if request.lapsed_at is None:
        kind, words = "effective", f"The promotion of {_what(request)} is in effect."
    else:
        kind, words = "lapsed", f"The promotion of {_what(request)} did not take effect. {request.lapsed_why}"
    _tell([request.created_by, request.decided_by], request, kind, words)


def _what(request: PromotionRequest) -> str:
    return f"{request.model.name[:100]} version {request.version.number} to '{request.target[:60]}'"


def _tell(people: list[User | None] | list[User], request: PromotionRequest, kind: str, words: str) -> None:
    reached = [user for user in people if user is not None]
    tell(
        reached,
        kind=f"promotion.{kind}",
        text=words[:500],
        url=page_of_promotion(request),
        project=request.model.project,
    )
