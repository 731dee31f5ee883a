"""The queue of messages stays quick, however many were delivered before."""

import pytest
from django.db import connection

from kernel.clock import now
from registry.webhooks.queue import due


@pytest.mark.django_db
def test_what_is_due_is_found_by_its_index() -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":  # it would rather read an empty table
            cursor.execute("SET LOCAL enable_seqscan = off")
    assert "delivery_due" in due(now())[:1].explain()
