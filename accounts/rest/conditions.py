"""ETag, If-None-Match, If-Match: what a viewer read, and whether it is still so.

A tag is over the bytes that the viewer would read. A write with If-Match is compared twice: before it begins, and
again inside its transaction once the rows that it is about are locked, so that nobody comes in between.
"""

import hashlib
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from django.db import models
from django.urls import Resolver404, resolve
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request, clone_request
from rest_framework.response import Response

from audit.ledger.acting import Act
from kernel.errors import Invalid, Stale

if TYPE_CHECKING:
    from accounts.rest.door import RestView

MATCH: Final = "If-Match"
NONE_MATCH: Final = "If-None-Match"
_TAG = re.compile(r'(?:W/)?"([^"]*)"|([^\s,"]+)')


class Changed(Stale):
    """The thing is another than the one that was read. current: its tag now."""

    def __init__(self, current: str) -> None:
        super().__init__(
            "This was changed since you read it; nothing was written.",
            hint=f"Read it again, look at what is new, and send your change with If-Match: {current}.",
            field=MATCH,
        )
        self.current = current


def tags_in(header: str) -> frozenset[str]:
    """The tags that a header names, without quotes and W/: a proxy that compresses weakens them on its way."""
    return frozenset(quoted or bare for quoted, bare in _TAG.findall(header))


def tag_of(content: bytes) -> str:
    """The strong tag of these bytes."""
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def tag_answer(answer: Response, wanted: str) -> None:
    """Give a JSON answer its tag once it is rendered; 304 without a body where the caller has it already."""

    def tag(rendered: Response) -> None:
        rendered.headers["ETag"] = tag_of(rendered.content)
        rendered.headers.setdefault("Cache-Control", "private, no-cache")
        known = tags_in(wanted)
        if known and ("*" in known or rendered.headers["ETag"].strip('"') in known):
            rendered.status_code = 304
            rendered.content = b""
            del rendered.headers["Content-Type"]

    answer.add_post_render_callback(tag)


class Condition:
    """An If-Match of one call: which thing it speaks of, and whether it is still the one that was read."""

    def __init__(self, view: "RestView", request: Request) -> None:
        self.wanted = tags_in(request.headers.get(MATCH, ""))
        self.target, self.asked = target_of(view, request)
        self.was_asked = False

    def ask(self) -> None:
        """Raise Changed unless one of the tags is the thing's own now, and whatever reading it raises."""
        current, also = self.current()
        if "*" not in self.wanted and not self.wanted & {current.strip('"'), *also}:
            raise Changed(current)

    def ask_locked(self, act: Act, given: Sequence[Any]) -> None:
        """The same for the first act of the call, under the locks of the rows that it was given."""
        if not self.was_asked:
            self.was_asked = True
            _lock(given)
            self.ask()

    def current(self) -> tuple[str, set[str]]:
        """The thing's tag as the caller would read it now, and what else names its state."""
        self.target.actor.memo.clear()  # what this call has looked up before may be of another moment
        read: Any = self.target
        if self.target.gives_file:  # nothing is taken out by comparing
            return self._tag_of_file(), set()
        answer = read.get(self.asked, *self.target.args, **self.target.kwargs)
        if not isinstance(answer, Response):
            raise nothing_to_compare()
        answer.accepted_renderer = JSONRenderer()
        answer.accepted_media_type = "application/json"
        answer.renderer_context = self.target.get_renderer_context()  # type: ignore[attr-defined]  # set by DRF so
        data = answer.data if isinstance(answer.data, dict) else {}
        also = {str(data[name]) for name in self.target.also_tags if name in data}
        return tag_of(answer.rendered_content), also

    def _tag_of_file(self) -> str:
        found = self.target.digest_of_file()
        if not found:
            raise nothing_to_compare()
        return f'"{found}"'


def nothing_to_compare() -> Invalid:
    """That an address has no state which an If-Match could name."""
    return Invalid("There is nothing here to compare with.", hint="Leave If-Match out.", field=MATCH)


def target_of(view: "RestView", request: Request) -> tuple["RestView", Request]:
    """What a call is about, ready to be read by the same caller: its own address, or the nearest above that has GET.

    Raises Invalid where there is none, and what reading it needs.
    """
    asked = clone_request(request, "GET")
    path = request.path
    while path.count("/") > 4:  # below /api/v1/<noun>/
        target = _readable(view, path)
        if target is not None:
            target.request = asked
            target.check_permissions(asked)
            return target, asked
        path = path.rstrip("/").rpartition("/")[0] + "/"
    raise nothing_to_compare()


def _readable(view: "RestView", path: str) -> "RestView | None":
    from accounts.rest.door import RestView

    try:
        found = resolve(path)
    except Resolver404:
        return None
    kind = getattr(found.func, "view_class", None)
    if kind is None or not issubclass(kind, RestView) or "GET" not in kind.needs:
        return None
    target: RestView = kind(**getattr(found.func, "view_initkwargs", {}))
    target.args, target.kwargs, target.headers = found.args, found.kwargs, {}
    target.format_kwarg = None
    return target


def _lock(given: Sequence[Any]) -> None:
    """Hold the rows among these to the end of the transaction, always in the same order."""
    rows = {(one._meta.label, one.pk): type(one) for one in given if isinstance(one, models.Model) and one.pk}
    for (_, key), kind in sorted(rows.items(), key=lambda row: (row[0][0], str(row[0][1]))):
        kept = kind._base_manager.select_for_update(of=("self",), no_key=True).filter(pk=key)
        list(kept.values_list("pk", flat=True))
