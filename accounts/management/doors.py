"""What the commands share: the operator of the machine acts, and our errors become the command's."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError

from kernel.actor import Actor, operator
from kernel.errors import MledError
from kernel.ids import uuid7


@contextmanager
def as_operator() -> Iterator[Actor]:
    """An act of the operator; a refusal or mistake ends the command with its words."""
    try:
        yield operator(request_id=uuid7().hex)
    except MledError as error:
        raise CommandError(str(error)) from None
