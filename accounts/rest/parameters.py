"""Which parameters an address takes: what its schema tells. A misspelt filter would give more than was asked for."""

import difflib
from typing import TYPE_CHECKING, Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework.mixins import ListModelMixin

from kernel.errors import Invalid, InvalidFields, MledError, NotFound

if TYPE_CHECKING:
    from accounts.rest.door import RestView

_known: dict[tuple[type, str], frozenset[str]] = {}


def refuse_unknown(view: "RestView", method: str) -> None:
    """Raise Invalid for each parameter in the address that the view does not know, or that no database holds.

    Raises NotFound for an address that no thing can have.
    """
    if any("\x00" in str(part) for part in view.kwargs.values()):
        raise NotFound("Nothing was found here.")
    given = view.request.query_params
    if not given:
        return
    for name, values in given.lists():
        if "\x00" in name or any("\x00" in value for value in values):
            raise Invalid("A parameter holds a NUL character.", field=name.replace("\x00", "")[:40])
    known = parameters_of(view, method)
    wrong = [_unknown(name, known) for name in given if name not in known]
    if wrong:
        raise wrong[0] if len(wrong) == 1 else InvalidFields(wrong)


def parameters_of(view: "RestView", method: str) -> frozenset[str]:
    """The names of all parameters of a method, `format` among them."""
    key = (type(view), method)
    if key not in _known:
        _known[key] = frozenset({"format", *_declared(view, method), *_of_list(view, method)})
    return _known[key]


def _unknown(name: str, known: frozenset[str]) -> MledError:
    near = difflib.get_close_matches(name, known, n=1)
    shown = ", ".join(sorted(known - {"format"}))
    taken = f"There are: {shown}." if shown else "It takes none."
    return Invalid(
        f"There is no parameter '{name[:40]}' here.",
        hint=f"Did you mean '{near[0]}'? {taken}" if near else taken,
        field=name[:40],
    )


def _declared(view: "RestView", method: str) -> set[str]:
    """What `extend_schema` says of the method."""
    handler = getattr(type(view), method.lower(), None)
    kind = getattr(handler, "kwargs", {}).get("schema")
    if kind is None:
        return set()
    told = kind()
    told.view, told.method = view, method
    found: set[str] = set()
    for one in told.get_override_parameters():
        found |= _names(one)
    return found


def _names(one: Any) -> set[str]:
    if isinstance(one, OpenApiParameter):
        return {one.name} if one.location == OpenApiParameter.QUERY else set()
    serializer = one() if isinstance(one, type) else one
    return set(serializer.fields)


def _of_list(view: "RestView", method: str) -> set[str]:
    """Paging and filters."""
    if method != "GET" or not isinstance(view, ListModelMixin):
        return set()
    pages: Any = view.paginator
    paging = {pages.page_size_query_param, pages.cursor_query_param} if pages else set()
    filters = getattr(view, "filterset_class", None)
    return paging | (set(filters.base_filters) if filters else set())
