"""What people write into a version's model card."""

from accounts.decorators import action
from experiments.values import checked_text
from kernel.actor import Actor
from kernel.clock import now
from kernel.errors import Invalid
from registry.cards import WRITTEN
from registry.models import CardText, ModelVersion
from registry.state import held_version


@action("registry.register", on="version")
def write_card(actor: Actor, version: ModelVersion, *, section: str, text: str) -> CardText:
    """Write one section, over what stood there; an empty text takes it back. The history keeps both.

    Raises Invalid for a section that cards do not have.
    """
    if section not in WRITTEN:
        raise Invalid(
            f"A model card has no section '{section[:40]}' to write in.",
            hint=f"It is one of {', '.join(WRITTEN)}.",
            field="section",
        )
    checked_text(text, "text")
    version = held_version(version)
    row: CardText | None = CardText.objects.filter(version=version, section=section).first()
    if row is None:
        row = CardText(version=version, section=section)
    if row.pk is None or row.text != text:
        row.text, row.written_at, row.written_by_id = text, now(), actor.user_id
        row.save()
    return row
