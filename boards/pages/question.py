"""What the address of a board's page asks for: filter, order, columns, page."""

from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlencode

from django.http import QueryDict

from boards.conditions import Condition, read_conditions
from boards.queries.entries import Asked
from kernel.errors import Invalid

TEXT_MAX: Final = 500  # characters of a filter
COLUMNS_MAX: Final = 12
CONDITIONS_MAX: Final = 20


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that is on: what it says, and the address without it."""

    name: str
    sign: str
    value: str
    without: str


@dataclass(frozen=True, slots=True)
class Question:
    """path: of the page. columns: as `params.x` and `results.y`; none: those that differ."""

    path: str
    model: str = ""
    email: str = ""
    where: tuple[str, ...] = ()
    mine: bool = False
    order: str = ""
    columns: tuple[str, ...] = ()
    page: str = ""

    @classmethod
    def of(cls, path: str, params: QueryDict) -> "Question":
        """What is asked; texts that are too long are cut, as they match nothing."""
        one = {name: params.get(name, "").strip()[:TEXT_MAX] for name in ("model", "email", "order", "page")}
        texts = [text.strip()[: TEXT_MAX + 1] for text in params.getlist("where")]
        return cls(
            path=path,
            **one,
            where=tuple(dict.fromkeys(text for text in texts if text)),
            mine=params.get("mine") == "1",
            columns=tuple(dict.fromkeys(params.getlist("columns")))[:COLUMNS_MAX],
        )

    def pairs(self, *but: str) -> list[tuple[str, str]]:
        """As names and values of an address, without some."""
        said = [("model", self.model), ("email", self.email), *(("where", text) for text in self.where)]
        said += [("mine", "1" if self.mine else ""), ("order", self.order)]
        said += [*(("columns", key) for key in self.columns), ("page", self.page)]
        return [(name, value) for name, value in said if value and name not in but]

    def url(self, path: str = "", **change: Any) -> str:
        """The address of this question, some of it changed: another question begins at its first page."""
        other = replace(self, **({"page": ""} | change))
        query = urlencode(other.pairs())
        return f"{path or self.path}?{query}" if query else path or self.path

    @property
    def all_url(self) -> str:
        """Without its filters."""
        return self.url(model="", email="", where=(), mine=False)

    @property
    def is_filtered(self) -> bool:
        return bool(self.model or self.email or self.where or self.mine)

    @property
    def chips(self) -> list[Chip]:
        said = [Chip("Model", "has", self.model, self.url(model=""))] if self.model else []
        said += [Chip("By", "is", self.email, self.url(email=""))] if self.email else []
        said += [Chip("Entries", "are", "yours", self.url(mine=False))] if self.mine else []
        return said + [_chip(self, text) for text in self.where]

    def asked(self) -> Asked:
        """As the query takes it. Raises Invalid for a condition that is none."""
        return self._with(read_conditions(list(self.where)))

    def readable(self) -> tuple[Asked, Invalid | None]:
        """The same without what is no condition, and what is wrong with that."""
        good: list[Condition] = []
        problem = None
        for text in self.where[:CONDITIONS_MAX]:
            try:
                good += read_conditions([text])
            except Invalid as error:
                problem = problem or error
        return self._with(tuple(good)), problem

    def _with(self, where: tuple[Condition, ...]) -> Asked:
        return Asked(model=self.model, email=self.email, where=where, mine=self.mine, order=self.order or "rank")


def _chip(asked: Question, text: str) -> Chip:
    without = asked.url(where=tuple(one for one in asked.where if one != text))
    try:
        [one] = read_conditions([text])
    except Invalid:
        return Chip(text, "", "", without)
    return Chip(one.key, one.sign, one.value, without)
