"""A mark that changes whenever anybody's rights do."""

import uuid

from django.db import models

from audit.ledger.tracking import Quiet


class RightsStamp(Quiet):
    """One row. Every act that changes people, tokens, memberships, groups, projects or grants gives it a new value.

    Quiet: it says nothing that the act's own event does not say.
    """

    THE_ROW = 1

    id = models.SmallIntegerField(primary_key=True, default=THE_ROW)
    stamp = models.UUIDField(default=uuid.uuid4)

    def __str__(self) -> str:
        return str(self.stamp)
