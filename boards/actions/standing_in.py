"""Contributors have no rights on runs: what their entry needs, MLED does for them, within their act."""

from kernel.actor import Actor, ActorKind


def for_board(actor: Actor) -> Actor:
    """MLED itself at the actor's door. What it makes is the person's own where somebody is signed in; the event of the
    act that is open names the actor."""
    return Actor(
        ActorKind.SYSTEM,
        actor.door,
        user_id=actor.user_id,
        user_name=actor.user_name,
        request_id=actor.request_id,
        client=actor.client,
        ip=actor.ip,
    )
