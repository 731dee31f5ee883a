"""What every REST view starts from: who asks, which permission the method needs, how odd numbers look in JSON.

And what no view has to think of: budgets, unknown parameters, ETag and If-Match, Idempotency-Key, deprecation.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, cast

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import APIException, MethodNotAllowed, NotAuthenticated
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import refused_to_token
from accounts.opening import watching
from accounts.rest import limits
from accounts.rest.ageing import Deprecated, tell_age
from accounts.rest.conditions import MATCH, NONE_MATCH, Changed, Condition, tag_answer
from accounts.rest.misread import checked
from accounts.rest.parameters import refuse_unknown
from accounts.rest.repeating import key_of, once
from accounts.roles import PERMISSIONS
from kernel.actor import Actor
from kernel.errors import MledError, NotFound, Refused, Unauthenticated


class ScopeAllows(BasePermission):
    """A token only goes where its scope leads; a method that names no permission is closed to everybody.

    Whether the role allows it is asked by the action or query, which know the object.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        method = "GET" if request.method == "HEAD" else str(request.method)
        name = cast("RestView", view).needs.get(method)
        if name is None:
            raise MethodNotAllowed(method)
        token, wanted = actor_of(request).token, PERMISSIONS[name]
        refused = None if token is None else refused_to_token(token, wanted)
        if refused is not None:
            raise refused
        return True


class RestView(GenericAPIView[Any]):
    """A view that parses, calls one action or query, and answers. needs: method -> permission; HEAD as GET.

    happens_anew: why a POST takes no Idempotency-Key. secrets: fields that an answer shows once; a repeated answer has
    them empty. also_tags: fields of its JSON that If-Match may name instead of the ETag. gives_file: GET gives a file,
    and If-Match names its `digest_of_file`. deprecated: by method.
    """

    needs: ClassVar[Mapping[str, str]] = {}
    happens_anew: ClassVar[str] = ""
    secrets: ClassVar[frozenset[str]] = frozenset({"secret"})
    also_tags: ClassVar[tuple[str, ...]] = ()
    gives_file: ClassVar[bool] = False
    deprecated: ClassVar[Mapping[str, Deprecated]] = {}
    permission_classes = (IsAuthenticated, ScopeAllows)
    metadata_class = None
    standing: limits.Standing | None = None

    def perform_authentication(self, request: Request) -> None:
        """Who it is, and whether they have calls left in this minute."""
        super().perform_authentication(request)
        if actor_of(request).is_person:
            self.standing = limits.spend(actor_of(request), str(request.method))

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """What is asked before a view is; then the view's method with what its headers want."""
        super().initial(request, *args, **kwargs)
        method = "GET" if request.method == "HEAD" else str(request.method)
        refuse_unknown(self, method)
        if method != "GET":
            handler = getattr(self, method.lower())
            setattr(self, method.lower(), lambda *given, **named: self._written(lambda: handler(*given, **named)))

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """The headers that go with every answer."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        if self.standing is not None:
            self.standing.tell(answer)
        tell_age(self, str(request.method), answer)
        is_json = isinstance(answer, Response) and answer.status_code == 200 and answer.data is not None
        if is_json and request.method in ("GET", "HEAD"):
            tag_answer(answer, request.headers.get(NONE_MATCH, ""))
        return answer

    def handle_exception(self, exc: Exception) -> Response:
        """The problem, with what the headers say of it."""
        exc = self._counted(exc)
        if isinstance(exc, limits.OverBudget):
            self.standing = exc.standing
        answer = super().handle_exception(exc)
        if isinstance(exc, Changed):
            answer.headers["ETag"] = exc.current
        return answer

    def _counted(self, exc: Exception) -> Exception:
        """The same, unless too many calls without a good credential came from this address."""
        if not isinstance(exc, Unauthenticated | NotAuthenticated):
            return exc
        try:
            limits.spend_unknown(self.request.META.get("REMOTE_ADDR", ""))
        except limits.OverBudget as enough:
            return enough
        return exc

    def _written(self, call: Callable[[], Response]) -> Response:
        """Make the call as its headers want it: once, and only if the thing is still the one that was read."""
        key = key_of(self.request) if self.request.method == "POST" and self.takes_key() else ""
        if not key:
            return self._if_unchanged(call)
        permission = self.needs["POST"]
        return once(
            self.request,
            self.actor,
            lambda: self._if_unchanged(call),
            key=key,
            permission=permission,
            secrets=self.secrets,
            still_there=self._still_there,
        )

    def takes_key(self) -> bool:
        """Whether this call is to happen once for its Idempotency-Key."""
        return not self.happens_anew

    def _if_unchanged(self, call: Callable[[], Response]) -> Response:
        if MATCH not in self.request.headers:
            return call()
        condition = Condition(self, self.request)
        condition.ask()
        with watching(condition.ask_locked):
            answer = call()
        if self.request.method != "POST" and answer.status_code == 200:
            answer.headers["ETag"] = condition.current()[0]
        return answer

    def digest_of_file(self) -> str:
        """What names the file that GET gives, without reading or giving it; empty where there is no such name."""
        return ""

    def _still_there(self) -> None:
        """Raise where the caller does not see any more what the address is about."""
        try:
            Condition(self, self.request).current()
        except (NotFound, Refused):
            raise
        except (MledError, APIException):
            return  # it needs more than an address to be read

    @property
    def actor(self) -> Actor:
        """Who asks."""
        return actor_of(self.request)

    def parsed(self, kind: type[serializers.Serializer[Any]]) -> dict[str, Any]:
        """The body's fields as this serializer checks them. Raises ValidationError."""
        return checked(kind(data=self.request.data))

    def asked(self, kind: type[serializers.Serializer[Any]]) -> dict[str, Any]:
        """The address's parameters as this serializer checks them; lists by repeating them. Raises ValidationError."""
        return checked(kind(data=self.request.query_params))


def actor_of(request: Request) -> Actor:
    """The actor that the credential names."""
    return cast(Actor, request._request.actor)  # type: ignore[attr-defined]


@extend_schema_field({"oneOf": [{"type": "number"}, {"type": "string", "enum": ["NaN", "Infinity", "-Infinity"]}]})
class Number(serializers.Field[Any, Any, Any, Any]):
    """A float as JSON has it; NaN and the infinities, which JSON lacks, as the words of the MLflow protocol."""

    def to_representation(self, value: float | None) -> float | str | None:
        return said(value)


def said(value: float | None) -> float | str | None:
    """A float that JSON can carry."""
    if value is None or math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
