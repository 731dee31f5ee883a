"""Conditions on the params and results of entries, as people type them: max_depth<6, kernel=rbf."""

import re
from dataclasses import dataclass
from typing import Final

from django.db.models import Exists, OuterRef, Q

from experiments.metrics.batch import finite_number
from experiments.models import MetricSeries, Param
from kernel.errors import Invalid

MOST: Final = 20
TEXT_MAX: Final = 500
_CONDITION = re.compile(r"\s*(?P<key>[^<>=!~]+?)\s*(?P<sign><=|>=|!=|=|<|>|~)\s*(?P<value>.*?)\s*", re.DOTALL)
_LOOKUPS: Final = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}
SIGNS: Final = ("=", "!=", "<", "<=", ">", ">=", "~")


@dataclass(frozen=True, slots=True)
class Condition:
    """key sign value; '~' asks for a part of a text, whatever its case."""

    key: str
    sign: str
    value: str

    def __str__(self) -> str:
        return f"{self.key}{self.sign}{self.value}"

    def holds(self, experiment: int) -> Q:
        """Of submissions: whose run has a param or result of this name for which it holds."""
        of_run = {"run": OuterRef("run"), "experiment": experiment, "key": self.key}
        params, results = Param.objects.filter(**of_run), MetricSeries.objects.filter(**of_run, context="")
        number = finite_number(self.value)
        if self.sign in _LOOKUPS:
            lookup = _LOOKUPS[self.sign]
            param, result = {f"number__{lookup}": number}, {f"last_value__{lookup}": number}
            return Q(Exists(params.filter(**param))) | Q(Exists(results.filter(**result)))
        if self.sign == "~":
            return Q(Exists(params.filter(value__icontains=self.value)))
        same = Q(value=self.value) if number is None else Q(value=self.value) | Q(number=number)
        alike = Q(Exists(params.filter(same)))
        if number is not None:
            alike |= Q(Exists(results.filter(last_value=number)))
        if self.sign == "=":
            return alike
        return (Q(Exists(params)) | Q(Exists(results))) & ~alike


def read_conditions(texts: list[str]) -> tuple[Condition, ...]:
    """The conditions of these texts; empty ones are left out. Raises Invalid with the one that is none."""
    wanted = [text for text in texts if text.strip()]
    if len(wanted) > MOST:
        raise Invalid(f"At most {MOST} conditions are asked at once.", field="where")
    return tuple(_read(text) for text in wanted)


def _read(text: str) -> Condition:
    found = _CONDITION.fullmatch(text) if len(text) <= TEXT_MAX else None
    if found is None or not found["value"]:
        raise Invalid(
            f"'{text[:80]}' is no condition.",
            hint=f"Write a name, one of {' '.join(SIGNS)}, and a value: max_depth<6",
            field="where",
        )
    if found["sign"] in _LOOKUPS and finite_number(found["value"]) is None:
        raise Invalid(
            f"'{found['value'][:80]}' is no number, so that nothing is above or below it.",
            hint="Ask with = or ~.",
            field="where",
        )
    if "\x00" in text:
        raise Invalid("This condition holds a character that nothing has.", field="where")
    return Condition(found["key"], found["sign"], found["value"])
