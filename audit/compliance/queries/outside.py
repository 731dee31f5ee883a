"""What somebody takes along to verify without this server: the public keys of the log, and the heads it anchored."""

from pathlib import Path

from accounts.access import require
from audit.ledger.anchors import anchor_file
from audit.ledger.keys import trusted_keys
from kernel.actor import Actor
from kernel.errors import NotFound

RIGHT = "ledger.verify"


def public_keys(viewer: Actor) -> str:
    """The public keys that the log is signed with, a line for each. Raises NotFound before the log began."""
    require(viewer, RIGHT)
    lines = [f"{key.line()}\n" for key in trusted_keys().values()]
    if not lines:
        raise NotFound("The log has no key yet.", hint="It has one once its first head is signed, within seconds.")
    return "".join(lines)


def anchored_heads(viewer: Actor) -> Path:
    """The file of all heads that this server anchored beside its log. Raises NotFound where there is none."""
    require(viewer, RIGHT)
    path = anchor_file()
    if not path.is_file():
        raise NotFound("No head is anchored in a file here.", hint="The administrator knows where else heads are kept.")
    return path
