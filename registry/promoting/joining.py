"""What promotions and webhooks register with the rooms below."""

from accounts.access import register_state_check
from audit.ledger.acting import before_event
from audit.ledger.hooks import checkpoint_signed
from registry.models import PromotionRequest
from registry.promoting import gates
from registry.promoting.makers import refuse_makers
from registry.tasks import wake_promotions, wake_sending
from registry.webhooks.events import tell_webhooks
from registry.webhooks.hooks import waking


def register() -> None:
    """Called once, when the app is ready."""
    register_state_check(PromotionRequest, refuse_makers)
    checkpoint_signed.append(wake_promotions)
    gates.register()
    before_event.append(tell_webhooks)
    waking.append(wake_sending)
