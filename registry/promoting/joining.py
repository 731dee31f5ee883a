"""What promotions register with the rooms below."""

from accounts.access import register_state_check
from audit.ledger.hooks import checkpoint_signed
from registry.models import PromotionRequest
from registry.promoting import gates
from registry.promoting.makers import refuse_makers
from registry.tasks import apply_covered_promotions


def register() -> None:
    """Called once, when the app is ready."""
    register_state_check(PromotionRequest, refuse_makers)
    checkpoint_signed.append(apply_covered_promotions)
    gates.register()
