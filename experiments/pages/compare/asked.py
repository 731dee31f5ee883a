"""The question of one address of the comparison."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse

from experiments.compare.matrix import Figure
from experiments.pages.asked import groups_in

OVERVIEW = "overview"


@dataclass(frozen=True, slots=True)
class Asked:
    """refs: ids of runs; base, other: of two of them, '' for the usual ones. identical: rows that are the same, too.

    groups: fields by which runs stand together, none for each by itself. tab: the part of the page.
    """

    refs: tuple[str, ...]
    added: str = ""
    base: str = ""
    other: str = ""
    figure: Figure = Figure.LAST
    identical: bool = False
    names: str = ""
    groups: tuple[str, ...] = ()
    tab: str = OVERVIEW

    @classmethod
    def parse(cls, params: QueryDict, tab: str = OVERVIEW) -> "Asked":
        """What is unknown in it is left out."""
        refs = [ref for given in params.getlist("runs") for ref in given.split(",")]
        figure = params.get("figure", "")
        return cls(
            refs=tuple(dict.fromkeys(ref.strip()[:80] for ref in refs if ref.strip())),
            added=params.get("add", "").strip()[:4_000],
            base=params.get("base", "")[:80],
            other=params.get("with", "")[:80],
            figure=Figure(figure) if figure in list(Figure) else Figure.LAST,
            identical=params.get("identical") == "1",
            names=params.get("names", "").strip()[:200],
            groups=groups_in(params),
            tab=tab,
        )

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """As it stands in an address."""
        said = {
            "runs": ",".join(self.refs),
            "base": self.base,
            "with": self.other,
            "figure": "" if self.figure is Figure.LAST else self.figure.value,
            "identical": "1" if self.identical else "",
            "names": self.names,
        }
        return [*((name, value) for name, value in said.items() if value), *(("group", key) for key in self.groups)]

    @property
    def group(self) -> str:
        """What runs are grouped by, in words."""
        return ", ".join(self.groups)

    def kept(self, *without: str) -> list[tuple[str, str]]:
        """For the hidden fields of a form that changes the rest."""
        return [(name, value) for name, value in self.pairs if name not in without]

    def url(self, *, more: Sequence[tuple[str, str]] = (), **change: Any) -> str:
        """The address of this question with some of it changed. more: what only this tab knows."""
        asked = replace(self, **change)
        return f"{asked.path}?{urlencode([*asked.pairs, *more], safe=',')}"

    @property
    def path(self) -> str:
        """The address of the tab."""
        if self.tab == OVERVIEW:
            return reverse("experiments:compare")
        return reverse("experiments:compare_tab", args=[self.tab])

    def url_of(self, name: str) -> str:
        """Another address that answers this question, such as its CSV."""
        return f"{reverse(f'experiments:{name}')}?{urlencode(self.pairs, safe=',')}"

    def without(self, ref: str) -> str:
        """The address without this run."""
        return self.url(
            refs=tuple(one for one in self.refs if one != ref),
            base="" if self.base == ref else self.base,
            other="" if self.other == ref else self.other,
        )

    def moved(self, ref: str, by: int) -> str:
        """The address with this run one place further on; '' where there is no such place."""
        refs = list(self.refs)
        at = refs.index(ref)
        if not 0 <= at + by < len(refs):
            return ""
        refs.insert(at + by, refs.pop(at))
        return self.url(refs=tuple(refs), base=self.base or self.refs[0])
