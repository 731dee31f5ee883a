"""Parts of the API that will go: said in headers (RFC 9745, RFC 8594) and in the schema, long before."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.utils.http import http_date

if TYPE_CHECKING:
    from accounts.rest.door import RestView

POLICY: Final = "/api/v1/docs/#deprecation"
AT_LEAST: Final = dt.timedelta(days=180)


@dataclass(frozen=True, slots=True)
class Deprecated:
    """Since when something is on its way out, when it goes, and what takes its place.

    A serializer names such fields in `deprecated_fields`, a view such methods in `deprecated`.
    """

    since: dt.date
    sunset: dt.date
    instead: str

    def __post_init__(self) -> None:
        if self.sunset - self.since < AT_LEAST:
            raise ValueError(f"What is deprecated stays for {AT_LEAST.days} days at least.")

    @property
    def words(self) -> str:
        """As the schema says it."""
        return f"Deprecated since {self.since}, gone after {self.sunset}. Use {self.instead}."


def tell_age(view: "RestView", method: str, answer: Any) -> None:
    """Headers of what this answer holds or comes from: the earliest of each date."""
    old = [*_of_method(view, method), *_of_fields(getattr(answer, "data", None))]
    if not old:
        return
    answer.headers["Deprecation"] = f"@{int(_moment(min(one.since for one in old)).timestamp())}"
    answer.headers["Sunset"] = http_date(_moment(min(one.sunset for one in old)).timestamp())
    answer.headers["Link"] = f'<{POLICY}>; rel="deprecation"'


def _of_method(view: "RestView", method: str) -> Iterator[Deprecated]:
    found = view.deprecated.get("GET" if method == "HEAD" else method)
    if found is not None:
        yield found


def _of_fields(data: Any) -> Iterator[Deprecated]:
    """Of the serializer that made the data, or a page of it."""
    if isinstance(data, dict) and "results" in data:
        data = data["results"]
    serializer = getattr(data, "serializer", None)
    serializer = getattr(serializer, "child", serializer)
    yield from getattr(serializer, "deprecated_fields", {}).values()


def _moment(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), tzinfo=dt.UTC)
