"""How old a row is before it may go for good."""

import datetime as dt

from django.db.models import DateTimeField, ExpressionWrapper, Q, Value
from django.db.models.functions import Now

from kernel.clock import now


def is_older(column: str, age: dt.timedelta) -> Q:
    """Whether the moment in that column is longer ago, by this machine's clock and by the database's: where one of them
    is wrong, nothing goes. (On SQLite both are the same.)"""
    by_database = ExpressionWrapper(Now() - Value(age), DateTimeField())
    return Q(**{f"{column}__lt": now() - age}) & Q(**{f"{column}__lt": by_database})
